"""From the answers of sections/network.sh to facts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network
from itertools import pairwise

from pydock_installer.model import NetworkFacts
from pydock_installer.model.groups.network import (
    Firewalld,
    Forwarding,
    Neighbour,
    PackageSet,
    Route,
    WebAnswer,
)
from pydock_installer.probe.answers import Answers
from pydock_installer.probe.groups.storage import module

#: The probe tells one route more than are read: with as many, the rest is not known.
MAX_ROUTES = 1000
#: The file names that the probe tells at most.
MAX_FILES = 800
#: Words that iproute2 puts before the destination of a special route.
ROUTE_TYPES = ("unicast", "unreachable", "blackhole", "prohibit", "throw")


def network(answers: Answers) -> NetworkFacts:
    """The group's facts; what makes no sense is ``Unknown`` with its reason."""
    return NetworkFacts(
        routes=answers.fact("routes", routes, preflight=True),
        neighbours=answers.fact("neighbours", _neighbours, preflight=True),
        forwarding=answers.fact("forwarding", _forwarding, preflight=True),
        firewalld=answers.fact("firewalld", _firewalld, preflight=True),
        iptables=answers.fact("iptables", _iptables, preflight=True),
        xt_addrtype=module(answers, "xt_addrtype"),
        br_netfilter=module(answers, "br_netfilter"),
        yum_proxy=answers.fact("yum_proxy", _address, preflight=True),
        names=answers.fact("names", _names, preflight=True),
        mirror_answers=answers.fact("mirror_answers", _mirror_answers, preflight=True),
        registry_answers=answers.fact("registry_answers", _registry_answers, thorough=True),
        package_set=answers.fact("package_set", _package_set, thorough=True),
    )


def routes(text: str) -> tuple[Route, ...]:
    """The routes that `ip -4 route` or /proc/net/route tells, the default route for its gateway alone."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > MAX_ROUTES:
        raise ValueError("more routes than are read")
    if lines and lines[0].split()[0] == "Iface":
        return tuple(_kernel_route(line.split()) for line in lines[1:])
    found: list[Route] = []
    for line in lines:
        words = line.split()
        if words[0] == "nexthop":
            # One of several gateways of the route before it.
            found.append(_route(str(found[-1].network), words[1:]))
        elif words[0] in ROUTE_TYPES:
            found.append(_route(words[1], [*words[2:], "via", "0.0.0.0"]))  # noqa: S104 - no gateway, no link
        else:
            found.append(_route(words[0], words[1:]))
    return tuple(found)


def _route(destination: str, words: list[str]) -> Route:
    network = IPv4Network("0.0.0.0/0" if destination == "default" else destination, strict=False)
    values = dict(pairwise(words))
    via = values.get("via")
    gateway = None
    if via and via != "inet6":
        gateway = IPv4Address(via)
    return Route(network, values.get("dev", ""), via is None, gateway if gateway and int(gateway) else None)


def _kernel_route(fields: list[str]) -> Route:
    """A row of /proc/net/route: addresses are hexadecimal, the last byte first."""
    device, destination, gateway, mask = fields[0], fields[1], fields[2], fields[7]
    place, via, width = (IPv4Address(bytes.fromhex(word)[::-1]) for word in (destination, gateway, mask))
    network = IPv4Network((int(place), f"{int(width):032b}".count("1")), strict=False)
    return Route(network, device, not int(via), via if int(via) else None)


def _neighbours(text: str) -> tuple[Neighbour, ...]:
    rows = [line.split() for line in text.splitlines() if line.strip()]
    if not all(len(row) == 3 and row[0] in ("own", "nameserver", "client") for row in rows):
        raise ValueError(text)
    return tuple(Neighbour(role, device, IPv4Address(address)) for role, device, address in rows)


def _forwarding(text: str) -> Forwarding:
    now: bool | None = None
    settings: list[tuple[str, bool]] = []
    unreadable: list[str] = []
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word == "now":
            now = {"0": False, "1": True}[rest.strip()]
        elif word == "set":
            value, _, path = rest.partition(" ")
            settings.append((path, int(value[:9]) != 0))
        elif word == "unreadable":
            unreadable.append(rest)
    if now is None:
        raise ValueError(text)
    return Forwarding(now, tuple(settings), tuple(unreadable))


def _firewalld(text: str) -> Firewalld:
    values = dict(line.split(" ", 1) for line in text.splitlines() if " " in line)
    return Firewalld(values["state"].strip() in ("active", "reloading", "activating"), values.get("backend"))


def _iptables(text: str) -> str:
    """Before 1.8 there was one flavour, and no word for it."""
    found = re.match(r"iptables v([0-9]{1,4})\.([0-9]{1,4})[0-9.]*(?: \((nf_tables|legacy)\))?", text)
    if not found:
        raise ValueError(text)
    return found[3] or "legacy"


def _address(text: str) -> str | None:
    word = text.strip()
    if not re.fullmatch(r"[!-~]{1,300}", word):
        raise ValueError(word)
    return word


def _rows(text: str, pattern: str) -> list[re.Match[str]]:
    """Each line, which must be as expected: half an answer would be taken for a whole one."""
    rows = [re.fullmatch(pattern, line.strip()) for line in text.splitlines() if line.strip()]
    if not all(rows):
        raise ValueError(text)
    return [row for row in rows if row]


def _names(text: str) -> Mapping[str, bool]:
    return {row[1].lower(): row[2] == "0" for row in _rows(text, r"([\w.-]{1,253}) ([0-9]{1,3})")}


def _mirror_answers(text: str) -> Mapping[str, int]:
    return {row[1]: int(row[2]) for row in _rows(text, r"(\w{1,30}) ([0-9]{3})(?: [!-~]{0,300})?")}


def _registry_answers(text: str) -> Mapping[str, WebAnswer]:
    rows = _rows(text, r"([!-~]{1,500}) ([0-9]{3}) ([0-9]{1,3})")
    return {row[1].rstrip("/"): WebAnswer(int(row[2]), int(row[3])) for row in rows}


def _package_set(text: str) -> PackageSet:
    first, *rest = [line.strip() for line in text.splitlines() if line.strip()]
    word, mirror = first.split(" ")
    names = [
        re.fullmatch(r"([\w.+~^-]{1,99}?)-([0-9][\w.+~^]{0,99})-[\w.+~^%]{1,99}\.rpm", name) for name in rest
    ]
    if word != "mirror" or not names or not all(names):
        raise ValueError(text)
    versions: dict[str, tuple[str, ...]] = {}
    for found in names:
        if found:
            versions[found[1]] = (*versions.get(found[1], ()), found[2])
    return PackageSet(mirror, versions, len(rest) < MAX_FILES)
