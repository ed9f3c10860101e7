"""Registry mirrors: what a host was told by one, and what that makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class MirrorState(str, Enum):
    """How a registry mirror stands, seen from one host; the best first."""

    ALIVE = "alive"
    SLOW = "slow"
    UNKNOWN = "unknown"
    """The host could not ask: it has no curl, or its answer makes no sense."""
    RESTRICTED = "restricted"
    """It refuses this host or this image: 403, an allow-list, a limit (429)."""
    LOGIN = "login"
    """It serves those alone who have an account."""
    WRONG = "wrong-content"
    """It serves something else than library/hello-world for this host, or other bytes than their digest says."""
    DEAD = "dead"


@dataclass(frozen=True)
class MirrorAnswer:
    """What one mirror is to one host. ``detail`` is the evidence in one sentence, ``remedy`` what to do."""

    url: str
    state: MirrorState
    seconds: float | None = None
    """All that was asked together, or until it failed; ``None`` if nothing was asked."""
    detail: str = ""
    remedy: str | None = None
    latency: float | None = None
    """Seconds until /v2/ answered."""
    rate: float | None = None
    """Bytes per second of the layer; ``None`` where it is too small for its rate to mean anything."""
    image: str | None = None
    """Digest of the manifest that the host would run, ``sha256:...``."""
    proxy: str | None = None
    """The engine's proxy that was used, without user and password."""

    @property
    def usable(self) -> bool:
        """Whether it served the whole image, if perhaps slowly."""
        return self.state in (MirrorState.ALIVE, MirrorState.SLOW)


@dataclass(frozen=True)
class Exchange:
    """One request of a host to a registry: curl's exit status, HTTP status (0 for none), seconds, bytes."""

    curl: int
    status: int
    first: float
    """Seconds to the first byte."""
    total: float
    size: int


@dataclass(frozen=True)
class MirrorTalk:
    """All that a host asked one mirror. ``exchanges`` by step: ``v2 token index manifest config layer``."""

    url: str
    exchanges: Mapping[str, Exchange] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    """What the host read in the answers, by word (probe/sections/registries.sh has them)."""


@dataclass(frozen=True)
class MirrorTalks:
    """All that a host asked mirrors, by address. ``platform`` as images name it: ``linux/amd64``."""

    platform: str
    talks: Mapping[str, MirrorTalk]
