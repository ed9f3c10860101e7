"""Registry mirrors as a person reads them, and as the JSON document of ``pydock mirror``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pydock_installer import registries
from pydock_installer.cli.text import clean, indented, one_line
from pydock_installer.errors import UnreachableError
from pydock_installer.model.mirror import MirrorAnswer, MirrorState
from pydock_installer.registries.configured import Configured
from pydock_installer.report import grouped
from pydock_installer.workflows.mirror_test import HostMirrors

Found = Mapping[str, HostMirrors | UnreachableError]
STYLES = {
    MirrorState.ALIVE: "green",
    MirrorState.SLOW: "yellow",
    MirrorState.UNKNOWN: "magenta",
    MirrorState.RESTRICTED: "red",
    MirrorState.LOGIN: "red",
    MirrorState.WRONG: "red",
    MirrorState.DEAD: "red",
}
WORDS = {MirrorState.LOGIN: "wants login", MirrorState.WRONG: "wrong content"}


def test_text(found: Found) -> RenderableType:
    """The ranking over all hosts, then what is wrong with which mirror, and one closing sentence."""
    answers = [(name, answer) for name, answer in _all(found)]
    alone = len(found) == 1
    table = _table("mirror", "state", "first answer", "whole image", "rate", *(() if alone else ("hosts",)))
    told = _alike(answers)
    for entries in told:
        first = entries[0][1]
        row = [
            Text(one_line(first.url), style="bold"),
            _state(first),
            Text(_seconds(a.latency for _, a in entries)),
            Text(_seconds(a.seconds for _, a in entries) if first.usable else "-"),
            Text(_rate(a.rate for _, a in entries)),
        ]
        table.add_row(*row, *([] if alone else [Text(_names([name for name, _ in entries], found))]))
    parts: list[RenderableType] = [table, Text("")] if answers else []
    for entries in told:
        if entries[0][1].state is not MirrorState.ALIVE:
            names = [] if alone else [name for name, _ in entries]
            parts += [_evidence(entries[0][1], _names(names, found)), Text("")]
    return Group(*parts, *_lost(found), Text(clean(summary(found)), style="bold"))


def show_text(found: Found, tested: bool) -> RenderableType:
    """What each host has; hosts that have the same are told together."""
    table = _table("host", "docker", "mirror", "written in", "standing", *(("serves",) if tested else ()))
    groups: dict[Any, list[str]] = {}
    for name, seen in found.items():
        if isinstance(seen, HostMirrors):
            states = tuple((a.url, a.state) for a in seen.answers)
            groups.setdefault((seen.settings, states), []).append(name)
    for names in groups.values():
        for cells in _host_rows(found[names[0]], names, tested):
            table.add_row(*cells)
    parts: list[RenderableType] = [table, Text("")] if groups else []
    for names in groups.values():
        seen = found[names[0]]
        for problem in seen.settings.problems if isinstance(seen, HostMirrors) else ():
            text = Text(one_line(grouped(names)), style="bold")
            parts += [text.append(f"  {one_line(problem)}", style="not bold yellow"), Text("")]
    for entries in _alike(_all(found)):
        if entries[0][1].state is not MirrorState.ALIVE:
            parts += [_evidence(entries[0][1], _names([name for name, _ in entries], found)), Text("")]
    return Group(*parts, *_lost(found))


def summary(found: Found) -> str:
    """The closing sentence of a test."""
    reached = {name: seen for name, seen in found.items() if isinstance(seen, HostMirrors)}
    number = f"{len(found)} host{'' if len(found) == 1 else 's'}"
    if not reached:
        return f"{number}: none was reached."
    best = registries.best({name: seen.answers for name, seen in reached.items()}, 99)
    without = [name for name, seen in reached.items() if not any(a.usable for a in seen.answers)]
    lost = len(found) - len(reached)
    end = f", {lost} unreachable" if lost else ""
    everywhere = "" if len(reached) == 1 else " on all of them"
    if best:
        more = f", then {grouped(best[1:], 3)}" if len(best) > 1 else ""
        return f"{number}{end}: the best that can be used{everywhere} is {best[0]}{more}."
    if without:
        return f"{number}{end}: no mirror can be used on {grouped(without)}."
    return f"{number}{end}: each can use some mirror, but there is none for all of them."


def document(command: str, found: Found, code: int) -> dict[str, Any]:
    """The document of ``--json``; docs/json.md tells each key."""
    reached = {n: seen.answers for n, seen in found.items() if isinstance(seen, HostMirrors)}
    return {
        "command": command,
        "exit_code": code,
        "best": list(registries.best(reached, 99)) if reached else [],
        "hosts": [_host(name, seen, shown=command == "mirror show") for name, seen in found.items()],
    }


def _host(name: str, seen: HostMirrors | UnreachableError, shown: bool) -> dict[str, Any]:
    """A host with the mirrors that it has, in its own order; or with those that were asked, best first."""
    if isinstance(seen, UnreachableError):
        return {
            "name": name,
            "status": "unreachable",
            "docker": None,
            "engine": None,
            "problems": [],
            "mirrors": [],
            "cause": seen.message,
            "remedy": seen.hint,
            "code": seen.code,
        }
    own = {entry.url: entry for entry in seen.settings.mirrors}
    answers = {answer.url: answer for answer in seen.answers}
    served = shown or any(answer.usable for answer in answers.values())
    return {
        "name": name,
        "status": "ok" if served else "failed",
        "docker": seen.settings.docker,
        "engine": seen.settings.engine,
        "problems": list(seen.settings.problems),
        "mirrors": [_mirror(url, own.get(url), answers.get(url)) for url in (own if shown else answers)],
        "cause": None if served else "no mirror that was asked can be used",
        "remedy": None,
        "code": None,
    }


def _mirror(url: str, own: Configured | None, answer: MirrorAnswer | None) -> dict[str, Any]:
    known = registries.lookup(url)
    return {
        "url": url,
        "places": list(own.places) if own else [],
        "in_effect": own.in_effect if own else False,
        "state": answer.state.value if answer else None,
        "usable": answer.usable if answer else None,
        "latency": answer.latency if answer else None,
        "seconds": answer.seconds if answer else None,
        "rate": answer.rate if answer else None,
        "image": answer.image if answer else None,
        "proxy": answer.proxy if answer else None,
        "detail": answer.detail if answer else None,
        "remedy": answer.remedy if answer else None,
        "known": None
        if known is None
        else {"name": known.name, "who": known.who, "note": known.note, "since": known.since},
    }


def _all(found: Found) -> Iterator[tuple[str, MirrorAnswer]]:
    for name, seen in found.items():
        if isinstance(seen, HostMirrors):
            yield from ((name, answer) for answer in seen.answers)


def _alike(answers: Iterable[tuple[str, MirrorAnswer]]) -> list[list[tuple[str, MirrorAnswer]]]:
    """Answers that are the same but for their figures, best first."""
    groups: dict[tuple[str, MirrorState, str], list[tuple[str, MirrorAnswer]]] = {}
    for name, answer in answers:
        kind = re.sub(r"[0-9]+(\.[0-9]+)? s\b|[0-9]+ kB/s", "", answer.detail)
        groups.setdefault((answer.url, answer.state, kind), []).append((name, answer))
    states = list(MirrorState)

    def order(entries: list[tuple[str, MirrorAnswer]]) -> tuple[int, float]:
        first = entries[0][1]
        times = [answer.seconds or 0.0 for _, answer in entries]
        return states.index(first.state), median(times) if first.usable else 0.0

    return sorted(groups.values(), key=order)


def _host_rows(
    seen: HostMirrors | UnreachableError, names: Sequence[str], tested: bool
) -> Iterator[list[Text]]:
    assert isinstance(seen, HostMirrors)  # noqa: S101 - those that were not reached have no row
    settings = seen.settings
    engine = settings.engine or ("not running" if settings.docker else "no Docker")
    heads = [Text(one_line(grouped(names, 3)), style="bold"), Text(one_line(engine))]
    answers = {answer.url: answer for answer in seen.answers}
    if not settings.mirrors:
        what = "none: Docker Hub alone" if settings.docker else "none"
        yield [*heads, Text(what), Text("-"), Text("-"), *([Text("-")] if tested else [])]
    for entry in settings.mirrors:
        places = ", ".join(entry.places) or "-"
        row = [*heads, Text(one_line(entry.url)), Text(one_line(places)), Text(entry.standing)]
        if tested:
            answer = answers.get(entry.url)
            row.append(_served(answer) if answer else Text("not asked", style="magenta"))
        yield row
        heads = [Text(""), Text("")]


def _served(answer: MirrorAnswer) -> Text:
    text = _state(answer)
    return text.append(f", {answer.seconds:.2f} s", style="default") if answer.usable else text


def _state(answer: MirrorAnswer) -> Text:
    return Text(WORDS.get(answer.state, answer.state.value), style=STYLES[answer.state])


def _evidence(answer: MirrorAnswer, names: str) -> RenderableType:
    """What is the matter with a mirror, what is known of it, what to do."""
    text = _state(answer)
    text.append(f"  {one_line(answer.url)}", style="bold default")
    if names:
        text.append(f"  ({one_line(names)})", style="not bold default")
    text.append(f"  {one_line(answer.detail)}", style="not bold default")
    parts: list[RenderableType] = [text]
    if known := registries.lookup(answer.url):
        parts.append(indented(f"Known ({known.since}): for {known.who}; {known.note}."))
    if answer.remedy:
        parts.append(indented(clean(answer.remedy)))
    return Group(*parts)


def _lost(found: Found) -> Iterator[RenderableType]:
    for name, seen in found.items():
        if isinstance(seen, UnreachableError):
            text = Text(one_line(name), style="bold").append(" unreachable: ", style="red")
            yield text.append(clean(seen.message), style="not bold default")
            if seen.hint:
                yield indented(clean(seen.hint))
            yield Text("")


def _names(names: Sequence[str], found: Found) -> str:
    everybody = sum(isinstance(seen, HostMirrors) for seen in found.values())
    return "all" if len(names) == everybody > 1 else one_line(grouped(names, 4))


def _seconds(values: Iterable[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{median(known):.2f} s" if known else "-"


def _rate(values: Iterable[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{median(known) / 1_000_000:.1f} MB/s" if known else "-"


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in columns:
        table.add_column(
            name, overflow="fold", no_wrap=name in ("state", "first answer", "whole image", "rate")
        )
    return table
