# -*- coding: utf-8 -*-
"""daemon.json and the engine's service: merged, validated, in effect, or put back."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import os
import tempfile
import time

from ansible.module_utils.pydock_daemon_engine import Container, Engine, named, read, read_text, reason
from ansible.module_utils.pydock_daemon_json import (
    NotSettings,
    edit,
    merge,
    normal_mirrors,
    parse,
    without_passwords,
)
from ansible.module_utils.pydock_daemon_rules import (
    clashes,
    containers_go_on,
    flags,
    needs_restart,
    numbers,
    refusal,
    reload_is_enough,
)
from ansible.module_utils.pydock_host import back_up, make_directory, note_file, note_found, tail

#: What the module takes.
ARGUMENTS = {
    "settings": {"type": "dict", "default": {}},
    "restart": {"type": "bool", "default": False},
    "enable": {"type": "bool", "default": True},
    "path": {"type": "path", "default": "/etc/docker/daemon.json"},
    "start_timeout": {"type": "int", "default": 120},
}

SETTINGS = "settings"


class Daemon(object):
    """The file, and the engine that is to run with it."""

    def __init__(self, module, settings):
        self.module, self.settings = module, settings
        self.path = os.path.realpath(module.params["path"])  # A link stays a link.
        self.engine = Engine(self.run, module.params["start_timeout"])
        self.began = time.time()
        self.steps = []
        self.changed, self.merged = [], {}
        self.backup = self.before = None
        self.ran = {}

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
        """(old text, new text); what changes is in ``self.changed``, what it makes in ``self.merged``."""
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
        self.merged, self.changed = merge(present, self.settings)
        return old, edit(old, dict((key, self.settings[key]) for key in self.changed))

    def judge(self, unit):
        """Fail if the engine would not take the file: before anything is written."""
        paths = [unit.get("FragmentPath", "")] + unit.get("DropInPaths", "").split()
        found = flags([(path, read_text(path) or "") for path in paths if path], read_text)
        other, where = found.get("config-file", (self.path, ""))
        if os.path.realpath(other) != self.path:
            self.refuse(
                "other-settings-file",
                "the engine reads %s (--config-file in %s); take that flag out, or give the role that path"
                % (other[:200], where),
            )
        both = clashes(self.merged, found)
        if both:
            self.refuse(
                "flag-and-file",
                "%s; take the flag out and run `systemctl daemon-reload`, or the key out of the settings"
                % "; ".join("%s would stand there and as %s in %s" % row for row in both),
                # The engine's own words for it, by which the diagnosis knows the key.
                "specified both as a flag and in the configuration file: %s" % both[0][0],
            )
        reason = refusal(self.merged, self.engine.installed)
        if reason:
            self.refuse("settings-refused", "%s; correct the daemon settings" % reason)

    def refuse(self, code, reason, *evidence):
        self.fail(SETTINGS, code, "%s was not touched: %s." % (self.path, reason), *evidence)

    def write(self, text):
        handle, temporary = tempfile.mkstemp(dir=self.module.tmpdir, prefix="daemon-", suffix=".json")
        with os.fdopen(handle, "wb") as sink:
            sink.write(text.encode("utf-8"))
        self.validate(temporary)
        try:
            make_directory(os.path.dirname(self.path))
            if self.before is not None:
                self.backup = back_up(self.path)
        except (IOError, OSError) as problem:
            self.refuse("settings-not-written", "%s: %s" % (os.path.dirname(self.path), problem.strerror))
        self.module.atomic_move(temporary, self.path)
        note_file(self.path, self.backup)
        if self.before is None:
            os.chmod(self.path, 0o644)

    def validate(self, path):
        """Engines from 23.0 on can read a file without starting."""
        if numbers(self.engine.version()) < (23,):
            return
        code, out, err = self.run("dockerd", "--validate", "--config-file", path)
        if code:
            os.remove(path)
            said = ((err.strip() or out.strip()).splitlines() or ["it does not say why"])[-1]
            self.refuse("settings-refused", "the engine refuses it (%s); correct the daemon settings"
                        % said.replace(path, "the file"), out, err)  # fmt: skip

    def put_back(self):
        if self.backup:
            self.module.atomic_move(self.backup, self.path)
        else:
            os.remove(self.path)

    # -- the service

    def mirrors_differ(self, answer):
        if "registry-mirrors" not in self.settings:
            return False
        return answer.mirrors != normal_mirrors(self.settings["registry-mirrors"])

    def method(self, running, answer):
        """How the engine gets its settings: start, restart, reload, or nothing."""
        if not running:
            return "start"
        enough = answer and reload_is_enough(self.changed, answer.version, self.merged)
        if not enough or (self.engine.installed and self.engine.installed != answer.version):
            return "restart"
        return "reload" if self.changed or self.mirrors_differ(answer) else ""

    def consent(self, answer):
        """Fail if a restart would stop containers and nobody agreed to that."""
        if answer and answer.live_restore and containers_go_on(self.changed, answer.version, self.engine.installed):
            self.ran = dict((i, Container(one.name, True)) for i, one in self.engine.containers().items())
            return
        self.ran = self.engine.containers() if answer else {}
        if self.module.params["restart"] or not (self.ran or (answer is None and self.engine.shims())):
            return
        who = named(one.name for one in self.ran.values()) or "containers of an engine that does not answer"
        keys = ", ".join(needs_restart(self.changed, answer and answer.version, self.merged))
        self.fail(
            "service",
            "restart-needed",
            "Nothing was changed: the engine has to restart%s, and %s would stop; let it (docker_daemon_restart: true,"
            " `pydock ... --restart`) when they may." % (" for " + keys if keys else "", who),
        )

    def bring_up(self, how):
        """The engine's answer after it was started, restarted or reloaded."""
        if how == "reload":
            # What is in effect can be asked for: faster than the journal, and more to the point.
            alone = self.changed in ([], ["registry-mirrors"])
            return self.engine.reload((lambda answer: not self.mirrors_differ(answer)) if alone else None)
        if how == "start":
            note_found(self.run)
        self.engine.control(how)
        return self.engine.wait()

    def roll_back(self, running, how, journal):
        """The new file did not work: the old one, and the engine as it was with it."""
        self.put_back()
        if how == "reload":
            self.engine.control("reload")
        else:
            self.engine.control("restart" if running else "start")
        back = self.engine.wait()
        gone = sum(self.engine.missing(self.ran), []) if back and self.ran else []
        self.steps = [step for step in self.steps if step["name"] != "settings"]
        self.fail(
            "settings",
            "settings-rolled-back",
            "The engine did not accept the new %s (%s): %s, and the engine %s%s; correct the daemon settings and run"
            " again."
            % (
                self.path,
                reason(journal) or "its journal does not say why",
                "the old file is back" if self.before is not None else "it was removed again",
                "runs with that" if back else "does not run even so",
                "; %s ran before and do not run now" % named(gone) if gone else "",
            ),
            journal,
        )

    def ensure(self):
        old, new = self.plan()
        unit = self.engine.unit()
        running, enabled = unit.get("ActiveState") == "active", unit.get("UnitFileState") == "enabled"
        enabled = enabled or not self.module.params["enable"]
        result, how = {}, "start"
        if self.changed and self.module._diff:
            before, after = without_passwords(old), without_passwords(new)
            result["diff"] = {
                "before": before, "after": after, "before_header": self.path, "after_header": self.path,
            }  # fmt: skip
        if unit.get("LoadState") == "loaded":
            answer = (self.engine.ask() or self.engine.wait()) if running else None
            self.engine.look_at_version(unit, answer)
            if self.changed:
                self.judge(unit)
            how = self.method(running, answer)
            if how == "restart":
                self.consent(answer)
        elif not self.module.check_mode:
            self.fail("service", "no-engine", "This host has no docker.service; install the engine's packages first.")
        if self.module.check_mode:
            self.step("settings", "changed" if self.changed else "ok", ", ".join(self.changed))
            self.step("service", "changed" if how or not enabled else "ok", "")
            self.finish(result)
        if self.changed:
            self.write(new)
            if self.backup:
                result["backup"] = self.backup
        self.step("settings", "changed" if self.changed else "ok", ", ".join(self.changed))
        words = [] if enabled else [self.enable()]
        if how:
            answer = self.bring_up(how)
        if not answer or self.mirrors_differ(answer):
            self.complain(running, how, answer)
        words += {"start": ["started"], "restart": ["restarted"], "reload": ["reloaded"]}.get(how, [])
        status, words = "changed" if words else "ok", words + ["docker %s" % answer.version]
        if self.ran:
            lost, others = self.engine.missing(self.ran)
            if lost:
                self.fail("service", "containers-not-back", "The engine restarted, and %s did not come back; see"
                          " `docker ps -a` on the host." % named(lost + others), self.engine.journal())  # fmt: skip
            if others:
                words.append("stopped, without a restart policy to start them again: %s" % named(others))
        self.step("service", status, ", ".join(words))
        self.finish(dict(result, registry_mirrors=answer.mirrors))

    def enable(self):
        code, out, err = self.run("systemctl", "enable", "docker.service")
        if code:
            self.fail("service", "not-enabled", "docker.service cannot be enabled on this host.", out, err)
        return "enabled"

    def complain(self, running, how, answer):
        """The engine is not as it should be: put back what was changed, and fail."""
        journal = self.engine.journal()
        if self.changed:
            self.roll_back(running, how, journal)
        if not answer:
            self.fail(
                "service",
                "engine-does-not-start",
                "The engine did not answer within %d s (%s)."
                % (self.engine.timeout, reason(journal) or "its journal does not say why"),
                journal,
            )
        self.fail(
            "service",
            "mirrors-not-in-effect",
            "The engine uses the registry mirrors %s, not those of %s; look for --registry-mirror in"
            " `systemctl cat docker`." % (" ".join(answer.mirrors) or "(none)", self.path),
            journal,
        )

    def finish(self, result):
        changed = any(step["status"] == "changed" for step in self.steps)
        self.module.exit_json(changed=changed, steps=self.steps, **result)


def work(module):
    """Do it; the module ends with the result."""
    # DOCKER_HOST empty: the engine of this host, whatever root's environment says.
    module.run_command_environ_update = {"LC_ALL": "C", "LANG": "C", "DOCKER_HOST": "", "DOCKER_CONTEXT": ""}
    settings = json.loads(json.dumps(module.params["settings"]))  # Python 2.7 mixes its two kinds of text.
    module.params["settings"] = without_passwords(settings)  # Ansible repeats the parameters in its result.
    Daemon(module, settings).ensure()
