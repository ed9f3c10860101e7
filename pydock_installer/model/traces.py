"""What there is of Docker on a host, for those who take it away: data first, for that is what can be lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydock_installer.model.fact import NOT_ASKED, Fact


@dataclass(frozen=True)
class Unit:
    """One of systemd's units, in systemd's words; ``path`` is where its file is."""

    name: str
    active: str
    enabled: str
    path: str


@dataclass(frozen=True)
class Root:
    """A directory that holds data of ``docker`` or ``containerd``."""

    kind: str
    path: str
    real: str
    """What ``path`` is after following links."""
    state: str
    """``dir``, ``link``, ``absent`` or ``other``."""
    kib: int | None
    """Its size without what is mounted below; ``None`` if nobody could count it in time."""
    entries: tuple[str, ...] = ()
    """The names in it, 200 at most."""


@dataclass(frozen=True)
class Volume:
    """A named volume of the local driver."""

    name: str
    root: str
    """The data root that it is in."""
    kib: int | None = None


@dataclass(frozen=True)
class Container:
    """A container; image and status are empty where its engine does not run."""

    name: str
    image: str
    status: str

    @property
    def running(self) -> bool:
        """Whether it runs (docker ps: "Up 3 hours")."""
        return self.status.startswith(("Up", "Restarting"))


@dataclass(frozen=True)
class Filter:
    """What one packet filter has of Docker's: an iptables command, its chains, and rules of the administrator's."""

    tool: str
    chains: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    """Rules in the chains of others that lead into Docker's."""
    user_rules: tuple[str, ...] = ()
    """Rules in DOCKER-USER, which are the administrator's."""
    forward: str | None = None
    """The policy of FORWARD."""


@dataclass(frozen=True)
class Firewall:
    """All packet filters of a host, nft's own tables, and firewalld's permanent files."""

    filters: tuple[Filter, ...] = ()
    tables: tuple[str, ...] = ()
    firewalld: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    """The group docker, its members, and users whose first group it is."""

    members: tuple[str, ...]
    primary: tuple[str, ...]


@dataclass(frozen=True)
class Namespace:
    """A namespace of containerd; ``things`` are its containers and images, ``None`` if they could not be counted."""

    name: str
    things: int | None


@dataclass(frozen=True)
class Process:
    """A process of an engine, or the shim of a container."""

    pid: int
    name: str
    arguments: str


@dataclass(frozen=True)
class Mount:
    """A line of /proc/self/mountinfo, proc(5)."""

    device: str
    root: str
    point: str
    kind: str
    source: str


@dataclass(frozen=True)
class Traces:
    """All that a host has of Docker. Sizes in KiB."""

    units: Fact[tuple[Unit, ...]] = NOT_ASKED
    roots: Fact[tuple[Root, ...]] = NOT_ASKED
    volumes: Fact[tuple[Volume, ...]] = NOT_ASKED
    containers: Fact[tuple[Container, ...]] = NOT_ASKED
    images: Fact[int] = NOT_ASKED
    networks: Fact[tuple[str, ...]] = NOT_ASKED
    """Names of networks that people made."""
    own_bridges: Fact[tuple[str, ...]] = NOT_ASKED
    """Bridges that Docker's own book names as made by it."""
    links: Fact[Mapping[str, tuple[str, ...]]] = NOT_ASKED
    """Bridges of the host, with their ports."""
    firewall: Fact[Firewall] = NOT_ASKED
    group: Fact[Group] = NOT_ASKED
    files: Fact[Mapping[str, str]] = NOT_ASKED
    """Paths, each ``file``, ``dir``, ``inside`` (a directory that is listed) or ``hold`` (it holds versions); on
    release 6 ``epel`` (its repository) and ``saved`` (it has rules of Docker's)."""
    namespaces: Fact[tuple[Namespace, ...]] = NOT_ASKED
    processes: Fact[tuple[Process, ...]] = NOT_ASKED
    mounts: Fact[tuple[Mount, ...]] = NOT_ASKED
    ip_forward: Fact[int] = NOT_ASKED
    needed: Fact[Mapping[str, tuple[str, ...]]] = NOT_ASKED
    """Packages that need what is to go: of ``all``, and of ``engine`` without containerd.io."""
    companions: Fact[tuple[str, ...]] = NOT_ASKED
    """Packages that the journal says were installed and that are there."""
    journal: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    """What pydock wrote down of its own changes, oldest first."""


@dataclass(frozen=True)
class Left:
    """Something that is still on a host, and why."""

    what: str
    why: str
