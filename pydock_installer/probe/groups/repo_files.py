"""The files of yum and dnf, read as tolerantly as they read them. Passwords are not kept."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydock_installer.model.groups.packages import (
    PackageConfiguration,
    PackagePattern,
    Repository,
    VersionLock,
)

#: Sections for sources and debugging, media and old releases: no part of a distribution.
_NO_PART = re.compile(
    r"(?:^|[-_])(?:sources?|srpms?|debug|debuginfo|media|vault)(?![a-z0-9])|^c\d[\d.]*-", re.ASCII
)
#: Parts of a distribution by ID and by address, in small letters; the first that fits counts.
_ARCH = r"(?:\$basearch|x86_64|aarch64)\b"
_PARTS = {
    "appstream": (r"^appstream$|[-_]appstream(?![a-z0-9])", r"/appstream/|\brepo=(?:centos-)?appstream\b"),
    "extras": (
        r"^extras(?:-common)?$|[-_]extras(?![a-z0-9])|^ol7_addons$",
        rf"/extras/{_ARCH}|/extras/os\b|\brepo=(?:centos-extras-sig-)?extras\b",
    ),
    "updates": (r"^updates$", rf"/updates/{_ARCH}|\brepo=updates\b"),
    "base": (
        r"^(?:base|baseos|os)$|[-_]baseos(?![a-z0-9])|^rhel-7-server-rpms$|^ol7_latest$",
        rf"/os/{_ARCH}|/baseos/|\brepo=os\b|\brepo=(?:centos-)?baseos\b",
    ),
}
#: Repositories that can never stand for a distribution: how their IDs begin.
_ADDITIONS = re.compile(
    r"(?:centos-)?(?:epel|docker|elrepo|remi|mysql|mariadb|pgdg|nginx|kubernetes|zabbix|grafana|nodesource|gitlab"
    r"|jenkins|google|microsoft|packages-microsoft|influx|hashicorp|copr|rpmfusion|ius|powertools|crb|sclo"
    r"|centosplus|plus|fasttrack|cr$)"
)


def part(identifier: str, addresses: Sequence[str]) -> str | None:
    """Which part of its distribution a repository is, by its ID or else by its addresses."""
    name, places = identifier.lower(), " ".join(addresses).lower()
    if _NO_PART.search(name):
        return None
    by_id = (found for found, (words, _) in _PARTS.items() if re.search(words, name))
    by_address = (found for found, (_, words) in _PARTS.items() if re.search(words, places))
    return next(by_id, None) or next(by_address, None)


@dataclass(frozen=True)
class Section:
    """``[id]`` of a file, and its keys in small letters: value and line number."""

    id: str
    file: str
    options: dict[str, tuple[str, int]] = field(default_factory=dict)

    def get(self, *keys: str) -> str:
        """The value of the first key that is there."""
        return next((self.options[key][0] for key in keys if key in self.options), "")

    def words(self, *keys: str) -> tuple[str, ...]:
        """A value that is a list: by blanks, commas or lines."""
        return tuple(re.split(r"[\s,]+", self.get(*keys).strip(" ,"))) if self.get(*keys).strip(" ,") else ()

    def flag(self, key: str, default: bool) -> bool:
        """A value that is yes or no."""
        value = self.get(key).lower()
        return default if not value else value not in ("0", "no", "false", "off")

    def patterns(self, *keys: str) -> tuple[PackagePattern, ...]:
        """Names of packages, each with its line."""
        return tuple(
            PackagePattern(word, self.file, self.options[key][1])
            for key in keys
            if key in self.options
            for word in self.words(key)
        )


def sections(text: str, file: str) -> list[Section]:
    """The sections of a file. Lines that are neither comment, key nor continuation are passed over."""
    found: list[Section] = []
    key = ""
    for number, raw in enumerate(text.split("\n"), 1):
        line = _printable(raw)
        if re.match(r"\s*([#;]|$)", line):
            continue
        if line.startswith("["):
            found.append(Section("".join(line[1:].partition("]")[0].split())[:100], file))
            key = ""
        elif not found:
            continue
        elif line[0] == " ":
            if key:
                value, at = found[-1].options[key]
                found[-1].options[key] = (f"{value} {line.strip()}".strip(), at)
        elif option := re.match(r"([^=:]+)[=:](.*)", line):
            key = option[1].strip().lower()
            if "password" in key:
                key = ""
            else:
                found[-1].options[key] = (option[2].strip(), number)
    return found


def configuration(main_file: str, files: Mapping[str, str], unread: Sequence[str]) -> PackageConfiguration:
    """What main and the repository files say together. A repository may stand in main's file, too."""
    main = Section("main", main_file)
    repositories: list[Section] = []
    for file, text in files.items():
        for section in sections(text, file):
            if section.id == "main" and file == main_file:
                main.options.update(section.options)
            elif section.id not in ("", "main"):
                repositories.append(section)
    elsewhere = [word for word in main.words("reposdir") if word.rstrip("/") != "/etc/yum.repos.d"]
    return PackageConfiguration(
        main_file,
        tuple(_repository(section, main) for section in repositories),
        main.patterns("exclude", "excludepkgs"),
        main.patterns("includepkgs"),
        (
            *unread,
            *(
                f"{directory} (reposdir in {main_file}): pydock does not look there"
                for directory in elsewhere
            ),
        ),
    )


def _repository(section: Section, main: Section) -> Repository:
    proxy = section.get("proxy") if "proxy" in section.options else main.get("proxy")
    baseurls, lists = section.words("baseurl"), section.words("metalink") or section.words("mirrorlist")
    return Repository(
        id=section.id,
        name=section.get("name"),
        file=section.file,
        enabled=section.flag("enabled", True),
        baseurls=baseurls,
        lists=lists,
        excludes=section.patterns("exclude", "excludepkgs"),
        includes=section.patterns("includepkgs"),
        skip_if_unavailable=section.flag("skip_if_unavailable", main.flag("skip_if_unavailable", False)),
        module_hotfixes=section.flag("module_hotfixes", False),
        gpgcheck=section.flag("gpgcheck", main.flag("gpgcheck", False)),
        proxy=proxy if proxy and proxy.lower() != "_none_" else None,
        part=part(section.id, (*lists, *baseurls)),
        addition=_ADDITIONS.match(section.id.lower()) is not None,
    )


#: yum writes ``3:docker-ce-20.10.23-3.el7.*``, dnf ``docker-ce-3:20.10.23-3.el8.*``; ``!`` locks a version out.
_LOCK = re.compile(
    r"(?P<out>!?)(?:\d+:)?(?P<name>docker-ce(?:-cli)?|containerd\.io)-(?:\d+:)?(?P<version>[0-9*?][^-\s]*)"
)


def version_locks(text: str, file: str) -> tuple[VersionLock, ...]:
    """The lines of a versionlock.list that are about Docker's engine, client and containerd."""
    return tuple(
        VersionLock(lock["name"], _printable(lock["version"])[:60], bool(lock["out"]), file, number)
        for number, line in enumerate(text.split("\n"), 1)
        if (lock := _LOCK.match(line.strip()))
    )


def _printable(line: str) -> str:
    """A line without what could play tricks on a terminal; tabs and line ends become blanks."""
    line = line.rstrip("\r")
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else " " if c in "\t\r" else "?" for c in line)
