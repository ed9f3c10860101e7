"""The docker-ce repository of a host: its address, and the file that says so. repository_choice.py says which."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydock_installer import platforms

REPOSITORY_ID = "docker-ce-stable"
REPOSITORY_FILE = "/etc/yum.repos.d/docker-ce.repo"
KEY_FILE = "/etc/pki/rpm-gpg/RPM-GPG-KEY-docker-ce"
HELD = "# Held: yum update does not see these packages; yum --enablerepo={} does."


@dataclass(frozen=True)
class Repository:
    """A package repository: its name for people, addresses of packages and key, and the proxy on the way there."""

    name: str
    baseurl: str
    key_url: str
    hold: bool = False
    """Whether ``yum update`` is kept from it: pydock alone switches it on, for its own transactions."""
    proxy: str = ""

    @property
    def content(self) -> str:
        """The repository file, as the role ``docker_repositories`` writes it."""
        held = (HELD.format(REPOSITORY_ID),) if self.hold else ()
        return "\n".join(
            (
                "# Managed by pydock. The key below was checked against its pinned fingerprint.",
                *held,
                f"[{REPOSITORY_ID}]",
                "name=Docker CE Stable",
                f"baseurl={self.baseurl}",
                f"enabled={0 if self.hold else 1}",
                "gpgcheck=1",
                f"gpgkey=file://{KEY_FILE}",
                "skip_if_unavailable=0",
                *((f"proxy={self.proxy}",) if self.proxy else ()),
                "",
            )
        )


def base(choice: str) -> str:
    """The base address of a mirror: that of its name, or what was named."""
    return platforms.mirrors().get(choice, choice).rstrip("/")


def repository(choice: str, path: str, hold: bool = False, proxy: str = "") -> Repository:
    """The repository of ``choice`` (a mirror's name or a base address) for a platform's ``path``."""
    distribution = path.partition("/")[0]
    return Repository(
        choice,
        f"{base(choice)}/linux/{path}/$basearch/stable",
        f"{base(choice)}/linux/{distribution}/gpg",
        hold,
        proxy,
    )


def candidates(choice: str) -> Mapping[str, str]:
    """The base addresses a host is asked to try: all mirrors for ``auto``, else the chosen one."""
    return platforms.mirrors() if choice == "auto" else {"chosen": base(choice)}


def named_in(file: str) -> str | None:
    """The mirror that a docker-ce.repo names: a shipped one's name, another's base address, or neither.

    Another's counts if its tree is laid out as Docker's and its address may be written again: no password, no
    variable before ``/linux/``. The first address of the first section counts; ``docker-ce-stable`` comes first in
    Docker's own file.
    """
    found = re.search(r"^\s*baseurl\s*[=:]\s*(https?://[^\s,]+?)/linux/\S*", file, re.MULTILINE)
    if not found:
        return None
    address = found[1]
    for name, shipped in platforms.mirrors().items():
        if address == shipped:
            return name
    parts = urlsplit(address)
    return (
        address
        if parts.hostname and not re.search(r"[@$?#\"'\\]", address) and address.isprintable()
        else None
    )


def is_managed(file: str) -> bool:
    """Whether pydock wrote it."""
    return file.startswith("# Managed by pydock.")
