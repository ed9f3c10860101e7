"""``pydock install``: check, plan, ask, apply, prove."""

from __future__ import annotations

from dataclasses import replace

from pydock_installer.errors import ExitCode, RefusedError, UsageError
from pydock_installer.model import Finding, HostPlan, HostStatus, Plan, Report
from pydock_installer.planner import listed
from pydock_installer.report import exit_code
from pydock_installer.suggest import hint
from pydock_installer.workflows.look import Seen, count, look, make_plan
from pydock_installer.workflows.plan import planned, unapplied
from pydock_installer.workflows.request import Request, Talk


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
    if not request.yes and not _agreed(plan, talk):
        return _refused(plan, command)
    # Slow to import, and a fleet that lacks nothing never needs it.
    from pydock_installer.workflows.apply import apply

    return _failing_alone(apply(plan, request, talk, command))


def _see_to_questions(request: Request, talk: Talk) -> None:
    """Raises RefusedError before anything is done if there will be nobody to answer."""
    if request.settings.rollout.pause == "ask" and not talk.interactive:
        raise RefusedError(
            "rollout.pause: ask needs a terminal to ask on", "Give a number of seconds instead."
        )
    known = {group for host in request.hosts for group in host.groups}
    for group in request.settings.rollout.order:
        if group not in known:
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
    """Ask once about what a user may still need, packages or containers, if nothing else is in the way there."""
    waiting = [entry for entry in plan.hosts if _waits_for_consent(entry)]
    if not waiting or request.yes:
        return plan
    wishes = request.wishes
    try:
        if going := [entry for entry in waiting if _asks(entry, "podman")]:
            names = sorted({name for entry in going for name in entry.consent})
            hosts = ", ".join(entry.host.name for entry in going)
            question = f"{', '.join(names)} must go from {hosts} for Docker to be installed. Remove?"
            wishes = replace(wishes, replace_podman=wishes.replace_podman or talk.ask(question))
        if stopping := [entry for entry in waiting if _asks(entry, "containers")]:
            told = "; ".join(f"{entry.host.name}: {listed(entry.stops)}" for entry in stopping)
            question = f"The engine restarts, and these containers stop: {told}. Go on?"
            wishes = replace(wishes, restart=wishes.restart or talk.ask(question))
    except RefusedError:
        return plan
    return plan if wishes == request.wishes else make_plan(request, seen, wishes)


def _waits_for_consent(entry: HostPlan) -> bool:
    return {finding.code for finding in entry.blockers} in (
        {"podman"},
        {"containers"},
        {"podman", "containers"},
    )


def _asks(entry: HostPlan, code: str) -> bool:
    return any(finding.code == code for finding in entry.blockers)


def _agreed(plan: Plan, talk: Talk) -> bool:
    hosts = [entry for entry in plan.hosts if entry.steps]
    return talk.ask(f"Do this on {count(len(hosts), 'host')}?")


def _refused(plan: Plan, command: str) -> Report:
    hosts = tuple(
        replace(unapplied(entry), status=HostStatus.REFUSED, cause="you said no; nothing was changed")
        if entry.steps
        else unapplied(entry)
        for entry in plan.hosts
    )
    return Report(command, hosts, int(ExitCode.REFUSED))
