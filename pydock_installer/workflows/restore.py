"""``pydock restore``: look what pydock replaced, show the differences, ask, put it back."""

from __future__ import annotations

from itertools import groupby

from pydock_installer.errors import UnreachableError
from pydock_installer.model import Facts, Finding, Host, HostPlan, Known, Plan, Report, Severity
from pydock_installer.restoration import difference, plan_restore, restorable
from pydock_installer.workflows.look import look
from pydock_installer.workflows.plan import planned
from pydock_installer.workflows.request import Request, Talk


def restore(request: Request, talk: Talk, *, force: bool, dry_run: bool) -> Report:
    """Put back on every host what its journal tells; a host whose files others changed since is left alone."""
    with talk.progress([host.name for host in request.hosts]) as progress:
        seen = look(request, progress, journal=True)
    plan = Plan(tuple(_entry(host, seen[host.name], request, force) for host in request.hosts))
    if not any(entry.steps for entry in plan.hosts):
        return planned(plan, "restore")
    _show(plan, talk)
    if dry_run:
        return planned(plan, "restore")
    talk.plan(plan)
    # Slow to import, and hosts on which nothing was replaced never need it.
    from pydock_installer.workflows.apply import apply
    from pydock_installer.workflows.install import agreed, refused

    if not request.yes and not agreed(plan, talk):
        return refused(plan, "restore")
    return apply(plan, request, talk, "restore")


def _entry(host: Host, found: Facts | UnreachableError, request: Request, force: bool) -> HostPlan:
    if isinstance(found, UnreachableError):
        finding = Finding(found.code, Severity.BLOCKER, found.message, found.hint, group="reach")
        return HostPlan(host, None, (finding,), unreachable=finding)
    return plan_restore(host, found, request.settings, force)


def _show(plan: Plan, talk: Talk) -> None:
    """The differences, once for hosts that are alike."""
    told = [(_differences(entry), entry.host.name) for entry in plan.hosts if entry.steps]
    for texts, group in groupby(sorted(told), key=lambda pair: pair[0]):
        if texts:
            talk.note(f"{', '.join(name for _, name in group)}:")
        for text in texts:
            talk.note(text)


def _differences(entry: HostPlan) -> tuple[str, ...]:
    if entry.facts is None or not isinstance(entry.facts.journal, Known):
        return ()
    journal = entry.facts.journal.value
    wanted = entry.variables["docker_restore_files"]
    parts = (difference(one, journal) for one in restorable(journal) if one.file in wanted)
    return tuple(part for part in parts if part)
