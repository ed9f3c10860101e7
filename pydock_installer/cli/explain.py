"""``pydock explain``: a diagnosis in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydock_installer import diagnosis

if TYPE_CHECKING:
    from pydock_installer.cli.console import Console


def explain(code: str | None, talk: Console) -> int:
    """Print cause and remedy of a code, or every code. Raises UsageError for a code that is unknown."""
    raise NotImplementedError(code, talk, diagnosis)
