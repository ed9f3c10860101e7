"""What ``pydock restore`` puts back: from a host's journal to the files, their differences, and a plan. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import unified_diff
from typing import Any

from pydock_installer import checks, planner_legacy, platforms
from pydock_installer.checks.rule import Context
from pydock_installer.model import Facts, Finding, Host, HostPlan, Journal, Known, Severity, Step, Unknown
from pydock_installer.settings import Settings

#: Where files may be put back. Those of the engine's settings need the engine's consent; see docs/repositories.md.
DIRECTORY = "/etc/yum.repos.d/"


@dataclass(frozen=True)
class Restoration:
    """A file, the backup that is to take its place, and why it should not (or "")."""

    file: str
    backup: str
    problem: str = ""


def restorable(journal: Journal) -> tuple[Restoration, ...]:
    """What pydock replaced and nobody has put back yet; the role's modules judge alike (pydock_host.py)."""
    histories: dict[str, list[Mapping[str, Any]]] = {}
    for entry in journal.entries:
        history = histories.setdefault(entry.get("file") or "", [])
        if entry["action"] in ("created", "replaced"):
            history.append(entry)
        elif entry["action"] == "restored":
            while history and history.pop().get("backup") != entry.get("backup"):
                pass
            # What is there now and was not pydock's is somebody's own.
            if history and history[-1].get("sha256") != entry.get("sha256"):
                history.clear()
    found = (
        _restoration(path, history, journal.sums)
        for path, history in sorted(histories.items())
        if history and path
    )
    return tuple(one for one in found if one and one.file.startswith(DIRECTORY))


def _restoration(path: str, history: list[Mapping[str, Any]], sums: Mapping[str, str]) -> Restoration | None:
    backup = None
    for number in reversed(range(len(history))):
        backup = history[number].get("backup")
        # A backup that is not what pydock wrote before is somebody's own work.
        if not backup or number == 0 or sums.get(backup) != history[number - 1].get("sha256"):
            break
    if not backup or (path in sums and sums.get(path) == sums.get(backup)):
        return None
    if backup not in sums:
        problem = f"its backup {backup} is gone"
    elif path not in sums:
        problem = "it is gone"
    else:
        problem = "" if sums[path] == history[-1].get("sha256") else "it was changed since"
    return Restoration(path, backup, problem)


def difference(one: Restoration, journal: Journal) -> str:
    """What putting it back changes, as ``diff -u`` tells it; "" where the texts were not seen."""
    present, before = (journal.texts.get(path) for path in (one.file, one.backup))
    if before is None:
        return ""
    lines = unified_diff(
        (present or "").splitlines(), before.splitlines(), one.file, f"{one.file} as it was", lineterm="", n=1
    )
    return "\n".join(lines)


def plan_restore(host: Host, facts: Facts, settings: Settings, force: bool) -> HostPlan:
    """The files to put back on a host. One that somebody changed since, or that is gone, blocks without ``force``."""
    known = platforms.lookup(facts.release.value) if isinstance(facts.release, Known) else None
    host = replace(host, interpreter=host.interpreter or (known.interpreter if known else None))
    right = checks.privilege(facts, Context(settings, known))
    if right.severity is Severity.BLOCKER:
        return HostPlan(host, facts, (right,))
    if facts.journal is None:
        return HostPlan(host, facts, ())
    if not isinstance(facts.journal, Known):
        return HostPlan(host, facts, (_unseen(facts.journal),))
    wanted = restorable(facts.journal.value)
    findings = tuple(_judged(one, force) for one in wanted if one.problem)
    todo = [one for one in wanted if not _lost(one)]
    if any(finding.severity is Severity.BLOCKER for finding in findings) or not todo:
        return HostPlan(host, facts, findings)
    step = Step(
        "restore", f"put back {', '.join(one.file for one in todo)}", _since(facts.journal.value, todo)
    )
    if known and known.legacy:
        rows = [f"{one.file}|{one.backup}|{_written(facts.journal.value, one.file)}" for one in todo]
        told = {
            "docker_legacy_only": "restore",
            "docker_legacy_files": rows,
            "docker_legacy_force": force,
            "docker_restore_files": [one.file for one in todo],
        }
        return HostPlan(host, facts, findings, (step,), told, role=planner_legacy.ROLE)
    variables = {"docker_restore_files": [one.file for one in todo], "docker_restore_force": force}
    return HostPlan(host, facts, findings, (step,), variables)


def _written(journal: Journal, file: str) -> str:
    """The sum of what pydock wrote there last."""
    sums = [str(entry.get("sha256") or "") for entry in journal.entries if entry.get("file") == file]
    return sums[-1] if sums and re.fullmatch("[0-9a-f]{64}", sums[-1]) else ""


def _lost(one: Restoration) -> bool:
    return one.problem.startswith("its backup")


def _judged(one: Restoration, force: bool) -> Finding:
    if _lost(one):
        return Finding(
            "restore-lost",
            Severity.WARNING,
            f"{one.file} cannot be put back: {one.problem}",
            "Take it from another backup, or from its package (`rpm -qf FILE` tells which).",
            "restore",
        )
    return Finding(
        "restore-changed",
        Severity.WARNING if force else Severity.BLOCKER,
        f"{one.file} is not as pydock left it: {one.problem}",
        f"Compare it with {one.backup} on the host; `--force` puts that one back, and keeps the present one beside it.",
        "restore",
    )


def _unseen(why: Unknown) -> Finding:
    return Finding(
        "restore-unseen",
        Severity.BLOCKER,
        f"pydock's journal on the host could not be read: {why.reason}",
        "Look at /var/lib/pydock/journal.jsonl there; it is root's.",
        "restore",
    )


def _since(journal: Journal, todo: Iterable[Restoration]) -> str:
    """When pydock replaced them."""
    backups = {one.backup for one in todo}
    times = [str(entry.get("time", ""))[:10] for entry in journal.entries if entry.get("backup") in backups]
    days = sorted({time for time in times if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", time)})
    return f"pydock replaced them on {' and '.join(days)}" if days else "pydock replaced them"
