"""Routes, firewalls, names and what answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from pydock_installer.model.fact import NOT_ASKED, Fact


@dataclass(frozen=True)
class Route:
    """One IPv4 route of the host. ``connected``: on the link, without a gateway."""

    network: IPv4Network
    device: str
    connected: bool
    gateway: IPv4Address | None = None


@dataclass(frozen=True)
class Neighbour:
    """An address that must stay reachable. ``role``: own, nameserver, or client (where the login came from)."""

    role: str
    device: str
    address: IPv4Address


@dataclass(frozen=True)
class Forwarding:
    """net.ipv4.ip_forward: now, and what the files of sysctl set, in the order in which they were found."""

    now: bool
    settings: tuple[tuple[str, bool], ...] = ()
    """(path of the file, value)."""
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True)
class Firewalld:
    """Whether firewalld runs, and the FirewallBackend that its configuration names, if it could be read."""

    running: bool
    backend: str | None = None


@dataclass(frozen=True)
class WebAnswer:
    """An answer over HTTP: its status (0 for none) and curl's exit status."""

    status: int
    curl: int = 0


@dataclass(frozen=True)
class PackageSet:
    """File names of Docker's packages on a mirror (its name)."""

    mirror: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class NetworkFacts:
    """Routes, firewalls, names and what answers."""

    routes: Fact[tuple[Route, ...]] = NOT_ASKED
    neighbours: Fact[tuple[Neighbour, ...]] = NOT_ASKED
    forwarding: Fact[Forwarding] = NOT_ASKED
    firewalld: Fact[Firewalld] = NOT_ASKED
    iptables: Fact[str] = NOT_ASKED
    """``legacy`` or ``nf_tables``; ``None``: there is no iptables."""
    xt_addrtype: Fact[str] = NOT_ASKED
    """A kernel module, one of ``loaded available disabled missing``."""
    br_netfilter: Fact[str] = NOT_ASKED
    """The same."""
    yum_proxy: Fact[str] = NOT_ASKED
    """The address of yum's proxy, without user and password."""
    names: Fact[Mapping[str, bool]] = NOT_ASKED
    """Whether the host resolves the names of package and registry mirrors; ``None``: there is no getent."""
    mirror_answers: Fact[Mapping[str, int]] = NOT_ASKED
    """The HTTP status of each package mirror, by its name, through yum's proxy; ``None``: there is no curl."""
    registry_answers: Fact[Mapping[str, WebAnswer]] = NOT_ASKED
    """What each registry mirror says at /v2/, by its address."""
    package_set: Fact[PackageSet] = NOT_ASKED
    """``None``: curl or gzip is missing."""
