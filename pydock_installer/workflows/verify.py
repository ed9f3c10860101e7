"""``pydock verify``: run the whole proof again, and change nothing else."""

from __future__ import annotations

from dataclasses import replace

from pydock_installer import platforms
from pydock_installer.model import Report
from pydock_installer.probe import Questions
from pydock_installer.setting_parts import Rollout
from pydock_installer.workflows.apply import apply
from pydock_installer.workflows.look import look, make_plan
from pydock_installer.workflows.plan import planned
from pydock_installer.workflows.request import Request, Talk


def verify(request: Request, talk: Talk) -> Report:
    """Look, then prove every host that can be reached."""
    # Nothing is changed, so nobody needs to be spared: canaries and batches are for what changes hosts.
    settings = request.settings.model_copy(update={"rollout": Rollout()})
    request = replace(request, wishes=replace(request.wishes, only_verify=True), settings=settings)
    with talk.progress([host.name for host in request.hosts]) as progress:
        # Neither storage nor network is looked at beforehand: the proof itself tells.
        seen = look(request, progress, questions=Questions(platforms.package_names().all, sections=()))
    plan = make_plan(request, seen)
    return (
        apply(plan, request, talk, "verify")
        if any(entry.steps for entry in plan.hosts)
        else planned(plan, "verify")
    )
