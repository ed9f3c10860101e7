"""What pydock knows of releases, package mirrors and package names: data, and its lookup."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from pydock_installer.model import Release

#: Engines need 3.10 on release 7 and later. Docker's own check (moby v20.10.24, daemon_unix.go) went away
#: with engine 23.
KERNEL_FLOOR = (3, 10)

#: The architectures that Docker builds RPMs for (docker-ce-packaging, distros.json).
ARCHITECTURES = ("x86_64", "aarch64")


@dataclass(frozen=True)
class Platform:
    """One release as the repository and Ansible see it."""

    path: str
    interpreter: str
    support: str
    newest: str | None = None


@dataclass(frozen=True)
class PackageNames:
    """The package sets of an installation, by role."""

    compilers: tuple[str, ...]
    tools: tuple[str, ...]
    engine: tuple[str, ...]
    plugins: tuple[str, ...]
    obsolete: tuple[str, ...]
    podman: tuple[str, ...]

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


def _data(name: str) -> Any:
    return yaml.safe_load(resources.files(__name__).joinpath(name).read_text(encoding="utf-8"))


@cache
def _platforms() -> Mapping[tuple[str, str], Platform]:
    return {
        (identifier, row["major"]): Platform(
            row["path"], row["interpreter"], row["support"], row.get("newest")
        )
        for row in _data("platforms.yml")
        for identifier in row["ids"]
    }


def lookup(release: Release) -> Platform | None:
    """The platform of a release; ``None`` if pydock does not know it."""
    return _platforms().get((release.id, release.major))


def paths() -> tuple[tuple[str, str, str], ...]:
    """Every known release as (os-release's ID, major version, repository path)."""
    return tuple((*key, platform.path) for key, platform in _platforms().items())


def known_releases() -> tuple[str, ...]:
    """Every known release as ``id major``, for messages."""
    return tuple(f"{identifier} {major}" for identifier, major in _platforms())


@cache
def mirrors() -> Mapping[str, str]:
    """Package mirrors: name to base address, in order of preference."""
    return dict(_data("mirrors.yml"))


@cache
def package_names() -> PackageNames:
    """The package sets."""
    return PackageNames(**{key: tuple(names) for key, names in _data("packages.yml").items()})
