"""What a rule is: a pure function of a host's facts and of what is wanted there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pydock_installer.model import Facts, Finding, Severity, Unknown
from pydock_installer.platforms import Platform
from pydock_installer.settings import Settings


@dataclass(frozen=True)
class Context:
    """What a rule may know besides the facts of a host."""

    settings: Settings
    platform: Platform | None = None
    """The platform that the host is measured by: its release's, or the nearest where that is refused for a reason."""


#: ``None`` where the facts that a rule is about were not asked for, or where it has nothing to say.
Rule = Callable[[Facts, Context], Finding | None]


def ok(code: str, message: str) -> Finding:
    """All is well, and what was seen."""
    return Finding(code, Severity.OK, message)


def warning(code: str, message: str, remedy: str) -> Finding:
    """Docker will run, but something will hurt."""
    return Finding(code, Severity.WARNING, message, remedy)


def blocker(code: str, message: str, remedy: str) -> Finding:
    """Docker cannot be installed, or will not run."""
    return Finding(code, Severity.BLOCKER, message, remedy)


def unknown(code: str, what: str, fact: Unknown | None, remedy: str | None = None) -> Finding:
    """It could not be seen: never a pass."""
    reason = fact.reason if isinstance(fact, Unknown) else "it is not there"
    return Finding(code, Severity.UNKNOWN, f"{what} could not be seen: {reason}", remedy)
