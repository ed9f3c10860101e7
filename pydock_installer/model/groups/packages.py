"""The package manager, its repositories and what could hide Docker."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from pydock_installer.model.fact import NOT_ASKED, Fact, Known


@dataclass(frozen=True)
class PackagePattern:
    """One word of an ``exclude`` or ``includepkgs`` line, and where it stands."""

    text: str
    file: str
    line: int


def hidden(
    names: Iterable[str], excludes: tuple[PackagePattern, ...], includes: tuple[PackagePattern, ...]
) -> dict[str, PackagePattern]:
    """The names that such lines hide, each with the word that does it."""
    found: dict[str, PackagePattern] = {}
    for name in names:
        if hits := [pattern for pattern in excludes if fnmatchcase(name, pattern.text)]:
            found[name] = hits[0]
        elif includes and not any(fnmatchcase(name, pattern.text) for pattern in includes):
            found[name] = includes[0]
    return found


@dataclass(frozen=True)
class Repository:
    """One section of a repository file, variables as they are written; what it leaves open is main's."""

    id: str
    name: str
    file: str
    enabled: bool
    baseurls: tuple[str, ...]
    lists: tuple[str, ...]
    """Addresses of lists of mirrors: mirrorlist, metalink."""
    excludes: tuple[PackagePattern, ...] = ()
    includes: tuple[PackagePattern, ...] = ()
    skip_if_unavailable: bool = False
    module_hotfixes: bool = False
    gpgcheck: bool = True
    proxy: str | None = None
    part: str | None = None
    """Which part of its distribution it is: ``base updates extras appstream``."""
    addition: bool = False
    """Whether it only adds to a distribution (EPEL and the like)."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where the repository is looked for."""
        return (*self.lists, *self.baseurls)


@dataclass(frozen=True)
class PackageConfiguration:
    """What yum or dnf is told: main, and all repositories."""

    file: str
    """Where main stands: /etc/yum.conf (yum 3) or /etc/dnf/dnf.conf."""
    repositories: tuple[Repository, ...]
    excludes: tuple[PackagePattern, ...] = ()
    includes: tuple[PackagePattern, ...] = ()
    unread: tuple[str, ...] = ()
    """Files that were not read or not to their end, each with the reason."""

    @property
    def enabled(self) -> tuple[Repository, ...]:
        """The repositories that are switched on, without docker-ce.repo: pydock writes that file anew."""
        return tuple(
            r for r in self.repositories if r.enabled and r.file != "/etc/yum.repos.d/docker-ce.repo"
        )


@dataclass(frozen=True)
class AddressAnswer:
    """How one address of a repository answered. ``status`` is HTTP's (0 for none), ``curl`` curl's exit status."""

    repository: str
    kind: str
    """``base`` for a baseurl's metadata, ``list`` for a list of mirrors."""
    status: int
    curl: int
    mirrors: int = 0
    """How many mirrors a list names."""

    @property
    def good(self) -> bool:
        """Files have no status of HTTP, ftp has its own; a list must name a mirror."""
        return self.curl == 0 and self.status in (0, 200, 226) and (self.kind == "base" or self.mirrors > 0)


@dataclass(frozen=True)
class PackageLock:
    """A lock of yum, dnf or rpm, and the living process that it names."""

    file: str
    pid: int
    command: str


@dataclass(frozen=True)
class VersionLock:
    """One line of versionlock.list: the only version allowed or, with ``excluded``, one that is not."""

    name: str
    version: str
    excluded: bool
    file: str
    line: int

    def agrees(self, wanted: str) -> bool:
        """Whether the version, which may end in ``*``, is one of those wanted: ``26.1.4`` and ``26.*`` for ``26``."""
        pairs = zip(self.version.split("."), wanted.split("."), strict=False)
        return all(fnmatchcase(number, locked) for locked, number in pairs)


@dataclass(frozen=True)
class PackageFacts:
    """The package manager, its repositories and what could hide Docker."""

    configuration: Fact[PackageConfiguration] = NOT_ASKED
    """``None``: there is no /etc/yum.repos.d."""
    variables: Fact[Mapping[str, str]] = NOT_ASKED
    """What stands for ``$releasever`` and the others in addresses."""
    answers: Fact[tuple[AddressAnswer, ...]] = NOT_ASKED
    """``None``: the host has no curl."""
    locks: Fact[tuple[PackageLock, ...]] = NOT_ASKED
    database_errors: Fact[tuple[str, ...]] = NOT_ASKED
    """What rpm complains of; ``None``: there is no rpm."""
    strangers: Fact[Mapping[str, str]] = NOT_ASKED
    """Engines that pydock does not remove by itself: name to version."""
    container_tools: Fact[str] = NOT_ASKED
    """The state of that module (``enabled``, ``disabled``); ``None``: nobody set one."""
    version_locks: Fact[tuple[VersionLock, ...]] = NOT_ASKED

    def address(self, written: str) -> str:
        """An address as the host reads it, its variables filled in."""
        values = self.variables.value if isinstance(self.variables, Known) else {}
        return re.sub(r"\$\{?(\w+)\}?", lambda found: values.get(found[1], found[0]), written)[:160]
