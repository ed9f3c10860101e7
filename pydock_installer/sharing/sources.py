"""Which repositories of a plan can be shared, and which stay with the hosts. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pydock_installer import archive
from pydock_installer.model import Facts, HostPlan, Known
from pydock_installer.planner import PACKAGE_STEPS

#: What does a host's packages; release 6 has a role of its own, which fetches by itself.
ROLE = "docker_packages"


@dataclass(frozen=True)
class Source:
    """One repository, or with ``below`` all that lie below its address."""

    addresses: tuple[str, ...]
    """Where it is, best first: all of them have the same packages."""
    lists: tuple[str, ...] = ()
    """Addresses of lists of mirrors (mirrorlist, metalink) that name more of them."""
    proxy: str = ""
    below: bool = False
    spare: bool = False
    """Whether hosts turn to it only if another fails."""

    @property
    def name(self) -> str:
        """What a person knows it by."""
        return (self.addresses or self.lists)[0]


@dataclass
class Shares:
    """``sources`` by their number; for each host its own words for them; and why others are not shared."""

    sources: list[Source] = field(default_factory=list)
    hosts: dict[str, dict[str, int]] = field(default_factory=dict)
    reasons: dict[str, list[str]] = field(default_factory=dict)
    """Sentences, each with the hosts that it is about."""

    def without(self, numbers: Iterable[int]) -> Mapping[str, Mapping[str, int]]:
        """``hosts``, but for some sources; hosts that share nothing are not in it."""
        gone = set(numbers)
        left = {
            host: {written: number for written, number in told.items() if number not in gone}
            for host, told in self.hosts.items()
        }
        return {host: told for host, told in left.items() if told}


def shares(entries: Iterable[HostPlan], package_proxy: str) -> Shares:
    """What the hosts of a plan can share: Docker's repository, and those of their release that are switched on."""
    found = Shares()
    numbers: dict[Source, int] = {}
    for entry in entries:
        if not any(step.name in PACKAGE_STEPS for step in entry.steps):
            continue
        name = entry.host.name
        if entry.role or entry.facts is None:
            found.reasons.setdefault("release 6 downloads by itself", []).append(name)
            continue
        told: dict[str, int] = {}
        for written, source, reason in _of_host(entry, entry.facts, package_proxy):
            if reason or not source:
                found.reasons.setdefault(reason, []).append(name)
            else:
                number = numbers.setdefault(source, len(found.sources))
                if number == len(found.sources):
                    found.sources.append(source)
                told.setdefault(written, number)
        found.hosts[name] = told
    return found


def _of_host(entry: HostPlan, facts: Facts, package_proxy: str) -> Iterator[tuple[str, Source | None, str]]:
    """(the address as the host's file has it, its source, or why it has none)"""
    wanted = entry.variables
    mirrors = [str(wanted["docker_repositories_baseurl"]), *wanted["docker_repositories_alternatives"]]
    for written in mirrors:
        # The role may settle for any of them; and what one has broken another may have whole.
        order = [written, *(other for other in mirrors if other != written)]
        places = tuple(address for one in order if (address := _address(facts, one)))
        if places:
            spare = written != mirrors[0]
            yield written.rstrip("/"), Source(places, proxy=package_proxy, spare=spare), ""
    archives = tuple(root.rstrip("/") + "/" for root in wanted["docker_repositories_archives"])
    for root in archives:
        yield root, Source((root.rstrip("/"),), below=True), ""
    configuration = facts.package_facts.configuration
    if not isinstance(configuration, Known):
        yield "", None, "its repositories could not be read"
        return
    mended = set(archive.dead_files(facts)) if archives else set()
    for repository in configuration.value.enabled:
        if repository.file in mended:
            continue
        if not repository.gpgcheck:
            yield "", None, f"{repository.id}: the signatures of its packages are not checked (gpgcheck)"
            continue
        bases = [(written, _address(facts, written)) for written in repository.baseurls]
        lists = [(written, _address(facts, written)) for written in repository.lists]
        good = [(written, address) for written, address in (*bases, *lists) if address]
        if not good:
            yield "", None, f"{repository.id}: pydock cannot tell the address that the host makes of it"
            continue
        source = Source(
            tuple(address for _written, address in bases if address),
            tuple(address for _written, address in lists if address),
        )
        yield good[0][0].rstrip("/"), source, ""


def _address(facts: Facts, written: str) -> str | None:
    """An address with its variables filled in, if it can be fetched by anybody who knows it."""
    values = (
        dict(facts.package_facts.variables.value) if isinstance(facts.package_facts.variables, Known) else {}
    )
    if isinstance(facts.architecture, Known):
        values.setdefault("basearch", facts.architecture.value)
    address = re.sub(r"\$\{?(\w+)\}?", lambda found: values.get(found[1], found[0]), written).rstrip("/")
    if re.search(r"\{[{%#]", written):
        return None  # Nothing of a host's is to look like a template to Ansible.
    if "$" in address or not re.fullmatch(r"https?://[!-~]{1,1000}", address):
        return None
    try:
        parts = urlsplit(address)
        good = parts.hostname and "@" not in parts.netloc and (parts.port or 1)
    except ValueError:
        return None
    return address if good else None
