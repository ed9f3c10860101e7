"""What hosts say, made fit for a terminal."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

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


def indented(text: str | Text, by: int = 2, style: str = "") -> RenderableType:
    """A paragraph whose every line stands in, also where a terminal is too narrow for it."""
    from rich.padding import Padding
    from rich.text import Text

    return Padding(Text(text, style) if isinstance(text, str) else text, (0, 0, 0, by), expand=False)


def item(lead: Text, text: Text) -> RenderableType:
    """A list's item: further lines of the text stand below its first, not below the lead."""
    from rich.table import Table

    row = Table.grid(padding=0)
    row.add_column(no_wrap=True)
    row.add_column(overflow="fold")
    row.add_row(lead, text)
    return row
