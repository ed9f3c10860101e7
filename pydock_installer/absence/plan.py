"""The steps that take Docker off a host, and what speaks against it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from pydock_installer import platforms
from pydock_installer.absence import legacy
from pydock_installer.absence.roots import mounted_below, seen_elsewhere, why_not
from pydock_installer.absence.thing import Consents, Thing, value
from pydock_installer.absence.things import has_data, shared, things
from pydock_installer.checks import privilege
from pydock_installer.checks.rule import Context
from pydock_installer.model import Facts, Finding, Host, HostPlan, Known, Severity, Step, Traces, Unknown
from pydock_installer.model.traces import Root
from pydock_installer.settings import Settings

REASONS = {
    "stop": "it runs, or starts at boot",
    "packages": "installed",
    "network": "links of Docker's own",
    "firewall": "Docker's own; rules of others stay as they are",
    "data": "you asked for it; it cannot be brought back",
    "config": "you asked for it",
    "system": "of no use without Docker",
}
VERBS = {
    "stop": "stop", "packages": "remove", "network": "delete", "firewall": "take out of the firewall",
    "data": "delete the data in", "system": "clear away", "config": "delete",
}  # fmt: skip


def plan_absence(host: Host, facts: Facts, traces: Traces, consents: Consents) -> HostPlan:
    """The steps that take Docker off this host; none if there is nothing, or if a finding speaks against it."""
    known = platforms.lookup(facts.release.value) if isinstance(facts.release, Known) else None
    host = replace(host, interpreter=host.interpreter or (known.interpreter if known else None))
    right = replace(privilege(facts, Context(Settings(), known)), group="host")
    if right.severity in (Severity.BLOCKER, Severity.UNKNOWN):
        return HostPlan(host, facts, (replace(right, severity=Severity.BLOCKER),), traces=traces)
    unseen = _unseen(traces)
    if unseen:
        return HostPlan(host, facts, (unseen,), traces=traces)
    found = things(facts, traces, consents)
    old = legacy.is_legacy(facts)
    steps = tuple(_steps(found, legacy.STEPS if old else tuple(VERBS)))
    findings = tuple(replace(f, group="uninstall") for f in _findings(facts, traces, consents))
    if not steps or any(f.severity is Severity.BLOCKER for f in findings):
        return HostPlan(host, facts, findings, traces=traces)
    told = _variables(traces, consents, shared(facts, traces))
    if old:
        # The role of release 6 takes the same words.
        told = {f"{legacy.ROLE}_{name}": entry for name, entry in told.items()}
        told[f"{legacy.ROLE}_packages"] = list(legacy.packages())
        return HostPlan(host, facts, findings, steps, told, role=legacy.ROLE, traces=traces)
    told = {f"docker_absent_{name}": entry for name, entry in told.items()}
    return HostPlan(host, facts, findings, steps, told, traces=traces)


def _steps(found: Sequence[Thing], order: Sequence[str]) -> Iterator[Step]:
    for name in order:
        going = [thing for thing in found if thing.step == name and not thing.stays]
        if any(not thing.along for thing in going):
            words = [thing.what for thing in going]
            more = f" and {len(words) - 8} more" if len(words) > 8 else ""
            yield Step(name, f"{VERBS[name]} {', '.join(words[:8])}{more}", REASONS[name])


def _variables(traces: Traces, consents: Consents, used_by: str) -> dict[str, Any]:
    names = platforms.package_names()
    extra = [*names.compilers, *names.tools]
    roots = [
        root.path
        for root in value(traces.roots, ())
        if has_data(root, traces) and not (used_by and root.kind == "containerd")
    ]
    return {
        "packages": list(names.dockers),
        "tools": extra if consents.with_tools else [],
        "keep": extra,
        "purge_data": consents.purge_data,
        "purge_config": consents.purge_config,
        "data_roots": roots if consents.purge_data else [],
        "follow_links": consents.follow_links,
        "foreign": consents.foreign,
    }


def _unseen(traces: Traces) -> Finding | None:
    """A part that could not be seen: whoever cannot see cannot show what is deleted."""
    parts = {
        "data": traces.roots, "volumes": traces.volumes, "mounts": traces.mounts, "containers": traces.containers,
        "firewall": traces.firewall, "files": traces.files,
    }  # fmt: skip
    for name, fact in parts.items():
        if isinstance(fact, Unknown):
            return Finding(
                "traces-unseen",
                Severity.BLOCKER,
                f"its {name} could not be seen: {fact.reason}",
                "Run it again; if it stays so, see on the host what hangs.",
                group="uninstall",
            )
    return None


# -- what speaks against it


def _findings(facts: Facts, traces: Traces, consents: Consents) -> Iterator[Finding]:
    copies = value(facts.engine_facts.copies, ())
    program = "/docker" if legacy.is_legacy(facts) else "/dockerd"
    strangers = [c for c in copies if c.snap or (c.owner is None and c.path.endswith(program))]
    if strangers and not consents.foreign:
        yield Finding(
            "foreign-docker",
            Severity.BLOCKER,
            f"this Docker came from no package: {strangers[0].path}",
            "Remove it as it was installed, or say that it may go: --foreign.",
        )
    needed = value(traces.needed, {})
    if needing := needed.get("engine", ()):
        yield Finding(
            "still-needed",
            Severity.BLOCKER,
            f"other packages need Docker's: {', '.join(needing[:5])}",
            "Remove them first, if nobody uses them any more (`yum remove NAME` on the host).",
        )
    state = value(facts.engine_facts.state, None)
    if state and state.swarm not in ("inactive", ""):
        yield Finding(
            "swarm",
            Severity.WARNING,
            "it is a node of a swarm, which loses it",
            "Take it out first: `docker node update --availability drain NODE`, then `docker swarm leave`.",
        )
    if used_by := shared(facts, traces):
        yield Finding(
            "containerd-shared",
            Severity.WARNING,
            f"{used_by} uses this containerd: it stays, with its data and settings",
            "Take that off first if all of it is to go.",
        )
    if consents.purge_data:
        for root in value(traces.roots, ()):
            if has_data(root, traces) and not (used_by and root.kind == "containerd"):
                yield from _about_root(root, traces, consents)


def _about_root(root: Root, traces: Traces, consents: Consents) -> Iterator[Finding]:
    mounts = value(traces.mounts, ())
    if root.state == "link" and not consents.follow_links:
        yield Finding(
            "data-root-link",
            Severity.BLOCKER,
            f"{root.path} is a link to {root.real}",
            "See that this is Docker's data, then say that the link may be followed: --follow-links.",
        )
    trusted = any(e["action"] == "purging" and e.get("root") == root.path for e in traces.journal)
    if reason := why_not(root.kind, root.real, root.entries, trusted):
        yield Finding(
            "data-root-foreign",
            Severity.BLOCKER,
            reason,
            "Move away what is not Docker's and run again, or leave the data in place (without --purge-data).",
        )
    if points := seen_elsewhere(root, mounts):
        yield Finding(
            "data-root-elsewhere",
            Severity.BLOCKER,
            f"data in {root.real} is mounted at {', '.join(points[:3])}, too",
            "Unmount it there first.",
        )
    if below := [m for m in mounted_below(root, mounts) if m.point.startswith(f"{root.real}/volumes/")]:
        yield Finding(
            "data-root-mounts",
            Severity.WARNING,
            f"{below[0].source} is mounted at {below[0].point}: it is unmounted, and its files stay",
            "Take it out of /etc/fstab, if it stands there.",
        )
