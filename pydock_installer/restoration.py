"""What ``pydock restore`` brings back: from a host's journal to files, packages, and their differences. Pure.

The role's modules judge by the same code (roles/docker_host).
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import unified_diff
from typing import Any

from pydock_installer import content
from pydock_installer.model import Journal, Known, Unknown

#: Where repository files are.
DIRECTORY = "/etc/yum.repos.d"
#: Where drop-ins of the engine's unit are.
DROPINS = "/etc/systemd/system/docker.service.d"


@dataclass(frozen=True)
class Restoration:
    """A file, the backup that is to take its place (``None``: there was none), and why it should not (or "")."""

    file: str
    backup: str | None
    problem: str = ""

    @property
    def lost(self) -> bool:
        """Whether there is nothing to put back."""
        return self.problem.startswith("its backup")


def restorable(journal: Journal) -> tuple[Restoration, ...]:
    """What pydock wrote and nobody has taken back yet."""
    found = _host().restorable(list(journal.entries), dict(journal.sums))
    return tuple(Restoration(one["file"], one["backup"], one["problem"]) for one in found)


def repository_files(journal: Journal) -> tuple[Restoration, ...]:
    """The repository files that pydock replaced; those that it made belong to Docker and go with it."""
    return tuple(
        one for one in restorable(journal) if one.backup and posixpath.dirname(one.file) == DIRECTORY
    )


def engine_files(journal: Journal) -> tuple[Restoration, ...]:
    """daemon.json and drop-ins of the unit, also those that pydock made: without them the engine is as it was."""
    return tuple(
        one
        for one in restorable(journal)
        if one.file == journal.settings_file or posixpath.dirname(one.file) == DROPINS
    )


def difference(one: Restoration, journal: Journal) -> str:
    """What putting it back changes, as ``diff -u`` tells it; "" where the texts were not seen."""
    present, before = (journal.texts.get(path) for path in (one.file, one.backup or ""))
    if before is None and one.backup:
        return ""
    label = f"{one.file} as it was" if one.backup else "no such file, as it was"
    lines = unified_diff(
        (present or "").splitlines(), (before or "").splitlines(), one.file, label, lineterm="", n=1
    )
    return "\n".join(lines)


@dataclass(frozen=True)
class Packages:
    """Packages that pydock removed, that are not there, and what can be done about it."""

    wanted: Mapping[str, str] = field(default_factory=dict)
    """Each as it was, NAME-VERSION-RELEASE.ARCH, by its name."""
    chosen: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Version and release of those that repositories have."""
    lost: tuple[str, ...] = ()
    """Those that none has."""
    in_the_way: tuple[str, ...] = ()
    """Docker's packages that they conflict with and that are there."""
    unseen: str = ""
    """Why nobody knows what the repositories have."""

    @property
    def words(self) -> str:
        """``podman 4.6.1, runc 1.1.12 (was 1.1.9)``"""
        return str(_returning().described(self.wanted, self.chosen))


def packages(journal: Journal, installed: Mapping[str, Any]) -> Packages:
    """What is to become of the packages that pydock removed; ``installed`` is what rpm said of Docker's."""
    gone = removed_packages(journal.entries)
    wanted = {name: gone[name] for name in sorted(gone) if name not in journal.present}
    if not wanted:
        return Packages()
    if way := tuple(name for name in _returning().IN_THE_WAY if name in installed):
        return Packages(wanted, in_the_way=way)
    if not isinstance(journal.listed, Known):
        why = journal.listed.reason if isinstance(journal.listed, Unknown) else "it has no yum"
        return Packages(wanted, unseen=why)
    text = journal.listed.value
    listed = content.role_module("docker_host", "pydock_package_set").listed_packages(text)
    if not listed and "o matching packages" not in text.lower():
        said = [line.strip() for line in text.splitlines() if line.strip()]
        return Packages(wanted, unseen=said[-1][:200] if said else "yum said nothing")
    chosen, lost = _returning().returning(wanted, listed)
    return Packages(wanted, chosen, tuple(lost))


def removed_packages(entries: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
    """What pydock removed and has not brought back, NAME-VERSION-RELEASE.ARCH by name."""
    found: Mapping[str, str] = _host().removed_packages(list(entries))
    return found


def files_to_restore(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Files that pydock replaced, and that do not go with Docker's settings, as far as the journal alone can tell."""
    found: dict[str, bool] = {}
    for entry in entries:
        if isinstance(path := entry.get("file"), str) and entry["action"] in ("replaced", "restored"):
            found[path] = entry["action"] == "replaced"
    return [path for path, there in found.items() if there and not _host().GOES.match(path)]


def _host() -> Any:
    return content.role_module("docker_host", "pydock_host")


def _returning() -> Any:
    return content.role_module("docker_host", "pydock_returning")
