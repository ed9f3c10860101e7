"""The docker-ce repository of a host: which mirror, which address, and the file that says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydock_installer import platforms
from pydock_installer.model import Fact, Known, RepositoryAnswer

REPOSITORY_ID = "docker-ce-stable"
REPOSITORY_FILE = "/etc/yum.repos.d/docker-ce.repo"
KEY_FILE = "/etc/pki/rpm-gpg/RPM-GPG-KEY-docker-ce"
HELD = "# Held: yum update does not see these packages; yum --enablerepo={} does."


@dataclass(frozen=True)
class Repository:
    """A chosen package repository: its name for people, packages' address and key's address."""

    name: str
    baseurl: str
    key_url: str
    hold: bool = False
    """Whether ``yum update`` is kept from it: pydock alone switches it on, for its own transactions."""

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
                "",
            )
        )


def repository(choice: str, path: str, hold: bool = False) -> Repository:
    """The repository of ``choice`` (a mirror's name or a base address) for a platform's ``path``."""
    base = platforms.mirrors().get(choice, choice).rstrip("/")
    distribution = path.partition("/")[0]
    return Repository(
        choice, f"{base}/linux/{path}/$basearch/stable", f"{base}/linux/{distribution}/gpg", hold
    )


def candidates(choice: str) -> Mapping[str, str]:
    """The base addresses a host is asked to try: all mirrors for ``auto``, else the chosen one."""
    return platforms.mirrors() if choice == "auto" else {"chosen": platforms.mirrors().get(choice, choice)}


def choose(choice: str, path: str, present: Fact[str], answers: Fact[tuple[RepositoryAnswer, ...]]) -> str:
    """The mirror's name for a host.

    ``auto`` keeps the mirror that the host's repository file names; without one it takes the first in order of
    preference that answers about as fast as the fastest, and the official one where nothing answered.
    """
    if choice != "auto":
        return choice
    if isinstance(present, Known):
        for name in platforms.mirrors():
            if (
                repository(name, path).baseurl in present.value
                or f"{platforms.mirrors()[name]}/linux/" in present.value
            ):
                return name
    if isinstance(answers, Known):
        usable = {answer.name: answer.seconds for answer in answers.value if answer.status == 200}
        if usable:
            limit = 2 * min(usable.values()) + 0.3
            return next(name for name in platforms.mirrors() if name in usable and usable[name] <= limit)
    return "official"
