"""The steps that bring a host back to what it was before pydock, and what cannot be brought back. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydock_installer import checks, daemon_json, planner_legacy, platforms
from pydock_installer.checks.rule import Context
from pydock_installer.model import Facts, Finding, Host, HostPlan, Journal, Known, Severity, Step, Unknown
from pydock_installer.restart import Restart, restart
from pydock_installer.restoration import (
    Packages,
    Restoration,
    difference,
    engine_files,
    packages,
    repository_files,
)
from pydock_installer.settings import Settings

#: What can be restored, in the order in which it is done.
KINDS = ("packages", "repositories", "settings")


@dataclass(frozen=True)
class RestoreWish:
    """How far a restoration goes. ``force``: also files that were changed since; ``restart``: containers may stop."""

    only: tuple[str, ...] = KINDS
    force: bool = False
    restart: bool = False


@dataclass
class _Making:
    """A plan that is being made: each kind stands for itself."""

    steps: list[Step] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=dict)
    due: Restart | None = None
    diff: str = ""

    def files(self, found: Iterable[Restoration], force: bool) -> list[Restoration]:
        """Those to put back: none if one of them was changed since. What is in the way becomes a finding."""
        found = list(found)
        self.findings += [_judged(one, force) for one in found if one.problem]
        if not force and any(one.problem and not one.lost for one in found):
            return []
        return [one for one in found if not one.lost]


def plan_restore(host: Host, facts: Facts, settings: Settings, wish: RestoreWish) -> HostPlan:
    """What is put back on a host. Files that somebody changed since stay, and block it if nothing else is to do."""
    known = platforms.lookup(facts.release.value) if isinstance(facts.release, Known) else None
    host = replace(host, interpreter=host.interpreter or (known.interpreter if known else None))
    right = checks.privilege(facts, Context(settings, known))
    if right.severity is Severity.BLOCKER:
        return HostPlan(host, facts, (right,))
    if facts.journal is None:
        return HostPlan(host, facts, ())
    if not isinstance(facts.journal, Known):
        return HostPlan(host, facts, (_unseen(facts.journal),))
    journal, making = facts.journal.value, _Making()
    legacy = known is not None and known.legacy
    if "packages" in wish.only:
        _packages(making, facts, journal, legacy)
    if "repositories" in wish.only:
        _repositories(making, journal, wish, legacy)
    if "settings" in wish.only and not legacy:
        _settings(making, facts, journal, wish)
    findings = tuple(
        replace(f, severity=Severity.WARNING) if making.steps and f.severity is Severity.BLOCKER else f
        for f in making.findings
    )
    return HostPlan(
        host,
        facts,
        findings,
        tuple(making.steps),
        making.told,
        role=planner_legacy.ROLE if legacy and making.steps else None,
        stops=f"{making.due.who} would stop: {making.due.reason}" if making.due else "",
        diff=making.diff,
    )


def _packages(making: _Making, facts: Facts, journal: Journal, legacy: bool) -> None:
    installed: Mapping[str, Any] = facts.packages.value if isinstance(facts.packages, Known) else {}
    found = packages(journal, installed)
    making.findings += _not_coming(found, legacy)
    if found.chosen and not legacy:
        making.steps.append(
            Step("distribution-packages", f"install again {found.words}", "pydock removed them for docker-ce")
        )
        making.told |= {"docker_restore_only": ["packages"], "docker_restore_packages": list(found.chosen)}


def _repositories(making: _Making, journal: Journal, wish: RestoreWish, legacy: bool) -> None:
    todo = making.files(repository_files(journal), wish.force)
    if not todo:
        return
    names = [one.file for one in todo]
    making.steps.append(Step("restore", f"put back {', '.join(names)}", _since(journal, todo)))
    only = [*making.told.get("docker_restore_only", ()), "repositories"]
    making.told |= {
        "docker_restore_only": only,
        "docker_restore_files": names,
        "docker_restore_force": wish.force,
    }
    if legacy:
        rows = [f"{one.file}|{one.backup}|{_written(journal, one.file)}" for one in todo]
        making.told |= {
            "docker_legacy_only": "restore",
            "docker_legacy_files": rows,
            "docker_legacy_force": wish.force,
        }


def _settings(making: _Making, facts: Facts, journal: Journal, wish: RestoreWish) -> None:
    todo = making.files(engine_files(journal), wish.force)
    if not todo:
        return
    back = [one.file for one in todo if one.backup]
    gone = [one.file for one in todo if not one.backup]
    words = [f"put back {', '.join(back)}"] if back else []
    words += [f"remove {', '.join(gone)}"] if gone else []
    making.steps.append(Step("settings", " and ".join(words), _since(journal, todo)))
    making.told |= {
        "docker_daemon_undo": True,
        "docker_daemon_force": wish.force,
        "docker_daemon_restart": wish.restart,
    }
    own = [one for one in todo if one.file == journal.settings_file]
    making.diff = daemon_json.without_passwords(difference(own[0], journal)) if own else ""
    if not isinstance(facts.engine, Known):
        return
    changed, keys = _keys(facts, journal, todo)
    due = restart(facts, {}, None, keys=keys) if keys else None
    if due:
        kept = ", containers go on meanwhile (live-restore)" if due.goes_on else ""
        making.steps.append(Step("service", "restart docker", due.reason + kept))
        making.due = due if due.stops and not wish.restart else None
    elif changed:
        making.steps.append(
            Step("service", "have docker reload its settings", f"{', '.join(changed)} differs")
        )


def _keys(
    facts: Facts, journal: Journal, todo: Iterable[Restoration]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What changes for the engine; and that of it which it has to restart for. A drop-in is read at a start alone."""
    running = facts.engine.value.server if isinstance(facts.engine, Known) else None
    changed: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    for one in todo:
        if one.file != journal.settings_file:
            name = one.file.rpartition("/")[2]
            changed, keys = (*changed, name), (*keys, name)
            continue
        try:
            present = daemon_json.parse(journal.texts.get(one.file, ""))
            former = daemon_json.parse(journal.texts[one.backup] if one.backup else "")
        except (KeyError, ValueError):
            # Too long to be shown, or not JSON: taken for what needs a restart.
            changed, keys = (*changed, "daemon.json"), (*keys, "daemon.json")
            continue
        different = daemon_json.differing(present, former)
        changed = (*changed, *different)
        keys = (*keys, *daemon_json.needs_restart_for(different, running, former))
    return changed, keys


def former_mirrors(entry: HostPlan) -> tuple[str, ...] | None:
    """The registry mirrors that are in effect once a plan is done; ``None`` where it leaves them as they are."""
    facts = entry.facts
    if facts is None or not isinstance(facts.journal, Known) or not entry.variables.get("docker_daemon_undo"):
        return None
    journal = facts.journal.value
    for one in engine_files(journal):
        if one.file == journal.settings_file:
            try:
                former = daemon_json.parse(journal.texts.get(one.backup or "", ""))
            except ValueError:
                return None
            return daemon_json.normal_mirrors(former.get("registry-mirrors", []))
    return None


# -- what is told


def _written(journal: Journal, file: str) -> str:
    """The sum of what pydock wrote there last."""
    sums = [str(entry.get("sha256") or "") for entry in journal.entries if entry.get("file") == file]
    return sums[-1] if sums and re.fullmatch("[0-9a-f]{64}", sums[-1]) else ""


def _judged(one: Restoration, force: bool) -> Finding:
    if one.lost:
        return Finding(
            "restore-lost",
            Severity.WARNING,
            f"{one.file} cannot be put back: {one.problem}",
            "Take it from another backup, or from its package (`rpm -qf FILE` tells which).",
            "restore",
        )
    if one.backup:
        remedy = (
            f"Compare it with {one.backup} on the host; `--force` puts that one back, and keeps the present one"
            " beside it."
        )
    else:
        remedy = "pydock made it, and somebody changed it; `--force` removes it, and keeps the present one beside it."
    return Finding(
        "restore-changed",
        Severity.WARNING if force else Severity.BLOCKER,
        f"{one.file} is not as pydock left it: {one.problem}",
        remedy,
        "restore",
    )


def _not_coming(found: Packages, legacy: bool) -> list[Finding]:
    """Packages that cannot come back, or not yet."""
    names = ", ".join(found.wanted)
    if found.in_the_way:
        return [
            Finding(
                "restore-waits",
                Severity.WARNING,
                f"{names} cannot come back beside {', '.join(found.in_the_way)}, with which they conflict",
                "`pydock uninstall HOST` first, then `pydock restore HOST`; or leave it as it is.",
                "restore",
            )
        ]
    if legacy and found.wanted:
        message = f"{names} was removed by pydock, which installs nothing again on release 6"
        return [
            Finding(
                "restore-lost",
                Severity.WARNING,
                message,
                f"`yum install {' '.join(found.wanted)}` there.",
                "restore",
            )
        ]
    if found.unseen:
        return [
            Finding(
                "restore-lost",
                Severity.WARNING,
                f"{names} cannot come back: the host's repositories could not be asked ({found.unseen})",
                "See that `yum repolist` works there; `pydock check HOST` tells about its repositories.",
                "restore",
            )
        ]
    if not found.lost:
        return []
    was = ", ".join(found.wanted[name] for name in found.lost)
    return [
        Finding(
            "restore-lost",
            Severity.WARNING,
            f"{was} cannot come back: no repository of the host has it any more",
            "Add the repository that it came from, or install its file with rpm.",
            "restore",
        )
    ]


def _unseen(why: Unknown) -> Finding:
    return Finding(
        "restore-unseen",
        Severity.BLOCKER,
        f"pydock's journal on the host could not be read: {why.reason}",
        "Look at /var/lib/pydock/journal.jsonl there; it is root's.",
        "restore",
    )


def _since(journal: Journal, todo: Iterable[Restoration]) -> str:
    """When pydock wrote them."""
    todo = list(todo)
    kinds = (
        ("replaced", {one.backup for one in todo if one.backup}, "backup"),
        ("created", {one.file for one in todo if not one.backup}, "file"),
    )
    told = []
    for action, paths, key in kinds:
        if not paths:
            continue
        times = (
            str(e.get("time", ""))[:10]
            for e in journal.entries
            if e["action"] == action and e.get(key) in paths
        )
        days = sorted({time for time in times if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", time)})
        what = f"{'replaced' if action == 'replaced' else 'made'} {'it' if len(paths) == 1 else 'them'}"
        told.append(f"{what} on {' and '.join(days)}" if days else what)
    return f"pydock {', '.join(told)}"
