"""Base repositories of releases that ended: which are dead, and where their packages went. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from pydock_installer import platforms
from pydock_installer.model import Facts, Known, Release
from pydock_installer.model.groups.packages import Repository


@cache
def data() -> Any:
    """platforms/archives.yml."""
    return platforms.data("archives.yml")


def archives(facts: Facts, mirror: str) -> tuple[str, ...]:
    """Where a host's release is kept, as the addresses that its repositories' paths are put to.

    The archive of ``mirror`` comes first, CentOS's own next; a host takes the first that serves it. Empty for releases
    that have none.
    """
    if not isinstance(facts.release, Known):
        return ()
    machine = facts.architecture.value if isinstance(facts.architecture, Known) else ""
    release = facts.release.value
    for row in data()["releases"]:
        if (row["major"], row.get("architecture", machine)) != (release.major, machine):
            continue
        if row.get("title", "") in release.pretty:
            found = data()["archives"]
            order = sorted(found, key=lambda name: (name != mirror, name != "official"))
            return tuple(
                f"{found[name][row['tree']]}/{row['path']}" for name in order if row["tree"] in found[name]
            )
    return ()


def switched_off(repository: Repository, release: Release) -> str | None:
    """The name in a repository's addresses that was switched off for this release."""
    if release.id != "centos":
        return None
    names: dict[str, list[str]] = data()["switched_off"]
    return next((host for host in _hosts(repository) if release.major in names.get(host, ())), None)


def _hosts(repository: Repository) -> Iterator[str]:
    for address in repository.addresses:
        if found := re.match(r"\w+://([^/:?]+)", address):
            yield found[1].lower()


def has_archive(repository: Repository, release: Release) -> bool:
    """Whether the archive has what a switched-off repository had: the parts of the release, not the SIGs'."""
    if switched_off(repository, release) is None:
        return False
    paths = [re.match(r"https?://mirror\.centos\.org/[^/]+/[^/]+/([^/]+)/", a) for a in repository.baseurls]
    lists = [re.search(r"[?&]repo=([A-Za-z]+)", a) for a in repository.lists]
    parts = [found[1] for found in (*paths, *lists) if found]
    return bool(parts) and parts[0] in data()["parts"]


def dead_files(facts: Facts) -> tuple[str, ...]:
    """The repository files that name servers which were switched off, where the archive has what was there.

    Empty where one of them answers all the same: a company's own server may have taken the old name.
    """
    configuration, answers = facts.package_facts.configuration, facts.package_facts.answers
    if not isinstance(configuration, Known) or not isinstance(facts.release, Known):
        return ()
    found = [r for r in configuration.value.repositories if has_archive(r, facts.release.value)]
    alive = (
        {answer.repository for answer in answers.value if answer.good}
        if isinstance(answers, Known)
        else set()
    )
    if not any(r.enabled for r in found) or any(r.id in alive for r in found):
        return ()
    return tuple(dict.fromkeys(repository.file for repository in found))
