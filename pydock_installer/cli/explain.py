"""``pydock explain``: a finding or a diagnosis in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydock_installer import diagnosis, explanations
from pydock_installer.errors import UsageError
from pydock_installer.suggest import hint

if TYPE_CHECKING:
    from pydock_installer.cli.console import Console


def explain(code: str | None, talk: Console) -> int:
    """Print all that is known about a code, or every code. Raises UsageError for a code that is unknown."""
    found = [entry for entry in explanations.explanations() if code in (None, entry.code)]
    rows = [row for row in diagnosis.rows() if code in (None, row.code)]
    if not found and not rows:
        known = [*explanations.codes(), *diagnosis.codes()]
        raise UsageError(
            f"there is nothing about {code}{hint(str(code), known)}", "Without CODE, all are listed."
        )
    told: list[dict[str, Any]] = [
        {"code": e.code, "group": e.group, "why": e.why, "source": e.source, "remedy": e.remedy}
        for e in found
    ]
    diagnoses = [
        {
            "code": row.code,
            "where": row.where,
            "cause": row.in_general().cause,
            "remedy": row.in_general().remedy,
        }
        for row in rows
    ]
    if talk.json:
        talk.document({"command": "explain", "exit_code": 0, "findings": told, "diagnoses": diagnoses})
    elif code is None:
        talk.out("What checks find:")
        for entry in told:
            talk.out(f"  {entry['code']}: {entry['why']}")
        talk.out("What failures mean:")
        for entry in diagnoses:
            talk.out(f"  {entry['code']}: {entry['cause']}")
    else:
        for entry in told:
            talk.out(f"{entry['code']} ({entry['group']})")
            talk.out(f"Why:    {entry['why']}")
            talk.out(f"Source: {entry['source']}")
            talk.out("Remedy: " + entry["remedy"].strip().replace("\n", "\n        "))
        for row, entry in zip(rows, diagnoses, strict=True):
            talk.out(f"{entry['code']} ({entry['where']}): what a failure means")
            talk.out(f"Cause:  {entry['cause']}")
            talk.out(f"Remedy: {entry['remedy']}")
            if row.pattern:
                talk.out(f"Known by: {row.pattern.pattern}")
    return 0
