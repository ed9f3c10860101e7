"""What hosts say, made fit for a terminal."""

from __future__ import annotations

import re
import unicodedata

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)", re.DOTALL)


def clean(text: str, limit: int = 2000) -> str:
    """Without escape sequences, control and invisible formatting characters: a host cannot paint the terminal."""
    text = _ESCAPES.sub("", text[: limit * 4])
    kept = (
        c if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn") else " " for c in text
    )
    return "".join(kept)[:limit]


def one_line(text: str) -> str:
    """Clean, and without line breaks: a host cannot add lines in another's name."""
    return clean(text).replace("\n", " ")
