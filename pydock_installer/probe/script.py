"""The command line that asks a host for every fact. The scripts are constants; arguments are quoted."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from pydock_installer.model import Host


@dataclass(frozen=True)
class Probe:
    """What to run on a host and what to write to its stdin; ``nonce`` marks the answers."""

    command: str
    stdin: bytes
    nonce: str


def probe_for(host: Host, repositories: Mapping[str, str], packages: Sequence[str]) -> Probe:
    """The probe of one host.

    ``repositories`` are the addresses that the host is asked to try if it has no repository yet;
    ``packages`` the names that rpm is asked about. The nonce is new each time, so that no file on the host
    can pretend to be an answer. A password for sudo travels on stdin alone.
    """
    package = resources.files(__package__)
    nonce = f"pydock-{secrets.token_hex(12)}"
    password = host.become_password
    words = [
        "sh",
        "-c",
        package.joinpath("launch.sh").read_text(encoding="utf-8"),
        "pydock",
        package.joinpath("probe.sh").read_text(encoding="utf-8"),
        nonce,
        "password" if password else "-",
        *(f"{name}={url}" for name, url in repositories.items()),
        "--",
        *packages,
    ]
    return Probe(shlex.join(words), f"{password.reveal()}\n".encode() if password else b"", nonce)
