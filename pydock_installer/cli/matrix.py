"""A check as a person reads it: hosts against groups of checks, then each finding with what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pydock_installer import explanations
from pydock_installer.cli.text import clean, indented, one_line
from pydock_installer.model import Finding, HostReport, Report, Severity
from pydock_installer.report import grouped, release, standing, summary

#: Heaviest first, with the word and the colour of each.
WEIGHTS = {
    Severity.BLOCKER: ("blocker", "red"),
    Severity.WARNING: ("warning", "yellow"),
    Severity.UNKNOWN: ("unknown", "magenta"),
    Severity.OK: ("ok", "green"),
}
STANDINGS = {"unreachable": "red", "blocked": "red", "with warnings": "yellow", "ready": "green"}
#: So many hosts that are ready have a line each; beyond, they share one.
READY_ROWS = 15


def check_text(report: Report, verbose: int = 0) -> RenderableType:
    """The matrix, the findings (heaviest first; all of them if verbose), and one closing sentence."""
    hosts = sorted(report.hosts, key=lambda host: list(STANDINGS).index(standing(host)))
    parts: list[RenderableType] = [_matrix(hosts), Text("")]
    told = list(_alike(hosts, everything=verbose > 0))
    for finding, names in told:
        parts += [_finding(finding, names), Text("")]
    if told:
        parts.append(Text("Each of them in full: pydock explain CODE", style="dim"))
    return Group(*parts, Text(summary(report), style="bold"))


def _matrix(hosts: Sequence[HostReport]) -> Table:
    groups = [
        group
        for group in explanations.GROUPS
        if any(f.group == group for h in hosts for f in h.plan.findings)
    ]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in ("host", "release", *groups, "result"):
        table.add_column(name, no_wrap=name in ("host", *groups, "result"), overflow="fold")
    ready = [host for host in hosts if standing(host) == "ready"]
    shared = {host.plan.host.name for host in ready[READY_ROWS:]}
    for host in hosts:
        if host.plan.host.name in shared:
            continue
        cells = [_cell([f for f in host.plan.findings if f.group == group]) for group in groups]
        word = standing(host)
        table.add_row(
            Text(one_line(host.plan.host.name), style="bold"),
            Text(one_line(release(host.plan.facts))),
            *cells,
            Text(word, style=STANDINGS[word]),
        )
    if shared:
        table.add_row(
            Text(f"{len(shared)} more", style="bold"), *[""] * (len(groups) + 1), Text("ready", "green")
        )
    return table


def _cell(findings: Sequence[Finding]) -> Text:
    """The heaviest of a group, counted."""
    if not findings:
        return Text("-", style="dim")
    for severity, (word, style) in WEIGHTS.items():
        if number := sum(finding.severity is severity for finding in findings):
            plural = "s" if number > 1 and word in ("blocker", "warning") else ""
            return Text(word if severity is Severity.OK else f"{number} {word}{plural}", style=style)
    return Text("")


def _alike(hosts: Sequence[HostReport], everything: bool) -> Iterator[tuple[Finding, list[str]]]:
    """Findings with the hosts that have them, heaviest first; what is all right only if everything is wanted."""
    found: dict[Finding, list[str]] = {}
    for host in hosts:
        for finding in host.plan.findings:
            found.setdefault(finding, []).append(host.plan.host.name)
    order = list(WEIGHTS)
    groups = explanations.GROUPS
    for finding in sorted(
        found,
        key=lambda f: (
            order.index(f.severity),
            groups.index(f.group) if f.group in groups else len(groups),
            f.code,
        ),
    ):
        if everything or finding.severity is not Severity.OK:
            yield finding, found[finding]


def _finding(finding: Finding, names: list[str]) -> RenderableType:
    word, style = WEIGHTS[finding.severity]
    text = Text(f"{word}  {finding.code}  ", style=style)
    text.append(clean(grouped(names)), style="bold default")
    text.append(f"  {clean(finding.message)}", style="not bold default")
    if finding.remedy and finding.severity is not Severity.OK:
        return Group(text, indented(clean(finding.remedy)))
    return text
