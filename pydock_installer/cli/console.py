"""The terminal: the only code that prints. Results go to stdout, progress and questions to stderr."""

from __future__ import annotations

import getpass
import json as json_text
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from pydock_installer.cli.text import clean, clean_lines
from pydock_installer.errors import PydockError, RefusedError
from pydock_installer.model import Plan, Report, Secret

if TYPE_CHECKING:
    from rich.console import RenderableType

    from pydock_installer.cli.log import LogFile


class Console:
    """What a command says and asks. ``interactive`` only with a person at both ends."""

    def __init__(
        self,
        *,
        json: bool = False,
        no_color: bool = False,
        verbose: int = 0,
        log: str | None = None,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
        stdin: TextIO | None = None,
    ) -> None:
        self.json, self.verbose = json, verbose
        self._stdin, self._stdout, self._stderr = (
            stdin or sys.stdin,
            stdout or sys.stdout,
            stderr or sys.stderr,
        )
        plain = no_color or bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") in ("dumb", "unknown")
        self._out = _console(self._stdout, plain)
        self._err = _console(self._stderr, plain)
        self._live = self._stderr.isatty() and os.environ.get("TERM") not in ("dumb", "unknown", None)
        self._log: LogFile | None = None
        if log:
            from pydock_installer.cli.log import LogFile

            self._log = LogFile(Path(log))
        # A closed stdin is None.
        self.interactive = bool(self._stdin and self._stdin.isatty() and self._stderr.isatty())
        self.unicode = "utf" in (getattr(self._stderr, "encoding", None) or "").lower()

    # -- while it works

    def progress(self, hosts: Sequence[str]) -> AbstractContextManager[Any]:
        """Where a workflow tells how far it is."""
        from pydock_installer.cli.progress import LiveProgress, PlainProgress

        shown: Any = LiveProgress(self._err, hosts, self.unicode) if self._live else None
        shown = shown or PlainProgress(self._err, self.verbose)
        if self._log:
            from pydock_installer.cli.log import LoggedProgress

            return LoggedProgress(shown, self._log)
        return shown  # type: ignore[no-any-return]

    def ask(self, question: str) -> bool:
        """Yes or no; no is the default. Raises RefusedError if there is nobody to ask."""
        if not self.interactive:
            raise RefusedError(
                f"there is no terminal to ask on: {question}", "Pass --yes to go ahead without a question."
            )
        self._err.print(f"{clean_lines(question)} [y/N] ", markup=False, highlight=False, end="")
        self._stderr.flush()
        agreed = self._stdin.readline().strip().lower() in ("y", "yes")
        self._written(f"{question} {'yes' if agreed else 'no'}")
        return agreed

    def typed(self, question: str, otherwise: str) -> str:
        """A line that is typed. Raises RefusedError if there is nobody to ask; ``otherwise`` says what to do then."""
        if not self.interactive:
            raise RefusedError(f"there is no terminal to ask on: {question}", otherwise)
        self._err.print(clean_lines(question), markup=False, highlight=False, end="", soft_wrap=True)
        self._stderr.flush()
        return self._stdin.readline().strip()

    def password(self, prompt: str) -> Secret:
        """A password, typed without an echo. Raises RefusedError without a terminal."""
        if not self.interactive:
            raise RefusedError(
                f"there is no terminal to ask for the {prompt.strip(': ')} on", "Run it in a terminal."
            )
        return Secret(getpass.getpass(prompt, stream=self._stderr))

    def note(self, text: str) -> None:
        """A line for the person, beside the result."""
        self._written(text)
        self._err.print(clean_lines(text), markup=False, highlight=False, soft_wrap=True)

    def mask(self, secrets: Iterable[Secret | None]) -> None:
        """Keep these out of the log."""
        if self._log:
            self._log.mask(secrets)

    def _written(self, text: str) -> None:
        if self._log:
            self._log.write(text)

    # -- results

    def out(self, text: str) -> None:
        """A line of the result."""
        self._written(text)
        self._out.print(clean_lines(text), markup=False, highlight=False, soft_wrap=True)

    def result(self, text: RenderableType) -> None:
        """A result that has a form of its own, such as a table."""
        if self._log:
            self._log.paint(text)
        self._out.print(text)

    def document(self, document: Mapping[str, Any]) -> None:
        """The one JSON document of a command."""
        self._stdout.write(json_text.dumps(document, indent=2) + "\n")

    def plan(self, plan: Plan) -> None:
        """What is about to be done, before the question."""
        from pydock_installer.cli.tables import plan_text

        made = plan_text(plan)
        if self._log:
            self._log.paint(made)
        if not self.json:
            self._err.print(made)

    def diffs(self, plan: Plan, result: bool) -> None:
        """How daemon.json changes, equal changes together: before a question, or as the ``result`` of a dry run."""
        from pydock_installer.cli.tables import diff_text

        if not self.json and any(entry.diff and entry.steps for entry in plan.hosts):
            (self._out if result else self._err).print(diff_text(plan))

    def report(self, report: Report) -> None:
        """The end of a command."""
        from pydock_installer.cli.tables import report_text
        from pydock_installer.report import to_json

        if self._log:
            self._log.transcript(report.run_directory)
            self._log.paint(report_text(report, self.verbose))
        if self.json:
            self.document(to_json(report))
        else:
            self._out.print(report_text(report, self.verbose))

    def error(self, error: PydockError) -> None:
        """One sentence on what went wrong, one on what to do."""
        self._written(f"Error: {error.message}\n{error.hint or ''}")
        if self.json:
            document = {
                "exit_code": int(error.exit_code),
                "error": error.message,
                "hint": error.hint,
                "hosts": [],
            }
            self.document(document)
        from rich.text import Text

        text = Text("Error: ", style="bold red").append(clean(error.message), style="not bold default")
        if error.hint:
            text.append(f"\n{clean(error.hint)}", style="not bold default")
        self._err.print(text, soft_wrap=True)


def _console(stream: TextIO, plain: bool) -> Any:
    """A terminal has its own width; a pipe gets room for every word."""
    from rich.console import Console as RichConsole

    class Lasting(RichConsole):
        """Whoever read along may go (``| tee``, ``| less``): the work goes on, and is recorded, unheard."""

        def on_broken_pipe(self) -> None:
            self.quiet = True

    width = None if stream.isatty() else 160
    return Lasting(
        file=stream,
        width=width,
        no_color=plain,
        color_system=None if plain else "auto",
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
