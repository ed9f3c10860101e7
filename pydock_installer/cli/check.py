"""What ``pydock check`` has of its own: the codes it is asked for, and its JUnit file."""

from __future__ import annotations

from pathlib import Path

from pydock_installer import explanations
from pydock_installer.errors import PydockError, UsageError
from pydock_installer.model import Report
from pydock_installer.report import to_junit
from pydock_installer.suggest import hint


def codes(text: str | None) -> tuple[str, ...]:
    """``disk-space,kernel`` as codes. Raises UsageError for one that there is not."""
    wanted = tuple(word.strip() for word in (text or "").split(",") if word.strip())
    known = explanations.codes()
    for code in wanted:
        if code not in known:
            raise UsageError(
                f"--only: there is no check {code}{hint(code, known)}", "`pydock explain` lists them."
            )
    return wanted


def write_junit(report: Report, path: Path) -> None:
    """Write the file. Raises PydockError if that cannot be."""
    try:
        path.write_text(to_junit(report), encoding="utf-8")
    except OSError as error:
        raise PydockError(f"{path} cannot be written: {error.strerror or error}") from error
