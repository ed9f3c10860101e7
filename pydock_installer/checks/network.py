"""Rules about the network: addresses, packet filters, names, and the mirrors that must answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Any

from pydock_installer.checks import mirrors
from pydock_installer.checks.judging import effective, surely_before, worst
from pydock_installer.checks.rule import Context, Rule, blocker, ok, unknown, warning
from pydock_installer.model import NOT_ASKED, Facts, Finding, Known, Unknown
from pydock_installer.model.groups.network import Route

#: What docker0 gets if nothing is set (moby, libnetwork/ipamutils).
DEFAULT_POOL = IPv4Network("172.17.0.0/16")
#: Networks to offer instead, the first that is free.
SPARE = tuple(f"{network}.1/24" for network in ("192.168.231", "10.231.231", "10.99.231", "172.30.231"))
#: Interfaces that Docker made itself.
OWN_DEVICES = re.compile(r"docker0|docker_gwbridge|br-[0-9a-f]{12}")
MODPROBE = "Find the line with `grep -rw {0} /etc/modprobe.d /usr/lib/modprobe.d`, and take it out."


def address_pool(facts: Facts, context: Context) -> Finding | None:
    """Docker's networks must not hide what the host reaches otherwise."""
    code, seen = "address-pool", facts.network.routes
    if seen == NOT_ASKED:
        return None
    if not isinstance(seen, Known):
        return unknown(code, "the routes", seen, "Compare `ip -4 route` on the host with 172.17.0.0/16.")
    daemon = effective(facts, context)
    fixed = bool(daemon.get("bip"))
    try:
        pools = _pools(daemon)
    except (ValueError, TypeError, KeyError, OverflowError):
        return blocker(
            code,
            "bip or default-address-pools of daemon.json are no IPv4 networks",
            "Write `daemon: {bip: 192.168.231.1/24}`, and pools as `[{base: 10.231.0.0/16, size: 24}]`.",
        )
    routes = [route for route in seen.value if not OWN_DEVICES.fullmatch(route.device)]
    remedy = (
        f"Give Docker a network that nobody uses, for instance `daemon: {{bip: {_spare(facts, routes)}}}` in "
        "pydock.yml; default-address-pools does the same for the networks of compose."
    )
    found: list[Finding] = []
    for number, pool in enumerate(pools):
        # The first is docker0's, wanted just there if bip is set; else the engine itself steps aside for what is
        # connected (moby, libnetwork/netutils), which is worth a word, no more.
        severe = blocker if number == 0 and fixed else warning
        for who, address in _addresses(facts, routes):
            if address in pool:
                say = blocker if number == 0 and who.startswith("this login") else severe
                found.append(
                    say(
                        code, f"{who} {address} lies in {pool}, Docker's network: it would be cut off", remedy
                    )
                )
        for route in routes:
            if not route.overlaps(pool):
                continue
            where = f"the route {route.network}{' dev ' + route.device if route.device else ''}"
            say = severe if route.connected else warning
            found.append(say(code, f"{where} overlaps {pool}, Docker's network", remedy))
    return worst(code, found, f"{', '.join(map(str, pools))} is free")


def _pools(daemon: Mapping[str, Any]) -> tuple[IPv4Network, ...]:
    """The network of docker0 first, then what the engine may take networks from if that is set."""
    pools = daemon.get("default-address-pools") or ()
    bases = [(IPv4Network(p["base"], strict=False), int(p["size"])) for p in pools if ":" not in p["base"]]
    networks = [base for base, _ in bases]
    if daemon.get("bip"):
        address, width = str(daemon["bip"]).split("/")
        return (IPv4Interface((address, int(width))).network, *networks)
    if not bases:
        return (DEFAULT_POOL,)
    base, size = bases[0]
    if not base.prefixlen <= size <= 32:
        raise ValueError(size)
    return (IPv4Network((int(base.network_address), size)), *networks)


def _addresses(facts: Facts, routes: Iterable[Route]) -> Iterable[tuple[str, IPv4Address]]:
    for route in routes:
        if route.gateway:
            yield "the gateway", route.gateway
    words = {
        "own": "the host's own address",
        "nameserver": "the name server",
        "client": "this login's origin",
    }
    if isinstance(facts.network.neighbours, Known):
        for neighbour in facts.network.neighbours.value:
            if not OWN_DEVICES.fullmatch(neighbour.device) and not neighbour.address.is_loopback:
                yield words[neighbour.role], neighbour.address


def _spare(facts: Facts, routes: list[Route]) -> str:
    used = [address for _, address in _addresses(facts, routes)]
    for text in SPARE:
        network = IPv4Interface(text).network
        if not any(route.overlaps(network) for route in routes) and not any(a in network for a in used):
            return text
    return "192.168.231.1/24"


def ip_forward(facts: Facts, context: Context) -> Finding | None:
    """Containers reach the network only through a host that forwards."""
    code, seen = "ip-forward", facts.network.forwarding
    if seen == NOT_ASKED:
        return None
    if not isinstance(seen, Known):
        return unknown(code, "net.ipv4.ip_forward", seen, "See `sysctl net.ipv4.ip_forward` on the host.")
    found, daemon = seen.value, effective(facts, context)
    set_it = "echo net.ipv4.ip_forward=1 > /etc/sysctl.d/99-zz-docker.conf; sysctl --system"
    if daemon.get("firewall-backend") == "nftables" and not found.now:
        return blocker(
            code,
            "net.ipv4.ip_forward is 0, and with firewall-backend nftables the engine does not set it to 1",
            f"On the host: `{set_it}`.",
        )
    last = found.decisive
    if last and not last[1]:
        return warning(
            code,
            f"{last[0]} sets net.ipv4.ip_forward=0: the engine sets it to 1 at its start, and the next "
            "`sysctl --system` takes containers off the network",
            f"Set net.ipv4.ip_forward = 1 in {last[0]} on the host, then `sysctl --system`.",
        )
    if daemon.get("ip-forward") is False and not found.now:
        return warning(
            code,
            "daemon.json says ip-forward: false and the host does not forward: containers will reach nothing outside",
            f"Take ip-forward out of `daemon:` in pydock.yml, or on the host: `{set_it}`.",
        )
    if found.unreadable:
        return unknown(code, f"what {', '.join(found.unreadable[:3])} sets", Unknown("not permitted"))
    return ok(code, "nothing switches it off")


def _major(facts: Facts, context: Context) -> int:
    """The release's number; that of the repository's path for those that count otherwise. 0: unknown."""
    path = context.platform.path if context.platform else ""
    text = path.rpartition("/")[2] or (facts.release.value.major if isinstance(facts.release, Known) else "")
    return int(text) if re.fullmatch("[0-9]{1,3}", text) else 0


def firewalld(facts: Facts, context: Context) -> Finding | None:
    """Engines from 20.10 on know firewalld; older ones do not get along with its nftables."""
    code, seen = "firewalld", facts.network.firewalld
    if seen == NOT_ASKED:
        return None
    if seen is None:
        return ok(code, "there is none")
    if not isinstance(seen, Known):
        return unknown(
            code, "whether firewalld runs", seen, "See `systemctl is-active firewalld` on the host."
        )
    if not seen.value.running:
        return ok(code, "does not run")
    seven = _major(facts, context) == 7
    backend = seen.value.backend or ("iptables" if seven else "nftables")
    if backend == "nftables" and surely_before(facts, context, 20, 10):
        return blocker(
            code,
            "firewalld runs on nftables, and engines before 20.10 do not get along with it: "
            "containers would have neither names nor network",
            "Wish for `docker_version: latest` (20.10 or newer); or set FirewallBackend=iptables in "
            "/etc/firewalld/firewalld.conf on the host, then `systemctl restart firewalld`.",
        )
    if seven:
        return ok(code, "runs; whoever restarts or reloads it must then `systemctl restart docker`")
    return ok(code, f"runs on {backend}; the engine puts its networks into firewalld's zone docker")


def iptables(facts: Facts, context: Context) -> Finding | None:
    """The engine filters packets with iptables, and its rules need xt_addrtype."""
    code, seen, daemon = "iptables", facts.network.iptables, effective(facts, context)
    if seen == NOT_ASKED:
        return None
    if daemon.get("iptables") is False or daemon.get("firewall-backend") == "nftables":
        return ok(code, "not needed: daemon.json says so")
    if isinstance(seen, Unknown):
        return unknown(code, "iptables", seen, "See `iptables --version` on the host.")
    ten = _major(facts, context) >= 10
    module = facts.network.xt_addrtype
    state = module.value if isinstance(module, Known) else None
    if state in ("missing", "disabled"):
        away = "switched off in modprobe's configuration" if state == "disabled" else "not there"
        remedy = MODPROBE.format("xt_addrtype") if state == "disabled" else (
            "On the host: `dnf install -y kernel-modules-extra-$(uname -r)`, then `modprobe xt_addrtype` (if it is not "
            "offered any more: `dnf update kernel kernel-modules-extra`, and reboot). From engine 29 on, "
            "`daemon: {firewall-backend: nftables}` with net.ipv4.ip_forward=1 does without."
        )  # fmt: skip
        say = blocker if ten or state == "disabled" else warning
        return say(code, f"the kernel's module xt_addrtype is {away}: the engine would not start", remedy)
    if ten and state is None:
        return unknown(
            code, "the kernel's module xt_addrtype", module if isinstance(module, Unknown) else None
        )
    if seen is None:
        return ok(code, "not there yet: docker-ce brings it")
    if ten and seen.value == "legacy":
        return warning(
            code,
            "iptables is the legacy one, and kernels of release 10 have no ip_tables",
            "On the host: `dnf install -y iptables-nft`, then `iptables --version` must say nf_tables.",
        )
    return ok(code, seen.value)


def br_netfilter(facts: Facts, context: Context) -> Finding | None:
    """Asked only where daemon.json keeps containers apart, or does without the userland proxy."""
    code, seen, daemon = "br-netfilter", facts.network.br_netfilter, effective(facts, context)
    keys = [key for key in ("icc", "userland-proxy") if daemon.get(key) is False]
    if seen == NOT_ASKED or not keys or (context.platform and context.platform.legacy):
        return None
    why = f"{' and '.join(keys)}: false in daemon.json"
    if not isinstance(seen, Known):
        return unknown(code, f"br_netfilter, which is needed for {why},", seen)
    if seen.value in ("loaded", "available"):
        return ok(code, seen.value)
    remedy = (
        MODPROBE.format("br_netfilter")
        if seen.value == "disabled"
        else "On the host: `yum install -y kernel-modules` for the running kernel (`uname -r`), or `yum update kernel` "
        f"and reboot. Or take {' and '.join(keys)} out of `daemon:`."
    )
    return blocker(code, f"{why} needs the kernel's module br_netfilter, which is {seen.value}", remedy)


RULES: tuple[Rule, ...] = (address_pool, ip_forward, firewalld, iptables, br_netfilter, *mirrors.RULES)
