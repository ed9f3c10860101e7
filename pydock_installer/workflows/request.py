"""What a command was asked for, and whom it may talk to while it works."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from pydock_installer.history import Invocation
from pydock_installer.model import Host, Plan, StepResult
from pydock_installer.planner import Wishes
from pydock_installer.settings import Settings


@dataclass(frozen=True)
class Request:
    """Hosts, settings, and how far the command may go without asking."""

    hosts: tuple[Host, ...]
    settings: Settings
    wishes: Wishes = field(default_factory=Wishes)
    yes: bool = False
    keep_going: bool = False
    break_lock: bool = False
    """Whether hosts on which another run is at work are taken over."""
    narrowed: bool = False
    """Whether these are but some hosts of the inventory, or of none."""
    verbosity: int = 0
    invocation: Invocation = field(default_factory=lambda: Invocation((), ""))
    """How the command was typed, for the record of runs."""


class Progress(Protocol):
    """Where a workflow tells what is going on; host names are those of the request."""

    def stage(self, text: str) -> None: ...
    def step(self, host: str, step: str) -> None: ...
    def step_done(self, host: str, result: StepResult) -> None: ...
    def host_done(self, host: str, ok: bool, text: str) -> None: ...


class Talk(Protocol):
    """The person, as a workflow sees them."""

    interactive: bool

    def progress(self, hosts: Sequence[str]) -> AbstractContextManager[Progress]: ...
    def plan(self, plan: Plan) -> None: ...
    def diffs(self, plan: Plan, result: bool) -> None: ...
    def ask(self, question: str) -> bool: ...
    def typed(self, question: str, otherwise: str) -> str: ...
    def note(self, text: str) -> None: ...
