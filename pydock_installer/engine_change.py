"""What becomes of a host's engine: from which version to which, and what stops on the way. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydock_installer import platforms
from pydock_installer.model import Facts, Known, Package, Unknown
from pydock_installer.platforms.versions import matches, version_key

#: One release of Docker: these have one version (the module docker_packages says the same).
SAME_VERSION = ("docker-ce", "docker-ce-cli", "docker-ce-rootless-extras")
#: Docker's packages restart the engine when one of these changes (docker-ce-packaging, %postun).
RESTARTING = ("docker-ce", "containerd.io")


@dataclass(frozen=True)
class EngineWish:
    """What is wanted of the engine on one host. ``pins`` (name to VERSION-RELEASE) count alone."""

    version: str = "latest"
    upgrade: bool = False
    pins: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    """Where the pins come from, for people."""


@dataclass(frozen=True)
class EngineChange:
    """What is to be done, why, and whether the engine that runs restarts for it."""

    sentence: str
    reason: str
    restarts: bool = True
    target: str = ""
    """The version that docker-ce gets; empty where nobody can tell."""


def engine_change(facts: Facts, wish: EngineWish) -> EngineChange | None:
    """The change that a host's engine needs; ``None`` if it is as wanted."""
    installed = _installed(facts)
    missing = [name for name in (wish.pins or platforms.package_names().engine) if name not in installed]
    if missing:
        what = wish.source or ("newest" if wish.version == "latest" else wish.version)
        restarts = any(name in RESTARTING for name in missing)
        return EngineChange(f"install {', '.join(missing)} ({what})", "not installed", restarts)
    if wish.pins:
        return _to_pins(installed, wish)
    versions = {name: installed[name].version for name in SAME_VERSION if name in installed}
    for name, version in versions.items():
        if not matches(version, wish.version):
            return _to_version(facts, versions, wish, f"{name} is {version}")
    if len(set(versions.values())) > 1 and not wish.upgrade:
        found = " and ".join(f"{name} {version}" for name, version in versions.items())
        engine = versions["docker-ce"]
        return EngineChange(f"bring engine and client to one version, {engine}", f"they are {found}", False)
    return _to_newest(facts, installed, wish) if wish.upgrade else None


def held_back(facts: Facts, version: str) -> str | None:
    """The line of versionlock's that keeps a version of docker-ce or its client out; ``None`` if none does."""
    locks = facts.package_facts.version_locks
    for name in SAME_VERSION[:2]:
        mine = [lock for lock in locks.value if lock.name == name] if isinstance(locks, Known) else []
        only = [lock for lock in mine if not lock.excluded]
        bad = [lock for lock in mine if lock.excluded and lock.version == version]
        bad += only if not any(lock.agrees(version) for lock in only) else []
        if bad:
            return f"{bad[0].file}, line {bad[0].line}"
    return None


def newest_there(facts: Facts, wanted: str) -> str | None:
    """The newest version that the mirror has of engine and client alike; ``None`` if that was not seen."""
    there = [version for version in versions_there(facts) if matches(version, wanted)]
    return max(there, key=version_key, default=None)


def versions_there(facts: Facts) -> tuple[str, ...]:
    """The versions that the mirror has of engine and client alike, as far as they were seen."""
    seen = facts.network.package_set
    if not isinstance(seen, Known):
        return ()
    engine, client = (set(seen.value.versions.get(name, ())) for name in SAME_VERSION[:2])
    return tuple(sorted(engine & client, key=version_key))


def _installed(facts: Facts) -> Mapping[str, Package]:
    packages = facts.packages.value if isinstance(facts.packages, Known) else {}
    return {name: entries[0] for name, entries in packages.items()}


def _to_pins(installed: Mapping[str, Package], wish: EngineWish) -> EngineChange | None:
    found = {name: f"{installed[name].version}-{installed[name].release}" for name in wish.pins}
    differing = [name for name, pin in wish.pins.items() if found[name] != pin]
    if not differing:
        return None
    before, after = installed["docker-ce"].version, wish.pins["docker-ce"].partition("-")[0]
    moves = ", ".join(f"{name} from {found[name]} to {wish.pins[name]}" for name in differing)
    return EngineChange(
        f"bring {moves}",
        f"{wish.source} has them{_caution(before, after)}",
        any(name in RESTARTING for name in differing),
        after,
    )


def _to_version(facts: Facts, versions: Mapping[str, str], wish: EngineWish, reason: str) -> EngineChange:
    before, after = versions["docker-ce"], newest_there(facts, wish.version) or wish.version
    if matches(before, wish.version) and not wish.upgrade:
        # The engine itself may stay: what does not fit follows it.
        return EngineChange(f"bring Docker to {before}", reason, False)
    return EngineChange(_move(before, after), f"{reason}{_caution(before, after)}", before != after, after)


def _to_newest(facts: Facts, installed: Mapping[str, Package], wish: EngineWish) -> EngineChange | None:
    before = installed["docker-ce"].version
    seen = facts.network.package_set
    if not isinstance(seen, Known):
        why = f": {seen.reason}" if isinstance(seen, Unknown) else ""
        return EngineChange(
            f"upgrade Docker from {before}, if there is a newer one", f"what there is could not be seen{why}"
        )
    there = [v for v in versions_there(facts) if matches(v, wish.version) and not held_back(facts, v)]
    after = max([*there, before], key=version_key)
    moves = {name: after for name in SAME_VERSION if name in installed and installed[name].version != after}
    for name in platforms.package_names().all:
        has = () if name in SAME_VERSION else seen.value.versions.get(name, ())
        if name in installed and has:
            newest = max(has, key=version_key)
            if version_key(newest) > version_key(installed[name].version):
                moves[name] = newest
    if not moves:
        return None
    others = ", ".join(
        f"{name} from {installed[name].version} to {version}"
        for name, version in moves.items()
        if "docker-ce" not in moves or name not in SAME_VERSION
    )
    sentence = _move(before, after) if "docker-ce" in moves else "upgrade"
    sentence += (", " if "docker-ce" in moves and others else " " if others else "") + others
    restarts = any(name in RESTARTING for name in moves)
    return EngineChange(sentence, "--upgrade asks for the newest", restarts, after)


def _move(before: str, after: str) -> str:
    word = "upgrade" if _newer(after, before) else "downgrade"
    return f"{word} Docker from {before} to {after}"


def _newer(one: str, other: str) -> bool:
    """Whether ``26`` is newer than ``20.10.23``: as far as both go."""
    parts = min(one.count("."), other.count(".")) + 1
    return version_key(".".join(one.split(".")[:parts])) > version_key(".".join(other.split(".")[:parts]))


def _caution(before: str, after: str) -> str:
    """An engine reads what older ones wrote, not always what newer ones did (29 keeps images with containerd)."""
    if version_key(after.partition(".")[0]) < version_key(before.partition(".")[0]):
        return "; an older major version may not read the images and containers of the newer one"
    return ""
