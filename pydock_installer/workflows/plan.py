"""``pydock plan``: what install would do, and why. Changes nothing."""

from __future__ import annotations

from pydock_installer.model import HostPlan, HostReport, HostStatus, Plan, Proof, Report, Severity
from pydock_installer.model import Known as Seen
from pydock_installer.report import exit_code
from pydock_installer.workflows.look import look, make_plan
from pydock_installer.workflows.request import Request, Talk


def plan(request: Request, talk: Talk, command: str = "plan") -> Report:
    """Look, judge, decide; the report carries the plan."""
    with talk.progress([host.name for host in request.hosts]) as progress:
        seen = look(request, progress)
    return planned(make_plan(request, seen), command)


def planned(made: Plan, command: str) -> Report:
    """A plan as a report in which nothing has been done."""
    hosts = tuple(unapplied(entry) for entry in made.hosts)
    return Report(command, hosts, exit_code([host.status for host in hosts]))


def unapplied(entry: HostPlan) -> HostReport:
    """The report of a host to which nothing was done."""
    if entry.unreachable:
        cause, remedy = entry.unreachable.message, entry.unreachable.remedy
        return HostReport(
            entry, HostStatus.UNREACHABLE, cause=cause, remedy=remedy, code=entry.unreachable.code
        )
    if entry.blockers:
        cause = "; ".join(finding.message for finding in entry.blockers)
        remedies = (f.remedy for f in entry.findings if f.severity is Severity.BLOCKER and f.remedy)
        return HostReport(
            entry, HostStatus.BLOCKED, cause=cause, remedy=" ".join(remedies), code=entry.blockers[0].code
        )
    if entry.steps:
        return HostReport(entry, HostStatus.PLANNED)
    if entry.stops:
        remedy = "Pass --restart when they may stop; those with a restart policy come back by themselves."
        return HostReport(entry, HostStatus.REFUSED, cause=entry.stops, remedy=remedy, code="restart-needed")
    return HostReport(entry, HostStatus.UNCHANGED, proof=standing_proof(entry))


def standing_proof(entry: HostPlan) -> Proof | None:
    """The proof of an earlier run, with the versions and mirrors that are in effect now."""
    facts = entry.facts
    if facts is None or not isinstance(facts.engine, Seen):
        return None
    engine = facts.engine.value
    record = facts.proof_record.value if isinstance(facts.proof_record, Seen) else None
    return Proof(
        client=engine.client,
        server=engine.server,
        registry_mirrors=engine.registry_mirrors,
        hello_world=record is not None and record.hello_world,
        image=record.image if record else None,
    )
