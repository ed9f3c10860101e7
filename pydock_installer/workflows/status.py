"""``pydock status``: what hosts run, how they differ from the settings, and from each other."""

from __future__ import annotations

from dataclasses import replace

from pydock_installer.drift import differences
from pydock_installer.model import Report
from pydock_installer.workflows.plan import plan
from pydock_installer.workflows.request import Request, Talk


def status(request: Request, talk: Talk) -> Report:
    """Look and compare. What would need a word before it is changed is told as drift all the same."""
    wishes = replace(request.wishes, restart=True, replace_podman=True)
    report = plan(replace(request, wishes=wishes), talk, "status")
    facts = {h.plan.host.name: h.plan.facts for h in report.hosts if h.plan.facts is not None}
    return replace(report, drift=differences(facts))
