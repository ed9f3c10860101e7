"""The directory of a run: made private, written once, kept. And the list of those that were."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from pydock_installer.errors import PydockError
from pydock_installer.state import private_files, state_directory

REPORT = "report.json"


def create(run: str, files: Mapping[str, str]) -> Path:
    """A new run directory (0700) with ``files`` (0600) in it. Its name is the run's id."""
    directory = state_directory() / "runs" / run
    write(directory, files)
    return directory


def new_id(command: str, now: datetime | None = None) -> str:
    """The id of a run that begins now; it sorts by time (UTC)."""
    moment = (now or datetime.now(timezone.utc)).strftime("%Y%m%d-%H%M%S")
    return f"{moment}-{command.replace(' ', '-')}-{secrets.token_hex(2)}"


def remove(run: str) -> None:
    """The directory of a run is not kept any longer; whatever cannot be removed stays."""
    shutil.rmtree(state_directory() / "runs" / run, ignore_errors=True)


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


def add(path: Path, text: str) -> None:
    """One more file (0600) of a run. Raises PydockError if it cannot be written."""
    try:
        _write_private(path, text)
    except OSError as error:
        raise PydockError(
            f"{path} cannot be written: {error.strerror or error}", "Free some space."
        ) from error


def save_report(directory: Path, document: Mapping[str, Any]) -> None:
    """Keep the report of a run beside its tree. Raises PydockError if that cannot be."""
    try:
        _write_private(directory / REPORT, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        raise PydockError(f"the report cannot be kept in {directory}: {error.strerror or error}") from error


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
