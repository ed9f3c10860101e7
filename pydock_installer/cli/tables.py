"""Plans and reports as a person reads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pydock_installer.cli.matrix import check_text
from pydock_installer.cli.text import Hanging, clean, indented, one_line
from pydock_installer.cli.traces import left_text
from pydock_installer.cli.traces import lines as trace_lines
from pydock_installer.model import (
    Facts,
    Finding,
    HostPlan,
    HostReport,
    HostStatus,
    Known,
    Plan,
    Report,
    Severity,
    StepStatus,
)
from pydock_installer.report import (
    change_summary,
    engine_version,
    grouped,
    proof_summary,
    release,
    summary,
)

STYLES = {
    HostStatus.OK: "green",
    HostStatus.UNCHANGED: "green",
    HostStatus.PLANNED: "cyan",
    HostStatus.FAILED: "red",
    HostStatus.BLOCKED: "red",
    HostStatus.UNREACHABLE: "red",
    HostStatus.REFUSED: "yellow",
}

HELD_UP = "Nothing was changed: blocked hosts hold up the rest. Pass --keep-going to go on without them."


def plan_text(plan: Plan) -> RenderableType:
    """Hosts with their steps and reasons; hosts that need the same are told together."""
    return Group(*_spaced(_plans(plan.hosts)), Text(_plan_sentence(plan), style="bold"))


def report_text(report: Report, verbose: int = 0) -> RenderableType:
    """The end of a command: what was done or would be, what is proven, what failed and why."""
    planned = any(host.status is HostStatus.PLANNED for host in report.hosts)
    if report.command in ("plan", "generate") or (planned and report.command != "status"):
        made = plan_text(Plan(tuple(host.plan for host in report.hosts)))
        return Group(made, Text(HELD_UP, style="yellow")) if report.command == "install" else made
    if report.command == "check":
        return check_text(report, verbose)
    table = _status_table(report.hosts) if report.command == "status" else _result_table(report.hosts)
    if report.command == "uninstall":
        table = _removal_table(report.hosts)
    evidence = bool(verbose) or report.command == "verify"
    parts: list[RenderableType] = [table, *_causes(report.hosts, evidence)]
    if report.command == "uninstall":
        parts.append(left_text(report))
    if report.command == "restore":
        parts += [*_not_restored(report.hosts)]
    if verbose:
        parts += [*_steps(report.hosts)]
    parts.append(Text(summary(report), style="bold"))
    if report.run_directory:
        parts.append(Text(f"Run {report.run}: {report.run_directory}", style="dim"))
    return Group(*parts)


def diff_text(plan: Plan) -> RenderableType:
    """How daemon.json changes: the hosts that it is the same for, then the lines."""
    groups: dict[str, list[str]] = {}
    for entry in plan.hosts:
        if entry.diff and entry.steps:
            groups.setdefault(entry.diff, []).append(entry.host.name)
    styles = {"+": "green", "-": "red", "@": "cyan"}
    parts: list[RenderableType] = []
    for diff, names in groups.items():
        parts.append(Text(clean(grouped(names)), style="bold"))
        for line in diff.splitlines():
            head = line.startswith(("+++", "---"))
            parts.append(Text(f"  {clean(line)}", style="bold" if head else styles.get(line[:1], "")))
        parts.append(Text(""))
    return Group(*parts)


def _plans(hosts: Sequence[HostPlan]) -> Iterator[RenderableType]:
    for entries in _alike(hosts):
        heads = Table.grid(padding=(0, 2))
        heads.add_column(style="bold", no_wrap=True)
        for same in _one_line_each(entries):
            heads.add_row(Text(clean(grouped([e.host.name for e in same]))), Text(_what_it_is(same[0].facts)))
        yield Group(heads, *_plan_lines(entries[0]))


def _one_line_each(entries: list[HostPlan]) -> list[list[HostPlan]]:
    """A few hosts have a line each; of many, those that are the same share one."""
    if len(entries) <= 12:
        return [[entry] for entry in entries]
    found: dict[str, list[HostPlan]] = {}
    for entry in entries:
        found.setdefault(_what_it_is(entry.facts), []).append(entry)
    return list(found.values())


def _plan_lines(entry: HostPlan) -> Iterator[RenderableType]:
    if entry.traces:
        yield from trace_lines(entry)
    if entry.unreachable or entry.blockers:
        for finding in entry.blockers:
            word = "unreachable: " if entry.unreachable else "blocked: "
            yield Text(f"  {word}", style="red").append(clean(finding.message), style="default")
            if finding.remedy:
                yield indented(clean(finding.remedy), 4)
    elif not entry.steps:
        yield Text("  nothing to do", style="green")
    for finding in _beside(entry):
        yield Text("  mind: ", style="yellow").append(clean(finding.message), style="default")
    for number, step in enumerate(entry.steps, start=1):
        yield Hanging(
            Text(f"  {number}. "), Text(clean(step.sentence)).append(f"  ({clean(step.reason)})", style="dim")
        )
    if entry.stops:
        yield Text("  needs --restart: ", style="yellow").append(clean(entry.stops), style="default")


def _beside(entry: HostPlan) -> list[Finding]:
    """What a person wants to know while it happens; what else the rules warn of, `pydock check` tells."""
    return [
        finding
        for finding in entry.findings
        if finding.severity is Severity.WARNING
        and (finding.group in ("", "restore") or finding.code == "package-lock")
    ]


def _alike(hosts: Sequence[HostPlan]) -> list[list[HostPlan]]:
    """Hosts that need the same, in the order of the first of each."""
    groups: dict[object, list[HostPlan]] = {}
    for entry in hosts:
        # What there is on a host that loses it is told of each.
        alone = (
            entry.host.name if entry.unreachable or (entry.traces and (entry.steps or entry.blockers)) else ""
        )
        key = (alone, entry.steps, tuple(f.message for f in (*entry.blockers, *_beside(entry))), entry.stops)
        groups.setdefault(key, []).append(entry)
    return list(groups.values())


def _plan_sentence(plan: Plan) -> str:
    counts = {
        "to change": sum(bool(entry.steps) for entry in plan.hosts),
        "with nothing to do": sum(not entry.steps and not entry.blockers for entry in plan.hosts),
        "blocked": sum(bool(entry.blockers) and not entry.unreachable for entry in plan.hosts),
        "unreachable": sum(bool(entry.unreachable) for entry in plan.hosts),
    }
    parts = [f"{number} {word}" for word, number in counts.items() if number]
    return f"Plan: {len(plan.hosts)} host{'' if len(plan.hosts) == 1 else 's'}, {', '.join(parts)}."


def _what_it_is(facts: Facts | None) -> str:
    if facts is None:
        return ""
    kernel = f"  kernel {facts.kernel.value}" if isinstance(facts.kernel, Known) else ""
    machine = f"  {facts.architecture.value}" if isinstance(facts.architecture, Known) else ""
    return clean(f"{release(facts)}{kernel}{machine}")


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in columns:
        table.add_column(name, overflow="fold", no_wrap=name in ("host", "time"))
    return table


def _result_table(hosts: Sequence[HostReport]) -> Table:
    table = _table("host", "release", "result", "changed", "docker", "proof", "time")
    for host in hosts:
        seconds = f"{host.seconds:.0f} s" if host.seconds else "-"
        cells = (
            release(host.plan.facts),
            host.status.value,
            change_summary(host),
            engine_version(host.proof),
        )
        table.add_row(*_cells(host, *cells, proof_summary(host.proof), seconds))
    return table


def _removal_table(hosts: Sequence[HostReport]) -> Table:
    table = _table("host", "release", "result", "removed", "left", "time")
    for host in hosts:
        left = "-" if host.left is None else "nothing" if not host.left else str(len(host.left))
        seconds = f"{host.seconds:.0f} s" if host.seconds else "-"
        cells = (release(host.plan.facts), host.status.value, change_summary(host), left, seconds)
        table.add_row(*_cells(host, *cells))
    return table


def _status_table(hosts: Sequence[HostReport]) -> Table:
    table = _table("host", "release", "docker", "service", "mirrors", "proof", "drift")
    for host in hosts:
        facts = host.plan.facts
        service = facts.service.value if facts and isinstance(facts.service, Known) else None
        engine = facts.engine.value if facts and isinstance(facts.engine, Known) else None
        record = facts.proof_record.value if facts and isinstance(facts.proof_record, Known) else None
        drift = change_summary(host) if host.status is HostStatus.PLANNED else host.status.value
        table.add_row(
            *_cells(
                host,
                release(facts),
                (engine.server or "-") if engine else "-",
                f"{service.active}, {service.enabled or 'not'} at boot" if service else "-",
                ", ".join(mirror.rstrip("/") for mirror in engine.registry_mirrors) or "none"
                if engine
                else "-",
                proof_summary(record),
                "none" if host.status is HostStatus.UNCHANGED else drift,
            )
        )
    return table


def _cells(host: HostReport, *texts: str) -> list[Text]:
    cells = [Text(clean(host.plan.host.name), style="bold")]
    return cells + [
        Text(clean(text), style=STYLES[host.status] if text == host.status.value else "") for text in texts
    ]


def _causes(hosts: Sequence[HostReport], evidence: bool = False) -> Iterator[RenderableType]:
    """Each failure with what to do; hosts that failed alike are told together, the first one's evidence for all."""
    troubled = [host for host in hosts if host.cause]
    for (cause, remedy), same in groupby(
        sorted(troubled, key=lambda h: (h.cause or "", h.remedy or "")), key=lambda h: (h.cause, h.remedy)
    ):
        entries = list(same)
        text = Text(clean(grouped([h.plan.host.name for h in entries])), style="bold")
        text.append(f" {entries[0].status.value}: ", style=STYLES[entries[0].status])
        yield text.append(one_line(cause or ""), style="not bold")
        if remedy:
            yield indented(clean(remedy))
        for line in entries[0].evidence if evidence else ():
            yield Hanging(Text("  | ", "dim"), Text(clean(line), "dim"))
        if code := entries[0].code:
            yield Text(f"  More: pydock explain {clean(code)}", "dim")
        yield Text("")


def _not_restored(hosts: Sequence[HostReport]) -> Iterator[RenderableType]:
    """What stays as it is, and what can be done about it; hosts with the same are told together."""
    groups: dict[Finding, list[str]] = {}
    for host in hosts:
        # What its cause tells already is not told again.
        for finding in host.plan.findings:
            told = finding.message in (host.cause or "")
            # By force it was put back all the same.
            forced = finding.code == "restore-changed" and host.status is HostStatus.OK
            if finding.severity is not Severity.WARNING or finding.group != "restore" or told or forced:
                continue
            groups.setdefault(finding, []).append(host.plan.host.name)
    for finding, names in groups.items():
        text = Text(clean(grouped(names)), style="bold").append(": ", style="not bold")
        yield text.append(clean(finding.message), style="not bold")
        if finding.remedy:
            yield indented(clean(finding.remedy))
        yield Text(f"  More: pydock explain {finding.code}", "dim")
        yield Text("")


def _steps(hosts: Sequence[HostReport]) -> Iterator[RenderableType]:
    table = _table("host", "step", "result", "time", "what")
    for host in hosts:
        for step in host.steps:
            style = "red" if step.status is StepStatus.FAILED else ""
            table.add_row(
                Text(clean(host.plan.host.name), style="bold"),
                Text(clean(step.name)),
                Text(step.status.value, style=style),
                Text(f"{step.seconds:.1f} s"),
                Text(clean(step.detail)),
            )
    yield table


def _spaced(parts: Iterator[RenderableType]) -> Iterator[RenderableType]:
    for part in parts:
        yield part
        yield Text("")
