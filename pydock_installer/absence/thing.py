"""A thing of Docker's on a host, how far an uninstallation may go, and the reasons why things stay. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from pydock_installer.model import Fact, Known

#: What a person reads where a thing stays without a word of theirs.
KEPT_DATA = "data goes with --purge-data alone"
KEPT_CONFIG = "settings go with --purge-config alone"

T = TypeVar("T")
S = TypeVar("S")


@dataclass(frozen=True)
class Consents:
    """How far an uninstallation may go."""

    purge_data: bool = False
    purge_config: bool = False
    with_tools: bool = False
    foreign: bool = False
    follow_links: bool = False


@dataclass(frozen=True)
class Thing:
    """Something of Docker's on a host: the step that takes it away, or why it stays."""

    step: str
    what: str
    stays: str | None = None
    along: str | None = None
    """It makes no step of its own: it goes along with others if it can, else this is why not."""


def value(fact: Fact[T], otherwise: S) -> T | S:
    """What is known, or else ``otherwise``."""
    return fact.value if isinstance(fact, Known) else otherwise
