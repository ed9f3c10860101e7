"""What release 6 has of its own when Docker goes: a service of sysvinit, EPEL, packages of other names. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from pydock_installer import epel, platforms
from pydock_installer.absence.thing import KEPT_CONFIG, Consents, Thing, value
from pydock_installer.model import Facts, Traces
from pydock_installer.planner import is_legacy
from pydock_installer.planner_legacy import IN_THE_WAY

__all__ = ["ROLE", "STEPS", "epel_files", "is_legacy", "packages", "running", "saved_rules"]

ROLE = "docker_legacy_absent"
#: The role's order: what deletes a bridge and rules may have come along with Docker's packages.
STEPS = ("stop", "network", "firewall", "packages", "data", "system", "config")
SAVED_RULES = "/etc/sysconfig/iptables"


def packages() -> tuple[str, ...]:
    """Docker's packages: ``docker`` is an application for the system tray there."""
    return tuple(name for name in platforms.package_names().dockers if name not in IN_THE_WAY)


def running(facts: Facts, traces: Traces) -> Iterator[Thing]:
    """The service, and containers that run; engine 1.7.1 has no shims, their control groups tell."""
    service = value(facts.service, None)
    if service and (service.active == "active" or service.enabled == "enabled"):
        yield Thing("stop", "the service docker")
    containers = {p.arguments for p in value(traces.processes, ()) if p.name == "docker-container"}
    if containers:
        yield Thing("stop", f"{len(containers)} running container{'s' if len(containers) > 1 else ''}")


def epel_files(traces: Traces, consents: Consents) -> Iterator[Thing]:
    """EPEL as pydock set it up; a repository of the user's own is no concern."""
    files = value(traces.files, {})
    for path in (epel.FILE, epel.KEY_FILE):
        told = [e["action"] for e in traces.journal if e.get("file") == path]
        if path not in files or not told or told[-1] == "restored":
            continue
        if told[-1] == "replaced":
            yield Thing("config", path, "it took the place of another file; `pydock restore` puts that back")
            continue
        kept = None if consents.purge_config else KEPT_CONFIG
        yield Thing("config", path, kept)
        if path == epel.FILE:
            yield from (Thing("config", name, kept) for name in files if name.endswith("/epel"))


def saved_rules(traces: Traces) -> Iterator[Thing]:
    """Rules that somebody saved while Docker ran come back at the next boot: the file is not pydock's to change."""
    if value(traces.files, {}).get(SAVED_RULES) == "saved":
        yield Thing(
            "firewall",
            f"Docker's chains in {SAVED_RULES}",
            "somebody saved them; `service iptables save` on the host writes what is in effect now",
        )
