"""From Ansible's events to what happened on each host. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydock_installer import legacy_report
from pydock_installer.model import Outcome, Proof, StepResult, StepStatus

#: The codes of hosts on which nothing failed: they were told to begin nothing new.
STOPPED = frozenset({"interrupted", "unheard"})


class Event(Protocol):
    """A task on a host, as the door to Ansible tells it."""

    @property
    def host(self) -> str: ...
    @property
    def task(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def result(self) -> Mapping[str, Any]: ...
    @property
    def seconds(self) -> float: ...


@dataclass(frozen=True)
class _Told:
    """An event whose result is a module's, whatever did the work."""

    host: str
    task: str
    kind: str
    result: Mapping[str, Any]
    seconds: float

    @classmethod
    def of(cls, event: Event) -> Event:
        if event.task not in legacy_report.ROLES or "stdout" not in event.result:
            return event
        return cls(event.host, event.task, event.kind, legacy_report.result(event.result), event.seconds)


@dataclass
class Ledger:
    """What has happened so far, host by host."""

    _outcomes: dict[str, Outcome] = field(default_factory=dict)
    _finished: dict[str, set[str]] = field(default_factory=dict)
    _begun: set[str] = field(default_factory=set)
    _tries: dict[str, int] = field(default_factory=dict)

    def enter(self, event: Event) -> tuple[StepResult, ...]:
        """Take note of an event; the steps that it ended."""
        if event.kind == "started":
            self._begun.add(event.host)
        if event.kind == "skipped" and event.host not in self._outcomes:
            self._begun.discard(event.host)
        if event.kind in ("started", "skipped"):
            return ()
        return tuple(step for part in _parts(_Told.of(event)) for step in self._enter(part))

    def _enter(self, event: Event) -> tuple[StepResult, ...]:
        if event.kind == "ok":
            self._finished.setdefault(event.host, set()).add(event.task)
        steps = _steps(event)
        before = self._outcomes.get(event.host, Outcome())
        self._outcomes[event.host] = _after(before, event, steps)
        return steps

    def outcome(self, host: str) -> Outcome | None:
        """What happened on a host; ``None`` if nothing did."""
        return self._outcomes.get(host)

    def begun(self, host: str) -> bool:
        """Whether work on a host began."""
        return host in self._begun

    def tries(self, host: str) -> int:
        """How often it was begun."""
        return self._tries.get(host, 1)

    def try_again(self, host: str) -> None:
        """A host that was out of reach is tried once more: that it failed is no result any longer."""
        before = self._outcomes.pop(host, Outcome())
        steps = tuple(step for step in before.steps if step.status is not StepStatus.FAILED)
        self._outcomes[host] = Outcome(steps=steps, seconds=before.seconds)
        self._tries[host] = self.tries(host) + 1

    def finished(self, host: str) -> set[str]:
        """The tasks that went well on a host."""
        return self._finished.get(host, set())


def _parts(event: Event) -> Iterator[Event]:
    """One task may do the work of several roles: then each has an event of its own."""
    told = event.result.get("parts")
    parts = [part for part in told if isinstance(part, Mapping)] if isinstance(told, list) else []
    for part in parts:
        kind = "failed" if part.get("failed") else "ok"
        yield _Told(event.host, str(part.get("role"))[:40], kind, part, _seconds(part.get("seconds")))
    if not parts or (event.kind != "ok" and not parts[-1].get("failed")):
        yield event


def _after(before: Outcome, event: Event, steps: tuple[StepResult, ...]) -> Outcome:
    result = event.result
    failed = event.kind in ("failed", "unreachable")
    return Outcome(
        steps=before.steps + steps,
        proof=_proof(result.get("proof")) or before.proof,
        failed_step=next((s.name for s in steps if s.status is StepStatus.FAILED), event.task)
        if failed
        else None,
        unreachable=event.kind == "unreachable",
        message=str(result.get("msg") or "the task failed without a word") if failed else None,
        evidence=_evidence(result) if failed else "",
        code=str(result["code"]) if failed and result.get("code") else None,
        seconds=before.seconds + event.seconds,
        journal=_words(result.get("journal")) if failed else "",
        **_engine(result.get("engine")),
    )


def _evidence(result: Mapping[str, Any]) -> str:
    parts = (result.get(key) for key in ("evidence", "module_stderr", "module_stdout", "stderr"))
    return "\n".join(part[-4000:] for part in parts if isinstance(part, str) and part.strip())


def _words(told: Any) -> str:
    return told[-4000:] if isinstance(told, str) else ""


def _engine(told: Any) -> dict[str, str | None]:
    known = told if isinstance(told, Mapping) else {}
    return {name: _text(known.get(name)) for name in ("architecture", "proxy")}


def _steps(event: Event) -> tuple[StepResult, ...]:
    """The module's own account of its steps; lacking that, the task is the step."""
    told = event.result.get("steps")
    steps = (
        tuple(_step(entry) for entry in told if isinstance(entry, Mapping)) if isinstance(told, list) else ()
    )
    stopped = str(event.result.get("code")) in STOPPED
    failed = event.kind in ("failed", "unreachable") and not stopped
    if failed and not any(s.status is StepStatus.FAILED for s in steps):
        steps += (StepResult(_short(event.task), StepStatus.FAILED, round(event.seconds, 1)),)
    return steps


def _short(task: str) -> str:
    """``packages`` of the role ``docker_packages``."""
    return "connection" if task in ("docker_apply", "") else task.removeprefix("docker_")


def _step(entry: Mapping[str, Any]) -> StepResult:
    status = str(entry.get("status"))
    known = status if status in {member.value for member in StepStatus} else "failed"
    return StepResult(
        str(entry.get("name", "step"))[:40],
        StepStatus(known),
        _seconds(entry.get("seconds")),
        str(entry.get("detail") or "")[:500],
    )


def _seconds(told: Any) -> float:
    try:
        seconds = round(float(told or 0.0), 2)
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return seconds if math.isfinite(seconds) else 0.0


def _proof(told: Any) -> Proof | None:
    if not isinstance(told, Mapping):
        return None
    mirrors = told.get("registry_mirrors")
    return Proof(
        client=_text(told.get("client")),
        server=_text(told.get("server")),
        registry_mirrors=tuple(str(m) for m in mirrors) if isinstance(mirrors, list) else (),
        hello_world=told.get("hello_world") is True,
        image=_text(told.get("image")),
        failed=_text(told.get("failed")),
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)[:200]
