"""daemon.json and the engine's rules about it, by the code that the role docker_daemon runs on hosts. Pure.

There is one implementation, in the role, so that what is planned and shown is what is written.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from pydock_installer import content

FILE = "/etc/docker/daemon.json"


@dataclass(frozen=True)
class Change:
    """What setting keys does to the file: the texts before and after, and the keys that change."""

    before: str
    after: str
    keys: tuple[str, ...]
    merged: Mapping[str, Any]

    @property
    def diff(self) -> str:
        """The lines that change, as ``diff -u`` shows them, without passwords; empty if none does."""
        before, after = (
            str(_json().without_passwords(text.removeprefix("\ufeff"))).splitlines()
            for text in (self.before, self.after)
        )
        return "\n".join(difflib.unified_diff(before, after, FILE, FILE, n=2, lineterm=""))


def shown(text: str) -> str:
    """A text without the users and passwords of its addresses."""
    return str(_json().without_passwords(text))


def parse(text: str) -> Mapping[str, Any]:
    """The keys of a daemon.json. Raises ValueError with line, column and reason."""
    module = _json()
    try:
        found: Mapping[str, Any] = module.parse(text)
    except module.NotSettings as problem:
        raise ValueError(str(problem)) from None
    return found


def change(text: str, settings: Mapping[str, Any]) -> Change:
    """What setting these keys does to a file. Raises ValueError if it is none."""
    merged, keys = _json().merge(parse(text), settings)
    return Change(text, _json().edit(text, {key: settings[key] for key in keys}), tuple(keys), merged)


def normal_mirrors(mirrors: Sequence[str]) -> tuple[str, ...]:
    """Addresses as the engine reports them: one trailing slash, no doubles."""
    return tuple(_json().normal_mirrors(list(mirrors)))


def needs_restart(keys: Sequence[str], version: str | None, merged: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys because of which an engine of this version has to restart; none if it takes all over on a reload."""
    return tuple(_rules().needs_restart(keys, version, merged))


def containers_go_on(keys: Sequence[str], running: str | None, installed: str | None) -> bool:
    """Whether containers of an engine with live-restore survive its restart."""
    return bool(_rules().containers_go_on(keys, running, installed))


def refusal(settings: Mapping[str, Any], version: str | None) -> str | None:
    """Why an engine of this version would not accept the settings."""
    reason: str | None = _rules().refusal(settings, version)
    return reason


def flag_key(flag: str) -> str | None:
    """The key of daemon.json that a flag of dockerd stands for; ``None`` for a word that is no flag of it."""
    found: Mapping[str, Any] = _rules().flags([("", f"ExecStart=dockerd {flag}")], lambda _: None)
    return next(iter(found), None)


def differing(present: Mapping[str, Any], former: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys that do not mean the same in both, or stand in one alone."""
    return tuple(_json().differing(present, former))


def needs_restart_for(keys: Sequence[str], version: str | None, wanted: Mapping[str, Any]) -> tuple[str, ...]:
    """As ``needs_restart`` where the file is to become ``wanted``, and keys may go from it."""
    return tuple(_rules().needs_restart_for(keys, version, wanted))


def without_passwords(text: str) -> str:
    """A daemon.json for people: addresses without user and password."""
    return str(_json().without_passwords(text))


def _json() -> ModuleType:
    return content.role_module("docker_daemon", "pydock_daemon_json")


def _rules() -> ModuleType:
    return content.role_module("docker_daemon", "pydock_daemon_rules")
