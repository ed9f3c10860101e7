"""What of Docker goes from a host, what stays, and why: one list, for the plan and for the look afterwards. Pure."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeVar

from pydock_installer import platforms
from pydock_installer.absence.roots import is_mounted
from pydock_installer.model import Fact, Facts, Known, Left, Traces, Unknown
from pydock_installer.model.traces import Firewall, Root
from pydock_installer.restoration import files_to_restore, removed_packages

JOURNAL = "/var/lib/pydock/journal.jsonl"
#: Docker's namespaces in containerd.
OWN_NAMESPACES = frozenset({"moby", "plugins.moby"})
#: What a running engine makes, and links of units that are gone.
RUN = (
    "/run/docker*", "/run/containerd", "/var/lib/pydock/proof.json",
    "/etc/systemd/system/*.wants/docker.service", "/etc/systemd/system/*.wants/docker.socket",
    "/etc/systemd/system/*.wants/containerd.service",
)  # fmt: skip
KEPT_DATA = "data goes with --purge-data alone"
UNKNOWN_BEFORE = "nobody wrote down what it was before Docker"
KEPT_CONFIG = "settings go with --purge-config alone"
#: The id of Docker's own key (060A 61C5 1B55 8A7F 742B 77AA C52F EB6B 621E 9F35).
DOCKER_KEY = "621e9f35"

T = TypeVar("T")
S = TypeVar("S")


@dataclass(frozen=True)
class Consents:
    """How far an uninstallation may go."""

    purge_data: bool = False
    purge_config: bool = False
    with_tools: bool = False
    foreign: bool = False
    follow_links: bool = False


@dataclass(frozen=True)
class Thing:
    """Something of Docker's on a host: the step that takes it away, or why it stays."""

    step: str
    what: str
    stays: str | None = None
    along: str | None = None
    """It makes no step of its own: it goes along with others if it can, else this is why not."""


def value(fact: Fact[T], otherwise: S) -> T | S:
    """What is known, or else ``otherwise``."""
    return fact.value if isinstance(fact, Known) else otherwise


def shared(facts: Facts, traces: Traces) -> str:
    """Who else uses this containerd; empty for nobody."""
    kubernetes = value(facts.engine_facts.kubernetes, None)
    kubelet = kubernetes and (kubernetes.joined or any(name == "kubelet" for name, _ in kubernetes.units))
    words = ["Kubernetes (kubelet)"] if kubelet else []
    if isinstance(traces.namespaces, Unknown):
        words.append("something unknown (containerd does not answer)")
    for space in value(traces.namespaces, ()):
        if space.name not in OWN_NAMESPACES and space.things != 0:
            words.append(f"the namespace {space.name}")
    needed = value(traces.needed, {})
    if not needed.get("engine") and (needing := needed.get("all", ())):
        words.append(f"the package {needing[0]}")
    return " and ".join(dict.fromkeys(words))


# -- the things


def things(
    facts: Facts, traces: Traces, consents: Consents, brought: frozenset[str] = frozenset()
) -> list[Thing]:
    """Everything of Docker's on a host, with what becomes of it.

    ``brought``: packages that a journal that is gone by now said came with pydock.
    """
    used_by = shared(facts, traces)
    busy = f"{used_by} uses it" if used_by else None
    return [
        *_running(traces, busy),
        *_packages(facts, consents, busy, still_there(facts, brought) or companions(traces)),
        *_network(traces),
        *_firewall(traces),
        *_data(traces, consents, busy),
        *_files(facts, traces, consents, busy),
        *_system(traces, consents),
    ]


def _running(traces: Traces, busy: str | None) -> Iterator[Thing]:
    for unit in value(traces.units, ()):
        stays = busy if unit.name == "containerd.service" else None
        if unit.active not in ("inactive", "failed") or unit.enabled in (
            "enabled",
            "enabled-runtime",
            "linked",
        ):
            yield Thing("stop", unit.name, stays)
    shims = [p for p in value(traces.processes, ()) if is_dockers_shim(p.name, p.arguments)]
    if shims:
        yield Thing("stop", f"{len(shims)} running container{'s' if len(shims) > 1 else ''}")


def is_dockers_shim(name: str, arguments: str) -> bool:
    """Whether a process is the shim of a container of Docker's: by its namespace, or by Docker's own name for it."""
    if name.startswith("docker-containe"):
        return True
    words = arguments.split()
    spaces = [after for word, after in pairwise(words) if word in ("-namespace", "--namespace")]
    return name.startswith("containerd-shim") and bool(OWN_NAMESPACES & set(spaces))


def companions(traces: Traces) -> frozenset[str]:
    """Packages that pydock's transactions brought and that are still there."""
    there = value(traces.companions, ())
    return frozenset(packages_brought(traces.journal) & set(there))


def still_there(facts: Facts, names: frozenset[str]) -> frozenset[str]:
    """Those of the names that are installed; rpm was asked about them."""
    installed = value(facts.packages, {})
    return names & frozenset(installed)


def _packages(facts: Facts, consents: Consents, busy: str | None, brought: frozenset[str]) -> Iterator[Thing]:
    names = platforms.package_names()
    installed = value(facts.packages, {})
    for name in names.dockers:
        if name in installed:
            yield Thing("packages", name, busy if name == "containerd.io" else None)
    if consents.foreign:
        copies = value(facts.engine_facts.copies, ())
        for copy in copies:
            if copy.snap or (copy.owner is None and not copy.running):
                yield Thing("packages", "the snap docker" if copy.snap else copy.path)
    for name in sorted(brought - set(names.dockers)):
        if name in (*names.compilers, *names.tools):
            yield Thing("packages", name, None if consents.with_tools else "it stays without --with-tools")
        else:
            stays = None if consents.purge_config else "it came with Docker; --purge-config removes it"
            yield Thing("packages", name, stays, "something that stays needs it")


def packages_brought(journal: Sequence[Any]) -> set[str]:
    """Names of packages that pydock's transactions brought: new, not a newer version of what was there."""
    kinds: dict[str, set[str]] = {"installed": set(), "removed": set()}
    for entry in journal:
        if entry["action"] in kinds and isinstance(entry.get("packages"), list):
            texts = (str(name) for name in entry["packages"])
            kinds[entry["action"]] |= {text.rsplit("-", 2)[0] for text in texts if text.count("-") >= 2}
    return kinds["installed"] - kinds["removed"]


def _network(traces: Traces) -> Iterator[Thing]:
    own = {"docker0", "docker_gwbridge", *value(traces.own_bridges, ())}
    for name in value(traces.links, {}):
        if name in own:
            yield Thing("network", name)
        elif re.fullmatch("br-[0-9a-f]{12}", name):
            yield Thing("network", name, "it may be Docker's, but nothing says so")


def _firewall(traces: Traces) -> Iterator[Thing]:
    firewall = value(traces.firewall, Firewall())
    for entry in firewall.filters:
        if entry.chains:
            yield Thing("firewall", f"{len(entry.chains)} chains of {entry.tool} and what leads into them")
        before = remembered(traces, f"{entry.tool} FORWARD")
        if before == "ACCEPT" and entry.forward == "DROP":
            yield Thing("firewall", f"the policy DROP of FORWARD ({entry.tool}), which was ACCEPT")
    for table in firewall.tables:
        yield Thing("firewall", f"nft's table {table}")
    for path in firewall.firewalld:
        yield Thing("firewall", path, along="it holds rules that are not Docker's")


def remembered(traces: Traces, name: str) -> Any:
    """The newest that the journal says was found under a name."""
    found = [e.get("value") for e in traces.journal if e["action"] == "found" and e.get("name") == name]
    return found[-1] if found else None


def has_data(root: Root, traces: Traces) -> bool:
    """Whether there is something to be removed: a mount point stays, empty."""
    if root.state == "absent":
        return False
    if [name for name in root.entries if name != "lost+found"] or root.state == "link":
        return True
    mounts = value(traces.mounts, ())
    return not is_mounted(root, mounts)


def _data(traces: Traces, consents: Consents, busy: str | None) -> Iterator[Thing]:
    for root in value(traces.roots, ()):
        if not has_data(root, traces):
            continue
        stays = busy if root.kind == "containerd" and busy else None if consents.purge_data else KEPT_DATA
        yield Thing("data", f"{root.path} ({_what_is_in(root, traces)})", stays)


def _what_is_in(root: Root, traces: Traces) -> str:
    volumes = [v for v in value(traces.volumes, ()) if v.root == root.path]
    words = [f"{len(volumes)} volume{'' if len(volumes) == 1 else 's'}"] if root.kind == "docker" else []
    return ", ".join([*words, size(root.kib)])


def size(kib: int | None) -> str:
    """KiB as a person reads it."""
    if kib is None:
        return "size unknown"
    for unit, step in (("GiB", 1 << 20), ("MiB", 1 << 10)):
        if kib >= step:
            return f"{kib / step:.1f} {unit}"
    return f"{kib} KiB"


def _files(facts: Facts, traces: Traces, consents: Consents, busy: str | None) -> Iterator[Thing]:
    kept = None if consents.purge_config else KEPT_CONFIG
    for path, what in value(traces.files, {}).items():
        containerd = "containerd" in path
        if what == "inside":
            continue
        if what == "hold":
            yield Thing("config", f"version holds in {path}", kept)
        elif path == "/opt/containerd":
            yield Thing("system", path, busy, "it is not empty")
        elif any(fnmatch.fnmatchcase(path, pattern) for pattern in RUN):
            yield Thing("system", path, busy if containerd else None)
        else:
            yield Thing("config", path, (busy if containerd else None) or kept)
    own = {DOCKER_KEY}
    own |= {str(e.get("key"))[-8:].lower() for e in traces.journal if e["action"] == "imported"}
    for key in value(facts.package_keys, ()):
        if key in own:
            yield Thing("config", f"the package key {key}", kept)
    if traces.journal:
        stays = kept and "pydock's own notes about this host; --purge-config removes them"
        yield Thing("config", JOURNAL, stays, _needs_journal(facts, traces, consents, busy))


def _needs_journal(facts: Facts, traces: Traces, consents: Consents, busy: str | None) -> str | None:
    """Why the journal has to stay; the role, which sees more, judges with fewer doubts."""
    stay = [
        root
        for root in value(traces.roots, ())
        if not consents.purge_data or (busy and root.kind == "containerd")
    ]
    if any(has_data(root, traces) for root in stay):
        return "it knows what an uninstallation with --purge-data needs to know"
    installed = value(facts.packages, {})
    back = [*files_to_restore(traces.journal), *removed_packages(traces.journal)]
    if back := [name for name in back if name not in installed]:
        more = f" and {len(back) - 6} more" if len(back) > 6 else ""
        return f"`pydock restore` can still bring back {', '.join(back[:6])}{more}"
    return None


def _system(traces: Traces, consents: Consents) -> Iterator[Thing]:
    group = value(traces.group, None)
    if group and group.primary:
        yield Thing("system", "the group docker", f"it is the first group of {', '.join(group.primary)}")
    elif group:
        members = f"it has members: {', '.join(group.members)}" if group.members else None
        yield Thing("system", "the group docker", None if consents.purge_config else members)


# -- afterwards


def remains(
    facts: Facts, traces: Traces, consents: Consents, brought: frozenset[str] = frozenset()
) -> tuple[list[Left], list[str]]:
    """What is left and why; and what should be gone and is not. ``brought`` as for ``things``."""
    left, wrong = [], []
    for thing in things(facts, traces, consents, brought):
        if thing.stays or thing.along:
            left.append(Left(thing.what, thing.stays or thing.along or ""))
        else:
            wrong.append(thing.what)
    return left, wrong


def unknown_before(traces: Traces) -> list[Left]:
    """What Docker may have changed in the kernel, where nobody wrote down how it was."""
    left = []
    for entry in value(traces.firewall, Firewall()).filters:
        if entry.forward == "DROP" and remembered(traces, f"{entry.tool} FORWARD") is None:
            left.append(
                Left(
                    f"the policy DROP of FORWARD ({entry.tool})",
                    "nobody wrote down what it was before Docker",
                )
            )
    before = remembered(traces, "ip_forward")
    if value(traces.ip_forward, None) == 1 and str(before) != "1":
        why = (
            "nobody wrote down what it was before Docker" if before is None else "something else may need it"
        )
        left.append(Left("net.ipv4.ip_forward = 1", why))
    return left
