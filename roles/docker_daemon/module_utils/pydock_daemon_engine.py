# -*- coding: utf-8 -*-
"""The engine of this host: what it says, and how it is started, restarted and reloaded."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import io
import json
import os
import re
import time
from collections import namedtuple

from ansible.module_utils.pydock_daemon_json import normal_mirrors
from ansible.module_utils.pydock_host import tail

#: Seconds that an engine has to say what it is.
ANSWER = 60
#: What a running engine says of itself.
Answer = namedtuple("Answer", "version containers live_restore mirrors")
#: A running container, and whether its restart policy brings it back.
Container = namedtuple("Container", "name comes_back")


def engine_answer(text):
    """``VERSION CONTAINERS LIVE-RESTORE MIRRORS`` of docker info as an Answer, or None when no engine answered."""
    found = re.match(r"(\d\S*) (\d+) (true|false) (\[.*\]|null)\s*\Z", text)
    if not found:
        return None
    mirrors = normal_mirrors(json.loads(found.group(4)) or [])
    return Answer(found.group(1), int(found.group(2)), found.group(3) == "true", mirrors)


def inspected(text):
    """``ID NAME POLICY`` a line of docker inspect as {id: Container}."""
    rows = [line.split(" ") for line in text.splitlines() if line.count(" ") == 2]
    return dict((i, Container(name.lstrip("/"), policy in ("always", "unless-stopped"))) for i, name, policy in rows)


def named(containers):
    """A few names for a sentence."""
    names = sorted(containers)
    return ", ".join(names[:8]) + (" and %d more" % (len(names) - 8) if len(names) > 8 else "")


def reload_verdict(journal):
    """What the engine says about the last reload: True, False, or None while it is silent."""
    _before, signal, since = journal.rpartition("Got signal to reload configuration")
    if not signal:
        return None
    if "Reloaded configuration" in since:
        return True  # Other errors of that moment are of other things, such as a request of somebody's.
    return False if re.search(r"Error reconfiguring the daemon|level=error", since) else None


def reason(journal):
    """Why the engine did not come up or take a file over, in its own words; "" where it does not say."""
    told = r"(?:failed to start daemon|unable to configure the Docker daemon|[Ee]rror reconfiguring the daemon)[^\n]*"
    found = re.findall(told, journal) or re.findall(r'level=(?:fatal|error) msg="([^\n]*)', journal)
    return found[-1].strip().rstrip('"')[:300] if found else ""


def cursor(journal):
    """The place after the journal's last line, as journalctl --show-cursor tells it."""
    found = re.search(r"^-- cursor: (\S+)", journal, re.MULTILINE)
    return found.group(1) if found else None


def read(path):
    if not os.path.exists(path):
        return None
    with io.open(path, "rb") as source:
        return source.read()


def read_text(path):
    """A file in the kind of text that shlex takes, or None."""
    try:
        content = read(path)
    except (IOError, OSError):
        return None
    return content if content is None or isinstance(content, str) else content.decode("utf-8", "replace")


class Engine(object):
    """docker.service and the engine behind it. ``run`` runs a command: (status, output, errors)."""

    def __init__(self, run, timeout):
        self.run, self.timeout = run, timeout
        self.installed = None

    def unit(self):
        names = "LoadState ActiveState UnitFileState MainPID FragmentPath DropInPaths".split()
        wanted = [word for name in names for word in ("-p", name)]
        out = self.run(*(["systemctl", "show", "docker.service"] + wanted))[1]
        return dict(line.partition("=")[::2] for line in out.splitlines())

    def ask(self):
        """The running engine's Answer, or None. One that hangs gives none: new settings are still to be put back."""
        what = "{{.ServerVersion}} {{.ContainersRunning}} {{.LiveRestoreEnabled}} {{json .RegistryConfig.Mirrors}}"
        return engine_answer(self.run("timeout", "-k", "5", str(ANSWER), "docker", "info", "--format", what)[1])

    def version(self):
        """The version of the engine that is installed, whatever runs."""
        if self.installed is None:
            found = re.search(r"version ([^,\s]+)", self.run("dockerd", "--version")[1])
            self.installed = found.group(1) if found else ""
        return self.installed

    def look_at_version(self, unit, answer):
        """An engine whose program is still there is the one that is installed, and need not be started to tell."""
        try:
            program = os.readlink("/proc/%s/exe" % unit.get("MainPID"))
        except OSError:
            program = ""
        if answer and program and not program.endswith(" (deleted)"):
            self.installed = answer.version
        return self.version()

    def containers(self):
        """{id: Container} of those that run."""
        ids = self.run("docker", "ps", "-q", "--no-trunc")[1].split()
        what = "{{.Id}} {{.Name}} {{.HostConfig.RestartPolicy.Name}}"
        return inspected(self.run(*(["docker", "inspect", "--format", what] + ids))[1]) if ids else {}

    def shims(self):
        """Whether containers of an engine run that does not answer."""
        for number in os.listdir("/proc"):
            words = (read_text("/proc/%s/cmdline" % number) or "").split("\0") if number.isdigit() else []
            if "containerd-shim" in (words or [""])[0] and "moby" in words:
                return True
        return False

    def wait(self):
        """Until the engine answers, gives up for good, or time is over."""
        deadline = time.time() + self.timeout
        while time.time() < deadline:
            state = self.unit().get("ActiveState")
            if state == "failed":
                return None
            answer = self.ask() if state == "active" else None  # A question would start it over its socket.
            if answer:
                return answer
            time.sleep(0.5)
        return None

    def control(self, verb):
        if verb != "reload":
            self.run("systemctl", "reset-failed", "docker.service", "docker.socket")  # Old failures block a start.
        _code, out, err = self.run("timeout", str(self.timeout), "systemctl", verb, "docker.service")
        return tail(out, err)

    def journal(self, lines=40):
        return self.run("journalctl", "-u", "docker", "-n", str(lines), "--no-pager", "-o", "cat")[1]

    def reload(self, until=None):
        """The engine's Answer after it took the file over, or None if it could not.

        ``until`` tells from an Answer whether it did; without it the journal is asked.
        """
        if until:
            self.control("reload")
            for _attempt in range(30):
                answer = self.ask()
                if answer and until(answer):
                    break
                time.sleep(0.1)
            return answer
        command = ["journalctl", "-u", "docker", "--no-pager", "-o", "cat"]
        place = cursor(self.run(*(command + ["-n", "0", "--show-cursor"]))[1])
        self.control("reload")
        for _attempt in range(20):
            since = command + ["--after-cursor", place] if place else command + ["-n", "200"]
            verdict = reload_verdict(self.run(*since)[1])
            if verdict is not None:
                return self.wait() if verdict else None
            time.sleep(0.2)
        return self.wait()  # It may be told to log less.

    def missing(self, ran):
        """Containers that ran and do not: (those that should have come back, the others)."""
        for _attempt in range(20):
            now = self.containers()
            gone = [one for number, one in ran.items() if number not in now]
            if not any(one.comes_back for one in gone):
                break
            time.sleep(0.5)
        return [one.name for one in gone if one.comes_back], [one.name for one in gone if not one.comes_back]
