"""Registry mirrors that pydock knows, and which of those that were asked are to be used: data, and its lookup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from statistics import median
from typing import Any

import yaml

from pydock_installer.errors import UnreachableError
from pydock_installer.model.mirror import MirrorAnswer, MirrorState


@dataclass(frozen=True)
class KnownMirror:
    """One entry of the shipped list."""

    name: str
    url: str
    who: str
    """Who may use it."""
    note: str
    since: str
    """The year or day since when that is so."""
    source: str
    public: bool = False
    """Whether anybody may use it."""
    offered: bool = False
    """Whether it is asked by default, and may be chosen by ``--best``."""


@cache
def known() -> tuple[KnownMirror, ...]:
    """The shipped list."""
    text = resources.files(__name__).joinpath("mirrors.yml").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = yaml.safe_load(text)
    return tuple(KnownMirror(**row) for row in rows)


def offered() -> tuple[str, ...]:
    """The addresses that may be chosen without being named."""
    return tuple(entry.url for entry in known() if entry.offered)


def lookup(url: str) -> KnownMirror | None:
    """The entry of an address, if there is one. Accelerators have a name for each account: ``*`` stands for it."""
    return next((entry for entry in known() if fnmatchcase(url.rstrip("/"), entry.url)), None)


def ranked(answers: Sequence[MirrorAnswer]) -> tuple[MirrorAnswer, ...]:
    """Best first: alive by time, then slow by time, then what cannot be used, in the order in which it was asked."""
    states = list(MirrorState)
    return tuple(
        sorted(answers, key=lambda a: (states.index(a.state), (a.seconds or 0.0) if a.usable else 0.0))
    )


def best_of_host(answers: Sequence[MirrorAnswer], number: int) -> tuple[str, ...]:
    """At most ``number`` addresses for one host, best first."""
    return tuple(answer.url for answer in ranked(answers) if answer.usable)[:number]


def best(
    answers_by_host: Mapping[str, Sequence[MirrorAnswer] | UnreachableError], number: int
) -> tuple[str, ...]:
    """At most ``number`` addresses for a fleet, best first: usable on all hosts that were reached.

    What is alive everywhere comes before what is slow somewhere; among equals the median of their seconds decides.
    """
    seen = [answers for answers in answers_by_host.values() if not isinstance(answers, UnreachableError)]
    by_url: dict[str, list[MirrorAnswer]] = {}
    for answers in seen:
        for answer in {answer.url: answer for answer in answers if answer.usable}.values():
            by_url.setdefault(answer.url, []).append(answer)
    everywhere = {url: found for url, found in by_url.items() if len(found) == len(seen)}

    def order(url: str) -> tuple[bool, float]:
        slow = any(answer.state is MirrorState.SLOW for answer in everywhere[url])
        return slow, median(answer.seconds or 0.0 for answer in everywhere[url])

    return tuple(sorted(everywhere, key=order)[:number])
