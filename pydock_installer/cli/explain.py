"""``pydock explain``: a diagnosis in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydock_installer import diagnosis
from pydock_installer.errors import UsageError
from pydock_installer.suggest import hint

if TYPE_CHECKING:
    from pydock_installer.cli.console import Console


def explain(code: str | None, talk: Console) -> int:
    """Print cause and remedy of a code, or every code. Raises UsageError for a code that is unknown."""
    rows = [row for row in diagnosis.rows() if code in (None, row.code)]
    if not rows:
        raise UsageError(
            f"there is no diagnosis {code}{hint(str(code), diagnosis.codes())}",
            "Without CODE, all are listed.",
        )
    told = [(row, row.in_general()) for row in rows]
    if talk.json:
        entries = [
            {"code": d.code, "where": row.where, "cause": d.cause, "remedy": d.remedy} for row, d in told
        ]
        talk.document({"command": "explain", "exit_code": 0, "diagnoses": entries})
    elif code is None:
        for _, found in told:
            talk.out(f"{found.code}: {found.cause}")
    else:
        row, found = told[0]
        talk.out(f"{found.code} ({row.where})")
        talk.out(f"Cause:  {found.cause}")
        talk.out(f"Remedy: {found.remedy}")
        if row.pattern:
            talk.out(f"Known by: {row.pattern.pattern}")
    return 0
