"""``pydock check``: may Docker run here? Reads, judges, changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pydock_installer.errors import ExitCode, UnreachableError
from pydock_installer.model import Facts, HostPlan, HostReport, HostStatus, Report
from pydock_installer.report import exit_code
from pydock_installer.workflows.look import look, make_plan
from pydock_installer.workflows.plan import unapplied
from pydock_installer.workflows.request import Request, Talk


def check(request: Request, talk: Talk, only: Sequence[str] = ()) -> Report:
    """Look and judge; the report carries findings, and no steps. Ctrl-C ends it with what is known so far."""
    seen: dict[str, Facts | UnreachableError] = {}
    interrupted = False
    with talk.progress([host.name for host in request.hosts]) as progress:
        try:
            look(request, progress, preflight=True, so_far=seen)
        except KeyboardInterrupt:
            interrupted = True
    for host in request.hosts:
        seen.setdefault(
            host.name, UnreachableError("ssh-lost", "interrupted before it answered", "Run the check again.")
        )
    plan = make_plan(request, seen)
    hosts = tuple(_judged(entry, only) for entry in plan.hosts)
    code = ExitCode.INTERRUPTED if interrupted else exit_code([host.status for host in hosts])
    return Report("check", hosts, int(code))


def _judged(entry: HostPlan, only: Sequence[str]) -> HostReport:
    """What was found on a host, as far as it was asked about; a host that cannot be reached is always told."""
    if only and not entry.unreachable:
        entry = replace(entry, findings=tuple(f for f in entry.findings if f.code in only))
    report = unapplied(replace(entry, steps=()))
    return replace(report, status=HostStatus.UNCHANGED) if report.status is HostStatus.PLANNED else report
