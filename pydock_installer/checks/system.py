"""Rules about the machine and its kernel."""

from __future__ import annotations

import re

from pydock_installer.checks.rule import Context, Rule, blocker, ok, unknown, warning
from pydock_installer.model import NOT_ASKED, Facts, Finding, Known
from pydock_installer.model.groups.system import Cgroups

#: Seconds. A certificate's dates tolerate no skew at all; five minutes are what is usual elsewhere (Kerberos).
CLOCK_WARNING, CLOCK_BLOCKER = 60, 300

#: "Generally necessary" in moby's contrib/check-config.sh, whatever the version of kernel and cgroups.
NECESSARY = (
    "NAMESPACES", "NET_NS", "PID_NS", "IPC_NS", "UTS_NS", "CGROUPS", "CGROUP_SCHED", "KEYS", "VETH", "BRIDGE",
    "BRIDGE_NETFILTER", "NETFILTER_XT_MATCH_ADDRTYPE", "NETFILTER_XT_MATCH_CONNTRACK", "NF_NAT", "POSIX_MQUEUE",
)  # fmt: skip
#: Of the same list: the old iptables. Kernels of release 10 have none (moby#49020): there iptables is nftables's.
LEGACY_IPTABLES = ("IP_NF_FILTER", "IP_NF_MANGLE", "IP_NF_TARGET_MASQUERADE", "IP_NF_RAW", "IP_NF_NAT")
#: Of the same list: what cgroups of version 1 are made of, and the filter that version 2 needs for devices.
CGROUPS_1 = ("CGROUP_CPUACCT", "CGROUP_DEVICE", "CGROUP_FREEZER", "CPUSETS", "MEMCG")
CGROUPS_2 = ("CGROUP_BPF",)
#: Of the same list, with what does not work without; the engine starts all the same.
PARTIAL = {
    "IPv6 networks": (
        "IP6_NF_FILTER",
        "IP6_NF_MANGLE",
        "IP6_NF_TARGET_MASQUERADE",
        "IP6_NF_RAW",
        "IP6_NF_NAT",
    ),
    "swarm services": ("NETFILTER_XT_MATCH_IPVS", "NETFILTER_XT_MARK"),
}
#: Needed by kernels of the 3 series alone. The script asks later kernels, too, but release 8.3 took over
#: their removal into its 4.18 (gravitational/satellite#288).
OLD_KERNELS = ("NF_NAT_IPV4", "NF_NAT_NEEDED", "DEVPTS_MULTIPLE_INSTANCES")

#: The kernel from which on containers can use cgroups of version 2 (runc, docs/cgroup-v2.md).
CGROUPS_2_FLOOR = (4, 15)


def clock(facts: Facts, _: Context) -> Finding | None:
    """The host's clock is that of this machine."""
    code, seen = "clock", facts.system.clock
    if seen == NOT_ASKED or not facts.seen_at:
        return None
    if not isinstance(seen, Known):
        return unknown(code, "the clock", seen, "See what `date` says on the host.")
    skew = round(seen.value - facts.seen_at)
    if abs(skew) <= CLOCK_WARNING:
        return ok(code, "right")
    message = f"the clock is {_duration(abs(skew))} {'ahead' if skew > 0 else 'behind'}"
    remedy = (
        "Set it by the network: `yum install -y chrony; systemctl enable --now chronyd; chronyc makestep`. "
        "If many hosts are off by the same, it is this machine's clock that is wrong."
    )
    if abs(skew) > CLOCK_BLOCKER:
        return blocker(code, f"{message}: certificates will look expired or not yet valid", remedy)
    return warning(code, message, remedy)


def _duration(seconds: int) -> str:
    """``90 s``, ``12 min``, ``3 h``, ``40 days``."""
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def tmp_noexec(facts: Facts, _: Context) -> Finding | None:
    """Programs that unpack themselves may run from where they do so."""
    code, seen = "tmp-noexec", facts.system.tmp_options
    if seen == NOT_ASKED:
        return None
    if not isinstance(seen, Known):
        return unknown(code, "how /tmp is mounted", seen)
    found = [point for point, options in seen.value.items() if "noexec" in options]
    if not found:
        return ok(code, "programs may run from /tmp")
    where = " and ".join(found)
    return warning(
        code,
        f"noexec is set on {where}: Docker and pydock do not need it, but programs that unpack themselves there do "
        "(docker-compose 1, dracut, some scripts of packages)",
        f"If one of them fails with 'Permission denied' or 'failed to map segment': "
        f"`mount -o remount,exec {found[0]}`, then try again.",
    )


def kernel_config(facts: Facts, context: Context) -> Finding | None:
    """The kernel was built with what containers are made of."""
    code, seen = "kernel-config", facts.system.kernel_options
    if seen == NOT_ASKED or _before_systemd(context):
        return None
    if not isinstance(seen, Known):
        return unknown(
            code,
            "the kernel's configuration",
            seen,
            "Neither /proc/config.gz nor /boot/config-$(uname -r) can be read; the release's own kernel has it all.",
        )
    options = seen.value
    missing = [name for name in _necessary(facts, "NFT_COMPAT" in options) if name not in options]
    if missing:
        return blocker(
            code,
            f"the kernel was built without {', '.join(missing)}, which Docker needs",
            "Start the host with the kernel of its release: `yum install kernel`, choose it with "
            "`grubby --set-default /boot/vmlinuz-VERSION`, reboot.",
        )
    lame = [
        f"{what} ({', '.join(lacks)})"
        for what, names in PARTIAL.items()
        if (lacks := [name for name in names if name not in options])
        and not (what == "IPv6 networks" and "NFT_COMPAT" in options)
    ]
    if lame:
        return warning(
            code,
            f"the kernel was built without what is needed for {' and '.join(lame)}",
            "Nothing is to be done if you do not use that; otherwise start the host with the kernel of its release.",
        )
    return ok(code, "all that Docker needs")


def _necessary(facts: Facts, nftables: bool) -> list[str]:
    cgroups_seen = facts.system.cgroups
    version = cgroups_seen.value.version if isinstance(cgroups_seen, Known) else 0
    return [
        *NECESSARY,
        *(() if nftables else LEGACY_IPTABLES),
        *{1: CGROUPS_1, 2: CGROUPS_2}.get(version, ()),
        *(OLD_KERNELS if (0, 0) < _kernel(facts) < (4, 0) else ()),
    ]


def _kernel(facts: Facts) -> tuple[int, int]:
    """Major and minor version of the running kernel; zeros where they could not be seen."""
    found = re.match(r"(\d{1,4})\.(\d{1,4})", facts.kernel.value) if isinstance(facts.kernel, Known) else None
    return (int(found[1]), int(found[2])) if found else (0, 0)


def cgroups(facts: Facts, context: Context) -> Finding | None:
    """Control groups are there, with the controllers that containers are held by."""
    code, seen = "cgroups", facts.system.cgroups
    if seen == NOT_ASKED or _before_systemd(context):
        return None if seen == NOT_ASKED else _cgroups_before_systemd(code, seen)
    if seen is None:
        return blocker(
            code,
            "no control groups are mounted: there is no /sys/fs/cgroup",
            "Start the host with systemd as its init, which mounts them, and with the kernel of its release.",
        )
    if not isinstance(seen, Known):
        return unknown(code, "control groups", seen, "See what `mount -t cgroup,cgroup2` says on the host.")
    version, controllers = seen.value.version, seen.value.controllers
    if version == 1 and "devices" not in controllers:
        return blocker(
            code,
            "the controller of devices is not mounted, without which the engine does not start",
            "Take cgroup_disable out of the kernel's command line (`cat /proc/cmdline`, `grubby --update-kernel=ALL "
            "--remove-args=cgroup_disable`) and reboot.",
        )
    if version == 2 and (0, 0) < _kernel(facts) < CGROUPS_2_FLOOR:
        return blocker(
            code,
            "version 2 of control groups, which needs kernel 4.15 or newer",
            "Go back to version 1: `grubby --update-kernel=ALL --args=systemd.unified_cgroup_hierarchy=0`, reboot.",
        )
    missing = [name for name in ("cpu", "memory", "pids") if name not in controllers]
    if missing:
        return warning(
            code,
            f"control groups version {version} without {', '.join(missing)}: containers cannot be limited in that",
            "Take cgroup_disable out of the kernel's command line (`cat /proc/cmdline`) and reboot.",
        )
    if version == 1 and _engine_29_may_come(context):
        # docker info warns about it, and nothing has to be done yet (release notes of engine 29).
        return ok(code, "control groups version 1: deprecated from Docker 29 on, served until 2029 at least")
    return ok(code, f"control groups version {version}")


def _cgroups_before_systemd(code: str, seen: object) -> Finding:
    mounted = (
        isinstance(seen, Known) and isinstance(seen.value, Cgroups) and "devices" in seen.value.controllers
    )
    return ok(code, "mounted" if mounted else "not mounted yet: cgconfig does that before docker starts")


def _engine_29_may_come(context: Context) -> bool:
    wanted = context.settings.docker_version
    if wanted == "latest":
        return context.platform is not None and context.platform.newest is None
    major = wanted.partition(".")[0]
    return major.isdecimal() and int(major) >= 29


def init(facts: Facts, context: Context) -> Finding | None:
    """The host is a machine that was started with systemd."""
    code, seen = "init", facts.system.init
    if seen == NOT_ASKED:
        return None
    if not isinstance(seen, Known):
        return unknown(code, "what runs as process 1", seen, "Log in as root (-u root), or see `ps -p 1`.")
    found = seen.value
    if found.chroot:
        return blocker(
            code,
            "the login ends in a chroot: process 1 has another root directory",
            "Give the host itself in the inventory, or take ChrootDirectory out of its sshd_config for this user.",
        )
    if found.name != "systemd" and not _before_systemd(context):
        inside = f" (it is a container: {found.container})" if found.container else ""
        return blocker(
            code,
            f"process 1 is {found.name}, not systemd{inside}: services cannot be managed",
            "Start the machine with systemd as its init; a container, with an image that runs /usr/sbin/init.",
        )
    if found.container and isinstance(facts.engine, Known):
        return ok(code, f"a container ({found.container}) in which Docker runs")
    if found.container:
        return warning(
            code,
            f"the host is a container ({found.container}), not a machine",
            "Docker runs in it only if it is privileged, with control groups and iptables of its own. If you did not "
            "make it for that, install Docker on the machine that carries it.",
        )
    return ok(code, found.name)


def _before_systemd(context: Context) -> bool:
    """Release 6: its docker mounts control groups when it starts, and its list of kernel options is another."""
    return context.platform is not None and context.platform.service == "sysvinit"


RULES: tuple[Rule, ...] = (clock, init, kernel_config, cgroups, tmp_noexec)
