"""From facts to steps: what a host lacks, in the order in which it is done, and why. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydock_installer import checks, daemon_json, engine_proxy, planner_legacy, platforms
from pydock_installer.archive import archives, dead_files
from pydock_installer.checks.rule import Context
from pydock_installer.engine_change import (
    EngineChange,
    EngineWish,
    engine_change,
    held_back,
    newest_there,
)
from pydock_installer.lock import Lock
from pydock_installer.model import Facts, Finding, Host, HostPlan, Known, Severity, Step, Unknown
from pydock_installer.repository import KEY_FILE, REPOSITORY_FILE, Repository, is_managed, repository
from pydock_installer.repository_choice import Choice, choices
from pydock_installer.restart import Restart, restart
from pydock_installer.settings import BUILTIN_IMAGE, Settings

#: The steps that are one transaction of the package manager.
PACKAGE_STEPS = frozenset({"remove", "compilers", "tools", "engine"})


@dataclass(frozen=True)
class Wishes:
    """What the user wants beyond the settings, for this one command."""

    replace_podman: bool = False
    restart: bool = False
    """Whether running containers may be stopped by a restart of the engine."""
    upgrade: bool = False
    """Whether an engine that fits goes to the newest that fits all the same."""
    lock: Lock | None = None
    """The exact packages by release; counts instead of the settings' version."""
    verify: bool = False
    only_verify: bool = False


def plan_host(
    host: Host,
    facts: Facts,
    settings: Settings,
    wishes: Wishes,
    beside: tuple[Finding, ...] = (),
    choice: Choice | None = None,
) -> HostPlan:
    """The steps that this host lacks; none if a finding blocks it, be it one of ``beside``: those of the fleet.

    ``choice`` is its package mirror as the fleet has chosen; by default it chooses alone.
    """
    release = facts.release.value if isinstance(facts.release, Known) else None
    known = platforms.lookup(release) if release else None
    measure = platforms.nearest(release) if release else None
    judged = (checks.judge(finding, settings) for finding in beside)
    wish, beside_wish = _engine_wish(facts, settings, wishes, known)
    settings = settings.model_copy(update={"docker_version": wish.version})
    findings = (
        *(f for f in judged if f),
        *checks.findings(facts, Context(settings, measure)),
        *beside_wish,
    )
    # What stands in the way of an installation says nothing about a Docker that is there.
    holds = (f for f in checks.blockers(findings) if not wishes.only_verify or f.group == "host")
    if any(holds) or known is None or not known.path:
        return HostPlan(host, facts, findings)
    if known.legacy:
        return planner_legacy.plan(
            host,
            facts,
            settings,
            findings,
            verify=wishes.verify,
            only_verify=wishes.only_verify,
            restart=wishes.restart,
        )
    choice = choice or choices({host.name: facts}, settings)[host.name]
    chosen = repository(choice.name, known.path, settings.hold, settings.package_proxy or "")
    needs = _Needs(facts, settings, chosen, choice, known.path, wish, wishes)
    if wishes.only_verify:
        steps: tuple[Step, ...] = (_proof("you asked for it", settings.verify.image),)
        in_the_way: tuple[str, ...] = ()
    else:
        steps, in_the_way = needs.steps(wishes.verify), needs.podman()
    host = replace(host, interpreter=host.interpreter or known.interpreter)
    if in_the_way and not wishes.replace_podman:
        # The rule's warning says what would go; this says that it stays.
        others = (f for f in findings if (f.code, f.severity) != ("conflicting-packages", Severity.WARNING))
        findings = (*others, _podman(in_the_way))
        return HostPlan(host, facts, findings, consent=in_the_way)
    due = None if wishes.restart or wishes.only_verify else needs.restart()
    return HostPlan(
        host,
        facts,
        findings,
        steps,
        {**needs.variables(steps), "docker_daemon_restart": wishes.restart},
        consent=in_the_way,
        stops=f"{due.who} would stop: {due.reason}" if due and due.stops else "",
        diff=needs.diff(),
    )


def _engine_wish(
    facts: Facts, settings: Settings, wishes: Wishes, known: platforms.Platform | None
) -> tuple[EngineWish, tuple[Finding, ...]]:
    """What is wanted of a host's engine, and what a person should know about that."""
    version, lock = settings.docker_version, wishes.lock
    machine = facts.architecture.value if isinstance(facts.architecture, Known) else ""
    if lock and known and known.path:
        if pins := lock.pins(known.path, machine):
            return EngineWish(pins["docker-ce"].partition("-")[0], False, pins, lock.name), ()
        return EngineWish(version, wishes.upgrade), (
            Finding(
                "lock-file",
                Severity.WARNING,
                f"{lock.name} has nothing for {known.path}/{machine}: docker_version {version} counts there",
                "Once such hosts run what they should, `pydock lock` adds it.",
            ),
        )
    wish = EngineWish(version, wishes.upgrade)
    newest = newest_there(facts, version) if wishes.upgrade else None
    if newest and (place := held_back(facts, newest)):
        return wish, (
            Finding(
                "version-lock",
                Severity.WARNING,
                f"versionlock keeps Docker {newest} out ({place}): the upgrade goes as far as that allows",
                f"Take the line out of {place.partition(',')[0]} to go further.",
            ),
        )
    return wish, ()


def is_legacy(facts: Facts) -> bool:
    """Whether a host is of release 6."""
    found = platforms.nearest(facts.release.value) if isinstance(facts.release, Known) else None
    return found is not None and found.legacy


def _podman(names: tuple[str, ...]) -> Finding:
    return Finding(
        "podman",
        Severity.BLOCKER,
        f"{', '.join(names)} cannot stay beside Docker's containerd.io and client",
        "Pass --replace-podman to remove them; their images and containers stay in /var/lib/containers.",
    )


@dataclass(frozen=True)
class _Needs:
    """The difference between what a host is and what the settings want."""

    facts: Facts
    settings: Settings
    repository: Repository
    choice: Choice
    path: str
    wish: EngineWish
    wishes: Wishes

    @property
    def change(self) -> EngineChange | None:
        """What becomes of the engine."""
        return engine_change(self.facts, self.wish)

    def steps(self, verify: bool) -> tuple[Step, ...]:
        names = platforms.package_names()
        steps: list[Step] = []
        if step := self._base_step():
            steps.append(step)
        removed = (*self._present(names.obsolete), *self.podman())
        if removed:
            steps.append(Step("remove", f"remove {', '.join(removed)}", "conflicts with docker-ce"))
        if self.settings.compilers and (missing := self._missing(names.compilers)):
            steps.append(Step("compilers", f"install {' and '.join(missing)}", "not installed"))
        if missing := self._missing(names.tools):
            steps.append(Step("tools", f"install {', '.join(missing)}", "not installed"))
        if reason := self._repository_reason():
            host = self.repository.baseurl.split("/")[2]
            through = f" through {self.repository.proxy}" if self.repository.proxy else ""
            held = ", held" if self.repository.hold else ""
            sentence = f"set up the docker-ce repository of {host}{through}, its key pinned{held}"
            steps.append(Step("repository", sentence, "; ".join(filter(None, (reason, self.choice.why)))))
        engine = self._engine_step()
        settings, service = self._settings_step(), self._service_step(engine is not None)
        proxy = self.proxy.step
        steps.extend(step for step in (engine, settings, proxy, service) if step)
        if engine or settings or proxy or service:
            steps.append(_proof("the engine changes", self.settings.verify.image))
        elif not isinstance(self.facts.proof_record, Known):
            steps.append(_proof("it has not been proven yet", self.settings.verify.image))
        elif verify:
            steps.append(_proof("you asked for it", self.settings.verify.image))
        return tuple(steps)

    def podman(self) -> tuple[str, ...]:
        """Packages of podman's that cannot stay: all that lean on runc, or the docker command that is podman's."""
        present = self._present(platforms.package_names().podman)
        return present if "runc" in present else tuple(name for name in present if name == "podman-docker")

    def variables(self, steps: tuple[Step, ...]) -> Mapping[str, Any]:
        """What the roles are told: the whole wish, so that a run tree repeats by itself."""
        names, settings = platforms.package_names(), self.settings
        return {
            "docker_repositories_baseurl": self.repository.baseurl,
            "docker_repositories_key_url": self.repository.key_url,
            "docker_repositories_fingerprint": settings.repository_key,
            "docker_repositories_alternatives": [
                repository(name, self.path).baseurl for name in self.choice.others
            ],
            "docker_packages_alternatives": self._alternatives(),
            "docker_repositories_proxy": self.repository.proxy,
            "docker_repositories_archives": list(
                archives(self.facts, self.choice.name)
                if any(s.name == "base-repositories" for s in steps)
                else ()
            ),
            # A transaction right after it reads the metadata anyway.
            "docker_repositories_hold": self.repository.hold,
            "docker_repositories_makecache": not any(step.name in PACKAGE_STEPS for step in steps),
            "docker_packages_absent": [*names.obsolete, *self.podman()],
            "docker_packages_compilers": settings.compilers,
            "docker_packages_tools": list(names.tools),
            "docker_packages_engine": list(names.engine),
            "docker_packages_plugins": list(names.plugins),
            "docker_packages_version": self.wish.version,
            "docker_packages_upgrade": self.wish.upgrade,
            "docker_packages_versions": dict(self.wish.pins),
            "docker_packages_restart": self.wishes.restart,
            "docker_daemon_settings": settings.daemon_settings(),
            **engine_proxy.told(settings.engine_proxy),
            "docker_verify_image": settings.verify.image,
            "docker_verify_registry_mirrors": list(settings.registry_mirrors),
        }

    def _alternatives(self) -> list[str]:
        """Mirrors for packages that the chosen one does not hand out; with a mirror of one's own there are none."""
        if self.settings.repository != "auto" or self.choice.name not in platforms.mirrors():
            return []
        names = dict.fromkeys((self.choice.name, *(self.choice.others or platforms.mirrors())))
        return [repository(name, self.path).baseurl for name in names]

    def _present(self, names: tuple[str, ...]) -> tuple[str, ...]:
        packages = self.facts.packages
        return tuple(n for n in names if isinstance(packages, Known) and n in packages.value)

    def _missing(self, names: tuple[str, ...]) -> tuple[str, ...]:
        present = self._present(names)
        return tuple(name for name in names if name not in present)

    def _base_step(self) -> Step | None:
        """Only files whose servers were switched off: what answers stays as it is."""
        files = dead_files(self.facts) if self.settings.repair_base_repositories else ()
        if not files:
            return None
        names = ", ".join(file.rpartition("/")[2] for file in files)
        return Step(
            "base-repositories",
            f"point {names} in /etc/yum.repos.d to the archive of this release, the old files kept beside them",
            "the servers that they name were switched off when the release ended",
        )

    def _repository_reason(self) -> str | None:
        facts = self.facts
        if facts.repository_file is None:
            return "the host has none"
        present = facts.repository_file
        if not isinstance(present, Known):
            return f"{REPOSITORY_FILE} could not be read"
        if present.value != self.repository.content:
            if present.value == replace(self.repository, hold=not self.repository.hold).content:
                return (
                    "yum update still sees Docker's packages"
                    if self.repository.hold
                    else "it is held, and shall not be any more"
                )
            reason = f"{REPOSITORY_FILE} differs (the old file is kept beside it)"
            if re.search("^proxy", present.value, re.MULTILINE) and not self.repository.proxy:
                lost = "" if is_managed(present.value) else ": set package_proxy if it is needed"
                return f"{reason}, and its proxy goes{lost}"
            return reason
        key = self.settings.repository_key[-8:].lower()
        trusted = isinstance(facts.package_keys, Known) and key in facts.package_keys.value
        if not trusted or facts.repository_key is None:
            return f"rpm does not hold the key {key}, or {KEY_FILE} is missing"
        return None

    def _engine_step(self) -> Step | None:
        change = self.change
        return Step("engine", change.sentence, change.reason) if change else None

    def restart(self) -> Restart | None:
        """The restart of a running engine that is due for what is wanted."""
        change = self.change
        due = change if change and change.restarts else None
        return restart(self.facts, self.settings.daemon_settings(), None, due, also=self.proxy.due)

    @property
    def proxy(self) -> engine_proxy.ProxyChange:
        """What becomes of the drop-in with the engine's proxy."""
        return engine_proxy.change(self.facts, self.settings.engine_proxy)

    def diff(self) -> str:
        """How daemon.json and the drop-in would change; nothing where nobody can tell."""
        change = self._change()
        parts = (change.diff if isinstance(change, daemon_json.Change) else "", self.proxy.diff)
        return "\n".join(filter(None, parts))

    def _change(self) -> daemon_json.Change | str:
        """What the settings do to daemon.json; or why that cannot be said."""
        file = self.facts.daemon_json
        if isinstance(file, Unknown):
            return f"the file could not be read: {file.reason}"
        try:
            return daemon_json.change(file.value if file else "", self.settings.daemon_settings())
        except ValueError as problem:
            return f"the file is not valid JSON: {problem}"

    def _settings_step(self) -> Step | None:
        wanted = self.settings.daemon_settings()
        if not wanted:
            return None
        sentence = f"set {', '.join(wanted)} in {daemon_json.FILE}"
        change = self._change()
        if isinstance(change, str):
            return Step("settings", sentence, change)
        if self.facts.daemon_json is None:
            return Step("settings", sentence, "there is no such file")
        return Step("settings", sentence, f"{', '.join(change.keys)} differs") if change.keys else None

    def _service_step(self, engine_changes: bool) -> Step | None:
        service, engine = self.facts.service, self.facts.engine
        start = "start docker, and at every boot"
        if engine_changes and not isinstance(service, Known):
            return Step("service", start, "it is new")
        if not isinstance(service, Known):
            return Step("service", start, "systemd does not know it")
        if service.value.active != "active":
            return Step("service", start, f"it is {service.value.active}")
        if service.value.enabled != "enabled":
            return Step("service", start, f"at boot it is {service.value.enabled or 'not started'}")
        if not isinstance(engine, Known):
            # Without its client nobody could ask it.
            asked = not engine_changes
            return Step("service", "bring docker to answer", "it runs but does not answer") if asked else None
        if not engine_changes and (due := self.restart()):
            kept = ", containers go on meanwhile (live-restore)" if due.goes_on else ""
            return Step("service", "restart docker", due.reason + kept)
        mirrors = daemon_json.normal_mirrors(self.settings.registry_mirrors)
        if mirrors and mirrors != daemon_json.normal_mirrors(engine.value.registry_mirrors):
            reason = f"in effect are {', '.join(engine.value.registry_mirrors) or 'no mirrors'}"
            return Step("service", "have docker reload its settings", reason)
        return None


def _proof(reason: str, image: str) -> Step:
    what = "an image made on the spot" if image == BUILTIN_IMAGE else image
    return Step("proof", f"prove it: client, server, mirrors, {what}", reason)
