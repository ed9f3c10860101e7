"""The first stages of every command: ask each host once, judge what it says, see what it lacks."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from pydock_installer import epel, platforms, ssh
from pydock_installer.checks.fleet import fleet_findings
from pydock_installer.errors import UnreachableError
from pydock_installer.model import Facts, Finding, Host, HostPlan, Known, Plan, Severity
from pydock_installer.planner import Wishes, is_legacy, plan_host
from pydock_installer.probe import Questions, parse, probe_for
from pydock_installer.repository import candidates
from pydock_installer.repository_choice import Choice, choices
from pydock_installer.settings import Settings
from pydock_installer.workflows.request import Progress, Request

Seen = Mapping[str, Facts | UnreachableError]


def ssh_options(settings: Settings) -> ssh.SshOptions:
    """The settings of the SSH door."""
    chosen = settings.ssh
    return ssh.SshOptions(
        timeout=chosen.timeout,
        host_key_policy=chosen.host_key_policy,
        config=chosen.config,
        retries=chosen.retries,
    )


def look(
    request: Request,
    progress: Progress,
    preflight: bool = False,
    so_far: dict[str, Facts | UnreachableError] | None = None,
    questions: Questions | None = None,
    journal: bool = False,
) -> Seen:
    """Facts of every host, over one connection each; for hosts that cannot be reached, why.

    ``preflight`` asks everything also of hosts on which an engine runs already, ``journal`` instead what pydock did
    there, with the files it replaced. ``so_far`` fills up while it
    works, for those who want to know what an interrupted look has seen.
    """
    settings = request.settings
    options = ssh_options(settings)
    questions = questions or Questions(
        packages=platforms.package_names().all,
        mirrors=candidates(settings.repository),
        epel=epel.candidates(settings.legacy.epel),
        registries=settings.registry_mirrors,
        data_root=str(settings.daemon.get("data-root", "/var/lib/docker")),
        # Whether the base repositories are dead is a question of preflight.
        preflight=preflight or settings.repair_base_repositories,
        engines=_content_with(request),
        journal=journal,
        package_proxy=settings.package_proxy or "",
        # A version that was named must be there; the newest is.
        thorough=preflight or bool(_content_with(request)),
    )

    def ask(host: Host) -> Facts:
        probe = probe_for(host, questions)
        answer = ssh.run_script(host, options, probe.command, stdin=probe.stdin, time_limit=90)
        facts = replace(parse(answer.stdout, probe.nonce), seen_at=time.time())
        if not isinstance(facts.privilege, Known):
            said = answer.stderr.decode("utf-8", errors="replace").strip().splitlines()
            raise UnreachableError(
                "ssh-shell",
                f"{host.name} let us in, but its shell does not run commands"
                + (f": {said[-1][:200]}" if said else ""),
                "See that `ssh HOST uname -r` prints the kernel's release.",
            )
        return facts

    def done(host: Host, result: Facts | UnreachableError) -> None:
        if so_far is not None:
            so_far[host.name] = result
        if isinstance(result, UnreachableError):
            progress.host_done(host.name, False, result.message)
        else:
            progress.host_done(host.name, True, what_it_is(result))

    progress.stage(f"Looking at {count(len(request.hosts), 'host')}")
    return ssh.run_everywhere(request.hosts, ask, settings.forks, done)


def _content_with(request: Request) -> tuple[str, ...]:
    """The versions of docker-ce with which a host needs no second look; empty: whichever it has."""
    if request.wishes.upgrade:
        return ("newest",)
    version = request.settings.docker_version
    named = () if version == "latest" else (version,)
    return (*(request.wishes.lock.engines if request.wishes.lock else ()), *named)


def make_plan(request: Request, seen: Seen, wishes: Wishes | None = None) -> Plan:
    """What every host of the request lacks."""
    facts = {name: found for name, found in seen.items() if isinstance(found, Facts)}
    beside = fleet_findings(facts)
    # Release 6 has another repository, and does not count where a fleet agrees on one.
    chosen = choices({name: f for name, f in facts.items() if not is_legacy(f)}, request.settings)
    return Plan(
        tuple(
            _plan_one(
                host,
                seen[host.name],
                request,
                wishes or request.wishes,
                beside.get(host.name, ()),
                chosen.get(host.name),
            )
            for host in request.hosts
        )
    )


def _plan_one(
    host: Host,
    found: Facts | UnreachableError,
    request: Request,
    wishes: Wishes,
    beside: tuple[Finding, ...],
    choice: Choice | None,
) -> HostPlan:
    if isinstance(found, UnreachableError):
        finding = Finding(found.code, Severity.BLOCKER, found.message, found.hint, group="reach")
        return HostPlan(host, None, (finding,), unreachable=finding)
    return plan_host(host, found, request.settings, wishes, beside, choice)


def what_it_is(facts: Facts) -> str:
    """A host in a few words: release, kernel, architecture."""
    release = facts.release.value.pretty if isinstance(facts.release, Known) else "release unknown"
    rest = [fact.value for fact in (facts.kernel, facts.architecture) if isinstance(fact, Known)]
    return ", ".join([release, *(f"kernel {rest[0]}", *rest[1:])] if rest else [release])


def count(number: int, noun: str) -> str:
    """``1 host``, ``2 hosts``."""
    return f"{number} {noun}" + ("" if number == 1 else "s")
