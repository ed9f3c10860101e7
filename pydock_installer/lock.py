"""pydock.lock: the exact packages that a fleet runs, for each release and architecture."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from pydock_installer import platforms
from pydock_installer.errors import RefusedError, SettingsError
from pydock_installer.model import Facts, Known
from pydock_installer.suggest import hint
from pydock_installer.yaml_file import Document
from pydock_installer.yaml_file import read as read_yaml

DEFAULT_FILE = "pydock.lock"
HEAD = "# What this fleet runs, written by `pydock lock`; `pydock plan` and `pydock install` follow it.\n"

#: Name to EPOCH:VERSION-RELEASE, without an epoch where there is none.
PackageSet = Mapping[str, str]


@dataclass(frozen=True)
class Lock:
    """A lock file: package sets by the repository's path and the architecture (``centos/7/x86_64``)."""

    name: str
    platforms: Mapping[str, PackageSet] = field(default_factory=dict)

    def pins(self, path: str, architecture: str) -> Mapping[str, str]:
        """VERSION-RELEASE by name for a host; empty if the file has nothing for its kind."""
        found = self.platforms.get(f"{path}/{architecture}", {})
        return {name: evr.rpartition(":")[2] for name, evr in found.items()}

    @property
    def engines(self) -> tuple[str, ...]:
        """The versions of docker-ce in it, each with its release."""
        return tuple(
            dict.fromkeys(entry["docker-ce"].rpartition(":")[2] for entry in self.platforms.values())
        )

    @property
    def text(self) -> str:
        """The file: the same for the same fleet."""
        ordered = {name: dict(self.platforms[name]) for name in sorted(self.platforms)}
        return HEAD + yaml.safe_dump({"platforms": ordered}, sort_keys=False, default_flow_style=False)


def read(path: Path) -> Lock:
    """The lock in a file. Raises SettingsError, which names file, line and what is wrong."""
    document = read_yaml(path, SettingsError)
    names = platforms.package_names()
    for key in document.values:
        if key != "platforms":
            raise _wrong(document, (key,), f"unknown key {key}")
    sets = document.values.get("platforms")
    if not isinstance(sets, dict):
        raise _wrong(document, ("platforms",), "platforms must hold package sets")
    for key, packages in sets.items():
        place = ("platforms", str(key))
        if not re.fullmatch(rf"[a-z]+/[0-9]+/({'|'.join(platforms.ARCHITECTURES)})", str(key)):
            raise _wrong(document, place, f"{key} is no release and architecture, such as centos/7/x86_64")
        if not isinstance(packages, dict):
            raise _wrong(document, place, f"{key} must hold packages")
        for name, version in packages.items():
            known = (*names.engine, *names.plugins)
            if name not in known:
                raise _wrong(
                    document,
                    (*place, str(name)),
                    f"{name} is none of Docker's packages{hint(str(name), known)}",
                )
            if not re.fullmatch(r"([0-9]+:)?[0-9][\w.+~^]*-[\w.+~^]+", str(version)):
                raise _wrong(document, (*place, name), f"{name}: {version} is no VERSION-RELEASE")
        if missing := [name for name in names.engine if name not in packages]:
            raise _wrong(document, place, f"{key} lacks {', '.join(missing)}")
    return Lock(
        path.name, {str(key): {n: str(v) for n, v in packages.items()} for key, packages in sets.items()}
    )


def _wrong(document: Document, place: tuple[str, ...], message: str) -> SettingsError:
    return SettingsError(
        f"{document.place(place)}: {message}",
        "Mend it, or move it away and write it anew with `pydock lock`.",
    )


def platform_of(facts: Facts) -> str | None:
    """``centos/7/x86_64``; ``None`` where Docker has no packages for the host."""
    known = platforms.lookup(facts.release.value) if isinstance(facts.release, Known) else None
    if known is None or not known.path or not isinstance(facts.architecture, Known):
        return None
    return f"{known.path}/{facts.architecture.value}"


def of_fleet(fleet: Mapping[str, Facts]) -> Mapping[str, PackageSet]:
    """The sets that hosts run, by platform.

    Raises RefusedError if hosts of one kind differ, or if one has no whole set.
    """
    found: dict[str, dict[str, PackageSet]] = {}
    for host, facts in fleet.items():
        kind, packages = platform_of(facts), _docker(facts)
        missing = [name for name in platforms.package_names().engine if name not in packages]
        if kind is None or missing:
            what = f"it lacks {', '.join(missing)}" if missing else "Docker has no packages for its release"
            raise RefusedError(
                f"nothing was written: {host} runs no Docker that could be locked: {what}",
                "Install it there first, or leave the host out: `pydock lock -l 'all:!HOST'`.",
            )
        found.setdefault(kind, {})[host] = packages
    for kind, hosts in found.items():
        if told := differences(hosts):
            raise RefusedError(
                f"nothing was written: hosts of {kind} differ: {told}",
                "Bring them to one set first, for instance with `pydock install --docker-version VERSION`.",
            )
    return {kind: next(iter(hosts.values())) for kind, hosts in found.items()}


def differences(hosts: Mapping[str, PackageSet]) -> str:
    """``docker-ce 3:26.1.4-1.el7 (a, b), 3:20.10.24-3.el7 (c)``, for each package that is not the same everywhere."""
    told = []
    for name in dict.fromkeys(name for packages in hosts.values() for name in packages):
        groups: dict[str, list[str]] = {}
        for host, packages in hosts.items():
            groups.setdefault(packages.get(name, "none"), []).append(host)
        if len(groups) > 1:
            told.append(f"{name} " + ", ".join(f"{v} ({_some(who)})" for v, who in groups.items()))
    return "; ".join(told)


def _some(names: list[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if names[6:] else "")


def _docker(facts: Facts) -> PackageSet:
    names, packages = platforms.package_names(), facts.packages
    installed = packages.value if isinstance(packages, Known) else {}
    first = {name: installed[name][0] for name in (*names.engine, *names.plugins) if name in installed}
    return {
        name: (f"{p.epoch}:" if p.epoch not in ("", "0") else "") + f"{p.version}-{p.release}"
        for name, p in first.items()
    }
