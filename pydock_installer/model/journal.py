"""What a host's journal tells of what pydock did to it, and what is there now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydock_installer.model.fact import Fact


@dataclass(frozen=True)
class Journal:
    """/var/lib/pydock/journal.jsonl of a host, oldest entry first (roles/docker_host/README.md has the actions)."""

    entries: tuple[Mapping[str, Any], ...]
    sums: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of the files and backups that it names, by path; those that are not there are missing."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Their texts, passwords left out, where they are short enough to be shown."""
    settings_file: str = "/etc/docker/daemon.json"
    """daemon.json, links followed."""
    present: frozenset[str] = frozenset()
    """Names of packages that it says were removed and that are there."""
    listed: Fact[str] = None
    """What yum lists of those that are not there; ``None`` where it was not asked."""
