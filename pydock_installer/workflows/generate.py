"""``pydock generate``: the run tree of an installation, to read or to run by hand."""

from __future__ import annotations

from pathlib import Path

from pydock_installer import rundir
from pydock_installer.errors import UsageError
from pydock_installer.model import Report
from pydock_installer.render import render
from pydock_installer.workflows.look import look, make_plan
from pydock_installer.workflows.plan import planned
from pydock_installer.workflows.request import Request, Talk


def generate(directory: Path, request: Request, talk: Talk) -> Report:
    """Write what install would run into a new directory. Raises UsageError if it exists."""
    if directory.exists():
        raise UsageError(f"{directory} is there already", "Name a directory that does not exist yet.")
    with talk.progress([host.name for host in request.hosts]) as progress:
        seen = look(request, progress)
    plan = make_plan(request, seen)
    if request.settings.share_packages:
        talk.note(
            "share_packages is no part of the tree: without pydock its hosts fetch packages themselves."
        )
    if any(entry.steps for entry in plan.hosts):
        rundir.write(directory, render(plan, request.settings).files)
    return planned(plan, "generate")
