"""``pydock install``: check, plan, ask, apply, prove."""

from __future__ import annotations

from dataclasses import replace

from pydock_installer.errors import ExitCode, RefusedError, UsageError
from pydock_installer.model import Finding, HostPlan, HostStatus, Plan, Report
from pydock_installer.report import exit_code
from pydock_installer.rollout import see_to_questions
from pydock_installer.suggest import hint
from pydock_installer.workflows.look import Seen, count, look, make_plan
from pydock_installer.workflows.plan import planned, unapplied
from pydock_installer.workflows.request import Request, Talk
from pydock_installer.workflows.restarts import with_word_for_restarts


def install(request: Request, talk: Talk, command: str = "install") -> Report:
    """Bring every host to what the settings say. Nothing changes anywhere while a host is blocked."""
    _see_to_questions(request, talk)
    with talk.progress([host.name for host in request.hosts]) as progress:
        seen = look(request, progress)
    plan = _with_consent(make_plan(request, seen), request, seen, talk)
    held = any(
        _holds_up(finding) for entry in plan.hosts if not entry.unreachable for finding in entry.blockers
    )
    if held and not request.keep_going:
        return planned(plan, command)
    if not any(entry.steps for entry in plan.hosts):
        return _failing_alone(planned(plan, command))
    talk.plan(plan)
    plan = with_word_for_restarts(plan, request.yes, talk)
    if not any(entry.steps for entry in plan.hosts):
        return _failing_alone(planned(plan, command))
    if not request.yes and not agreed(plan, talk):
        return refused(plan, command)
    # Slow to import, and a fleet that lacks nothing never needs it.
    from pydock_installer.workflows.apply import apply

    return apply(plan, request, talk, command, _failing_alone)


def _see_to_questions(request: Request, talk: Talk) -> None:
    """Raises RefusedError before anything is done if there will be nobody to answer."""
    see_to_questions(request.settings.rollout, talk.interactive)
    known = {group for host in request.hosts for group in host.groups}
    for group in request.settings.rollout.order:
        if group not in known and not request.narrowed:
            raise UsageError(
                f"rollout.order: none of these hosts is in a group {group}{hint(group, sorted(known))}",
                "`ansible-inventory --graph -i INVENTORY` shows the groups.",
            )


def _holds_up(finding: Finding) -> bool:
    """Whether a blocker says that the host is none for Docker: that is settled before anything changes anywhere.

    Trouble of the day (a full disk, a mirror that refuses, a wrong clock) is a failure of its host alone.
    """
    if finding.code == "docker-version":
        return True  # A wish that nothing can fulfil is no trouble of the day.
    return finding.group not in ("storage", "network", "packages", "engine") and finding.code != "clock"


def _failing_alone(report: Report) -> Report:
    """Hosts that were left out for trouble of the day count as failed."""
    hosts = tuple(
        replace(host, status=HostStatus.FAILED)
        if host.status is HostStatus.BLOCKED and not any(map(_holds_up, host.plan.blockers))
        else host
        for host in report.hosts
    )
    code = report.exit_code
    if code != ExitCode.INTERRUPTED:
        code = exit_code([host.status for host in hosts])
    return replace(report, hosts=hosts, exit_code=code)


def _with_consent(plan: Plan, request: Request, seen: Seen, talk: Talk) -> Plan:
    """Ask once about packages that a user may still need, if nothing else is in the way of their hosts."""
    waiting = [entry for entry in plan.hosts if _waits_for_consent(entry)]
    if not waiting or request.yes:
        return plan
    names = sorted({name for entry in waiting for name in entry.consent})
    hosts = ", ".join(entry.host.name for entry in waiting)
    question = f"{', '.join(names)} must go from {hosts} for Docker to be installed. Remove?"
    try:
        agreed = talk.ask(question)
    except RefusedError:
        return plan
    return make_plan(request, seen, replace(request.wishes, replace_podman=True)) if agreed else plan


def _waits_for_consent(entry: HostPlan) -> bool:
    return bool(entry.consent) and [finding.code for finding in entry.blockers] == ["podman"]


def agreed(plan: Plan, talk: Talk) -> bool:
    """Ask whether the plan is to be done."""
    hosts = [entry for entry in plan.hosts if entry.steps]
    return talk.ask(f"Do this on {count(len(hosts), 'host')}?")


def refused(plan: Plan, command: str) -> Report:
    """The report of a plan to which the person said no."""
    hosts = tuple(
        replace(unapplied(entry), status=HostStatus.REFUSED, cause="you said no; nothing was changed")
        if entry.steps
        else unapplied(entry)
        for entry in plan.hosts
    )
    return Report(command, hosts, int(ExitCode.REFUSED))
