"""Routes, firewalls, names and what answers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NetworkFacts:
    """Routes, firewalls, names and what answers."""
