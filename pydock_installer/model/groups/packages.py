"""The package manager, its repositories and what could hide Docker."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PackageFacts:
    """The package manager, its repositories and what could hide Docker."""
