"""Which mirror each host of a fleet gets its packages from, and the evidence that decided. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from pydock_installer import platforms
from pydock_installer.model import Facts, Known, RepositoryAnswer
from pydock_installer.repository import named_in
from pydock_installer.settings import Settings

#: The name under which a host tells of the mirror that its docker-ce.repo names and pydock does not know.
PRESENT = "present"


@dataclass(frozen=True)
class Choice:
    """A mirror's name or base address; why, as a clause; the others that serve the host as well, the best first."""

    name: str
    why: str = ""
    others: tuple[str, ...] = ()


def choices(fleet: Mapping[str, Facts], settings: Settings) -> Mapping[str, Choice]:
    """The mirror of every host, by the host's name.

    With ``auto``, a host keeps the mirror that its repository file names while that serves. All others get one and
    the same, if ``repository_scope`` is ``fleet``: the one that serves most of them, of those the first in order of
    preference that is about as fast as the fastest. A host that it does not serve takes what serves it best.
    """
    if settings.repository != "auto":
        return {name: Choice(settings.repository) for name in fleet}
    made: dict[str, Choice] = {}
    looking: dict[str, str] = {}
    for name, facts in fleet.items():
        kept, why = keeps(facts, settings)
        if kept:
            made[name] = Choice(kept, why)
        else:
            looking[name] = why
    asked = {name: _shipped(fleet[name]) for name in looking}
    agreed = _best(asked.values(), settings) if settings.repository_scope == "fleet" else None
    for name, left in looking.items():
        made[name] = _for_host(name, asked, agreed, left, settings)
    return {name: made[name] for name in fleet}


def keeps(facts: Facts, settings: Settings) -> tuple[str | None, str]:
    """The mirror that a host has and keeps, or why it has none to keep: "" where it has no file."""
    file = facts.repository_file
    if not isinstance(file, Known):
        return None, ""
    name = named_in(file.value)
    if not name:
        return None, "its docker-ce.repo names no mirror that pydock could take over"
    answers = _answers(facts)
    answer = answers.get(name if name in platforms.mirrors() else PRESENT)
    if answer is None or trouble(answer, settings) is None:
        known = name in platforms.mirrors()
        return (
            name,
            "" if known else f"{name}, which its docker-ce.repo names, {'serves' if answer else 'stays'}",
        )
    if not any(trouble(other, settings) is None for other in _shipped(facts).values()):
        return name, ""  # Nothing is better.
    return None, f"{name}, which it had, {trouble(answer, settings)}"


def trouble(answer: RepositoryAnswer, settings: Settings) -> str | None:
    """Why a mirror cannot be taken, in words that follow its name; ``None`` if it can."""
    if answer.status == 0:
        return "did not answer"
    if answer.status != 200:
        return f"answered {answer.status}"
    if answer.keys is not None and answer.keys != (settings.repository_key,):
        return "serves another key" if answer.keys else "serves no key"
    return None


def _answers(facts: Facts) -> dict[str, RepositoryAnswer]:
    said = facts.repository_answers
    return {answer.name: answer for answer in said.value} if isinstance(said, Known) else {}


def _shipped(facts: Facts) -> dict[str, RepositoryAnswer]:
    """What the shipped mirrors answered, in order of preference."""
    said = _answers(facts)
    return {name: said[name] for name in platforms.mirrors() if name in said}


def _ranked(asked: Mapping[str, RepositoryAnswer], settings: Settings) -> list[str]:
    """The mirrors that serve one host, the best first."""
    seconds = {name: answer.seconds for name, answer in asked.items() if trouble(answer, settings) is None}
    ranked: list[str] = []
    while best := _preferred({name: time for name, time in seconds.items() if name not in ranked}):
        ranked.append(best)
    return ranked


def _preferred(seconds: Mapping[str, float]) -> str | None:
    """The first in order of preference that is about as fast as the fastest."""
    if not seconds:
        return None
    limit = 2 * min(seconds.values()) + 0.3
    return next(name for name in platforms.mirrors() if name in seconds and seconds[name] <= limit)


def _best(fleet: Iterable[Mapping[str, RepositoryAnswer]], settings: Settings) -> str | None:
    """The mirror for several hosts."""
    served: dict[str, list[float]] = {}
    for asked in fleet:
        for name, answer in asked.items():
            if trouble(answer, settings) is None:
                served.setdefault(name, []).append(answer.seconds)
    most = max((len(times) for times in served.values()), default=0)
    return _preferred({name: median(times) for name, times in served.items() if len(times) == most})


def _for_host(
    name: str,
    asked: Mapping[str, Mapping[str, RepositoryAnswer]],
    agreed: str | None,
    left: str,
    settings: Settings,
) -> Choice:
    ranked = _ranked(asked[name], settings)
    if agreed and (agreed in ranked or not ranked):
        chosen, hosts = agreed, list(asked.values())
        why = _evidence(agreed, hosts, settings)
        if not ranked and asked[name]:
            why += "; this host heard of none"
    elif ranked:
        chosen = ranked[0]
        why = _evidence(chosen, [asked[name]], settings)
        if agreed:
            said = asked[name].get(agreed)
            here = (said and trouble(said, settings)) or "was not asked"
            why = f"{agreed}, the other hosts' mirror, {here} here; {why}"
    else:
        chosen, why = next(iter(platforms.mirrors())), "no mirror answered" if asked[name] else ""
    return Choice(chosen, "; ".join(filter(None, (left, why))), tuple(r for r in ranked if r != chosen))


def _evidence(chosen: str, hosts: Sequence[Mapping[str, RepositoryAnswer]], settings: Settings) -> str:
    """``aliyun answered in 0.2 s on 7 of 8 hosts``, and why those that are preferred to it were passed over."""
    times = [
        asked[chosen].seconds for asked in hosts if chosen in asked and not trouble(asked[chosen], settings)
    ]
    parts = [f"{chosen} answered in {median(times):.1f} s{_share(len(times), len(hosts))}"]
    before = list(platforms.mirrors())[: list(platforms.mirrors()).index(chosen)]
    words: dict[str, list[str]] = {}
    for name in before:
        said = [asked[name] for asked in hosts if name in asked]
        troubles = [why for answer in said if (why := trouble(answer, settings))]
        if troubles:
            why = max(troubles, key=troubles.count)
            words.setdefault(why + _share(troubles.count(why), len(hosts)), []).append(name)
        elif said:
            words.setdefault(f"took {median(answer.seconds for answer in said):.1f} s", []).append(name)
    parts += [f"{', '.join(names)} {why}" for why, names in words.items()]
    return "; ".join(parts)


def _share(some: int, every: int) -> str:
    if every == 1:
        return ""
    everywhere = "both" if every == 2 else f"all {every}"
    return f" on {everywhere} hosts" if some == every else f" on {some} of {every} hosts"
