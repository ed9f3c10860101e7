"""Rules about hosts among each other: one machine under two names, and clones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydock_installer.model import Facts, Finding, Known, Severity


def fleet_findings(fleet: Mapping[str, Facts]) -> Mapping[str, tuple[Finding, ...]]:
    """What is wrong with hosts because of others, by the host's name."""
    found: dict[str, tuple[Finding, ...]] = {}
    for names in _alike({name: _machine_id(facts) for name, facts in fleet.items()}):
        boots = {name: _boot_id(fleet[name]) for name in names}
        for same in _alike(boots):
            for name in same:
                found[name] = (*found.get(name, ()), _same_machine(name, same))
        if len(set(boots.values())) > 1:
            for name in names:
                found[name] = (*found.get(name, ()), _clone(name, names))
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


def _boot_id(facts: Facts) -> str | None:
    """Another one at every boot (random(4)); containers of one kernel share it, and differ in their machine id."""
    return facts.boot_id.value if isinstance(facts.boot_id, Known) else None


def _same_machine(name: str, names: Sequence[str]) -> Finding:
    others = ", ".join(other for other in names if other != name)
    return Finding(
        "same-machine",
        Severity.BLOCKER,
        f"this is the same machine as {others}",
        "Keep one of the names in the inventory.",
        group="reach",
    )


def _clone(name: str, names: Sequence[str]) -> Finding:
    others = ", ".join(other for other in names if other != name)
    return Finding(
        "machine-id",
        Severity.WARNING,
        f"its machine id is also that of {others}: it was cloned",
        "On all but one of them: rm -f /etc/machine-id; systemd-machine-id-setup",
        group="reach",
    )
