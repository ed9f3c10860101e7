"""From a host's message to its cause and remedy. The knowledge is data, in causes.yml; this is its matcher. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

#: How much of a text is looked at: its beginning, where the module speaks, and its end, where the tools do.
HEAD, TAIL = 8_000, 24_000
#: What a host's words may add to a sentence.
QUOTED = 200
#: The rows that are looked at in a phase. A failed download and a failed transaction look alike; so do engine and pull.
PHASES = {
    "ssh": frozenset({"ssh", "any"}),
    "repository": frozenset({"repository", "packages", "any"}),
    "packages": frozenset({"repository", "packages", "any"}),
    "daemon": frozenset({"daemon", "pull", "any"}),
    "pull": frozenset({"daemon", "pull", "any"}),
}
_ANSI = re.compile(r"\x1b\[[0-9;?]{0,20}[A-Za-z]")
_PLACE = re.compile(r"\{([a-z]+)\}")
_OPTIONAL = re.compile(r"\[([^\[\]{]*)\{([a-z]+)\}([^\[\]{]*)\]")


@dataclass(frozen=True)
class Diagnosis:
    """What went wrong, and what to do about it, in one sentence each."""

    code: str
    cause: str
    remedy: str


@dataclass(frozen=True)
class Row:
    """One row of causes.yml. A row without a pattern is known by its code alone."""

    code: str
    where: str
    pattern: re.Pattern[str] | None
    cause: str
    remedy: str

    def in_general(self) -> Diagnosis:
        """The row as it reads without a message: places for a host's words stand as capitals."""
        names = (name for _, name, _ in _OPTIONAL.findall(self.cause + self.remedy))
        return self._filled({name: name.upper() for name in names})

    def match(self, text: str, code: str) -> Diagnosis | None:
        """The diagnosis, if the text is one of this row's."""
        found = self.pattern.search(text) if self.pattern else None
        if found:
            return self._filled({k.rstrip("0123456789"): v for k, v in found.groupdict().items() if v})
        return self._filled({}) if code == self.code else None

    def _filled(self, words: Mapping[str, str]) -> Diagnosis:
        def optional(part: re.Match[str]) -> str:
            before, name, after = part.groups()
            return f"{before}{{{name}}}{after}" if name in words else ""

        def word(place: re.Match[str]) -> str:
            name = place.group(1)
            return words[name].strip().rstrip(".,:;")[:QUOTED] if name in words else name.upper()

        cause, remedy = (_PLACE.sub(word, _OPTIONAL.sub(optional, s)) for s in (self.cause, self.remedy))
        return Diagnosis(self.code, cause, remedy)


@cache
def rows() -> tuple[Row, ...]:
    """Every row, in the order in which they are tried."""
    entries = yaml.safe_load((Path(__file__).parent / "causes.yml").read_text(encoding="utf-8"))
    return tuple(
        Row(
            entry["code"],
            entry["where"],
            re.compile(entry["regex"], re.IGNORECASE | re.MULTILINE) if "regex" in entry else None,
            entry["cause"],
            entry["remedy"],
        )
        for entry in entries
    )


def diagnose(text: str, *, where: str | None = None) -> Diagnosis | None:
    """The first row that matches. A first line that is a code counts as such, and tells the phase if nobody does."""
    text = _ANSI.sub("", text if len(text) <= HEAD + TAIL else f"{text[:HEAD]}\n{text[-TAIL:]}")
    code = text[:100].partition("\n")[0].strip()
    if where is None and (known := explain(code)):
        where = known.where
    wanted = PHASES.get(where or "")
    for row in rows():
        if wanted is not None and row.where not in wanted:
            continue
        if found := row.match(text, code):
            return found
    return None


def explain(code: str) -> Row | None:
    """The row of a code."""
    return next((row for row in rows() if row.code == code), None)


def codes() -> tuple[str, ...]:
    """Every code that can be explained."""
    return tuple(row.code for row in rows())
