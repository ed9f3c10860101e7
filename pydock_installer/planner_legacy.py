"""From facts to steps on release 6, whose Docker is docker-io 1.7.1 from EPEL's archive. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any
from urllib.parse import urlsplit

from pydock_installer import archive, epel, legacy_options, platforms
from pydock_installer.model import Facts, Finding, Host, HostPlan, Known, Severity, Step, Unknown
from pydock_installer.restart import Restart
from pydock_installer.settings import Settings

ROLE = "docker_legacy"
ENGINE = "docker-io"
RESTART = "engine 1.7.1 takes other options at a restart alone"
#: Of all that docker-ce is in conflict with, this release has one: an application for the system tray.
IN_THE_WAY = ("docker",)


@dataclass(frozen=True)
class Options:
    """What /etc/sysconfig/docker says and is to say."""

    present: str
    wanted: str
    flags: Mapping[str, tuple[str, ...]]
    proxies: Mapping[str, str]
    """Variables that are to change."""

    @property
    def changes(self) -> tuple[str, ...]:
        """What changes in the file, in words."""
        there = legacy_options.differing(self.present.split(), self.flags)
        return (*(f"--{name}" for name in there), *self.proxies)

    @property
    def diff(self) -> str:
        """How the file changes, as ``diff -u`` shows it; of a proxy's password nothing is known here."""
        pairs = [(legacy_options.VARIABLE, self.present, self.wanted)] if self.present != self.wanted else []
        before = [f'{name}="{old}"' for name, old, _ in pairs]
        after = [f'{name}="{new}"' for name, _, new in pairs]
        after += [f'export {name}="{value}"' for name, value in self.proxies.items()]
        file = legacy_options.FILE
        return "\n".join(unified_diff(before, after, file, file, lineterm="", n=0)) if self.changes else ""


def options(facts: Facts, settings: Mapping[str, Any]) -> Options:
    """Raises ValueError, with a sentence, where the settings cannot be had or the file cannot be read."""
    file = facts.legacy.options
    if isinstance(file, Unknown):
        raise ValueError(f"{legacy_options.FILE} could not be read: {file.reason}")
    text = file.value.text if file else ""
    flags = legacy_options.flags(settings)
    # What only a shell could tell matters where something is to change alone.
    present = (legacy_options.assigned(text) or "") if flags else ""
    proxies = {
        name: value
        for name, value in legacy_options.proxies(settings).items()
        if legacy_options.assigned(text, name) != value
    }
    return Options(present, legacy_options.merged(present, flags), flags, proxies)


def plan(
    host: Host,
    facts: Facts,
    settings: Settings,
    findings: tuple[Finding, ...],
    *,
    verify: bool = False,
    only_verify: bool = False,
    restart: bool = False,
) -> HostPlan:
    """The steps that a host of release 6 lacks; none if its options cannot be what the settings say."""
    try:
        wanted = options(facts, settings.legacy_settings())
    except ValueError as problem:
        if only_verify:
            wanted = Options("", "", {}, {})
        else:
            return HostPlan(host, facts, (*findings, refusal(str(problem))))
    needs = _Needs(facts, settings, wanted)
    steps = (_proof("you asked for it"),) if only_verify else needs.steps(verify)
    only = "proof" if [step.name for step in steps] == ["proof"] else ""
    return HostPlan(
        host,
        facts,
        findings,
        steps,
        needs.variables(only, restart),
        role=ROLE,
        stops="" if restart else _stops(facts, steps),
        diff=wanted.diff if steps else "",
    )


def plan_mirrors(
    host: Host,
    facts: Facts,
    findings: tuple[Finding, ...],
    wanted: tuple[str, ...],
    settings: Settings,
    restart: bool,
) -> HostPlan:
    """The steps of a host that is to have these registry mirrors, and nothing else."""
    try:
        wished = options(facts, {"registry-mirrors": list(wanted)})
    except ValueError as problem:
        return HostPlan(host, facts, (*findings, refusal(str(problem))))
    steps: list[Step] = []
    if wished.changes:
        sentence = f"set --registry-mirror in {legacy_options.FILE} to {', '.join(wanted) or 'none'}"
        steps.append(Step("settings", sentence, "it differs"))
    if wished.changes or not in_effect(facts, wished):
        steps.append(Step("service", "restart docker", RESTART))
    needs = _Needs(facts, settings.model_copy(update={"registry_mirrors": wanted, "daemon": {}}), wished)
    return HostPlan(
        host,
        facts,
        findings,
        tuple(steps),
        needs.variables("settings", restart),
        role=ROLE,
        stops="" if restart else _stops(facts, steps),
        diff=wished.diff,
    )


def present_mirrors(facts: Facts) -> tuple[str, ...]:
    """What other_args names. Raises ValueError if it cannot be read."""
    wished = options(facts, {"registry-mirrors": []})
    flags = legacy_options.parsed(wished.present.split())
    return tuple(flag.value for flag in flags if flag.name == "registry-mirror")


def _stops(facts: Facts, steps: Iterable[Step]) -> str:
    """Which containers a restart would stop, and why."""
    engine = facts.engine
    running = engine.value.containers_running if isinstance(engine, Known) else 0
    if not running or not any(step.sentence == "restart docker" for step in steps):
        return ""
    seen = facts.legacy.containers
    names = seen.value if isinstance(seen, Known) else ()
    return f"{Restart(RESTART, running, names).who} would stop: {RESTART}"


def refusal(message: str) -> Finding:
    """The settings cannot be had from this engine."""
    return Finding(
        "legacy-options",
        Severity.BLOCKER,
        message,
        "Take it out of the settings for this host (a settings file of its own: -c FILE), or write "
        f"{legacy_options.FILE} on the host by hand; docs/centos6.md lists what there is.",
        group="engine",
    )


@dataclass(frozen=True)
class _Needs:
    """The difference between what a host is and what the settings want."""

    facts: Facts
    settings: Settings
    options: Options

    def steps(self, verify: bool) -> tuple[Step, ...]:
        steps: list[Step] = []
        if self.settings.repair_base_repositories and (files := archive.dead_files(self.facts)):
            names = ", ".join(file.rpartition("/")[2] for file in files)
            steps.append(
                Step(
                    "base-repositories",
                    f"point {names} in /etc/yum.repos.d to the archive of this release, the old files kept "
                    "beside them",
                    "the servers that they name were switched off when the release ended",
                )
            )
        engine = ENGINE not in self._installed()
        if engine and (reason := self._repository_reason()):
            server = urlsplit(self._epel()[0]).hostname
            steps.append(
                Step("repository", f"set up EPEL 6 of {server}, the archive, its key pinned", reason)
            )
        if removed := [name for name in IN_THE_WAY if name in self._installed()]:
            steps.append(
                Step(
                    "remove",
                    f"remove {', '.join(removed)}, on this release an application for the system tray",
                    f"{ENGINE} has a command of that name",
                )
            )
        compilers = [n for n in platforms.package_names().compilers if n not in self._installed()]
        if self.settings.compilers and compilers:
            steps.append(Step("compilers", f"install {' and '.join(compilers)}", "not installed"))
        if engine:
            steps.append(
                Step("engine", f"install {ENGINE} (1.7.1, the last for this release)", "not installed")
            )
        if changes := self.options.changes:
            there = isinstance(self.facts.legacy.options, Known)
            steps.append(
                Step(
                    "settings",
                    f"set {', '.join(changes)} in {legacy_options.FILE}",
                    "they differ" if there else "there is no such file yet",
                )
            )
        if service := self._service_step(engine, bool(changes)):
            steps.append(service)
        changing = engine or bool(changes) or service is not None
        reason = "the engine changes" if changing else "it has not been proven yet"
        if changing or not isinstance(self.facts.proof_record, Known):
            steps.append(_proof(reason))
        elif verify:
            steps.append(_proof("you asked for it"))
        return tuple(steps)

    def variables(self, only: str, restart: bool) -> Mapping[str, Any]:
        """What the role is told: the whole wish, so that a run tree repeats by itself."""
        settings, wished = self.settings, self.options
        repair = settings.repair_base_repositories and archive.dead_files(self.facts)
        return {
            "docker_legacy_only": only,
            "docker_legacy_archives": list(archive.archives(self.facts, "official")) if repair else [],
            "docker_legacy_epel": list(self._epel()),
            "docker_legacy_epel_key": settings.legacy.epel_key,
            "docker_legacy_absent": list(IN_THE_WAY),
            "docker_legacy_compilers": settings.compilers,
            "docker_legacy_other_args": wished.wanted if wished.flags else None,
            "docker_legacy_other_args_before": wished.present if wished.flags and self._file() else None,
            "docker_legacy_proxies": dict(legacy_options.proxies(settings.legacy_settings()))
            if not only
            else {},
            "docker_legacy_restart": restart,
            "docker_legacy_registry_mirrors": list(settings.registry_mirrors),
            "docker_legacy_image": settings.verify.image,
        }

    def _file(self) -> bool:
        return isinstance(self.facts.legacy.options, Known)

    def _installed(self) -> Mapping[str, Any]:
        return self.facts.packages.value if isinstance(self.facts.packages, Known) else {}

    def _epel(self) -> tuple[str, ...]:
        return epel.choose(self.settings.legacy.epel, self.facts)

    def _repository_reason(self) -> str | None:
        seen, legacy = self.facts, self.facts.legacy
        if legacy.repository_file is None:
            return "the host has none"
        if not isinstance(legacy.repository_file, Known):
            return f"{epel.FILE} could not be read"
        if legacy.repository_file.value != epel.content(self._epel()[0]):
            return f"{epel.FILE} differs (the old file is kept beside it)"
        key = self.settings.legacy.epel_key[-8:].lower()
        trusted = isinstance(seen.package_keys, Known) and key in seen.package_keys.value
        if not trusted or not isinstance(legacy.repository_key, Known):
            return f"rpm does not hold the key {key}, or {epel.KEY_FILE} is missing"
        return None

    def _service_step(self, new: bool, changes: bool) -> Step | None:
        service, engine, cgconfig = self.facts.service, self.facts.engine, self.facts.legacy.cgconfig
        start = "start docker, cgconfig before it, and at every boot"
        if not isinstance(service, Known):
            return Step("service", start, "it is new" if new else "there is no init script of it")
        if service.value.active != "active":
            return Step("service", start, f"it is {service.value.active}")
        if service.value.enabled != "enabled":
            return Step("service", start, "at boot it is not started")
        if isinstance(cgconfig, Known) and not cgconfig.value.at_boot:
            return Step("service", start, "at boot cgconfig is not started")
        if changes:
            return Step("service", "restart docker", RESTART)
        if not isinstance(engine, Known):
            return Step("service", "restart docker", "it runs but does not answer")
        if self.options.flags and not in_effect(self.facts, self.options):
            return Step(
                "service",
                "restart docker",
                f"it was started with other options than {legacy_options.FILE} has",
            )
        return None


def in_effect(facts: Facts, wished: Options) -> bool:
    """Whether the engine was started with what the file says; the role judges alike."""
    seen = facts.legacy.arguments
    words = seen.value if isinstance(seen, Known) else ()
    line = f" {' '.join(words)} "
    told = " ".join(wished.present.split())
    return f" {told} " in line or (not told and not legacy_options.differing(words, wished.flags))


def _proof(reason: str) -> Step:
    return Step(
        "proof", "prove it: client, server, mirrors, hello-world or an image made on the spot", reason
    )
