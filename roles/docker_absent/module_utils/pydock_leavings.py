# -*- coding: utf-8 -*-
"""What Docker leaves behind besides its data: packages that came along, files, keys, the group."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import glob
import io
import os
import re

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
HOLDS = ("/etc/yum/pluginconf.d/versionlock.list", "/etc/dnf/plugins/versionlock.list")
HELD = re.compile(r"[^#]*(docker-ce|containerd\.io|docker-(buildx|compose|scan|model)-plugin)")
#: The id of Docker's own key (060A 61C5 1B55 8A7F 742B 77AA C52F EB6B 621E 9F35).
DOCKER_KEY = "621e9f35"


# -- pure


def package_name(nevra):
    """``containerd.io`` of ``containerd.io-1.6.20-1.el9.x86_64``."""
    return nevra.rsplit("-", 2)[0]


def brought(journal):
    """Names of packages that pydock's transactions brought to the host: new, not a newer version of what was there."""
    new, old = set(), set()
    for entry in journal:
        names = entry.get("packages")
        if isinstance(names, list) and entry["action"] in ("installed", "removed"):
            kind = new if entry["action"] == "installed" else old
            kind.update(package_name(str(name)) for name in names if str(name).count("-") >= 2)
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


def restorable(journal, gone, exists=os.path.exists):
    """What `pydock restore` could still put back: files with a backup, packages that an installation removed."""
    new = set()
    for entry in journal:
        if entry["action"] == "installed" and isinstance(entry.get("packages"), list):
            new.update(package_name(str(name)) for name in entry["packages"])
    found = []
    for entry in journal:
        if entry["action"] == "replaced" and entry.get("file") not in gone and exists(str(entry.get("backup"))):
            found.append(entry["file"])
        elif entry["action"] == "removed" and isinstance(entry.get("packages"), list):
            names = [package_name(str(name)) for name in entry["packages"]]
            found += [name for name in names if name not in new]
    return sorted(set(found))


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
