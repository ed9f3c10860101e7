"""From a host's message to its cause and remedy. The knowledge is data, in causes.yml; this is its matcher. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from pydock_installer.diagnosis.context import WORDS, Context

__all__ = ["Context", "Diagnosis", "Row", "codes", "diagnose", "explain", "judge", "rows"]

#: How much of a text is looked at: its beginning, where the module speaks, and its end, where the tools do.
HEAD, TAIL = 8_000, 24_000
#: What a host's words may add to a sentence.
QUOTED = 200
#: The rows that are looked at in a phase. A failed download and a failed transaction look alike; the engine's own
#: troubles show when it pulls and runs.
PHASES = {
    "ssh": frozenset({"ssh", "any"}),
    "repository": frozenset({"repository", "packages", "any"}),
    "packages": frozenset({"repository", "packages", "any"}),
    "daemon": frozenset({"daemon", "any"}),
    "pull": frozenset({"daemon", "pull", "any"}),
    "run": frozenset({"daemon", "run", "any"}),
}
_ANSI = re.compile(r"\x1b\[[0-9;?]{0,20}[A-Za-z]")
_PLACE = re.compile(r"\{([a-z]+)\}")
#: The journal's way to write a quote within a message, and that of messages within messages.
_QUOTE = re.compile(r"\\{1,3}\"")
_NOTHING = Context()
#: The registry in a sentence of which nobody knows whom it is about.
_UNNAMED = "the registry"
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
    general: bool = False
    """Whether the engine's journal, if it matches a row, says more than this one."""

    def in_general(self) -> Diagnosis:
        """The row as it reads without a message: places for a host's words stand as capitals."""
        names = (name for _, name, _ in _OPTIONAL.findall(self.cause + self.remedy))
        return self._filled({name: name.upper() for name in names if name not in WORDS})

    def match(self, text: str, code: str, context: Context = _NOTHING) -> Diagnosis | None:
        """The diagnosis, if the text is one of this row's."""
        found = self.pattern.search(text) if self.pattern else None
        if found:
            matched = {k.rstrip("0123456789"): v for k, v in found.groupdict().items() if v}
            return self._filled({**context.words(_line(text, found)), **matched})
        return self._filled(context.words("")) if code == self.code else None

    def _filled(self, words: Mapping[str, str]) -> Diagnosis:
        def optional(part: re.Match[str]) -> str:
            before, name, after = part.groups()
            return f"{before}{{{name}}}{after}" if name in words else ""

        def word(place: re.Match[str]) -> str:
            name = place.group(1)
            if name not in words:
                return _UNNAMED if name == "registry" else name.upper()
            return words[name].strip().rstrip(".,:;")[:QUOTED]

        cause, remedy = (_PLACE.sub(word, _OPTIONAL.sub(optional, s)) for s in (self.cause, self.remedy))
        return Diagnosis(self.code, re.sub(r"\Athe ", "The ", cause), remedy)


def _line(text: str, found: re.Match[str]) -> str:
    """The line that a match stands in, as far as it matters."""
    start, end = text.rfind("\n", 0, found.start()) + 1, text.find("\n", found.end())
    return text[max(start, found.start() - 1000) : found.end() + 500 if end < 0 else end][:3000]


@cache
def rows() -> tuple[Row, ...]:
    """Every row, in the order in which they are tried."""
    table = yaml.safe_load((Path(__file__).parent / "causes.yml").read_text(encoding="utf-8"))

    def whole(sentence: str) -> str:
        for name, phrase in table["phrases"].items():
            sentence = sentence.replace(f"${name}", phrase)
        return sentence

    return tuple(
        Row(
            entry["code"],
            entry["where"],
            re.compile(entry["regex"], re.IGNORECASE | re.MULTILINE) if "regex" in entry else None,
            whole(entry["cause"]),
            whole(entry["remedy"]),
            entry.get("general", False),
        )
        for entry in table["causes"]
    )


def diagnose(text: str, *, where: str | None = None, context: Context = _NOTHING) -> Diagnosis | None:
    """The first row that matches. A first line that is a code counts as such, and tells the phase if nobody does."""
    text = _ANSI.sub("", text if len(text) <= HEAD + TAIL else f"{text[:HEAD]}\n{text[-TAIL:]}")
    text = _QUOTE.sub('"', text)
    code = text[:100].partition("\n")[0].strip()
    if where is None and (known := explain(code)):
        where = known.where
    wanted = PHASES.get(where or "")
    for row in rows():
        if wanted is not None and row.where not in wanted:
            continue
        if found := row.match(text, code, context):
            return found
    return None


def judge(
    code: str | None,
    words: str,
    journal: str = "",
    *,
    where: str | None = None,
    context: Context = _NOTHING,
) -> Diagnosis | None:
    """What the words of a failed step mean, and what the engine's journal adds to them.

    A row that is general gives way to the journal's. Of a pull the journal's is told besides: engines up to 28 answer
    with what Docker Hub said, and only their journal tells what the mirrors said before (domain.md, 6).
    """
    found = diagnose(f"{code or ''}\n{words}", where=where, context=context)
    if not journal.strip():
        return found
    where = where or (known.where if code and (known := explain(code)) else None)
    told = [diagnose(f"\n{line}", where=where, context=context) for line in journal.splitlines()]
    others = [other for other in told if other and (not found or other.code != found.code)]
    telling = next((other for other in others if not _general(other)), None)
    if found is None or _general(found):
        return telling or next(iter(others), found)
    if telling is None or where != "pull":
        return found
    return Diagnosis(
        found.code, f"{found.cause} Besides, the engine's journal tells: {telling.cause}", found.remedy
    )


def _general(found: Diagnosis) -> bool:
    row = explain(found.code)
    return row is not None and row.general


def explain(code: str) -> Row | None:
    """The row of a code."""
    return next((row for row in rows() if row.code == code), None)


def codes() -> tuple[str, ...]:
    """Every code that can be explained."""
    return tuple(row.code for row in rows())
