"""``--log FILE``: everything that was said, line by line with its time, for later. Passwords are masked."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from pydock_installer.cli.text import clean_lines
from pydock_installer.errors import UsageError
from pydock_installer.model import Secret, StepResult


class LogFile:
    """A file that is added to; made 0600 if it is new. Raises UsageError if it cannot be written."""

    def __init__(self, path: Path) -> None:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            raise UsageError(
                f"--log: {path} cannot be written: {error.strerror}", "Name another file."
            ) from None
        self._stream = os.fdopen(descriptor, "w", encoding="utf-8")
        self._secrets: set[str] = set()

    def mask(self, secrets: Iterable[Secret | None]) -> None:
        """These are never written."""
        self._secrets |= {secret.reveal() for secret in secrets if secret and secret.reveal()}

    def write(self, text: str) -> None:
        """Text of one or more lines."""
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        for line in clean_lines(text).splitlines():
            # The longest first: one password may be the beginning of another.
            for secret in sorted(self._secrets, key=len, reverse=True):
                line = line.replace(secret, "***")  # noqa: PLW2901
            self._stream.write(f"{now} {line.rstrip()}\n")
        self._stream.flush()

    def paint(self, made: Any) -> None:
        """A table or the like, as wide as it needs."""
        from rich.console import Console as RichConsole

        wide = RichConsole(
            file=io.StringIO(), width=200, color_system=None, markup=False, highlight=False, emoji=False
        )
        with wide.capture() as captured:
            wide.print(made)
        self.write(captured.get())

    def transcript(self, run_directory: str | None) -> None:
        """What Ansible printed in a run."""
        top = Path(run_directory or "/nowhere") / "artifacts"
        for path in sorted(top.glob("*/stdout"), key=lambda path: path.stat().st_mtime):
            with path.open(encoding="utf-8", errors="replace") as lines:
                for piece in _pieces(lines):
                    self.write(piece)


def _pieces(lines: Iterable[str]) -> Iterator[str]:
    """Lines by the thousand, so that a long transcript is never held whole."""
    piece: list[str] = []
    for line in lines:
        piece.append(f"ansible: {line}")
        if len(piece) == 1000:
            yield "".join(piece)
            piece.clear()
    yield "".join(piece)


class LoggedProgress:
    """What a progress shows, written down as well."""

    def __init__(self, shown: Any, log: LogFile) -> None:
        self._shown, self._log = shown, log

    def __enter__(self) -> LoggedProgress:
        self._shown.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._shown.__exit__(kind, error, trace)

    def stage(self, text: str) -> None:
        self._log.write(text)
        self._shown.stage(text)

    def step(self, host: str, step: str) -> None:
        self._log.write(f"{host}: {step} begins")
        self._shown.step(host, step)

    def step_done(self, host: str, result: StepResult) -> None:
        self._log.write(f"{host}: {result.name} {result.status.value} ({result.seconds} s) {result.detail}")
        self._shown.step_done(host, result)

    def host_done(self, host: str, ok: bool, text: str) -> None:
        self._log.write(f"{host}: {'' if ok else 'FAILED: '}{text}")
        self._shown.host_done(host, ok, text)
