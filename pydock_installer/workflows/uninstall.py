"""``pydock uninstall``: look, show, ask, take away, look again. What is left is a result of the second look."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pydock_installer import ssh, traces
from pydock_installer.absence import (
    Consents,
    companions,
    plan_absence,
    remains,
    unknown_before,
    value,
)
from pydock_installer.errors import ExitCode, UnreachableError
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
    Traces,
)
from pydock_installer.probe import parse
from pydock_installer.report import exit_code
from pydock_installer.workflows.look import count, ssh_options, what_it_is
from pydock_installer.workflows.plan import unapplied
from pydock_installer.workflows.request import Progress, Request, Talk

Sight = tuple[Facts, Traces]


def uninstall(
    request: Request, talk: Talk, consents: Consents, *, dry_run: bool = False, delete_data: bool = False
) -> Report:
    """Take Docker off every host of the request. ``delete_data`` is the word that stands for a typed number.

    Raises RefusedError if data is to go and nobody has said so, or if there is nobody to ask.
    """
    with talk.progress([host.name for host in request.hosts]) as progress:
        seen = look_for_traces(request, request.hosts, progress)
    plan = Plan(tuple(_plan_one(host, seen[host.name], consents) for host in request.hosts))
    if dry_run or not any(entry.steps for entry in plan.hosts):
        return _standing(plan, consents)
    talk.plan(plan)
    if not _agreed(plan, request, consents, talk, delete_data):
        return _refused(plan, consents)
    # Slow to import, and a fleet without Docker never needs it.
    from pydock_installer.workflows.apply import apply

    return apply(
        plan, request, talk, "uninstall", lambda report: _looked_at_again(report, request, consents, talk)
    )


def look_for_traces(
    request: Request,
    hosts: Sequence[Host],
    progress: Progress,
    packages: Mapping[str, Iterable[str]] | None = None,
) -> dict[str, Sight | UnreachableError]:
    """Facts and traces of hosts, over one connection each; for hosts that cannot be reached, why.

    ``packages``: by host, more names that rpm is asked about.
    """
    options = ssh_options(request.settings)

    def ask(host: Host) -> Sight:
        question = traces.question_for(host, (packages or {}).get(host.name, ()))
        answer = ssh.run_script(host, options, question.command, stdin=question.stdin, time_limit=240)
        facts = replace(parse(answer.stdout, question.nonce), seen_at=time.time())
        if not isinstance(facts.privilege, Known):
            raise UnreachableError(
                "ssh-shell",
                f"{host.name} let us in, but its shell does not run commands",
                "See that `ssh HOST uname -r` prints the kernel's release.",
            )
        return facts, traces.parse_traces(answer.stdout, question.nonce)

    def done(host: Host, result: Sight | UnreachableError) -> None:
        if isinstance(result, UnreachableError):
            progress.host_done(host.name, False, result.message)
        else:
            progress.host_done(host.name, True, what_it_is(result[0]))

    progress.stage(f"Looking at {count(len(hosts), 'host')}")
    return ssh.run_everywhere(hosts, ask, request.settings.forks, done)


def _plan_one(host: Host, sight: Sight | UnreachableError, consents: Consents) -> HostPlan:
    if isinstance(sight, UnreachableError):
        finding = Finding(sight.code, Severity.BLOCKER, sight.message, sight.hint, group="reach")
        return HostPlan(host, None, (finding,), unreachable=finding)
    return plan_absence(host, *sight, consents)


# -- the question


def _agreed(plan: Plan, request: Request, consents: Consents, talk: Talk, delete_data: bool) -> bool:
    hosts = [entry for entry in plan.hosts if entry.steps]
    doomed = [entry for entry in hosts if any(step.name == "data" for step in entry.steps)]
    if doomed and consents.purge_data and not delete_data:
        volumes = sum(len(value(entry.traces.volumes, ())) for entry in doomed if entry.traces)
        containers = sum(len(value(entry.traces.containers, ())) for entry in doomed if entry.traces)
        typed = talk.typed(
            f"All data of Docker on {count(len(doomed), 'host')} will be deleted for good. "
            "Type how many volumes and how many containers that are, as two numbers: ",
            "Pass --yes-delete-data to delete data without a question.",
        )
        return typed.split() == [str(volumes), str(containers)]
    return request.yes or talk.ask(f"Take Docker off {count(len(hosts), 'host')}?")


def _refused(plan: Plan, consents: Consents) -> Report:
    cause = "you did not confirm it; nothing was changed"
    hosts = tuple(
        HostReport(entry, HostStatus.REFUSED, cause=cause) if entry.steps else _unapplied(entry, consents)
        for entry in plan.hosts
    )
    return Report("uninstall", hosts, int(ExitCode.REFUSED))


# -- the report


def _standing(plan: Plan, consents: Consents) -> Report:
    """A plan as a report in which nothing has been done."""
    hosts = tuple(_unapplied(entry, consents) for entry in plan.hosts)
    return Report("uninstall", hosts, exit_code([host.status for host in hosts]))


def _unapplied(entry: HostPlan, consents: Consents) -> HostReport:
    report = replace(unapplied(entry), proof=None)
    if report.status is HostStatus.BLOCKED and any(f.group == "uninstall" for f in entry.blockers):
        report = replace(report, status=HostStatus.REFUSED)
    if report.status is HostStatus.UNCHANGED and entry.facts and entry.traces:
        report = replace(report, left=tuple(remains(entry.facts, entry.traces, consents)[0]))
    return report


def _looked_at_again(report: Report, request: Request, consents: Consents, talk: Talk) -> Report:
    """The second look at every host that was worked on, even if that went wrong half-way."""
    worked_on = [h for h in report.hosts if h.plan.steps and h.status is not HostStatus.UNREACHABLE]
    if report.exit_code == ExitCode.INTERRUPTED or not worked_on:
        return report
    hosts = [entry.plan.host for entry in worked_on]
    # The journal that says what came with Docker may be gone by then.
    brought = {h.plan.host.name: companions(h.plan.traces) for h in worked_on if h.plan.traces}
    try:
        with talk.progress([host.name for host in hosts]) as progress:
            seen = look_for_traces(request, hosts, progress, brought)
    except KeyboardInterrupt:
        return _unproven(report)
    told = tuple(
        _told(entry, seen.get(entry.plan.host.name), consents, brought.get(entry.plan.host.name, frozenset()))
        if entry.plan.steps
        else _unapplied(entry.plan, consents)
        for entry in report.hosts
    )
    return replace(report, hosts=told, exit_code=exit_code([host.status for host in told]))


def _unproven(report: Report) -> Report:
    """The second look, which is the proof, was broken off: nobody knows whether all is gone."""
    hosts = tuple(
        replace(
            entry,
            proof=None,
            status=HostStatus.FAILED,
            cause=entry.cause or "it was worked on, but you interrupted before it was looked at again",
            remedy=entry.remedy or "Run the same command again: it looks, and finishes what is not done.",
        )
        if entry.plan.steps and entry.status is not HostStatus.UNREACHABLE
        else entry
        for entry in report.hosts
    )
    return replace(report, hosts=hosts, exit_code=ExitCode.INTERRUPTED)


def _told(
    entry: HostReport, sight: Sight | UnreachableError | None, consents: Consents, brought: frozenset[str]
) -> HostReport:
    entry = replace(entry, proof=None)
    if sight is None:
        return entry
    if isinstance(sight, UnreachableError):
        cause = entry.cause or f"it was worked on, but could not be looked at again: {sight.message}"
        return replace(entry, status=HostStatus.FAILED, cause=cause, remedy=entry.remedy or sight.hint)
    left, wrong = remains(*sight, consents, brought)
    if entry.status is not HostStatus.FAILED:
        left += unknown_before(sight[1])
    entry = replace(entry, left=tuple(left))
    if wrong and entry.status in (HostStatus.OK, HostStatus.UNCHANGED):
        cause = f"it should be gone and is still there: {', '.join(wrong[:8])}"
        remedy = "Run the same command again; if it stays, see who puts it there."
        return replace(entry, status=HostStatus.FAILED, cause=cause, remedy=remedy, code="still-there")
    return entry
