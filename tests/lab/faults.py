"""What can go wrong on the mirror, by name, for some hosts or all. Pure, but for the file that switches it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.lab.tools import lock

FAULTS = ("403", "404", "500", "slow", "truncated-rpm", "corrupt-rpm", "wrong-key", "hub-hang", "mirror-403", "schema-1")
#: Those that are taken first.
FIRST_MIRRORS = ("download.docker.com", "mirrors.aliyun.com")
HUB = ("registry-1.docker.io", "auth.docker.io", "index.docker.io")


def effect(active: Sequence[dict[str, Any]], client: str, host: str, path: str) -> str | None:
    """The fault that a request meets, if any: packages and registries each have their own."""
    for fault in active:
        if fault["clients"] and client not in fault["clients"]:
            continue
        if _concerns(fault["name"], host, path):
            return str(fault["name"])
    return None


def _concerns(name: str, host: str, path: str) -> bool:
    packages = "/linux/" in path
    if name == "wrong-key":
        return packages and path.endswith("/gpg")
    if name == "corrupt-rpm":  # Others serve it whole.
        return host in FIRST_MIRRORS and path.endswith(".rpm") and "/docker-ce-2" in path
    if name == "truncated-rpm":
        return packages and path.endswith(".rpm") and "/docker-ce-2" in path
    if name == "hub-hang":
        return host in HUB
    if name in ("mirror-403", "schema-1"):
        return host == "docker.m.daocloud.io"
    return packages and not path.endswith("/gpg")


def read(file: Path) -> list[dict[str, Any]]:
    """The faults that are switched on."""
    try:
        return list(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return []


@contextmanager
def switched_on(file: Path, name: str, clients: Sequence[str]) -> Iterator[None]:
    """A fault, for as long as the block lasts."""
    if name not in FAULTS:
        raise ValueError(f"no such fault: {name}; there are {', '.join(FAULTS)}")
    entry = {"name": name, "clients": list(clients), "id": f"{os.getpid()}-{os.urandom(4).hex()}"}
    _change(file, add=entry)
    try:
        yield
    finally:
        _change(file, remove=entry["id"])


def _change(file: Path, add: dict[str, Any] | None = None, remove: object = None) -> None:
    with lock("faults"):
        active = [fault for fault in read(file) if fault["id"] != remove]
        temporary = file.with_suffix(".tmp")
        temporary.write_text(json.dumps(active + ([add] if add else [])), encoding="utf-8")
        temporary.rename(file)
