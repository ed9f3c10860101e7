"""File systems that Docker and yum will use."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StorageFacts:
    """File systems that Docker and yum will use."""
