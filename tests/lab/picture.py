"""What a host is like, in words that can be compared: files, packages, links, rules, units, groups, processes, mounts."""

from __future__ import annotations

import re
from collections.abc import Collection

from tests.lab.host import Host

Picture = dict[str, Collection[str]]


def out(host: Host, command: str) -> str:
    """What a command prints, however it ends."""
    return host.run(command, check=False).stdout


def rules(host: Host) -> list[str]:
    """What the packet filters say, without counters, comments, policies and tables in which there is nothing."""
    text = out(host, "iptables-save; echo '#6'; ip6tables-save; echo '#legacy'; iptables-legacy-save 2>/dev/null")
    kept = [line for line in text.splitlines() if line.startswith(("-A", "*", "#6", "#legacy"))]
    return [line for line, after in zip(kept, [*kept[1:], "#"], strict=True) if line[0] == "-" or (line[0] == "*" and after[0] == "-")]


def picture(host: Host) -> Picture:
    """Everything that an uninstallation could leave behind or take away, in words that can be compared."""
    noise = (
        r"^/(proc|sys|dev|tmp|run/(systemd|lock|log|user|utmp|sshd|dbus|udev|initctl|motd|mount|sudo|shm|credentials)|"
        r"var/(log|tmp|cache|lib/(rpm|dnf|yum|systemd|private|dbus|apt|dpkg))|root/\.|usr/lib/sysimage|etc/(mtab|resolv\.conf|hosts|hostname|ld\.so\.cache))(/|$)"
    )
    # The lab's own: directories that its RPMs do not own; a file of its base that its docker-ce has, too; and /var/lib/docker is a mount point there, whose mode
    # the engine sets.
    noise += r"|^/(usr/bin/tini-static|var/lib/docker|var/lib/containerd)[[:space:]]"
    files = out(host, f"find / -xdev -printf '%p\\t%y\\t%m\\t%u:%g\\n' 2>/dev/null | grep -vE '{noise}' | sort; "
                      "find /run -xdev -maxdepth 2 2>/dev/null | grep -E 'docker|containerd'; find /var/lib/docker /var/lib/containerd -mindepth 1 2>/dev/null")  # fmt: skip
    return {
        "files": {line for line in files.splitlines() if not re.match(r"/(usr|lib|var/lib)/[^\t]*\td\t", line)},
        "packages": set(out(host, "rpm -qa").splitlines()),
        "keys": set(out(host, "rpm -q gpg-pubkey").splitlines()),
        "links": set(re.findall(r"^\d+: ([\w.-]+)", out(host, "ip -o link"), re.MULTILINE)),
        "rules": rules(host),
        "policies": set(re.findall(r"^(:FORWARD \w+)", out(host, "iptables-save -t filter"), re.MULTILINE)),
        "units": set(out(host, "systemctl list-unit-files --no-legend --plain | awk '{print $1, $2}'; systemctl --failed --no-legend --plain").splitlines()),
        "groups": set(out(host, "getent group; getent passwd").splitlines()),
        "processes": set(out(host, "ps -e -o comm=").split()) - {"ps", "sh", "sshd", "sftp-server", "sudo", "(sd-pam)", "systemd-userwor"},
        "mounts": set(out(host, "cut -d ' ' -f 5 /proc/self/mountinfo").split()),
        "forwarding": out(host, "cat /proc/sys/net/ipv4/ip_forward").split(),
        "passwd": out(host, "cat /etc/passwd /etc/group /etc/subuid /etc/fstab 2>/dev/null | sort").splitlines(),
    }


def difference(before: Picture, after: Picture) -> dict[str, tuple[list[str], list[str]]]:
    """By kind, what is gone and what is new."""
    return {
        what: (sorted(set(before[what]) - set(after[what])), sorted(set(after[what]) - set(before[what])))
        for what in before
        if before[what] != after[what]
    }
