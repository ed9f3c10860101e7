"""``pydock restore``: look what pydock replaced and removed, show the differences, ask, bring it back."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby

from pydock_installer.errors import UnreachableError
from pydock_installer.model import (
    Facts,
    Finding,
    Host,
    HostPlan,
    HostReport,
    HostStatus,
    Known,
    Plan,
    Report,
    Severity,
)
from pydock_installer.report import exit_code
from pydock_installer.restoration import difference, restorable
from pydock_installer.restore_plan import RestoreWish, former_mirrors, plan_restore
from pydock_installer.workflows.look import look
from pydock_installer.workflows.plan import planned
from pydock_installer.workflows.request import Request, Talk
from pydock_installer.workflows.restarts import with_word_for_restarts


def restore(request: Request, talk: Talk, wish: RestoreWish, *, dry_run: bool = False) -> Report:
    """Bring back on every host what its journal tells, as far as possible; what is not stands in the report."""
    with talk.progress([host.name for host in request.hosts]) as progress:
        seen = look(request, progress, journal=True)
    plan = Plan(tuple(_entry(host, seen[host.name], request, wish) for host in request.hosts))
    if not any(entry.steps for entry in plan.hosts):
        return planned(plan, "restore")
    _show(plan, talk)
    if dry_run:
        return planned(plan, "restore")
    talk.plan(plan)
    plan = with_word_for_restarts(plan, request.yes, talk)
    if not any(entry.steps for entry in plan.hosts):
        return planned(plan, "restore")
    # Slow to import, and hosts on which nothing was replaced never need it.
    from pydock_installer.workflows.apply import apply
    from pydock_installer.workflows.install import agreed, refused

    if not request.yes and not agreed(plan, talk):
        return refused(plan, "restore")

    def judged(report: Report) -> Report:
        hosts = tuple(_with_what_stays(_with_former_mirrors(host), wish) for host in report.hosts)
        code = report.exit_code or exit_code([host.status for host in hosts])
        return replace(report, hosts=hosts, exit_code=code)

    return apply(plan, request, talk, "restore", judged)


def _entry(host: Host, found: Facts | UnreachableError, request: Request, wish: RestoreWish) -> HostPlan:
    if isinstance(found, UnreachableError):
        finding = Finding(found.code, Severity.BLOCKER, found.message, found.hint, group="reach")
        return HostPlan(host, None, (finding,), unreachable=finding)
    return plan_restore(host, found, request.settings, wish)


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
    wanted = entry.variables.get("docker_restore_files", ())
    parts = [difference(one, journal) for one in restorable(journal) if one.file in wanted]
    return tuple(part for part in [*parts, entry.diff] if part)


def _with_former_mirrors(host: HostReport) -> HostReport:
    """What was proven before, with the mirrors that are in effect now: the role ends well only with these."""
    mirrors = former_mirrors(host.plan)
    if host.status is not HostStatus.OK or host.proof is None or mirrors is None:
        return host
    return replace(host, proof=replace(host.proof, registry_mirrors=mirrors))


def _with_what_stays(host: HostReport, wish: RestoreWish) -> HostReport:
    """A host on which somebody's later change was left is not all that was asked for."""
    changed = [f for f in host.plan.findings if f.code == "restore-changed"]
    if host.status not in (HostStatus.OK, HostStatus.UNCHANGED) or wish.force or not changed:
        return host
    cause = f"{'; '.join(f.message for f in changed)}; the rest was restored"
    return replace(
        host,
        status=HostStatus.REFUSED,
        cause=cause,
        remedy=" ".join(f.remedy for f in changed if f.remedy),
        code="restore-changed",
    )
