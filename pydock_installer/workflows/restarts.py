"""A restart of the engine under running containers: asked about once, or refused for the hosts concerned alone."""

from __future__ import annotations

from dataclasses import replace

from pydock_installer.errors import RefusedError
from pydock_installer.model import HostPlan, Plan
from pydock_installer.workflows.request import Talk


def with_word_for_restarts(plan: Plan, yes: bool, talk: Talk) -> Plan:
    """The plan as it may be done. ``--yes`` is no word for this: without one, hosts whose containers would stop
    keep their reason (``stops``) and lose their steps."""
    waiting = [entry for entry in plan.hosts if entry.stops and entry.steps]
    if not waiting:
        return plan
    try:
        agreed = not yes and talk.ask(_question(waiting))
    except RefusedError:
        agreed = False
    return Plan(tuple(_with(entry, agreed) if entry.stops else entry for entry in plan.hosts))


def _with(entry: HostPlan, agreed: bool) -> HostPlan:
    if not agreed:
        return replace(entry, steps=())
    agreed_to = dict.fromkeys(
        ("docker_daemon_restart", "docker_packages_restart", "docker_legacy_restart"), True
    )
    return replace(entry, stops="", variables={**entry.variables, **agreed_to})


def _question(waiting: list[HostPlan]) -> str:
    """Which containers on which hosts, those that are alike together."""
    hosts: dict[str, list[str]] = {}
    for entry in waiting:
        hosts.setdefault(entry.stops, []).append(entry.host.name)
    told = "; ".join(f"on {', '.join(names)}, {stops}" for stops, names in hosts.items())
    return f"{told[0].upper()}{told[1:]}. Restart Docker all the same?"
