"""The record of one run while it goes on. That it cannot be kept is told once; what the run does counts more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from pydock_installer import history, rundir
from pydock_installer.errors import PydockError
from pydock_installer.model import HostReport, Report
from pydock_installer.report import summary
from pydock_installer.workflows.request import Request, Talk


class Record:
    """What is written about a run."""

    def __init__(
        self, run: str, command: str, request: Request, talk: Talk, tree: Path | None = None
    ) -> None:
        self.run, self.command, self.request, self.talk, self.tree = run, command, request, talk, tree
        self._usable = True

    def begin(self, hosts: Sequence[str]) -> None:
        """The run begins."""
        invocation = self.request.invocation
        self._try(lambda: history.begin(self.run, self.command, invocation, hosts, self.tree))

    def host_done(self, host: HostReport) -> None:
        """Nothing more will happen to this host."""
        self._try(lambda: history.host_done(self.run, host))

    def end(self, report: Report) -> None:
        """The run is over; older ones may go."""
        self._try(lambda: history.end(self.run, report, summary(report)))
        self._try(self._prune)

    def _prune(self) -> None:
        kept = self.request.settings.runs
        for gone in history.forget(kept.keep, kept.days):
            rundir.remove(gone.id)

    def _try(self, work: Callable[[], None]) -> None:
        if not self._usable:
            return
        try:
            work()
        except PydockError as error:
            self._usable = False
            self.talk.note(f"{error.message}. {error.hint or ''}")


def recorded(work: Callable[[Request, Talk], Report], request: Request, talk: Talk) -> Report:
    """Do ``work``; keep also a run that changed nothing, so that it can be looked up and gone on with."""
    report = work(request, talk)
    if report.run is not None:
        return report
    record = Record(rundir.new_id(report.command), report.command, request, talk)
    record.begin([host.plan.host.name for host in report.hosts])
    record.end(report)
    return replace(report, run=record.run)
