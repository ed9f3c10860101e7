"""``pydock install``: check, plan, ask, apply, prove."""

from __future__ import annotations

from dataclasses import replace

from pydock_installer.errors import ExitCode, RefusedError
from pydock_installer.model import HostPlan, HostStatus, Plan, Report
from pydock_installer.workflows.look import Seen, count, look, make_plan
from pydock_installer.workflows.plan import planned, unapplied
from pydock_installer.workflows.request import Request, Talk


def install(request: Request, talk: Talk, command: str = "install") -> Report:
    """Bring every host to what the settings say. Nothing changes anywhere while a host is blocked."""
    with talk.progress([host.name for host in request.hosts]) as progress:
        seen = look(request, progress)
    plan = _with_consent(make_plan(request, seen), request, seen, talk)
    if not any(entry.steps for entry in plan.hosts):
        return planned(plan, command)
    if any(entry.blockers and not entry.unreachable for entry in plan.hosts) and not request.keep_going:
        return planned(plan, command)
    talk.plan(plan)
    if not request.yes and not _agreed(plan, talk):
        return _refused(plan, command)
    # Slow to import, and a fleet that lacks nothing never needs it.
    from pydock_installer.workflows.apply import apply

    return apply(plan, request, talk, command)


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
