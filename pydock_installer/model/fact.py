"""A fact about a host, in its three states: seen, seen to be absent, not seen. And the state of not being asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Unknown:
    """A fact that could not be seen, and why. Never the same as absent."""

    reason: str


@dataclass(frozen=True)
class Known(Generic[T]):
    """A fact that was seen."""

    value: T


#: A fact in its three states: seen, seen to be absent, not seen.
Fact = Known[T] | Unknown | None

#: For what a probe left out on purpose: no rule says anything about it.
NOT_ASKED = Unknown("not asked")
