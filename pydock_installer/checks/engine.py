"""Rules about a Docker that is there already, and about what would fight with it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydock_installer import daemon_json as daemon_file
from pydock_installer import engine_proxy as proxy
from pydock_installer import platforms
from pydock_installer.checks.rule import Context, Rule, blocker, ok, unknown, warning
from pydock_installer.model import NOT_ASKED, Facts, Finding, Known, Unknown
from pydock_installer.model.groups.engine import Copy, Word
from pydock_installer.restart import restart
from pydock_installer.settings import daemon_keys
from pydock_installer.suggest import hint

FILE = daemon_file.FILE
UNIT = "docker.service"
#: ExecStart of the unit in docker-ce (the same in 26.1, 28.5 and 29.7), for hosts that will get it.
PACKAGED = tuple(
    Word(text, "docker-ce's docker.service")
    for text in ("/usr/bin/dockerd", "-H", "fd://", "--containerd=/run/containerd/containerd.sock")
)


def docker_origin(facts: Facts, context: Context) -> Finding | None:
    """A docker command or engine that is there is docker-ce's, or goes when docker-ce comes."""
    code, seen = "docker-origin", facts.engine_facts.copies
    if seen == NOT_ASKED:
        return None
    if not isinstance(seen, Known):
        return unknown(code, "where docker comes from", seen, "See `command -v docker dockerd` on the host.")
    names, installed = platforms.package_names(), _installed(facts)
    engine = context.platform.engine if context.platform else "docker-ce"
    known = {engine, *names.engine, *names.plugins, *names.obsolete, *names.podman}
    foreign = [copy for copy in seen.value if copy.snap or copy.owner is None]
    engines = [c for c in foreign if c.running or c.snap or c.path.endswith("/dockerd")]
    if fighting := [c for c in engines if c.running or "docker-ce" not in installed]:
        return blocker(code, f"a Docker that no package knows: {_paths(fighting)}", _removal(fighting[0]))
    strangers = {c.owner.value: c for c in seen.value if isinstance(c.owner, Known) and not c.snap}
    if others := [name for name in strangers if name not in known]:
        return blocker(
            code,
            f"{strangers[others[0]].path} belongs to the package {others[0]}, which cannot stay beside {engine}",
            f"Remove it first, if nothing needs it: `yum remove {others[0]}`; or leave this host alone.",
        )
    if foreign:
        return warning(
            code,
            f"{_paths(foreign)} belongs to no package and may hide docker-ce's command",
            f"See what it is, and move it away: `mv {foreign[0].path} {foreign[0].path}.old`.",
        )
    if unseen := [copy for copy in seen.value if isinstance(copy.owner, Unknown)]:
        return unknown(
            code, f"whose {unseen[0].path} is", Unknown("rpm does not tell"), "See `rpm -qf` on the host."
        )
    if old := sorted(name for name in strangers if name in names.obsolete):
        return ok(code, f"{', '.join(old)} of the distribution, which {engine} replaces")
    return ok(code, ", ".join(sorted(strangers)) or "no Docker yet")


def _paths(copies: Sequence[Copy]) -> str:
    return ", ".join(dict.fromkeys(copy.path for copy in copies))


def _removal(copy: Copy) -> str:
    if copy.snap:
        return "Take it away first: `snap remove docker` (images and volumes go with it); or leave this host alone."
    directory = copy.path.rpartition("/")[0]
    return (
        "Take it away first: stop its service (`systemctl disable --now docker`, or kill it), then "
        f"remove docker, dockerd, docker-init, docker-proxy, containerd, containerd-shim*, ctr and runc in {directory} "
        "and its unit in /etc/systemd/system; data in /var/lib/docker stays. Or leave this host alone."
    )


def unit_masked(facts: Facts, _: Context) -> Finding | None:
    """systemd may start docker."""
    code = "unit-masked"
    if not isinstance(facts.service, Known):
        return None
    if facts.service.value.enabled.startswith("masked"):
        return blocker(
            code, "docker.service is masked: systemd refuses to start it", "`systemctl unmask docker`"
        )
    return ok(code, "docker.service can be started")


def containers(facts: Facts, context: Context) -> Finding | None:
    """Nobody's containers stop unexpectedly."""
    code, seen = "containers", facts.engine
    if seen is None or seen == NOT_ASKED:
        return None
    if not isinstance(seen, Known):
        return unknown(code, "running containers", seen, "See what `docker ps` says on the host.")
    number = seen.value.containers_running
    if number <= 0:
        return ok(code, "none is running")
    running = "1 container runs" if number == 1 else f"{number} containers run"
    # Of release 6, legacy-options tells.
    legacy = context.platform is not None and context.platform.legacy
    version = context.settings.docker_version
    also = () if legacy else proxy.change(facts, context.settings.engine_proxy).due
    due = None if legacy else restart(facts, context.settings.daemon_settings(), version, also=also)
    if due is None:
        return ok(code, f"{running}, and nothing would stop them")
    if due.goes_on:
        return ok(code, f"{running}, and go on while the engine restarts (live-restore)")
    who = f" ({due.who})" if due.names else ""
    return warning(
        code,
        f"{running}{who} and will stop: {due.reason}",
        "Pass --restart when they may stop; those with a restart policy come back by themselves. To keep them "
        "running, install `live-restore: true` first, alone: that is reloaded.",
    )


def swarm(facts: Facts, context: Context) -> Finding | None:
    """A member of a swarm is told as such, and is given no setting that swarm forbids."""
    code, seen = "swarm", facts.engine_facts.state
    if seen is None or seen == NOT_ASKED:
        return None
    if not isinstance(seen, Known):
        return unknown(
            code, "whether the host is in a swarm", seen, "See what `docker info` says on the host."
        )
    if seen.value.swarm == "inactive":
        return ok(code, "not in a swarm")
    wanted = context.settings.daemon
    for key, value in (("live-restore", True), ("firewall-backend", "nftables")):
        if wanted.get(key) == value:
            return blocker(
                code,
                f"the host is in a swarm, and {key}: {json.dumps(value)} is incompatible with swarm mode",
                f"Take {key} out of the settings for this host; or leave the swarm: `docker swarm leave`.",
            )
    return warning(
        code,
        f"the host is in a swarm ({seen.value.swarm}): a restart of its engine moves services to other nodes",
        "Drain it first, from a manager: `docker node update --availability drain NODE`; afterwards `active`. "
        "Managers one at a time.",
    )


def kubernetes(facts: Facts, _: Context) -> Finding | None:
    """Docker does not take Kubernetes's container runtime away."""
    code, seen = "kubernetes", facts.engine_facts.kubernetes
    if seen is None or seen == NOT_ASKED:
        return None
    if not isinstance(seen, Known):
        return unknown(
            code, "whether Kubernetes runs here", seen, "See what `systemctl status kubelet` says."
        )
    found, active = seen.value, seen.value.active
    if not active and not found.joined:
        return ok(code, "not a member of a cluster")
    on_containerd = "kubelet" in active and (found.runtime or "").endswith("/run/containerd/containerd.sock")
    if on_containerd and isinstance(facts.packages, Known) and "containerd.io" not in facts.packages.value:
        return blocker(
            code,
            "kubelet runs its pods with the containerd of this host, which containerd.io would replace by one "
            "with its interface for Kubernetes switched off",
            "Leave this host alone; or take it out of its cluster first: `kubectl drain NODE "
            "--ignore-daemonsets`, then `kubeadm reset` on it.",
        )
    what = ", ".join(active) or "kubeadm's files in /etc/kubernetes"
    return warning(
        code,
        f"Kubernetes is here ({what}): both write iptables rules, and an update of containerd.io restarts its pods",
        "Drain the node before engine or containerd change: `kubectl drain NODE --ignore-daemonsets`.",
    )


def daemon_json(facts: Facts, context: Context) -> Finding | None:
    """The engine can read its settings, and nobody gives it the same one by a flag."""
    code = "daemon-json"
    if facts.daemon_json == NOT_ASKED or (context.platform and context.platform.legacy):
        return None
    present = _settings_of(facts)
    if isinstance(present, Unknown):
        return unknown(code, FILE, present, "Log in as root (-u root) or with sudo.")
    if isinstance(present, str):
        return blocker(
            code,
            f"{FILE} cannot be read by the engine: {present}",
            f"Correct it there, or move it away: `mv {FILE} {FILE}.old`.",
        )
    units = facts.engine_facts.unit_files
    given = flags(facts)
    wanted = context.settings.daemon_settings()
    given.pop("runtimes", None)  # Those of file and flags are merged.
    both = [(key, FILE, given[key]) for key in present if key in given]
    both += [(key, "pydock's settings", given[key]) for key in wanted if key in given and key not in present]
    if both:
        return blocker(
            code,
            "; ".join(
                f"{key} stands in {place} and as {_flag(word)} in {word.path}" for key, place, word in both
            )
            + ": the engine does not start with both",
            f"Take {_flag(both[0][2])} out of {both[0][2].path} and run `systemctl daemon-reload`, or take "
            f"{both[0][0]} out of {both[0][1]}.",
        )
    strange = [key for key in present if key not in daemon_keys()]
    if strange:
        return warning(
            code,
            f"{FILE} has {_shown(strange)}, which no engine that pydock knows accepts"
            + hint(strange[0], daemon_keys()),
            "An engine that does not know a key does not start: correct it or take it out.",
        )
    if isinstance(units, Unknown) and units != NOT_ASKED:
        return unknown(
            code, "docker's unit and its drop-ins", units, "See `systemctl cat docker` on the host."
        )
    return ok(code, "can be read" if isinstance(facts.daemon_json, Known) else "there is none yet")


def engine_proxy(facts: Facts, context: Context) -> Finding | None:
    """Nobody else sets the engine's proxy otherwise than the settings want it."""
    code, wanted = "engine-proxy", context.settings.engine_proxy
    if wanted is None or (context.platform and context.platform.legacy):
        return None
    others = facts.engine_facts.proxies
    if isinstance(others, Unknown):
        return unknown(
            code, "docker's unit and its drop-ins", others, "Log in as root (-u root) or with sudo."
        )
    if reason := proxy.change(facts, wanted).refusal:
        return blocker(
            code,
            reason,
            "Take it out there and run `systemctl daemon-reload`, or take engine_proxy out of pydock's settings.",
        )
    return ok(code, "set by nobody else" if not others else "nobody sets it otherwise")


def _shown(keys: Sequence[str]) -> str:
    """Keys that a host chose, a few of them, without control characters."""
    return ", ".join(json.dumps(key)[1:-1][:40] for key in keys[:5]) + (", ..." if len(keys) > 5 else "")


def _settings_of(facts: Facts) -> Mapping[str, Any] | str | Unknown:
    """daemon.json's keys, none if it is not there or empty; or, as a text, why the engine cannot read it."""
    file = facts.daemon_json
    if isinstance(file, Unknown):
        return file
    try:
        return daemon_file.parse(file.value if isinstance(file, Known) else "")
    except ValueError as problem:
        return str(problem)


def flags(facts: Facts) -> dict[str, Word]:
    """Keys of daemon.json that the engine is given as flags, with the flag and its file."""
    seen = facts.engine_facts.unit_files
    if not isinstance(seen, Known):
        return {}
    start: Sequence[Word] = PACKAGED
    for unit in seen.value:
        # A unit in /usr/lib is replaced by docker-ce's; one in /etc hides it.
        if (
            unit.path.endswith(f"/{UNIT}")
            and unit.path.startswith("/usr/")
            and "docker-ce" not in _installed(facts)
        ):
            continue
        if unit.start is not None:
            start = unit.start
    return {key: word for word in start if (key := daemon_file.flag_key(word.text))}


def _flag(word: Word) -> str:
    """The flag without its value, which may hold a password."""
    return word.text.partition("=")[0] if word.text.startswith("--") else word.text[:2]


def _installed(facts: Facts) -> Mapping[str, Any]:
    return facts.packages.value if isinstance(facts.packages, Known) else {}


def selinux(facts: Facts, context: Context) -> Finding | None:
    """SELinux may stay as it is: Docker works with it, if its policy is there."""
    code, seen = "selinux", facts.engine_facts.selinux
    if seen == NOT_ASKED:
        return None
    if not isinstance(seen, Known):
        return unknown(code, "SELinux's mode", seen, "See what `getenforce` says on the host.")
    mode, policy = seen.value.mode, seen.value.policy
    if mode == "enforcing" and not policy and "docker-ce" in _installed(facts):
        return warning(
            code,
            "enforcing, but container-selinux is missing beside docker-ce: containers run without their policy",
            "`yum install container-selinux`, then `systemctl restart docker`. SELinux need not be switched off.",
        )
    if mode == "disabled" and context.settings.daemon.get("selinux-enabled") is True:
        return warning(
            code,
            "disabled, although the settings want selinux-enabled",
            "Switch it on (SELINUX=permissive in /etc/selinux/config, `touch /.autorelabel`, reboot, then enforcing), "
            "or take selinux-enabled out of the settings.",
        )
    return ok(code, mode)


RULES: tuple[Rule, ...] = (
    docker_origin,
    unit_masked,
    daemon_json,
    engine_proxy,
    containers,
    swarm,
    kubernetes,
    selinux,
)
