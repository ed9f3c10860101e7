"""Progress on stderr: a live picture on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING

from pydock_installer.cli.text import one_line
from pydock_installer.model import StepResult, StepStatus

if TYPE_CHECKING:
    from rich.console import Console as RichConsole
    from rich.console import RenderableType
    from rich.live import Live


def clock(seconds: float) -> str:
    """mm:ss."""
    return f"{int(seconds) // 60:02d}:{int(seconds) % 60:02d}"


class PlainProgress:
    """A line per event: for pipes, logs and CI."""

    def __init__(self, console: RichConsole, verbose: int) -> None:
        self._console, self._verbose = console, verbose
        self._began = time.monotonic()

    def __enter__(self) -> PlainProgress:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def stage(self, text: str) -> None:
        self._say(f"{text} ...")

    def step(self, host: str, step: str) -> None:
        if self._verbose:
            self._say(f"{host}: {step} begins")

    def step_done(self, host: str, result: StepResult) -> None:
        detail = f": {result.detail[:300]}" if result.detail else ""
        self._say(f"{host}: {result.name} {result.status.value}{detail}")

    def host_done(self, host: str, ok: bool, text: str) -> None:
        self._say(f"{host}: {'' if ok else 'FAILED: '}{text[:500]}")

    def _say(self, text: str) -> None:
        line = f"[{clock(time.monotonic() - self._began)}] {one_line(text)}"
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


@dataclass
class _Row:
    text: str = "waiting"
    state: str = "waiting"
    began: float = 0.0
    took: float | None = None


class LiveProgress:
    """One line per host with its step and time, and the whole below; gone when it ends."""

    def __init__(self, console: RichConsole, hosts: Sequence[str], unicode: bool) -> None:
        self._console, self._unicode = console, unicode
        self._began = time.monotonic()
        self._rows = {host: _Row() for host in hosts}
        self._stage = ""
        self._live: Live | None = None

    def __enter__(self) -> LiveProgress:
        from rich.live import Live

        self._live = Live(
            get_renderable=self._picture, console=self._console, refresh_per_second=8, transient=True
        )
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def stage(self, text: str) -> None:
        self._stage = text

    def step(self, host: str, step: str) -> None:
        row = self._row(host)
        row.text, row.state = step, "working"
        row.began = row.began or time.monotonic()

    def step_done(self, host: str, result: StepResult) -> None:
        row = self._row(host)
        row.text = one_line(
            f"{result.name} {result.status.value}" + (f": {result.detail[:120]}" if result.detail else "")
        )
        row.state = "failed" if result.status is StepStatus.FAILED else "working"

    def host_done(self, host: str, ok: bool, text: str) -> None:
        row = self._row(host)
        row.text, row.state = one_line(text[:200]), "done" if ok else "failed"
        row.took = time.monotonic() - (row.began or self._began)

    def _row(self, host: str) -> _Row:
        return self._rows.setdefault(host, _Row())

    def _picture(self) -> RenderableType:
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        marks = {"waiting": "·", "working": "▸", "done": "✓", "failed": "✗"} if self._unicode else {
            "waiting": ".", "working": ">", "done": "+", "failed": "x"}  # fmt: skip
        styles = {"waiting": "dim", "working": "cyan", "done": "green", "failed": "red"}
        now = time.monotonic()
        table = Table.grid(padding=(0, 1))
        for style in ("", "bold", "", "dim"):
            table.add_column(style=style, no_wrap=True, overflow="ellipsis")
        room = max(3, self._console.size.height - 4)
        order = ("failed", "working", "done", "waiting")
        names = (
            sorted(self._rows, key=lambda name: order.index(self._rows[name].state))
            if (len(self._rows) > room)
            else list(self._rows)
        )
        for name in names[:room]:
            row = self._rows[name]
            took = row.took if row.took is not None else (now - row.began if row.began else 0.0)
            table.add_row(
                Text(marks[row.state], style=styles[row.state]),
                Text(one_line(name)),
                Text(row.text),
                Text(clock(took)),
            )
        finished = sum(row.state in ("done", "failed") for row in self._rows.values())
        more = f", {len(names) - room} more hosts" if len(names) > room else ""
        whole = Text(
            f"{self._stage}  {finished}/{len(self._rows)} done, {clock(now - self._began)}{more}", "bold"
        )
        return Group(table, whole)
