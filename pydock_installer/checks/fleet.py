"""Rules about hosts among each other: one machine under two names, and clones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydock_installer.model import Facts, Finding, Known, Severity


def fleet_findings(fleet: Mapping[str, Facts]) -> Mapping[str, tuple[Finding, ...]]:
    """What is wrong with hosts because of others, by the host's name."""
    found: dict[str, tuple[Finding, ...]] = {}
    for names in _alike({name: _machine_id(facts) for name, facts in fleet.items()}):
        boots = {name: _boot(fleet[name]) for name in names}
        for same in _alike(boots):
            one = _same_machine(same)
            for name in same:
                found[name] = (*found.get(name, ()), one)
        if len(set(boots.values())) > 1:
            clone = _clone(names)
            for name in names:
                found[name] = (*found.get(name, ()), clone)
    return found


def _alike(values: Mapping[str, str | None]) -> Sequence[list[str]]:
    """The names that share a value, where more than one does."""
    groups: dict[str, list[str]] = {}
    for name, value in values.items():
        if value:
            groups.setdefault(value, []).append(name)
    return [names for names in groups.values() if len(names) > 1]


def _machine_id(facts: Facts) -> str | None:
    return facts.machine_id.value if isinstance(facts.machine_id, Known) else None


def _boot(facts: Facts) -> str | None:
    """Another one on every machine and at every boot (random(4)); containers of one kernel differ in their name."""
    if not isinstance(facts.boot_id, Known) or not isinstance(facts.hostname, Known):
        return None
    return f"{facts.boot_id.value} {facts.hostname.value}"


def _same_machine(names: Sequence[str]) -> Finding:
    return Finding(
        "same-machine",
        Severity.BLOCKER,
        f"{_listed(names)} are one and the same machine",
        "Keep one of the names in the inventory.",
        group="reach",
    )


def _clone(names: Sequence[str]) -> Finding:
    return Finding(
        "machine-id",
        Severity.WARNING,
        f"{_listed(names)} have one machine id: they were cloned",
        "On all but one of them: rm -f /etc/machine-id; systemd-machine-id-setup",
        group="reach",
    )


def _listed(names: Sequence[str]) -> str:
    """Not all of many: each of them tells it, and a thousand times a thousand names help nobody."""
    return ", ".join(names) if len(names) <= 20 else f"{', '.join(names[:20])} and {len(names) - 20} more"
