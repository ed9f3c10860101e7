"""A Docker that is there already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydock_installer.model.fact import NOT_ASKED, Fact


@dataclass(frozen=True)
class Copy:
    """A docker command or engine on the host."""

    path: str
    target: str
    """What ``path`` is after following links."""
    owner: Fact[str]
    """The package that it belongs to; ``None`` for none."""
    running: bool = False
    """Whether this is the engine behind /var/run/docker.pid."""

    @property
    def snap(self) -> bool:
        """Whether it came as a snap."""
        return "/snap/" in self.path or "/snap/" in self.target


@dataclass(frozen=True)
class Word:
    """One word of a command line, and the file that it comes from."""

    text: str
    path: str


@dataclass(frozen=True)
class UnitFile:
    """docker.service or one of its drop-ins, in the order in which systemd reads them."""

    path: str
    start: tuple[Word, ...] | None
    """The last ExecStart, variables filled in; empty where it is only taken back, ``None`` without one."""


@dataclass(frozen=True)
class EngineState:
    """What a running engine says of its state."""

    swarm: str
    """``inactive pending active error locked`` (docker info, Swarm.LocalNodeState)."""
    live_restore: bool


@dataclass(frozen=True)
class Running:
    """What runs on an engine: the names of the containers, a hundred at most, and whether they survive its restart."""

    live_restore: bool
    containers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kubernetes:
    """Kubernetes on the host: systemd's units of it and their states, and kubelet's own words."""

    units: tuple[tuple[str, str], ...] = ()
    joined: bool = False
    """Whether kubeadm made this host a member of a cluster (/etc/kubernetes/kubelet.conf)."""
    runtime: str | None = None
    """The endpoint of the container runtime that kubelet was told, if it was told one."""

    @property
    def active(self) -> tuple[str, ...]:
        """The units that run."""
        return tuple(name for name, state in self.units if state in ("active", "activating", "reloading"))


@dataclass(frozen=True)
class Selinux:
    """``enforcing``, ``permissive`` or ``disabled``, and whether container-selinux is there."""

    mode: str
    policy: bool


@dataclass(frozen=True)
class OwnProxy:
    """pydock's drop-in with the engine's proxy, by SHA-256, as it may hold a password."""

    file: str
    running: Mapping[str, str] | None = None
    """Sums of NAME=VALUE by name, as the engine was started with them; ``None`` where none runs."""


@dataclass(frozen=True)
class EngineFacts:
    """A Docker that is there already."""

    copies: Fact[tuple[Copy, ...]] = NOT_ASKED
    unit_files: Fact[tuple[UnitFile, ...]] = NOT_ASKED
    """As systemd reads them: the unit that counts, then its drop-ins."""
    state: Fact[EngineState] = NOT_ASKED
    running: Fact[Running] = NOT_ASKED
    """Asked wherever an engine runs; ``None`` where no container does."""
    own_proxy: Fact[OwnProxy] = None
    proxies: Fact[tuple[tuple[str, str, str], ...]] = None
    """(name, value, file) of proxies that others set for docker's unit; a value with a password is ``***@``."""
    kubernetes: Fact[Kubernetes] = NOT_ASKED
    selinux: Fact[Selinux] = NOT_ASKED
