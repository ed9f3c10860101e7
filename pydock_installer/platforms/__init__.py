"""What pydock knows of releases, package mirrors and package names: data, and its lookup."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

import yaml

from pydock_installer.model import Release

#: The architectures that Docker builds RPMs for (docker-ce-packaging, distros.json).
ARCHITECTURES = ("x86_64", "aarch64")


#: What engines need on release 7 and later. Docker's own check (moby v20.10.24, daemon_unix.go) went away with
#: engine 23. CentOS 6 has a floor of its own (moby v1.7.1, docs/installation/centos.md).
KERNEL_FLOOR = "3.10"


@dataclass(frozen=True)
class Platform:
    """One release: how it is recognised, and how the repository and Ansible see it."""

    name: str
    ids: tuple[str, ...]
    major: str
    interpreter: str
    manager: str
    support: str
    path: str = ""
    """Where the repository has its packages; empty where pydock does not install yet."""
    newest: str | None = None
    service: str = "systemd"
    engine: str = "docker-ce"
    """The package that the engine comes with."""
    kernel: str = KERNEL_FLOOR
    end_of_life: date | None = None
    version: str = ""
    title: str = ""

    @property
    def legacy(self) -> bool:
        """Release 6: no systemd, no Python, an engine of its own; the role docker_legacy does it all."""
        return self.service == "sysvinit"

    def matches(self, release: Release) -> bool:
        """Whether a host's release is this one. ``distro`` writes IDs in small letters."""
        return (
            release.id.lower() in (identifier.lower() for identifier in self.ids)
            and _number(release.version) == self.major
            and re.match(self.version, release.version) is not None
            and re.search(self.title, release.pretty) is not None
        )


@dataclass(frozen=True)
class Refused:
    """A system on which pydock does not install, why, and what its users may do."""

    name: str
    ids: tuple[str, ...]
    why: str
    instead: str
    version: str = ""
    like: str = ""

    def matches(self, release: Release) -> bool:
        """Whether a host's release is this one."""
        return release.id in self.ids and re.match(self.version, release.version) is not None

    def resembles(self, release: Release) -> bool:
        """Whether a host's release says to be like this one; versions of relatives have numbers of their own."""
        return not self.version and not set(release.like).isdisjoint(self.ids)


@dataclass(frozen=True)
class PackageNames:
    """The package sets of an installation, by role."""

    compilers: tuple[str, ...]
    tools: tuple[str, ...]
    engine: tuple[str, ...]
    plugins: tuple[str, ...]
    obsolete: tuple[str, ...]
    podman: tuple[str, ...]
    related: tuple[str, ...]

    @property
    def dockers(self) -> tuple[str, ...]:
        """Every name of a package that is Docker's."""
        return (*self.engine, *self.plugins, *self.obsolete, *self.related)

    @property
    def all(self) -> tuple[str, ...]:
        """Every name a probe asks rpm about."""
        return (
            *self.compilers,
            *self.tools,
            *self.engine,
            *self.plugins,
            *self.obsolete,
            *self.podman,
        )


#: libyaml's where it is there: these files are read at every start.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def data(name: str) -> Any:
    """A data file of this package."""
    text = resources.files(__name__).joinpath(name).read_text(encoding="utf-8")
    return yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe one


def _number(version: str) -> str:
    """``7`` of ``7.9.2009``, ``10`` of Kylin's ``V10``; the probe reads VERSION_ID alike."""
    found = re.match(r"V?([0-9]+)", version)
    return found[1] if found else ""


@cache
def known() -> tuple[Platform, ...]:
    """Every known release; of several that match a host, the first counts."""
    return tuple(Platform(**{**row, "ids": tuple(row["ids"])}) for row in data("platforms.yml"))


@cache
def refused() -> tuple[Refused, ...]:
    """The systems that are refused for a reason."""
    return tuple(Refused(**{**row, "ids": tuple(row["ids"])}) for row in data("refused.yml"))


def lookup(release: Release) -> Platform | None:
    """The platform of a release; ``None`` if pydock does not know it."""
    return next((platform for platform in known() if platform.matches(release)), None)


def nearest(release: Release) -> Platform | None:
    """The platform that a host is measured by: its own, or the one that the refusal of its release names."""
    if found := lookup(release):
        return found
    entry = refusal(release)
    return next((platform for platform in known() if entry and platform.name == entry.like), None)


def refusal(release: Release) -> Refused | None:
    """Why a release that is no platform is refused; ``None`` if it is simply unknown."""
    itself = [entry for entry in refused() if entry.matches(release)]
    relatives = [entry for entry in refused() if entry.resembles(release)]
    return next(iter(itself + relatives), None)


def paths() -> tuple[tuple[str, str, str], ...]:
    """Every release with a repository as (os-release's ID, major version, repository path): what a probe is told."""
    rows = ((name, row.major, row.path) for row in known() if row.path for name in row.ids)
    return tuple(dict.fromkeys(rows))


def known_releases() -> tuple[str, ...]:
    """Every known release as ``id major``, for messages."""
    return tuple(dict.fromkeys(f"{name} {row.major}" for row in known() for name in row.ids))


@cache
def mirrors() -> Mapping[str, str]:
    """Package mirrors: name to base address, in order of preference."""
    return dict(data("mirrors.yml"))


@cache
def package_names() -> PackageNames:
    """The package sets."""
    return PackageNames(**{key: tuple(names) for key, names in data("packages.yml").items()})
