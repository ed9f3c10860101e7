# -*- coding: utf-8 -*-
"""The engine that is to go: its units, its processes, where its data is, and who else uses its containerd."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import io
import json
import os
import re
import signal
import time

UNITS = ("docker.socket", "docker.service", "containerd.service")
OWN_NAMESPACES = frozenset(["moby", "plugins.moby"])
SHIMS = re.compile(r"containerd-shim|docker-containe")
SETTINGS, CONTAINERD_SETTINGS = "/etc/docker/daemon.json", "/etc/containerd/config.toml"
STATIC_NAMES = re.compile(
    r"(docker(d|-init|-proxy|-compose|-runc|-containerd.*)?|containerd(-shim.*)?|ctr|runc)\Z"
)
CONTAINERD_NAMES = re.compile(r"(containerd(-shim.*)?|ctr|runc)\Z")
PLACES = ("/usr/bin", "/usr/local/bin", "/usr/sbin", "/usr/local/sbin", "/opt/bin")


# -- pure


def unit_states(text):
    """``systemctl show`` of several units -> {name: {property: value}}; units that are not there are left out."""
    found = {}
    for block in text.split("\n\n"):
        values = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if values.get("Id") and values.get("LoadState") != "not-found":
            found[values["Id"]] = values
    return found


def root_in_settings(text):
    """data-root of daemon.json, or graph as it was called before 17.05; None without one."""
    try:
        settings = json.loads(text.lstrip(u"\ufeff") or "{}")
    except ValueError:
        found = re.search(r'"(?:data-root|graph)"\s*:\s*"([^"\\]+)"', text)
        return found.group(1) if found else None
    value = settings.get("data-root") or settings.get("graph") if isinstance(settings, dict) else None
    return value if isinstance(value, type(u"")) or isinstance(value, str) else None


def root_in_flags(text):
    """--data-root, --graph or -g of a command line, in a unit or a file of options."""
    found = re.findall(r"\s(?:--data-root|--graph|-g)[= ][\"']?([^\s\"']+)", text)
    return found[-1] if found else None


def root_in_toml(text):
    """``root`` at the top of containerd's config.toml."""
    top = text.partition("\n[")[0]
    found = re.search(r"^\s*root\s*=\s*[\"']([^\"']+)[\"']", top, re.MULTILINE)
    return found.group(1) if found else None


def own_bridges(data):
    """Bridges that Docker's book of networks (a database whose values are JSON) names as made by it."""
    found = re.findall(br'"BridgeIfaceCreator":1,"BridgeName":"([A-Za-z0-9_.-]{1,15})"', data)
    return sorted(set(name.decode("ascii") for name in found))


def sharers(namespaces, kubelet):
    """Who else uses this containerd, as words; "" for nobody. ``namespaces``: {name: number of things or None}."""
    others = sorted(
        name for name, things in namespaces.items() if name not in OWN_NAMESPACES and (things is None or things)
    )
    words = ["Kubernetes (kubelet)"] if kubelet else []
    return " and ".join(words + ["the namespace %s" % name for name in others])


def is_dockers_shim(name, arguments):
    """Whether a process is the shim of a container of Docker's: by its namespace, or by Docker's own name for it."""
    if not SHIMS.match(name):
        return False
    places = [place for place, word in enumerate(arguments) if word in ("-namespace", "--namespace")]
    return name.startswith("docker-") or any(arguments[n + 1 : n + 2] == [s] for n in places for s in OWN_NAMESPACES)


def read(path, size=1 << 20):
    """The beginning of a file as text, "" if there is none."""
    try:
        with io.open(path, encoding="utf-8", errors="replace") as source:
            return source.read(size)
    except (IOError, OSError):
        return u""


# -- effects


class Engine(object):
    """``run(*command)`` -> (exit code, stdout, stderr); ``journal`` is what pydock wrote down of this host."""

    def __init__(self, run, journal=()):
        self.run = run
        self.remembered = {}
        for entry in journal:
            if entry["action"] == "found" and "name" in entry:
                self.remembered.setdefault(entry["name"], []).append(entry.get("value"))

    def units(self):
        command = ["systemctl", "show"] + list(UNITS)
        for name in ("Id", "LoadState", "ActiveState", "UnitFileState", "FragmentPath"):
            command += ["-p", name]
        return unit_states(self.run(*command)[1])

    def is_active(self, unit):
        return self.run("systemctl", "is-active", "-q", unit)[0] == 0

    def data_roots(self):
        """Paths of data roots as they are named, the one in use first."""
        named = []
        if self.is_active("docker.service"):
            code, out, _err = self.run("timeout", "15", "docker", "info", "--format", "{{.DockerRootDir}}")
            named.append(re.sub(r"/\d+\.\d+\Z", "", out.strip()) if code == 0 else None)
        named.append(root_in_settings(read(SETTINGS)))
        flags = self.run("systemctl", "cat", "docker.service")[1] + read("/etc/sysconfig/docker")
        named.append(root_in_flags(flags))
        return clean_paths(named + self.remembered.get("data-root", []) + ["/var/lib/docker"])

    def containerd_roots(self):
        named = [root_in_toml(read(CONTAINERD_SETTINGS))]
        return clean_paths(named + self.remembered.get("containerd-root", []) + ["/var/lib/containerd"])

    def own_bridges(self, roots):
        found = []
        for root in roots:
            try:
                with io.open(root + "/network/files/local-kv.db", "rb") as source:
                    found += own_bridges(source.read(1 << 24))
            except (IOError, OSError):
                continue
        return sorted(set(found))

    def sharers(self, roots):
        """Who else uses containerd. What cannot be seen once it has stopped is looked up in the journal."""
        kubelet = unit_states(self.run("systemctl", "show", "kubelet.service", "-p", "Id", "-p", "LoadState")[1])
        joined = os.path.exists("/etc/kubernetes/kubelet.conf")
        if self.is_active("containerd.service"):
            code, out, err = self.run("timeout", "10", "ctr", "namespaces", "ls", "-q")
            if code:
                return "something unknown (containerd does not answer: %s)" % (err.strip() or out.strip())[:100]
            spaces = dict((name, self.things(name)) for name in out.split() if name not in OWN_NAMESPACES)
        else:
            spaces = dict((name, None) for name in self.remembered.get("containerd-shared", []))
            for root in roots:
                book = root + "/io.containerd.metadata.v1.bolt/meta.db"
                if os.path.exists(book) and self.run("grep", "-a", "-q", r"k8s\.io", book)[0] == 0:
                    spaces["k8s.io"] = None
        return sharers(spaces, bool(kubelet) or joined)

    def things(self, namespace):
        number = 0
        for kind in ("containers", "images"):
            code, out, _err = self.run("timeout", "10", "ctr", "-n", namespace, kind, "ls", "-q")
            if code:
                return None
            number += len(out.split())
        return number

    # -- stopping

    def shims(self):
        """[(process, its containers' first processes)]"""
        found, parents = [], {}
        for number in [int(name) for name in os.listdir("/proc") if name.isdigit()]:
            base = "/proc/%d" % number
            parent = re.search(r"^PPid:\s*(\d+)", read(base + "/status", 4096), re.MULTILINE)
            if parent:
                parents.setdefault(int(parent.group(1)), []).append(number)
            arguments = read(base + "/cmdline", 4096).split(u"\0")
            if is_dockers_shim(read(base + "/comm", 64).strip(), arguments):
                found.append(number)
        return [(number, parents.get(number, [])) for number in sorted(found)]

    def end_shims(self):
        """Containers that outlived their engine end as `docker stop` would end them, then their shims."""
        for number, wait in ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0)):
            for shim, children in self.shims():
                for child in children or [shim]:
                    send(child, number)
            if self.gone(wait):
                return
        for shim, _children in self.shims():
            send(shim, signal.SIGKILL)
        self.gone(5.0)

    def gone(self, seconds):
        deadline = time.time() + seconds
        while self.shims():
            if time.time() > deadline:
                return False
            time.sleep(0.2)
        return True

    def stop(self, containerd):
        """Socket and service first: a question to the socket would start the engine again."""
        words = []
        if self.is_active("docker.service"):
            code, out, _err = self.run("timeout", "15", "docker", "info", "--format", "{{.LiveRestoreEnabled}}")
            if code == 0 and out.strip() == "true":
                running = self.run("timeout", "15", "docker", "ps", "-q")[1].split()
                if running:  # These would go on without their engine.
                    words.append(self.run("timeout", "120", "docker", "stop", *running)[2])
        present = self.units()
        for unit in UNITS if containerd else UNITS[:2]:
            if unit in present:
                words.append(self.run("timeout", "180", "systemctl", "stop", unit)[2])
            if unit == "docker.service":
                self.end_shims()
        for unit in UNITS if containerd else UNITS[:2]:
            if present.get(unit, {}).get("UnitFileState") in ("enabled", "enabled-runtime", "linked"):
                words.append(self.run("systemctl", "disable", unit)[2])
        return [word.strip() for word in words if word.strip()]

    # -- what came from no package

    def static_files(self, containerd=True):
        """Programs of a static archive: those beside a dockerd that no package knows."""
        found = []
        for place in PLACES:
            if not os.path.exists(place + "/dockerd") or self.is_owned(place + "/dockerd"):
                continue
            for name in sorted(os.listdir(place)):
                path = place + "/" + name
                if STATIC_NAMES.match(name) and (containerd or not CONTAINERD_NAMES.match(name)):
                    if not self.is_owned(path):
                        found.append(path)
        return found

    def is_owned(self, path):
        """Whether rpm knows the file, or cannot tell."""
        code, out, err = self.run("rpm", "-qf", path)
        return code == 0 or "not owned by" not in out + err

    def has_snap(self):
        return self.run("snap", "list", "docker")[0] == 0


def send(process, number):
    try:
        os.kill(process, number)
    except OSError:
        pass  # It has ended by itself.


def clean_paths(named):
    """Absolute paths, each once, in order."""
    found = []
    for path in named:
        path = os.path.normpath(str(path)) if path and str(path).startswith("/") else None
        if path and path not in found:
            found.append(path)
    return found
