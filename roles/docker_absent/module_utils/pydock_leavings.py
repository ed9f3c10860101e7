# -*- coding: utf-8 -*-
"""What Docker leaves behind besides its data: packages that came along, files, keys, the group."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import glob
import io
import os
import re
import tempfile

from ansible.module_utils.pydock_data import remove_tree, shown
from ansible.module_utils.pydock_engine import read
from ansible.module_utils.pydock_host import (
    GOES,
    JOURNAL,
    journal,
    package_name,
    packages_of,
    removed_packages,
    restorable,
    sums_of,
)

#: Docker's settings, and what says where its packages come from.
CONFIG = (
    "/etc/docker", "/etc/systemd/system/docker.service", "/etc/systemd/system/docker.socket",
    "/etc/systemd/system/docker.service.d", "/etc/systemd/system/docker.socket.d", "/etc/sysconfig/docker",
    "/etc/sysconfig/docker-storage", "/etc/sysconfig/docker-network", "/etc/sysconfig/docker*.rpmsave",
    "/etc/yum.repos.d/docker-ce.repo", "/etc/yum.repos.d/docker-ce.repo.*", "/etc/pki/rpm-gpg/RPM-GPG-KEY-docker-ce",
    "/var/cache/yum/*/*/docker-ce-*", "/var/cache/dnf/docker-ce-*",
)  # fmt: skip
CONTAINERD_CONFIG = (
    "/etc/containerd", "/etc/systemd/system/containerd.service", "/etc/systemd/system/containerd.service.d",
)  # fmt: skip
#: What a running engine makes, and links of units that are gone.
RUN = (
    "/run/docker", "/run/docker.sock", "/run/docker.pid", "/var/lib/pydock/proof.json",
    "/etc/systemd/system/multi-user.target.wants/docker.service",
    "/etc/systemd/system/sockets.target.wants/docker.socket",
)  # fmt: skip
CONTAINERD_RUN = ("/run/containerd", "/etc/systemd/system/multi-user.target.wants/containerd.service")
#: Directories that containerd makes at its start; they go if they are empty.
EMPTY = ("/opt/containerd/bin", "/opt/containerd/lib", "/opt/containerd")
#: What Ansible makes in root's home for its modules; it goes if it is empty. (This module asks for none.)
ANSIBLE = ("~/.ansible/tmp", "~/.ansible")
HOLDS = ("/etc/yum/pluginconf.d/versionlock.list", "/etc/dnf/plugins/versionlock.list")
HELD = re.compile(r"[^#]*(docker-ce|containerd\.io|docker-(buildx|compose|scan|model)-plugin)")
FORWARDING = "/proc/sys/net/ipv4/ip_forward"
SYSCTL = ("/etc/sysctl.conf", "/etc/sysctl.d/*.conf", "/usr/lib/sysctl.d/*.conf", "/run/sysctl.d/*.conf")
#: Links of others whose machines or containers need forwarding.
FORWARDERS = re.compile(r"virbr|podman|cni|flannel|cali|lxcbr")
#: The id of Docker's own key (060A 61C5 1B55 8A7F 742B 77AA C52F EB6B 621E 9F35).
DOCKER_KEY = "621e9f35"


# -- pure


def brought(journal):
    """Names of packages that pydock's transactions brought to the host: new, not a newer version of what was there."""
    new, old = set(), set()
    for entry in journal:
        if entry["action"] in ("installed", "removed"):
            kind = new if entry["action"] == "installed" else old
            kind.update(package_name(one) for one in packages_of(entry))
    return new - old


def still_needed(text):
    """What ``rpm -e --test`` says is needed: the capabilities, without their versions."""
    found = re.findall(r"^\s*(\S+)(?: [<>=]+ \S+)? is needed by ", text, re.MULTILINE)
    return sorted(set(name for name in found if not name.startswith("rpmlib(")))


def needed_by(text):
    """The packages that need it."""
    return sorted(set(re.findall(r"is needed by (?:\(installed\) )?(\S+)", text)))


def keys_to_go(installed, journal):
    """Names of rpm's entries of Docker's key and of those that pydock imported. ``installed``: gpg-pubkey-ID-DATE."""
    ids = set([DOCKER_KEY])
    for entry in journal:
        if entry["action"] == "imported" and isinstance(entry.get("key"), type(u"")):
            ids.add(entry["key"][-8:].lower())
    return sorted(name for name in installed if name.startswith("gpg-pubkey-") and name.split("-")[2][-8:] in ids)


def worth_keeping(entries, sums, installed):
    """What `pydock restore` can still put back once Docker's settings are gone: files that have a backup, packages.

    ``installed``: those of the packages that somebody has installed since.
    """
    files = [one["file"] for one in restorable(entries, sums) if one["backup"] in sums and not GOES.match(one["file"])]
    return files + sorted(set(removed_packages(entries)) - set(installed))


def without_holds(text):
    """A list of version locks without Docker's."""
    return "".join(line for line in text.splitlines(True) if not HELD.match(line))


# -- effects


def present(patterns):
    """The paths there are, links that lead nowhere included."""
    found = []
    for pattern in patterns:
        found += sorted(glob.glob(pattern)) if "*" in pattern else [pattern] * os.path.lexists(pattern)
    return sorted(set(found))


def holds():
    """The lists that lock versions of Docker's packages, with their text."""
    found = []
    for path in HOLDS:
        if os.path.exists(path):
            with io.open(path, encoding="utf-8", errors="replace") as source:
                text = source.read()
            if without_holds(text) != text:
                found.append((path, text))
    return found


class Packages(object):
    """rpm and yum of this host. ``run(*command)`` -> (exit code, stdout, stderr)."""

    def __init__(self, run):
        self.run = run

    def installed(self, names):
        """Those of the names that are there."""
        if not names:
            return []
        out = self.run("rpm", "-q", "--qf", "%{NAME}\\n", *sorted(names))[1]
        return sorted(set(line for line in out.splitlines() if line in names))

    def keys(self):
        return self.run("rpm", "-q", "--qf", "%{NAME}-%{VERSION}-%{RELEASE}\\n", "gpg-pubkey")[1].split()

    def refusal(self, names):
        """The packages that need what is to go; [] if it can go."""
        code, out, err = self.run("rpm", "-e", "--test", *names) if names else (0, "", "")
        return needed_by(out + err) or ["rpm: " + (err or out).strip()[:200]] if code else []

    def closed(self, certain, candidates):
        """``certain`` with those of the candidates that nothing needs which stays."""
        chosen = set(candidates) - set(certain)
        for _attempt in range(50):
            names = sorted(set(certain) | chosen)
            code, out, err = self.run("rpm", "-e", "--test", *names) if names else (0, "", "")
            if code == 0:
                return names
            needed = still_needed(out + err)
            found = self.run("rpm", "-q", "--qf", "%{NAME}\\n", "--whatprovides", *needed)[1] if needed else ""
            keep = chosen & set(found.splitlines())
            if not keep:
                break
            chosen -= keep
        return sorted(certain)


class Leavings(object):
    """Settings, run files, the group and forwarding. ``data_stays``: there is data that a later run may purge."""

    def __init__(self, module, run, engine, shared, purge, data_stays):
        self.module, self.run, self.remembered = module, run, engine.remembered
        self.shared, self.purge, self.data_stays = shared, purge, data_stays

    def config_paths(self):
        return present(CONFIG + (() if self.shared else CONTAINERD_CONFIG)) if self.purge else []

    def config_wanted(self):
        if not self.purge:
            return []
        words = self.config_paths() + ["version holds in " + path for path, _text in holds()]
        words += ["the package key %s" % name for name in keys_to_go(Packages(self.run).keys(), journal())]
        return words + [JOURNAL] * self.journal_goes()

    def journal_goes(self):
        """Not while somebody may need it: data that is still to be purged, or something that restore can put back."""
        if self.data_stays or not os.path.exists(JOURNAL):
            return False
        entries = journal()
        installed = Packages(self.run).installed(sorted(removed_packages(entries)))
        return not worth_keeping(entries, sums_of(entries), installed)

    def remove_config(self):
        problems = []
        for path in self.config_paths():
            problems += ["%s: %s" % (shown(place), why) for place, why in remove_tree(self.run, path)]
        for path, text in holds():
            handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".pydock-")
            os.close(handle)
            with io.open(temporary, "w", encoding="utf-8") as sink:
                sink.write(without_holds(text))
            self.module.atomic_move(temporary, path)
        for name in keys_to_go(Packages(self.run).keys(), journal()):
            code, _out, err = self.run("rpm", "-e", "--allmatches", name)
            problems += [err.strip()] if code else []
        if not problems and self.journal_goes():
            os.remove(JOURNAL)
            if not os.listdir(os.path.dirname(JOURNAL)):
                os.rmdir(os.path.dirname(JOURNAL))
        self.run("systemctl", "daemon-reload")
        return problems

    def run_files(self):
        found = present(RUN + (() if self.shared else CONTAINERD_RUN))
        if not self.shared:
            empty = [path for path in EMPTY if os.path.isdir(path)]
            if not any(os.path.isfile(os.path.join(path, name)) for path in empty for name in os.listdir(path)):
                found += empty
        return found

    def group(self):
        """(members, users whose first group it is), or None without a group."""
        code, out, _err = self.run("getent", "group", "docker")
        if code or out.count(":") < 3:
            return None
        _name, _password, number, members = out.strip().split(":")[:4]
        users = [line.split(":") for line in read("/etc/passwd").splitlines()]
        return [m for m in members.split(",") if m], [u[0] for u in users if len(u) > 3 and u[3] == number]

    def group_goes(self):
        group = self.group()
        return group is not None and not group[1] and (self.purge or not group[0])

    def forwarding_stays(self):
        """Why forwarding is not switched off again; None if it is, "" if there is nothing to say."""
        before = self.remembered.get("ip_forward", [None])[-1]
        if read(FORWARDING).strip() != "1" or str(before) == "1":
            return ""
        if before is None:
            return "nobody wrote down what it was before Docker"
        for path in present(SYSCTL):
            if re.search(r"^\s*-?net[./]ipv4[./]ip_forward\s*=\s*1", read(path), re.MULTILINE):
                return "%s switches it on" % path
        others = [name for name in sorted(os.listdir("/sys/class/net")) if FORWARDERS.match(name)]
        if others or "Kubernetes" in self.shared:
            return "%s may need it" % (others[0] if others else self.shared)
        return None

    def system_wanted(self):
        words = self.run_files() + ["the group docker"] * self.group_goes()
        return words + ["net.ipv4.ip_forward"] * (self.forwarding_stays() is None)

    def clear(self):
        problems = []
        for path in self.run_files():
            if path in EMPTY:
                if os.path.isdir(path) and not os.listdir(path):
                    os.rmdir(path)
            else:
                problems += ["%s: %s" % (shown(place), why) for place, why in remove_tree(self.run, path)]
        for path in [os.path.expanduser(path) for path in ANSIBLE]:
            if os.path.isdir(path) and not os.path.islink(path) and not os.listdir(path):
                os.rmdir(path)
        if self.group_goes():
            code, _out, err = self.run("groupdel", "docker")
            problems += [err.strip()] if code else []
        if self.forwarding_stays() is None:
            with io.open(FORWARDING, "w", encoding="ascii") as sink:
                sink.write(u"0\n")
        self.run("systemctl", "daemon-reload")
        return problems
