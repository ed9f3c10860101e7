"""The command line that asks a host for every fact. The scripts are constants; arguments are quoted."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

from pydock_installer import platforms
from pydock_installer.model import Host


@dataclass(frozen=True)
class Probe:
    """What to run on a host and what to write to its stdin; ``nonce`` marks the answers."""

    command: str
    stdin: bytes
    nonce: str


#: The sections of preflight, in the order in which they are asked.
SECTIONS = ("system", "storage", "network", "packages", "web", "unit", "engine")


@dataclass(frozen=True)
class Questions:
    """What the probe is to ask besides what a host is."""

    packages: Sequence[str] = ()
    """Names that rpm is asked about."""
    mirrors: Mapping[str, str] = field(default_factory=dict)
    """Package mirrors to try, name to base address."""
    registries: Sequence[str] = ()
    """Registry mirrors to try."""
    data_root: str = "/var/lib/docker"
    package_proxy: str = ""
    """The proxy on the way to package mirrors; by default yum's."""
    journal: bool = False
    """Whether it is asked what pydock did to the host, in place of preflight."""
    preflight: bool = False
    """Whether preflight is asked also where an engine runs already."""
    engines: Sequence[str] = ()
    """Versions of docker-ce, or their beginnings, with which a running engine needs no preflight; empty: with any.
    ``newest`` is with none."""
    thorough: bool = True
    """Whether it is asked what registry mirrors answer and which packages a mirror has."""
    sections: Sequence[str] = SECTIONS
    """What is asked beyond the basics; further sections than those of preflight are ``registries``."""
    epel: Mapping[str, str] = field(default_factory=dict)
    """Archives of EPEL to try instead of mirrors on release 6, name to base address."""


@cache
def _script(sections: tuple[str, ...], more: tuple[str, ...] = ()) -> str:
    """The probe and these sections as one script."""
    package = resources.files(__package__)
    parts = [package / "probe.sh", *(package / "sections" / f"{name}.sh" for name in sections)]
    return "\n".join([*(part.read_text(encoding="utf-8") for part in parts), *more]) + "\nexit 0\n"


def probe_for(host: Host, questions: Questions, more: tuple[str, ...] = ()) -> Probe:
    """The probe of one host, and ``more`` script text behind it.

    The nonce is new each time, so that no file on the host can pretend to be an answer. A password for sudo
    travels on stdin alone.
    """
    nonce = f"pydock-{secrets.token_hex(12)}"
    password = host.become_password
    words = [
        "sh",
        "-c",
        resources.files(__package__).joinpath("launch.sh").read_text(encoding="utf-8"),
        "pydock",
        _script(tuple(questions.sections), more),
        nonce,
        "password" if password else "-",
        f"preflight={'always' if questions.preflight else 'fresh'}",
        f"thorough={'yes' if questions.thorough else 'no'}",
        *(f"engine={version}" for version in questions.engines),
        f"journal={'yes' if questions.journal else 'no'}",
        f"package-proxy={questions.package_proxy}",
        f"data-root={questions.data_root}",
        *(f"mirror={name}={base}" for name, base in questions.mirrors.items()),
        *(f"epel={name}={base}" for name, base in questions.epel.items()),
        *(f"registry={address}" for address in questions.registries),
        *(f"platform={identifier}:{major}:{path}" for identifier, major, path in platforms.paths()),
        "--",
        *questions.packages,
    ]
    return Probe(shlex.join(words), f"{password.reveal()}\n".encode() if password else b"", nonce)
