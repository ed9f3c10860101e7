"""``pydock runs``: what earlier runs did, how they differ, and those hosts again that are not as they should be."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydock_installer import history
from pydock_installer.errors import UsageError

if TYPE_CHECKING:
    from pydock_installer.cli.console import Console
    from pydock_installer.history import HostRecord, RunRecord


def show_list(talk: Console) -> int:
    """One line per run: id, when, how it ended. Raises PydockError if the record cannot be read."""
    known = history.runs()
    if talk.json:
        entries = [_entry(run) for run in known]
        talk.document({"command": "runs list", "exit_code": 0, "runs": entries})
    elif not known:
        talk.out("No runs yet.")
    for run in () if talk.json else known:
        talk.out(f"{run.id}  {_local(run.started)}  {_outcome(run)}")
    return 0


def show_run(identifier: str, talk: Console) -> int:
    """A run, host by host, with its steps, and the command that began it. Raises UsageError if there is none."""
    run = history.find(identifier)
    if talk.json:
        talk.document(
            {"command": "runs show", "exit_code": 0, **_entry(run), "hosts": [_host(h) for h in run.hosts]}
        )
        return 0
    talk.out(f"{run.id}: {_outcome(run)}")
    talk.out(f"  pydock {shlex.join(run.invocation.arguments)}   (in {run.invocation.directory})")
    took = f", took {run.ended - run.started:.0f} s" if run.ended else ""
    talk.out(f"  began {_local(run.started)}{took}")
    for host in run.hosts:
        talk.out(
            f"  {host.name}: {host.status or 'not reached'}"
            + (f", docker {host.engine}" if host.engine else "")
        )
        for step in host.steps:
            talk.out(
                f"    {step.name} {step.status}, {step.seconds:.0f} s"
                + (f": {step.detail}" if step.detail else "")
            )
        for text in (host.cause, host.remedy):
            if text:
                talk.out(f"    {text}")
    if run.tree and Path(run.tree).is_dir():
        talk.out(f"Tree: {run.tree}")
    if run.unfinished and run.state != "running":
        talk.out(f"Again on {_count(run.unfinished)}: pydock runs retry {run.id}")
    return 0


def show_difference(before: str, after: str, talk: Console) -> int:
    """What two runs say differently of their hosts. Raises UsageError if one of them is not there."""
    old, new = history.find(before), history.find(after)
    changes = list(_changes(old, new))
    if talk.json:
        talk.document(
            {"command": "runs diff", "exit_code": 0, "before": old.id, "after": new.id, "changes": changes}
        )
        return 0
    talk.out(f"{old.id} -> {new.id}")
    for change in changes:
        talk.out(
            f"  {change['host']}: {change['what']}: {change['before'] or '-'} -> {change['after'] or '-'}"
        )
    if not changes:
        talk.out("  The same hosts, and the same of each.")
    return 0


def repeatable(identifier: str) -> RunRecord:
    """A run that can be gone on with. Raises UsageError if nothing is left of it to do."""
    run = history.find(identifier)
    if run.state == "running":
        raise UsageError(f"{run.id} is still running", "Wait for its end, or stop it with Ctrl-C.")
    if not run.unfinished:
        raise UsageError(
            f"{run.id} left nothing to do: {_outcome(run)}", "`pydock runs list` shows the others."
        )
    if not Path(run.invocation.directory).is_dir():
        raise UsageError(
            f"{run.id} began in {run.invocation.directory}, which is not there any more",
            f"Type the command again where you are: pydock {shlex.join(run.invocation.arguments)}",
        )
    return run


def announce(run: RunRecord, talk: Console) -> None:
    """Say what is being repeated, and go to where it began."""
    talk.note(f"Again on {_count(run.unfinished)}: pydock {shlex.join(run.invocation.arguments)}")
    os.chdir(run.invocation.directory)


def _changes(old: RunRecord, new: RunRecord) -> Iterator[dict[str, Any]]:
    before = {host.name: host for host in old.hosts}
    after = {host.name: host for host in new.hosts}
    for name in dict.fromkeys((*before, *after)):
        left, right = _told(before.get(name)), _told(after.get(name))
        for what in dict.fromkeys((*left, *right)):
            if left.get(what) != right.get(what):
                yield {"host": name, "what": what, "before": left.get(what), "after": right.get(what)}


def _told(host: HostRecord | None) -> dict[str, str | None]:
    if host is None:
        return {"status": "not in it"}
    steps = {step.name: step.status for step in host.steps}
    return {"status": host.status or "not reached", "docker": host.engine, "cause": host.cause, **steps}


def _entry(run: RunRecord) -> dict[str, Any]:
    return {
        "run": run.id,
        "started": _iso(run.started),
        "ended": _iso(run.ended) if run.ended is not None else None,
        "state": run.state,
        "run_exit_code": run.exit_code,
        "summary": run.summary,
        "arguments": list(run.invocation.arguments),
        "directory": run.invocation.directory,
        "run_directory": run.tree,
    }


def _host(host: HostRecord) -> dict[str, Any]:
    steps = [
        {"name": s.name, "status": s.status, "seconds": s.seconds, "detail": s.detail} for s in host.steps
    ]
    return {
        "name": host.name,
        "status": host.status or None,
        "engine": host.engine,
        "steps": steps,
        "cause": host.cause,
        "remedy": host.remedy,
        "code": host.code,
        "seconds": round(host.seconds, 1),
    }


def _outcome(run: RunRecord) -> str:
    if run.summary is not None:
        return run.summary
    done = sum(1 for host in run.hosts if host.status)
    return f"{run.state}; {done} of {_count(run.hosts)} done"


def _count(hosts: tuple[Any, ...]) -> str:
    return f"{len(hosts)} host{'' if len(hosts) == 1 else 's'}"


def _local(moment: float) -> str:
    return datetime.fromtimestamp(moment).astimezone().strftime("%Y-%m-%d %H:%M")


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment).astimezone().isoformat(timespec="seconds")
