"""In which order hosts are changed: canaries first, then batches, within a budget of failures. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from pydock_installer.errors import RefusedError
from pydock_installer.setting_parts import Rollout


def batches(
    hosts: Sequence[str], groups: Mapping[str, Sequence[str]], rollout: Rollout
) -> tuple[tuple[str, ...], ...]:
    """The hosts in the order of their groups, cut into canaries and batches; all in one if nothing else is wanted.

    ``groups`` are those of each host. Hosts of no group that ``rollout.order`` names come last; a batch never
    reaches from one group into the next, so that a group is done before the next one begins.
    """
    waiting: dict[int, list[str]] = {}
    for host in hosts:
        places = [place for place, group in enumerate(rollout.order) if group in groups.get(host, ())]
        waiting.setdefault(min(places, default=len(rollout.order)), []).append(host)
    ordered = [waiting[place] for place in sorted(waiting)]
    found: list[tuple[str, ...]] = []
    canaries = min(rollout.canary, len(hosts))
    size = share(rollout.batch, len(hosts)) or len(hosts)
    for group in ordered:
        taken = group[:canaries]
        if taken:
            found.append(tuple(taken))
            canaries -= len(taken)
        rest = group[len(taken) :]
        found += [tuple(rest[place : place + size]) for place in range(0, len(rest), size)]
    return tuple(found)


def with_budget(rollout: Rollout, forks: int) -> Rollout:
    """A budget of failures alone counts between as many hosts as work at a time: there is nothing else to stop at."""
    if rollout.max_failures is None or is_gradual(rollout):
        return rollout
    return rollout.model_copy(update={"batch": str(forks)})


def see_to_questions(rollout: Rollout, interactive: bool) -> None:
    """Raises RefusedError, before anything is done, if there will be nobody to answer."""
    if rollout.pause == "ask" and not interactive:
        raise RefusedError(
            "rollout.pause: ask needs a terminal to ask on",
            "Give a number of seconds in its place (pydock.yml, or PYDOCK_ROLLOUT__PAUSE=0 for this run).",
        )


def share(amount: str, whole: int) -> int:
    """``3`` is 3; ``25%`` of 10 is 3: a share is rounded up, so that it is never nothing but for 0 %."""
    if amount.endswith("%"):
        return math.ceil(whole * int(amount[:-1]) / 100)
    return int(amount)


def spent(failed: int, hosts: int, rollout: Rollout) -> bool:
    """Whether so many failures end a rollout over so many hosts."""
    if rollout.max_failures is None:
        return failed > 0 and is_gradual(rollout)
    budget = rollout.max_failures
    # Of a share, only whole hosts count: 10 % of 5 hosts forgives none.
    allowed = hosts * int(budget[:-1]) // 100 if budget.endswith("%") else int(budget)
    return failed > allowed


def is_gradual(rollout: Rollout) -> bool:
    """Whether hosts are changed one part after the other."""
    return bool(rollout.canary or rollout.order or share(rollout.batch, 100))
