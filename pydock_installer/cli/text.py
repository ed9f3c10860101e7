"""What hosts say, made fit for a terminal."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.text import Text

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)", re.DOTALL)


def clean(text: str, limit: int = 2000) -> str:
    """Without escape sequences, control and invisible formatting characters: a host cannot paint the terminal."""
    text = _ESCAPES.sub("", text[: limit * 4])
    kept = (
        c if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn") else " " for c in text
    )
    return "".join(kept)[:limit]


def clean_lines(text: str) -> str:
    """Every line of it clean, and none of them lost: what a person consents to is shown whole."""
    return "\n".join(clean(line, limit=100_000) for line in text.split("\n"))


def one_line(text: str) -> str:
    """Clean, and without line breaks: a host cannot add lines in another's name."""
    return clean(text).replace("\n", " ")


class Hanging:
    """A lead and a text whose further lines stand below its first, however narrow the terminal is."""

    def __init__(self, lead: Text, text: Text) -> None:
        self.lead, self.text = lead, text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        lead = self.lead
        for line in self.text.wrap(console, max(options.max_width - lead.cell_len, 20)):
            line.rstrip()
            yield lead + line
            lead = type(lead)(" " * lead.cell_len)


def indented(text: str, by: int = 2, style: str = "") -> RenderableType:
    """A paragraph that stands in."""
    from rich.text import Text

    return Hanging(Text(" " * by), Text(text, style))
