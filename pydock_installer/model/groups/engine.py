"""A Docker that is there already."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EngineFacts:
    """A Docker that is there already."""
