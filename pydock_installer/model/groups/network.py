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

    def overlaps(self, network: IPv4Network) -> bool:
        """Whether the route shares addresses with a network.

        A default route does not count, nor the two halves of one that a VPN brings.
        """
        return self.network.prefixlen > 1 and self.network.overlaps(network)


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

    @property
    def decisive(self) -> tuple[str, bool] | None:
        """The setting that counts at boot: sysctl goes by the files' names, whatever their directories."""

        def order(setting: tuple[str, bool]) -> str:
            # systemd links /etc/sysctl.conf to this name; procps reads it last of all.
            return "99-sysctl.conf" if setting[0] == "/etc/sysctl.conf" else setting[0].rpartition("/")[2]

        name = max(map(order, self.settings), default="")
        alike = [setting for setting in self.settings if order(setting) == name]
        # A file in /etc, which the probe asks first, hides those of its name elsewhere; in a file the last line counts.
        return [setting for setting in alike if setting[0] == alike[0][0]][-1] if alike else None


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
    """What a mirror (its name) has of the engine and its plugins: versions by package, without epoch and release."""

    mirror: str
    versions: Mapping[str, tuple[str, ...]]
    whole: bool = True
    """Whether the list was not too long to be told."""


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
