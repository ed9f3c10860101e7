"""``pydock runs``: what earlier runs did, and where their trees are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydock_installer import rundir

if TYPE_CHECKING:
    from pydock_installer.cli.console import Console


def show_list(talk: Console) -> int:
    """One line per run: id, hosts by status."""
    entries = [_entry(run) for run in rundir.runs()]
    if talk.json:
        talk.document({"command": "runs list", "exit_code": 0, "runs": entries})
    elif not entries:
        talk.out("No runs yet.")
    else:
        for entry in entries:
            talk.out(f"{entry['run']}  {entry['summary']}")
    return 0


def show_run(identifier: str, talk: Console) -> int:
    """The report of a run, host by host. Raises UsageError if there is no such run."""
    directory = rundir.find(identifier)
    report = rundir.load_report(directory)
    if talk.json:
        talk.document(report if report is not None else {"run": directory.name, "hosts": []})
        return 0
    talk.out(f"{directory.name}: {_entry(directory)['summary']}")
    for host in (report or {}).get("hosts", []):
        steps = ", ".join(f"{s['name']} {s['status']}" for s in host.get("steps", []))
        talk.out(f"  {host.get('name')}: {host.get('status')}" + (f" ({steps})" if steps else ""))
        for key in ("cause", "remedy"):
            if host.get(key):
                talk.out(f"    {host[key]}")
    talk.out(f"Tree: {directory}")
    return 0


def _entry(directory: Path) -> dict[str, Any]:
    report = rundir.load_report(directory)
    if report is None:
        return {"run": directory.name, "directory": str(directory), "summary": "never came to its end"}
    counts: dict[str, int] = {}
    for host in report.get("hosts", []):
        status = str(host.get("status"))
        counts[status] = counts.get(status, 0) + 1
    summary = ", ".join(f"{number} {status}" for status, number in counts.items())
    return {"run": directory.name, "directory": str(directory), "summary": summary}
