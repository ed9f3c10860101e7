"""The directory of a run: made private, written once, kept. And the list of those that were."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from pydock_installer.errors import PydockError, UsageError

REPORT = "report.json"


@contextmanager
def private_files() -> Iterator[None]:
    """What is written meanwhile, by this process or those it starts, is for nobody else."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def state_directory() -> Path:
    """``$XDG_STATE_HOME/pydock``, by default ``~/.local/state/pydock``."""
    base = os.environ.get("XDG_STATE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".local" / "state") / "pydock"


def create(command: str, files: Mapping[str, str], now: datetime | None = None) -> Path:
    """A new run directory (0700) with ``files`` (0600) in it. Its name is the run's id and sorts by time (UTC)."""
    moment = (now or datetime.now(timezone.utc)).strftime("%Y%m%d-%H%M%S")
    directory = state_directory() / "runs" / f"{moment}-{command}-{secrets.token_hex(2)}"
    write(directory, files)
    return directory


def write(directory: Path, files: Mapping[str, str]) -> None:
    """Write ``files`` below a directory that is made for them. Raises PydockError if that cannot be."""
    try:
        with private_files():
            directory.mkdir(parents=True)
            for name, text in files.items():
                path = directory / name
                path.parent.mkdir(parents=True, exist_ok=True)
                _write_private(path, text)
    except OSError as error:
        raise PydockError(
            f"the run cannot be written to {directory}: {error.strerror or error}",
            "Free some space, or set XDG_STATE_HOME to a directory that you may write to.",
        ) from error


def save_report(directory: Path, document: Mapping[str, Any]) -> None:
    """Keep the report of a run beside its tree. Raises PydockError if that cannot be."""
    try:
        _write_private(directory / REPORT, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        raise PydockError(f"the report cannot be kept in {directory}: {error.strerror or error}") from error


def runs() -> tuple[Path, ...]:
    """Run directories, newest first."""
    top = state_directory() / "runs"
    return tuple(sorted((path for path in top.glob("*-*-*") if path.is_dir()), reverse=True))


def find(identifier: str) -> Path:
    """The run with this id, or a unique beginning of it; ``last`` is the newest. Raises UsageError."""
    known = runs()
    found = known[:1] if identifier == "last" else [run for run in known if run.name.startswith(identifier)]
    if len(found) != 1:
        problem = "names no run" if not found else f"names {len(found)} runs"
        raise UsageError(f"{identifier} {problem}", "`pydock runs list` shows them.")
    return found[0]


def load_report(directory: Path) -> Mapping[str, Any] | None:
    """The report of a run; ``None`` if it never came to one."""
    try:
        document = json.loads((directory / REPORT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) else None


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
