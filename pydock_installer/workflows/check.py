"""``pydock check``: may Docker run here? Reads, judges, changes nothing."""

from __future__ import annotations

from dataclasses import replace

from pydock_installer.model import HostStatus, Report
from pydock_installer.report import exit_code
from pydock_installer.workflows.look import look, make_plan
from pydock_installer.workflows.plan import planned
from pydock_installer.workflows.request import Request, Talk


def check(request: Request, talk: Talk) -> Report:
    """Look and judge; the report carries findings, and no steps."""
    with talk.progress([host.name for host in request.hosts]) as progress:
        seen = look(request, progress, preflight=True)
    report = planned(make_plan(request, seen), "check")
    hosts = tuple(
        replace(
            host,
            plan=replace(host.plan, steps=()),
            status=HostStatus.UNCHANGED if host.status is HostStatus.PLANNED else host.status,
        )
        for host in report.hosts
    )
    return replace(report, hosts=hosts, exit_code=exit_code([host.status for host in hosts]))
