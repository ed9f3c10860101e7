"""What is known about each finding: why it is looked for, the source of the fact, what to do. Data, and its lookup."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

import yaml

#: The groups in the order in which they are told; one file each.
GROUPS = ("reach", "host", "system", "storage", "network", "packages", "engine", "restore", "uninstall")


@dataclass(frozen=True)
class Explanation:
    """One code of a finding, in full."""

    code: str
    group: str
    why: str
    source: str
    remedy: str


@cache
def explanations() -> tuple[Explanation, ...]:
    """Every code that a finding can have."""
    directory = resources.files("pydock_installer") / "checks" / "explanations"
    return tuple(
        Explanation(entry["code"], group, entry["why"], entry["source"], entry["remedy"])
        for group in GROUPS
        for entry in yaml.safe_load((directory / f"{group}.yml").read_text(encoding="utf-8"))
    )


def codes() -> tuple[str, ...]:
    """Every code, in the order in which they are told."""
    return tuple(entry.code for entry in explanations())
