"""A change of registry mirrors, host by host: what there is, what is to be, and what is in the way. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from pydock_installer import checks, daemon_json, planner_legacy, platforms
from pydock_installer.checks.engine import flags
from pydock_installer.checks.rule import Context
from pydock_installer.model import Facts, Finding, Host, HostPlan, Known, Plan, Severity, Step, Unknown
from pydock_installer.model.mirror import MirrorAnswer
from pydock_installer.platforms import Platform
from pydock_installer.restart import restart
from pydock_installer.settings import Settings

KEY = "registry-mirrors"
#: The rules that a change of mirrors depends on.
RULES = (checks.privilege, checks.init_system, checks.engine.daemon_json)


@dataclass(frozen=True)
class MirrorWish:
    """``set``, ``add`` or ``remove``, and the addresses; ``every`` removes all there are."""

    action: str
    urls: tuple[str, ...] = ()
    every: bool = False

    def applied(self, present: Sequence[str]) -> tuple[str, ...]:
        """The mirrors that a host is to have, in order, if it has these."""
        given = dict.fromkeys(url.rstrip("/") for url in self.urls)
        if self.action == "set":
            return tuple(given)
        if self.action == "add":
            return tuple(dict.fromkeys([*(url.rstrip("/") for url in present), *given]))
        return () if self.every else tuple(url for url in present if url.rstrip("/") not in given)


def nowhere(plan: Plan, wish: MirrorWish) -> tuple[str, ...]:
    """Addresses to be taken away that no host has, as far as their files can be read."""
    there: set[str] = set()
    for facts in (entry.facts for entry in plan.hosts):
        with suppress(ValueError):
            there |= {url.rstrip("/") for url in mirrors_in_file(facts)} if facts else set()
    return tuple(url for url in wish.urls if url not in there) if wish.action == "remove" else ()


def plan_mirrors(
    host: Host, facts: Facts, wish: MirrorWish, settings: Settings, may_restart: bool
) -> HostPlan:
    """The steps of a host; none if it has what is wished for, or if something is in the way."""
    platform = platforms.lookup(facts.release.value) if isinstance(facts.release, Known) else None
    if platform and platform.legacy:
        return _plan_legacy(host, facts, wish, settings, platform, may_restart)
    host = replace(host, interpreter=host.interpreter or (platform.interpreter if platform else None))
    try:
        wanted = wish.applied(mirrors_in_file(facts))
    except ValueError:
        wanted = wish.urls  # The file is broken: a rule tells.
    context = Context(settings.model_copy(update={"registry_mirrors": wanted, "daemon": {}}), platform)
    found = [f for rule in RULES if (f := rule(facts, context)) and f.severity is not Severity.OK]
    found += [f for f in (_no_engine(facts), _by_flag(facts), _refusal(facts, wanted)) if f]
    if any(checks.blockers(tuple(found))):
        return HostPlan(host, facts, tuple(found))
    change = daemon_json.change(_text(facts), {KEY: list(wanted)})
    if not wanted and KEY not in daemon_json.parse(_text(facts)) and not _in_effect(facts):
        return HostPlan(host, facts, tuple(found))  # It has none: an empty list would say nothing new.
    due = None if may_restart else restart(facts, {KEY: list(wanted)}, None)
    return HostPlan(
        host,
        facts,
        tuple(found),
        _steps(facts, change, wanted),
        {
            "docker_daemon_settings": {KEY: list(wanted)},
            "docker_daemon_restart": may_restart,
            "docker_daemon_enable": False,
        },
        stops=f"{due.who} would stop: {due.reason}" if due and due.stops else "",
        diff=change.diff,
    )


def _plan_legacy(
    host: Host, facts: Facts, wish: MirrorWish, settings: Settings, platform: Platform, may_restart: bool
) -> HostPlan:
    """Release 6 has its mirrors in other_args of /etc/sysconfig/docker, where a change takes a restart."""
    context = Context(settings, platform)
    found = tuple(
        f
        for f in (checks.privilege(facts, context), _no_engine(facts))
        if f and f.severity is not Severity.OK
    )
    if any(checks.blockers(found)):
        return HostPlan(host, facts, found)
    try:
        wanted = wish.applied(planner_legacy.present_mirrors(facts))
    except ValueError as problem:
        return HostPlan(host, facts, (*found, planner_legacy.refusal(str(problem))))
    return planner_legacy.plan_mirrors(host, facts, found, wanted, settings, may_restart)


def _steps(facts: Facts, change: daemon_json.Change, wanted: Sequence[str]) -> tuple[Step, ...]:
    steps = []
    if change.keys:
        sentence = f"set {KEY} in {daemon_json.FILE} to {', '.join(wanted) or 'none'}"
        there = facts.daemon_json is not None
        steps.append(Step("settings", sentence, f"{KEY} differs" if there else "there is no such file"))
    used = _in_effect(facts)
    if change.keys or daemon_json.normal_mirrors(wanted) != daemon_json.normal_mirrors(used):
        steps.append(
            Step("service", "have docker reload its settings", f"in effect are {', '.join(used) or 'none'}")
        )
    return tuple(steps)


def wanted_mirrors(entry: HostPlan) -> tuple[str, ...]:
    """What a planned host will have; of one without steps, what its engine uses."""
    if entry.steps and entry.role:
        return tuple(entry.variables["docker_legacy_registry_mirrors"])
    settings = entry.variables.get("docker_daemon_settings") if entry.steps else None
    if settings is None:
        return _in_effect(entry.facts) if entry.facts else ()
    return tuple(settings[KEY])


def untested(entry: HostPlan) -> tuple[str, ...]:
    """Addresses that a host would get and does not use yet."""
    used = _in_effect(entry.facts) if entry.facts else ()
    return tuple(url for url in wanted_mirrors(entry) if url.rstrip("/") not in used) if entry.steps else ()


def judged(entry: HostPlan, answers: Sequence[MirrorAnswer]) -> HostPlan:
    """The plan of a host after its new mirrors were asked: blocked if one of them cannot be used there."""
    found = {answer.url.rstrip("/"): answer for answer in answers}
    bad = [found[url.rstrip("/")] for url in untested(entry) if url.rstrip("/") in found]
    findings = tuple(_useless(answer) for answer in bad if not answer.usable)
    return (
        replace(entry, findings=(*entry.findings, *findings), steps=(), diff="", stops="")
        if findings
        else entry
    )


def none_usable(entry: HostPlan, answers: Sequence[MirrorAnswer], fleet: bool) -> HostPlan:
    """The plan of a host for which none of the shipped mirrors is left to choose from."""
    found = "; ".join(f"{answer.url} is {answer.state.value}" for answer in answers[:6]) or "none was asked"
    whom = "all hosts" if fleet and any(answer.usable for answer in answers) else "this host"
    hint = "Pass --per-host, to choose for each host. " if whom == "all hosts" else ""
    finding = Finding(
        "registry-mirror",
        Severity.BLOCKER,
        f"no mirror of the shipped list serves {whom} ({found})",
        f"{hint}`pydock mirror test` tells why; an address of your own is set with `pydock mirror set URL`.",
        group="network",
    )
    return replace(entry, findings=(*entry.findings, finding), steps=(), diff="", stops="")


def _useless(answer: MirrorAnswer) -> Finding:
    detail = f": {answer.detail}" if answer.detail else ""
    remedy = answer.remedy or "Choose another (`pydock mirror test` ranks those that are known)."
    return Finding(
        "registry-mirror",
        Severity.BLOCKER,
        f"{answer.url} cannot be used from here, it is {answer.state.value}{detail}",
        f"{remedy} --force sets it untested.",
        group="network",
    )


def mirrors_in_file(facts: Facts) -> tuple[str, ...]:
    """What daemon.json lists, or release 6's options. Raises ValueError if it cannot be read."""
    if facts.legacy.options is not None:
        return planner_legacy.present_mirrors(facts)
    listed = daemon_json.parse(_text(facts)).get(KEY) or []
    if not isinstance(listed, list) or not all(isinstance(entry, str) for entry in listed):
        raise ValueError(f"{KEY} is no list of texts")
    return tuple(listed)


def _text(facts: Facts) -> str:
    if isinstance(facts.daemon_json, Unknown):
        raise ValueError(facts.daemon_json.reason)
    return facts.daemon_json.value if facts.daemon_json else ""


def _in_effect(facts: Facts) -> tuple[str, ...]:
    used = facts.engine.value.registry_mirrors if isinstance(facts.engine, Known) else ()
    return tuple(url.rstrip("/") for url in used)


def _no_engine(facts: Facts) -> Finding | None:
    if isinstance(facts.engine, Known):
        return None
    start = "`pydock install HOST` starts it; then run this again."
    if facts.service is None:
        message, remedy = (
            "no Docker is installed here",
            "`pydock install --registry-mirror URL HOST` installs it with its mirrors.",
        )
    elif isinstance(facts.service, Known) and facts.service.value.active != "active":
        message, remedy = f"Docker does not run, it is {facts.service.value.active}", start
    else:
        reason = facts.engine.reason if isinstance(facts.engine, Unknown) else "it does not answer"
        message, remedy = f"the engine cannot be asked: {reason}", start
    return Finding("no-engine", Severity.BLOCKER, message, remedy, group="engine")


def _by_flag(facts: Facts) -> Finding | None:
    word = flags(facts).get(KEY)
    if word is None:
        return None
    return Finding(
        "daemon-json",
        Severity.BLOCKER,
        f"the mirrors of this host are set by --registry-mirror in {word.path}, and the engine does not start with "
        "both flag and file",
        f"Take the flag out of {word.path}, run `systemctl daemon-reload` and restart docker when containers may "
        "stop; then run this again.",
        group="engine",
    )


def _refusal(facts: Facts, wanted: Sequence[str]) -> Finding | None:
    version = facts.engine.value.server if isinstance(facts.engine, Known) else None
    reason = daemon_json.refusal({KEY: list(wanted)}, version)
    if reason is None:
        return None
    return Finding(
        "settings-refused",
        Severity.BLOCKER,
        reason,
        "Use an address that this engine accepts.",
        group="engine",
    )


def line_for_settings(lists: Mapping[str, tuple[str, ...]], settings: Settings) -> str | None:
    """What to tell about a pydock.yml whose mirrors the next install would put back; ``None`` if it has none.

    ``lists`` are the mirrors of each host after the change.
    """
    asked = settings.registry_mirrors
    found = {daemon_json.normal_mirrors(urls): urls for urls in lists.values()}
    if not asked or set(found) <= {daemon_json.normal_mirrors(asked)}:
        return None
    start = "The settings (pydock.yml) have other registry_mirrors, and the next `pydock install` would put them back. "
    if len(found) > 1:
        return f"{start}Take registry_mirrors out of them, or give each host its own settings file."
    (urls,) = found.values()
    return f"{start}Write into them:  registry_mirrors: [{', '.join(url.rstrip('/') for url in urls)}]"
