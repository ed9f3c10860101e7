"""What there is of Docker, before it goes; and what became of it."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from pydock_installer.absence import shared, size, value
from pydock_installer.cli.text import clean, indented, one_line
from pydock_installer.model import Facts, HostPlan, HostReport, Left, Report, Severity, Traces
from pydock_installer.model.traces import Firewall
from pydock_installer.report import grouped

#: So many names of a kind are told; of the rest, how many there are.
SHOWN = 12


def inventory(entry: HostPlan) -> list[str]:
    """A line for each kind of thing that there is; data first, for it is what can be lost."""
    facts, traces = entry.facts, entry.traces
    if facts is None or traces is None:
        return []
    lines = [*_data(traces), *_engine(facts, traces), *_around(traces)]
    return [one_line(line) for line in lines]


def _data(traces: Traces) -> Iterator[str]:
    containers = value(traces.containers, ())
    if containers:
        running = [c for c in containers if c.running]
        names = [
            f"{c.name} ({c.image or 'image unknown'}{', runs' if c.running else ''})" for c in containers
        ]
        yield f"containers: {len(containers)}, {len(running)} of them running: {grouped(names, SHOWN)}"
    if images := value(traces.images, 0):
        yield f"images: {images}"
    if volumes := value(traces.volumes, ()):
        names = [f"{volume.name} ({size(volume.kib)})" for volume in volumes]
        yield f"volumes: {len(volumes)}: {grouped(names, SHOWN)}"
    points = {mount.point for mount in value(traces.mounts, ())}
    for root in value(traces.roots, ()):
        if root.state == "absent" or not (root.entries or root.state == "link"):
            continue
        link = f" -> {root.real}" if root.state == "link" else ""
        mounted = ", a file system of its own" if root.real in points else ""
        yield f"data of {root.kind}: {root.path}{link} ({size(root.kib)}{mounted})"


def _engine(facts: Facts, traces: Traces) -> Iterator[str]:
    if units := value(traces.units, ()):
        yield f"service: {', '.join(f'{unit.name} {unit.active}' for unit in units)}"
    if used_by := shared(facts, traces):
        yield f"containerd: also used by {used_by}"
    if networks := value(traces.networks, ()):
        yield f"networks: {len(networks)}: {grouped(networks, SHOWN)}"
    if links := value(traces.links, {}):
        yield f"bridges: {grouped(list(links), SHOWN)}"


def _around(traces: Traces) -> Iterator[str]:
    firewall = value(traces.firewall, Firewall())
    for entry in firewall.filters:
        if entry.chains:
            yield f"{entry.tool}: {len(entry.chains)} chains of Docker's, {len(entry.rules)} rules that lead there"
        for rule in entry.user_rules:
            yield f"{entry.tool}, yours in DOCKER-USER, goes with it: {rule}"
    group = value(traces.group, None)
    if group and group.members:
        yield f"group docker: {', '.join(group.members)}"
    files = [
        path for path, what in value(traces.files, {}).items() if what != "dir" and path.startswith("/etc/")
    ]
    if files:
        yield f"settings: {grouped(files, SHOWN)}"


def findings(entry: HostPlan) -> Iterator[RenderableType]:
    """Warnings, which must be read before anybody agrees."""
    for finding in entry.findings:
        if finding.severity is Severity.WARNING:
            yield Text("  warning: ", style="yellow").append(clean(finding.message), style="default")
            if finding.remedy:
                yield indented(clean(finding.remedy), 4)


def lines(entry: HostPlan) -> Iterator[RenderableType]:
    """All that is shown of one host before the steps of its uninstallation."""
    for line in inventory(entry):
        yield Text(f"  {line}", style="dim")
    yield from findings(entry)


def left_text(report: Report) -> RenderableType:
    """Per host what is left and why; hosts with the same are told together."""
    groups: dict[tuple[Left, ...], list[HostReport]] = {}
    for host in report.hosts:
        if host.left is not None:
            groups.setdefault(host.left, []).append(host)
    parts: list[RenderableType] = []
    for left, hosts in groups.items():
        head = Text(clean(grouped([h.plan.host.name for h in hosts])), style="bold")
        if not left:
            parts.append(head.append(": nothing of Docker is left", style="not bold green"))
            continue
        parts.append(head.append(" has left:", style="not bold"))
        reasons: dict[str, list[str]] = {}
        for entry in left:
            reasons.setdefault(entry.why, []).append(entry.what)
        parts += [
            Text(f"  {one_line(', '.join(things))}").append(f"  ({one_line(why)})", style="dim")
            for why, things in reasons.items()
        ]
    return Group(*parts, *([Text("")] if parts else []))
