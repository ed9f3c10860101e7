"""The machine and its kernel, as preflight asks about them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SystemFacts:
    """The machine and its kernel, as preflight asks about them."""
