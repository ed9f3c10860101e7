"""From the answers of traces.sh to traces. Hostile until each value has its expected shape. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from pydock_installer.model import Known
from pydock_installer.model.traces import (
    Container,
    Filter,
    Firewall,
    Group,
    Mount,
    Namespace,
    Process,
    Root,
    Traces,
    Unit,
    Volume,
)
from pydock_installer.probe.answers import split

#: Docker's own chains: moby libnetwork/iptables and daemon/libnetwork/drivers/bridge, 1.x to 29.
CHAINS = re.compile(r"DOCKER(-(USER|FORWARD|BRIDGE|CT|INTERNAL|INGRESS|ISOLATION(-STAGE-[12])?))?")
#: Networks that an engine makes by itself.
BUILT_IN = ("bridge", "host", "none", "docker_gwbridge", "ingress")


def parse_traces(output: bytes, nonce: str) -> Traces:
    """The traces in a probe's output; what makes no sense is ``Unknown`` with its reason."""
    fact = split(output, nonce).fact
    journal = fact("journal", _journal)
    return Traces(
        units=fact("units", _units),
        roots=fact("roots", _roots),
        volumes=fact("volumes", _volumes),
        containers=fact("containers", _containers),
        images=fact("images", _number),
        networks=fact("networks", _networks),
        own_bridges=fact("own_bridges", lambda text: tuple(_name(line) for line in text.split())),
        links=fact("links", _links),
        firewall=fact("firewall", _firewall),
        group=fact("group", _group),
        files=fact("files", _files),
        namespaces=fact("namespaces", _namespaces),
        processes=fact("processes", _processes),
        mounts=fact("mounts", parse_mounts),
        ip_forward=fact("ip_forward", _number),
        needed=fact("needed", _needed),
        companions=fact("companions", lambda text: tuple(_package(line) for line in text.split())),
        journal=journal.value if isinstance(journal, Known) else (),
    )


def _number(text: str) -> int:
    found = re.fullmatch("[0-9]{1,15}", text.strip())
    if not found:
        raise ValueError(text)
    return int(found[0])


def _size(text: str) -> int | None:
    return None if text == "-" else _number(text)


def _path(text: str) -> str:
    if not text.startswith("/") or "\0" in text or len(text) > 4096:
        raise ValueError(text)
    return text


def _name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][\w.@:-]{0,254}", text, re.ASCII):
        raise ValueError(text)
    return text


def _package(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][\w.+-]{0,127}", text, re.ASCII):
        raise ValueError(text)
    return text


def _rows(text: str) -> list[list[str]]:
    return [line.split("\t") for line in text.splitlines() if line]


def _units(text: str) -> tuple[Unit, ...]:
    units = []
    for block in text.split("\n\n"):
        values = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if "Id" in values and values["LoadState"] != "not-found":
            enabled = values.get("UnitFileState", "")
            units.append(
                Unit(_name(values["Id"]), values["ActiveState"], enabled, values.get("FragmentPath", ""))
            )
    return tuple(units)


def _roots(text: str) -> tuple[Root, ...]:
    found: list[tuple[list[str], list[str]]] = []
    for row in _rows(text):
        if row[0] == "root":
            found.append((row[1:], []))
        else:
            found[-1][1].append("\t".join(row[1:]))
    return tuple(
        Root(_name(kind), _path(path), _path(real), _name(state), _size(size), tuple(entries))
        for (kind, path, real, state, size), entries in found
    )


def _volumes(text: str) -> tuple[Volume, ...]:
    found: list[Volume] = []
    sizes: dict[tuple[str, str], int] = {}
    root = ""
    for row in _rows(text):
        if row[0] == "volume" and len(row) == 3:
            root = _path(row[1])
            found.append(Volume(row[2], root))
        elif row[0] == "size" and len(row) == 3:
            sizes[root, row[2]] = _number(row[1])
    return tuple(Volume(v.name, v.root, sizes.get((v.root, v.name))) for v in found)


def _containers(text: str) -> tuple[Container, ...]:
    return tuple(Container(name, image, status) for name, image, status in _rows(text))


def _networks(text: str) -> tuple[str, ...]:
    return tuple(row[0] for row in _rows(text) if row[0] not in BUILT_IN)


def _links(text: str) -> Mapping[str, tuple[str, ...]]:
    return {row[0]: tuple(row[1:]) for row in _rows(text)}


def _firewall(text: str) -> Firewall:
    filters: list[Filter] = []
    tables: list[str] = []
    firewalld: list[str] = []
    saved: dict[str, list[str]] = {}
    for line in text.splitlines():
        word, tab, rest = line.partition("\t")
        if word == "tool" and tab:
            saved[_name(rest)] = []
        elif word == "nft" and tab:
            tables.append(rest)
        elif word == "firewalld" and tab:
            firewalld.append(_path(rest))
        elif saved:
            saved[next(reversed(saved))].append(line)
    filters = [_filter(tool, lines) for tool, lines in saved.items()]
    return Firewall(tuple(filters), tuple(tables), tuple(firewalld))


def _filter(tool: str, lines: list[str]) -> Filter:
    chains, rules, own, forward, table = [], [], [], None, ""
    for line in lines:
        words = line.split()
        if line.startswith("*"):
            table = line[1:]
        elif line.startswith(":"):
            if CHAINS.fullmatch(words[0][1:]):
                chains.append(f"{table} {words[0][1:]}")
            elif words[0] == ":FORWARD" and table == "filter":
                forward = words[1]
        elif words[1] == "DOCKER-USER":
            if words[2:] != ["-j", "RETURN"]:
                own.append(line)
        elif not CHAINS.fullmatch(words[1]) and any(map(CHAINS.fullmatch, targets(words))):
            rules.append(f"{table} {line}")
    return Filter(tool, tuple(dict.fromkeys(chains)), tuple(rules), tuple(own), forward)


def targets(words: list[str]) -> list[str]:
    """Where a rule leads."""
    return [after for word, after in pairwise(words) if word in ("-j", "-g")]


def _group(text: str) -> Group:
    first, *primary = text.splitlines()
    members = first.split(":")[3]
    return Group(tuple(name for name in members.split(",") if name), tuple(primary))


def _files(text: str) -> Mapping[str, str]:
    known = ("file", "dir", "inside", "hold", "epel", "saved")
    return {_path(path): what for path, what in _rows(text) if what in known}


def _namespaces(text: str) -> tuple[Namespace, ...]:
    return tuple(Namespace(_name(name), _size(things)) for name, things in _rows(text))


def _processes(text: str) -> tuple[Process, ...]:
    return tuple(Process(_number(pid), name, arguments.strip()) for pid, name, arguments in _rows(text))


def _needed(text: str) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {"all": [], "engine": []}
    for what, name in _rows(text):
        found[what].append(_name(name))
    return {what: tuple(dict.fromkeys(names)) for what, names in found.items()}


def parse_mounts(text: str) -> tuple[Mount, ...]:
    """The lines of mountinfo; spaces in paths are written as octal numbers."""
    mounts = []
    for line in text.splitlines():
        before, dash, after = line.partition(" - ")
        fields, rest = before.split(" "), after.split(" ")
        if dash and len(fields) >= 6 and len(rest) >= 2:
            mounts.append(Mount(fields[2], _plain(fields[3]), _plain(fields[4]), rest[0], _plain(rest[1])))
    return tuple(mounts)


def _plain(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)


def _journal(text: str) -> tuple[Mapping[str, Any], ...]:
    entries = []
    for line in text.splitlines():
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(entry, dict) and isinstance(entry.get("action"), str):
            entries.append(entry)
    return tuple(entries)
