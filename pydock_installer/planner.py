"""From facts to steps: what a host lacks, in the order in which it is done, and why. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydock_installer import checks, planner_legacy, platforms
from pydock_installer.archive import archives, dead_files
from pydock_installer.checks.rule import Context
from pydock_installer.model import Facts, Finding, Host, HostPlan, Known, Severity, Step, Unknown
from pydock_installer.platforms.versions import matches
from pydock_installer.repository import KEY_FILE, REPOSITORY_FILE, Repository, is_managed, repository
from pydock_installer.repository_choice import Choice, choices
from pydock_installer.settings import Settings

#: The steps that are one transaction of the package manager.
PACKAGE_STEPS = frozenset({"remove", "compilers", "tools", "engine"})


@dataclass(frozen=True)
class Wishes:
    """What the user wants beyond the settings, for this one command."""

    replace_podman: bool = False
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
    findings = (*(f for f in judged if f), *checks.findings(facts, Context(settings, measure)))
    if any(checks.blockers(findings)) or known is None or not known.path:
        return HostPlan(host, facts, findings)
    if known.legacy:
        return planner_legacy.plan(
            host, facts, settings, findings, verify=wishes.verify, only_verify=wishes.only_verify
        )
    choice = choice or choices({host.name: facts}, settings)[host.name]
    chosen = repository(choice.name, known.path, settings.package_proxy or "")
    needs = _Needs(facts, settings, chosen, choice, known.path)
    if wishes.only_verify:
        steps: tuple[Step, ...] = (_proof("you asked for it"),)
        in_the_way: tuple[str, ...] = ()
    else:
        steps, in_the_way = needs.steps(wishes.verify), needs.podman()
    host = replace(host, interpreter=host.interpreter or known.interpreter)
    if in_the_way and not wishes.replace_podman:
        findings = (*findings, _podman(in_the_way))
        return HostPlan(host, facts, findings, consent=in_the_way)
    return HostPlan(host, facts, findings, steps, needs.variables(steps), consent=in_the_way)


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
            sentence = f"set up the docker-ce repository of {host}{through}, its key pinned"
            steps.append(Step("repository", sentence, "; ".join(filter(None, (reason, self.choice.why)))))
        engine = self._engine_step()
        settings, service = self._settings_step(), self._service_step(engine is not None)
        steps.extend(step for step in (engine, settings, service) if step)
        if engine or settings or service:
            steps.append(_proof("the engine changes"))
        elif not isinstance(self.facts.proof_record, Known):
            steps.append(_proof("it has not been proven yet"))
        elif verify:
            steps.append(_proof("you asked for it"))
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
            "docker_repositories_proxy": self.repository.proxy,
            "docker_repositories_archives": list(
                archives(self.facts, self.choice.name)
                if any(s.name == "base-repositories" for s in steps)
                else ()
            ),
            # A transaction right after it reads the metadata anyway.
            "docker_repositories_makecache": not any(step.name in PACKAGE_STEPS for step in steps),
            "docker_packages_absent": [*names.obsolete, *self.podman()],
            "docker_packages_compilers": settings.compilers,
            "docker_packages_tools": list(names.tools),
            "docker_packages_engine": list(names.engine),
            "docker_packages_plugins": list(names.plugins),
            "docker_packages_version": settings.docker_version,
            "docker_daemon_settings": settings.daemon_settings(),
            "docker_verify_image": settings.verify.image,
            "docker_verify_registry_mirrors": list(settings.registry_mirrors),
        }

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
        names, wanted = platforms.package_names(), self.settings.docker_version
        packages = self.facts.packages
        installed = packages.value if isinstance(packages, Known) else {}
        what = "newest" if wanted == "latest" else wanted
        if missing := self._missing(names.engine):
            return Step("engine", f"install {', '.join(missing)} ({what})", "not installed")
        versions = {name: installed[name][0].version for name in ("docker-ce", "docker-ce-cli")}
        for name, version in versions.items():
            if not matches(version, wanted):
                return Step("engine", f"bring Docker to {wanted}", f"{name} is {version}")
        if len(set(versions.values())) > 1:
            found = " and ".join(f"{name} {version}" for name, version in versions.items())
            return Step("engine", "bring engine and client to one version", f"they are {found}")
        return None

    def _settings_step(self) -> Step | None:
        wanted = self.settings.daemon_settings()
        if not wanted:
            return None
        sentence = f"set {', '.join(wanted)} in /etc/docker/daemon.json"
        if self.facts.daemon_json is None:
            return Step("settings", sentence, "there is no such file")
        if isinstance(self.facts.daemon_json, Unknown):
            return Step("settings", sentence, f"the file could not be read: {self.facts.daemon_json.reason}")
        try:
            present = json.loads(self.facts.daemon_json.value.lstrip("\ufeff").strip() or "{}")
        except (ValueError, RecursionError):
            return Step("settings", sentence, "the file is not valid JSON")
        present = present if isinstance(present, dict) else {}
        differing = [
            key for key in wanted if key not in present or not same_setting(key, present[key], wanted[key])
        ]
        return Step("settings", sentence, f"{', '.join(differing)} differs") if differing else None

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
        mirrors = normal_mirrors(self.settings.registry_mirrors)
        if mirrors and mirrors != normal_mirrors(engine.value.registry_mirrors):
            reason = f"in effect are {', '.join(engine.value.registry_mirrors) or 'no mirrors'}"
            return Step("service", "have docker reload its settings", reason)
        return None


def same_setting(key: str, present: Any, wanted: Any) -> bool:
    """Whether daemon.json says so already, as the role's module judges it: mirrors by what the engine makes of them."""
    if key == "registry-mirrors" and isinstance(present, list) and isinstance(wanted, list):
        return normal_mirrors(present) == normal_mirrors(wanted)
    # In JSON, 1 is not true.
    return json.dumps(present, sort_keys=True) == json.dumps(wanted, sort_keys=True)


def normal_mirrors(mirrors: Iterable[Any]) -> list[str]:
    """Addresses as the engine reports them: one trailing slash, no doubles."""
    return list(dict.fromkeys(str(mirror).rstrip("/") + "/" for mirror in mirrors))


def _proof(reason: str) -> Step:
    return Step("proof", "prove it: client, server, mirrors, hello-world", reason)
