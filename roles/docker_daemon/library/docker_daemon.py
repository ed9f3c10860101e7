#!/usr/bin/python
# -*- coding: utf-8 -*-
"""daemon.json and the engine's service: merged, validated, in effect, or put back."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: docker_daemon
short_description: Merge settings into daemon.json and see that the engine runs with them
description:
  - Given keys replace those of the file, all others stay. A running engine is reloaded where that is enough.
  - When the engine does not come up with the new file, the old one is put back.
options:
  settings: {description: Keys of daemon.json., type: dict, default: {}}
  path: {description: The engine's settings file., type: path, default: /etc/docker/daemon.json}
  start_timeout: {description: Seconds for the engine to answer., type: int, default: 120}
author: [pydock]
"""

EXAMPLES = r"""
- name: A registry mirror
  docker_daemon:
    settings: {registry-mirrors: ["https://mirror.example"]}
"""

RETURN = r"""
steps: {description: What was done., type: list, returned: always}
code: {description: Name of the failure., type: str, returned: failure}
evidence: {description: The tool's own words., type: str, returned: failure}
"""

import io
import json
import os
import re
import tempfile
import time
from collections import OrderedDict

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.pydock_host import back_up, make_directory, note_file, note_found, tail

# What the engine takes over on SIGHUP; everything else waits for a restart.
RELOADABLE = frozenset(
    """authorization-plugins debug default-cgroupns-mode default-ipc-mode default-runtime default-shm-size
    default-stop-timeout features insecure-registries labels live-restore max-concurrent-downloads
    max-concurrent-uploads max-download-attempts network-diagnostic-port nri-opts registry-mirrors runtimes
    shutdown-timeout""".split()
)


# -- pure


class NotSettings(Exception):
    """The file is no JSON object; the message says where."""


def parse(text):
    """daemon.json in its own order. An empty file, as the engine reads it, is no settings."""
    text = text.lstrip(u"\ufeff")
    if not text.strip():
        return OrderedDict()
    try:
        found = json.loads(text, object_pairs_hook=OrderedDict)
    except ValueError as problem:
        raise NotSettings(where(problem))
    except RuntimeError:  # RecursionError, in the words of Python 2.7
        raise NotSettings("it is nested too deeply")
    if not isinstance(found, dict):
        raise NotSettings("line 1, column 1: it is no object { ... }")
    return found


def where(problem):
    """Line, column and reason. Python 2.7 has the place in the message only, and not always."""
    reason = re.sub(r": line \d+ column.*", "", str(problem))
    position = re.search(r"line (\d+) column (\d+)", str(problem))
    return "line %s, column %s: %s" % (position.group(1), position.group(2), reason) if position else reason


def normal_mirrors(mirrors):
    """Addresses as the engine reports them: one trailing slash, no doubles."""
    if not isinstance(mirrors, list):
        return []
    return list(OrderedDict((u"%s/" % (u"%s" % mirror).rstrip("/"), None) for mirror in mirrors))


def same(key, left, right):
    if key == "registry-mirrors" and isinstance(left, list) and isinstance(right, list):
        return normal_mirrors(left) == normal_mirrors(right)
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)  # 1 is not true here


def merge(present, settings):
    """(the merged settings, the keys that change)"""
    changed = [key for key in settings if key not in present or not same(key, present[key], settings[key])]
    merged = OrderedDict(present)
    for key in sorted(changed):
        merged[key] = settings[key]
    return merged, sorted(changed)


def render(settings, like=u""):
    """The file's text, indented as the old one was."""
    found = re.search(r"^( +|\t)\S", like, re.MULTILINE)
    indent = len(found.group(1)) if found and found.group(1).isspace() and "\t" not in found.group(1) else 2
    text = json.dumps(settings, indent=indent if indent in (2, 4) else 2, separators=(",", ": "), ensure_ascii=False)
    return (text if isinstance(text, type(u"")) else text.decode("utf-8")) + u"\n"


def reload_is_enough(changed):
    return set(changed) <= RELOADABLE


def without_passwords(value):
    """Settings for logs: an address keeps its host and loses its user and password."""
    if isinstance(value, dict):
        return dict((key, without_passwords(item)) for key, item in value.items())
    if isinstance(value, list):
        return [without_passwords(item) for item in value]
    if isinstance(value, type(u"")) or isinstance(value, str):
        return re.sub(r"://[^/\s\"]*@", "://***@", value)
    return value


def engine_answer(text):
    """``VERSION [MIRRORS]`` of docker info -> (version, mirrors), or None when no engine answered."""
    found = re.match(r"(\d\S*) (\[.*\]|null)\s*\Z", text)
    return (found.group(1), normal_mirrors(json.loads(found.group(2)) or [])) if found else None


def reload_verdict(journal):
    """What the engine says about the last reload: True, False, or None while it is silent."""
    _before, signal, since = journal.rpartition("Got signal to reload configuration")
    if not signal:
        return None
    if re.search(r"Error reconfiguring the daemon|level=error", since):
        return False
    return True if "Reloaded configuration" in since else None


def cursor(journal):
    """The place after the journal's last line, as journalctl --show-cursor tells it."""
    found = re.search(r"^-- cursor: (\S+)", journal, re.MULTILINE)
    return found.group(1) if found else None


def read(path):
    if not os.path.exists(path):
        return None
    with io.open(path, "rb") as source:
        return source.read()


# -- effects


class Daemon(object):
    """The engine on this host."""

    def __init__(self, module, settings):
        self.module, self.settings = module, settings
        self.path = os.path.realpath(module.params["path"])  # A link stays a link.
        self.timeout = module.params["start_timeout"]
        self.began = time.time()
        self.steps = []
        self.backup = None
        self.before = None

    def run(self, *command):
        return self.module.run_command(list(command), expand_user_and_vars=False)

    def step(self, name, status, detail):
        now = time.time()
        self.steps.append({"name": name, "status": status, "seconds": round(now - self.began, 2), "detail": detail})
        self.began = now

    def fail(self, name, code, message, *evidence):
        self.step(name, "failed", message)
        changed = any(step["status"] == "changed" for step in self.steps)
        self.module.fail_json(msg=message, code=code, evidence=tail(*evidence), steps=self.steps, changed=changed)

    # -- the file

    def plan(self):
        """(old text, new text, changed keys)"""
        self.before = read(self.path)
        try:
            old = (self.before or b"").decode("utf-8")
            present = parse(old)
        except (NotSettings, UnicodeDecodeError) as problem:
            self.fail(
                "settings",
                "broken-settings",
                "%s is not valid JSON (%s), so it was not touched; correct it, or move it away, and run again."
                % (self.path, problem),
            )
        merged, changed = merge(present, self.settings)
        return old, render(merged, old) if changed else old, changed

    def write(self, text):
        handle, temporary = tempfile.mkstemp(dir=self.module.tmpdir, prefix="daemon-", suffix=".json")
        with os.fdopen(handle, "wb") as sink:
            sink.write(text.encode("utf-8"))
        self.validate(temporary)
        make_directory(os.path.dirname(self.path))
        if self.before is not None:
            self.backup = back_up(self.path)
        self.module.atomic_move(temporary, self.path)
        note_file(self.path, self.backup)
        if self.before is None:
            os.chmod(self.path, 0o644)

    def validate(self, path):
        """Engines from 23.0 on can read a file without starting."""
        found = re.search(r"version (\d+)\.", self.run("dockerd", "--version")[1])
        if not found or int(found.group(1)) < 23:
            return
        code, out, err = self.run("dockerd", "--validate", "--config-file", path)
        if code:
            os.remove(path)
            self.fail(
                "settings",
                "settings-refused",
                "The engine refuses the settings for %s, so the file was not touched; correct the daemon settings: %s"
                % (self.path, (err.strip() or out.strip()).splitlines()[-1:] or ""),
                out,
                err,
            )

    def put_back(self):
        if self.backup:
            self.module.atomic_move(self.backup, self.path)
        else:
            os.remove(self.path)

    # -- the service

    def unit(self):
        _code, out, _err = self.run("systemctl", "show", "docker.service", "-p", "LoadState", "-p", "ActiveState",
                                   "-p", "UnitFileState")  # fmt: skip
        return dict(line.partition("=")[::2] for line in out.splitlines())

    def ask(self):
        """The running engine's version and mirrors, or None."""
        what = "{{.ServerVersion}} {{json .RegistryConfig.Mirrors}}"
        return engine_answer(self.run("docker", "info", "--format", what)[1])

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

    def reload(self):
        """False if the engine says that it could not take the file over."""
        command = ["journalctl", "-u", "docker", "--no-pager", "-o", "cat"]
        place = cursor(self.run(*(command + ["-n", "0", "--show-cursor"]))[1])
        self.control("reload")
        for _attempt in range(20):
            since = command + ["--after-cursor", place] if place else command + ["-n", "200"]
            verdict = reload_verdict(self.run(*since)[1])
            if verdict is not None:
                return verdict
            time.sleep(0.2)
        return True  # It may be told to log less.

    def mirrors_differ(self, answer):
        if "registry-mirrors" not in self.settings:
            return False
        return answer[1] != normal_mirrors(self.settings["registry-mirrors"])

    def bring_up(self, running, changed):
        """(what was done, the engine's answer): start, restart, reload or nothing."""
        if not running:
            note_found(self.run)
            self.control("start")
            return "started", self.wait()
        answer = self.wait()
        installed = re.search(r"version ([^,\s]+)", self.run("dockerd", "--version")[1])
        if not answer or not reload_is_enough(changed) or (installed and installed.group(1) != answer[0]):
            self.control("restart")
            return "restarted", self.wait()
        if not changed and not self.mirrors_differ(answer):
            return "", answer
        good = self.reload()
        return "reloaded", self.wait() if good else None

    def roll_back(self, running, done, journal):
        """The new file did not work: the old one, and the engine as it was with it."""
        self.put_back()
        if done == "reloaded":
            self.reload()
        else:
            self.control("restart" if running else "start")
        back = self.wait()
        self.steps = [step for step in self.steps if step["name"] != "settings"]
        self.fail(
            "settings",
            "settings-rolled-back",
            "The engine did not accept the new %s: %s, and the engine %s; correct the daemon settings and run again."
            % (
                self.path,
                "the old file is back" if self.before is not None else "it was removed again",
                "runs with that" if back else "does not run even so",
            ),
            journal,
        )

    def ensure(self):
        old, new, changed = self.plan()
        unit = self.unit()
        running, enabled = unit.get("ActiveState") == "active", unit.get("UnitFileState") == "enabled"
        result = {}
        if changed and self.module._diff:
            before, after = without_passwords(old), without_passwords(new)
            result["diff"] = {
                "before": before, "after": after, "before_header": self.path, "after_header": self.path,
            }  # fmt: skip
        if self.module.check_mode:
            self.step("settings", "changed" if changed else "ok", ", ".join(changed))
            self.step("service", "ok" if running and enabled and not changed else "changed", "")
            self.finish(result)
        if unit.get("LoadState") != "loaded":
            self.fail("service", "no-engine", "This host has no docker.service; install the engine's packages first.")
        if changed:
            self.write(new)
            if self.backup:
                result["backup"] = self.backup
        self.step("settings", "changed" if changed else "ok", ", ".join(changed))
        words = []
        if not enabled:
            code, out, err = self.run("systemctl", "enable", "docker.service")
            if code:
                self.fail("service", "not-enabled", "docker.service cannot be enabled on this host.", out, err)
            words.append("enabled")
        done, answer = self.bring_up(running, changed)
        if not answer or self.mirrors_differ(answer):
            journal = self.journal()
            if changed:
                self.roll_back(running, done, journal)
            if not answer:
                self.fail(
                    "service",
                    "engine-does-not-start",
                    "The engine did not answer within %d s; its journal says why." % self.timeout,
                    journal,
                )
            self.fail(
                "service",
                "mirrors-not-in-effect",
                "The engine uses the registry mirrors %s, not those of %s; look for --registry-mirror in"
                " `systemctl cat docker`." % (" ".join(answer[1]) or "(none)", self.path),
                journal,
            )
        words = words + [done] if done else words
        self.step("service", "changed" if words else "ok", ", ".join(words + ["docker %s" % answer[0]]))
        self.finish(result)

    def finish(self, result):
        changed = any(step["status"] == "changed" for step in self.steps)
        self.module.exit_json(changed=changed, steps=self.steps, **result)


def main():
    module = AnsibleModule(
        argument_spec={
            "settings": {"type": "dict", "default": {}},
            "path": {"type": "path", "default": "/etc/docker/daemon.json"},
            "start_timeout": {"type": "int", "default": 120},
        },
        supports_check_mode=True,
    )
    # DOCKER_HOST empty: the engine of this host, whatever root's environment says.
    module.run_command_environ_update = {"LC_ALL": "C", "LANG": "C", "DOCKER_HOST": "", "DOCKER_CONTEXT": ""}
    settings = json.loads(json.dumps(module.params["settings"]))  # Python 2.7 mixes its two kinds of text.
    module.params["settings"] = without_passwords(settings)  # Ansible repeats the parameters in its result.
    Daemon(module, settings).ensure()


if __name__ == "__main__":
    main()
