"""Rules about packages: what is in the way, and whether the package manager can bring what is needed."""

from __future__ import annotations

import re

from pydock_installer import platforms
from pydock_installer.checks import repositories
from pydock_installer.checks.repositories import RELATIVES, data, listed, unread
from pydock_installer.checks.rule import Context, Rule, blocker, ok, unknown, warning
from pydock_installer.model import NOT_ASKED, Facts, Finding, Known, Unknown
from pydock_installer.model.groups.packages import (
    PackagePattern,
    hidden,
)

ENGINE = ("docker-ce", "docker-ce-cli")


def conflicting_packages(facts: Facts, context: Context) -> Finding | None:
    """docker-ce conflicts with the distribution's engines, containerd.io with runc (specs of docker-ce-packaging)."""
    code, strangers = "conflicting-packages", facts.package_facts.strangers
    if strangers is None or strangers == NOT_ASKED:
        return None
    if not isinstance(strangers, Known) or not isinstance(facts.packages, Known):
        return unknown(code, "what is installed", strangers if isinstance(strangers, Unknown) else None)
    if isinstance(facts.package_facts.database_errors, Known) and facts.package_facts.database_errors.value:
        return unknown(code, "what is installed", Unknown("rpm's database is damaged"))
    engine = context.platform.engine if context.platform else "docker-ce"
    alien = [name for name in strangers.value if name not in data()["replaced"] and name != engine]
    if alien:
        return blocker(
            code,
            f"{listed(f'{name} {strangers.value[name]}' for name in alien)} cannot stay beside {engine}, and pydock "
            "does not remove what it does not know",
            f"If nobody needs it any more: `yum remove {' '.join(alien)}` on the host, then `pydock install HOST`; "
            "images and containers below /var/lib stay.",
        )
    names, installed = platforms.package_names(), facts.packages.value
    podman = [name for name in names.podman if name in installed]
    podman = podman if "runc" in podman else [name for name in podman if name == "podman-docker"]
    if podman:
        return warning(
            code,
            f"{listed(podman)} would go: Docker's containerd.io and client cannot stay beside them",
            "Pass --replace-podman to `pydock install` if nobody uses them; their images and containers stay in "
            "/var/lib/containers.",
        )
    if engine == "docker-io" and "docker" in installed:
        # moby v1.5.0, docs/sources/installation/centos.md: both bring /usr/bin/docker.
        return warning(
            code,
            "docker will be removed: on this release it is an application for the system tray, whose name is in "
            "docker-io's way",
            "If somebody uses it, leave this host alone. Otherwise nothing is to be done.",
        )
    if removed := [
        name for name in (*names.obsolete, *data()["replaced"]) if name in {**installed, **strangers.value}
    ]:
        return warning(
            code,
            f"{listed(removed)} will be removed: docker-ce and containerd.io take their place",
            "Containers of the old engine stop with it: move what is in use first (`docker ps` on the host). "
            "Then `pydock install HOST` does the rest; /var/lib/docker stays.",
        )
    return ok(code, "nothing is in Docker's way")


def package_lock(facts: Facts, _: Context) -> Finding | None:
    """yum 3 waits for its lock for ever, pydock for 300 s (docker_packages_lock_timeout)."""
    code, locks = "package-lock", facts.package_facts.locks
    if locks is None or locks == NOT_ASKED:
        return None
    if not isinstance(locks, Known):
        return unknown(code, "whether another package manager is at work", locks)
    if not locks.value:
        return ok(code, "nobody holds it")
    first = locks.value[0]
    manager = "rpm.lock" in first.file or re.search("yum|dnf|rpm|packagekit", first.command, re.IGNORECASE)
    stale = "" if manager else f" It is no package manager: the file is a left-over, `rm -f {first.file}`."
    return warning(
        code,
        f"process {first.pid} ({first.command or 'without a command line'}) holds {first.file}; pydock waits for it, "
        "5 minutes at most",
        f"Let it finish; `ps -fp {first.pid}` on the host shows it, PackageKit ends with `systemctl stop packagekit`."
        f"{stale}",
    )


def rpm_database(facts: Facts, _: Context) -> Finding | None:
    """A damaged database makes rpm say that nothing is installed, with status 1 and its complaint on stderr."""
    code, errors = "rpm-database", facts.package_facts.database_errors
    if errors is None or errors == NOT_ASKED:
        return None
    if not isinstance(errors, Known):
        return unknown(code, "rpm's database", errors)
    if not errors.value:
        return ok(code, "answers")
    if all("ermission denied" in error for error in errors.value):
        return unknown(code, "rpm's database", Unknown(errors.value[0]))
    return blocker(
        code,
        f"rpm's database does not answer: {errors.value[0]}",
        "On the host, in this order: `ps -ef | grep -E 'rpm|yum|dnf'` and let what runs finish or end it; "
        "`cp -a /var/lib/rpm /var/lib/rpm.copy`; `rm -f /var/lib/rpm/__db*`; `rpm --rebuilddb`; then `rpm -q rpm` must "
        "name a version. `df -h /var` shows whether a full disk was the cause.",
    )


def container_tools_module(facts: Facts, _: Context) -> Finding | None:
    """Release 8 has slirp4netns, fuse-overlayfs and container-selinux in a module (docker/docker-install#204)."""
    code, state = "container-tools-module", facts.package_facts.container_tools
    if state == NOT_ASKED or not isinstance(facts.release, Known):
        return None
    release = facts.release.value
    if release.major != "8" or release.id not in RELATIVES:
        return None
    if isinstance(state, Unknown):
        return unknown(code, "the module container-tools", state)
    if state is not None and state.value == "disabled":
        return blocker(
            code,
            "the module container-tools is disabled: container-selinux and slirp4netns, which Docker needs, are in it",
            "On the host: `dnf -y module enable container-tools`; then run again.",
        )
    return ok(code, "is not disabled")


def version_lock(facts: Facts, context: Context) -> Finding | None:
    """yum's and dnf's versionlock hides every other version of a package, without a word."""
    code, seen = "version-lock", facts.package_facts.version_locks
    if seen is None or seen == NOT_ASKED:
        return None
    if not isinstance(seen, Known):
        return unknown(code, "what is locked", seen)
    wanted = context.settings.docker_version
    kept = [lock for lock in seen.value if not lock.excluded]
    versions = [{lock.version for lock in kept if lock.name == name} for name in ENGINE]
    fine = {lock.name for lock in kept if lock.agrees(wanted)}
    if wanted == "latest":
        bad = [lock for lock in kept if lock.name in ENGINE] if versions[0] != versions[1] else []
    else:
        locks = [lock for lock in seen.value if lock.name in ENGINE]
        bad = [lock for lock in locks if (lock.version == wanted if lock.excluded else lock.name not in fine)]
    held = bad or kept
    if not held:
        return ok(code, "nothing of Docker's is locked")
    told = listed(f"{lock.name} {'not in' if lock.excluded else 'only in'} {lock.version}" for lock in held)
    free = f"take it out of {held[0].file}, line {held[0].line} (`yum versionlock list` shows all)"
    if not bad:
        return warning(
            code, f"versionlock lets in {told}", f"To get another version {free}; else leave it so."
        )
    return blocker(
        code,
        f"versionlock lets in {told}; wanted is {wanted}, engine and client alike",
        f"Name a version that is let in (`pydock install --docker-version VERSION HOST`), or {free}.",
    )


def excluded_packages(facts: Facts, context: Context) -> Finding | None:
    """``exclude`` hides packages: main's everywhere, a repository's in itself."""
    code, configuration = "excluded-packages", facts.package_facts.configuration
    if configuration is None or configuration == NOT_ASKED:
        return None
    if not isinstance(configuration, Known):
        return unknown(code, "what is excluded", configuration)
    found, names = configuration.value, platforms.package_names()
    installed = facts.packages.value if isinstance(facts.packages, Known) else {}
    own = [name for name in (*names.engine, *names.plugins) if name not in installed]
    system = [*(names.compilers if context.settings.compilers else ()), *names.tools]
    system = [name for name in system if name not in installed]
    system += [] if "docker-ce" in installed else data()["needed"]
    lines = hidden((*own, *system), found.excludes, found.includes)
    sources = [entry for entry in found.enabled if entry.part] or list(found.enabled)
    per_source = [hidden(system, entry.excludes, entry.includes) for entry in sources]
    every = {name for hits in per_source for name in hits if all(name in other for other in per_source)}
    lines |= {name: per_source[0][name] for name in every}
    if lines:
        return blocker(code, *_hidden(lines, "so that nothing can install it"))
    if partly := {n: p for entry in sources for n, p in hidden(system, entry.excludes, ()).items()}:
        return warning(code, *_hidden(partly, "and other repositories must have it"))
    if found.unread:
        return unread(code, found)
    return ok(code, "nothing that is needed is excluded")


def _hidden(lines: dict[str, PackagePattern], end: str) -> tuple[str, str]:
    places = listed(dict.fromkeys(f"{p.file}, line {p.line} (`{p.text}`)" for p in lines.values()))
    return (
        f"hidden by {places}: {listed(lines)}, {end}",
        f"Take the word out of that line on the host: {places}; then run again.",
    )


RULES: tuple[Rule, ...] = (
    conflicting_packages,
    *repositories.RULES,
    package_lock,
    rpm_database,
    container_tools_module,
    version_lock,
    excluded_packages,
)
