# -*- coding: utf-8 -*-
"""daemon.json and the engine's service: merged, validated, in effect, or put back."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import os
import tempfile
import time

from ansible.module_utils.pydock_daemon_dropin import DropIn
from ansible.module_utils.pydock_daemon_engine import Container, Engine, named, read, read_text, reason
from ansible.module_utils.pydock_daemon_json import (
    NotSettings,
    edit,
    merge,
    normal_mirrors,
    parse,
    without_passwords,
)
from ansible.module_utils.pydock_daemon_proxy import problem_with
from ansible.module_utils.pydock_daemon_rules import (
    clashes,
    containers_go_on,
    flags,
    needs_restart,
    numbers,
    refusal,
    reload_is_enough,
)
from ansible.module_utils.pydock_host import back_up, make_directory, note, note_file, note_found, sha256, tail

#: What the module takes.
ARGUMENTS = {
    "settings": {"type": "dict", "default": {}},
    "proxy": {"type": "dict", "default": {}},
    "proxy_secrets": {"type": "dict", "default": {}, "no_log": True},
    "restart": {"type": "bool", "default": False},
    "enable": {"type": "bool", "default": True},
    "path": {"type": "path", "default": "/etc/docker/daemon.json"},
    "start_timeout": {"type": "int", "default": 120},
}

#: DOCKER_HOST empty: the engine of this host, whatever root's environment says.
ENVIRONMENT = {"LC_ALL": "C", "LANG": "C", "DOCKER_HOST": "", "DOCKER_CONTEXT": ""}
SETTINGS = "settings"


class Daemon(object):
    """The file, and the engine that is to run with it."""

    kind, advice = "new", "correct the daemon settings and run again"

    def __init__(self, module, settings, proxy=None):
        self.module, self.settings = module, settings
        self.path = os.path.realpath(module.params["path"])  # A link stays a link.
        self.engine = Engine(self.run, module.params["start_timeout"])
        self.began = time.time()
        self.steps = []
        self.drop_in = DropIn(proxy)
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

    def unit_files(self, unit):
        """The unit and its drop-ins in systemd's order, with their texts."""
        paths = [unit.get("FragmentPath", "")] + unit.get("DropInPaths", "").split()
        return [(path, read_text(path) or "") for path in paths if path]

    def judge(self, unit):
        """Fail if the engine would not take the file: before anything is written."""
        found = flags(self.unit_files(unit), read_text)
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

    def write_drop_in(self):
        try:
            self.drop_in.write()
        except (IOError, OSError) as problem:
            if self.changed:
                self.put_back_file()
                self.steps = []
            self.fail("proxy", "settings-not-written", "Nothing was changed: %s cannot be written (%s)."
                      % (self.drop_in.path, problem.strerror))  # fmt: skip
        self.run("systemctl", "daemon-reload")

    def put_back(self):
        """What was written before: the file, the drop-in, or both."""
        if self.changed:
            self.put_back_file()
        if self.drop_in.changed:
            self.drop_in.put_back()
            self.run("systemctl", "daemon-reload")

    def put_back_file(self):
        if self.backup:
            self.module.atomic_move(self.backup, self.path)
        else:
            os.remove(self.path)
        note("restored", file=self.path, backup=self.backup, sha256=sha256(self.path))

    # -- the service

    def mirrors_differ(self, answer):
        if "registry-mirrors" not in self.settings:
            return False
        return answer.mirrors != normal_mirrors(self.settings["registry-mirrors"])

    def method(self, running, answer, pid):
        """How the engine gets its settings: start, restart, reload, or nothing."""
        if not running:
            return "start"
        if self.drop_in.is_due(pid):
            return "restart"
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
        keys = ", ".join(self.because(answer and answer.version))
        self.fail(
            "service",
            "restart-needed",
            "Nothing was changed: the engine has to restart%s, and %s would stop; let it (docker_daemon_restart: true,"
            " `pydock ... --restart`) when they may." % (" for " + keys if keys else "", who),
        )

    def because(self, version):
        """What a running engine has to restart for: keys, and variables of its proxy."""
        return needs_restart(self.changed, version, self.merged) + self.drop_in.due

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
        self.steps = [step for step in self.steps if step["name"] not in (SETTINGS, "proxy")]
        files = [self.path] * bool(self.changed) + [self.drop_in.path] * self.drop_in.changed
        new = (self.changed and self.before is None) or (self.drop_in.changed and self.drop_in.before is None)
        self.fail(
            SETTINGS if self.changed else "proxy",
            "settings-rolled-back",
            "The engine did not accept the %s %s (%s): %s, and the engine %s%s; %s."
            % (
                self.kind,
                " and ".join(files),
                reason(journal) or "its journal does not say why",
                "what was there before is back" if len(files) > 1
                else "it was removed again" if new else "the old file is back",
                "runs with that" if back else "does not run even so",
                "; %s ran before and do not run now" % named(gone) if gone else "",
                self.advice if self.changed else "correct the engine's proxy and run again",
            ),
            journal,
        )  # fmt: skip

    def ensure(self):
        old, new = self.plan()
        unit = self.engine.unit()
        running, enabled = unit.get("ActiveState") == "active", unit.get("UnitFileState") == "enabled"
        enabled = enabled or not self.module.params["enable"]
        result, how = {}, "start"
        problem = self.drop_in.plan(self.unit_files(unit), read_text, self.merged)
        if problem:
            self.fail("proxy", "proxy-elsewhere", "Nothing was changed: %s; take it out there and run `systemctl"
                      " daemon-reload`, or leave the engine's proxy out of the settings." % problem)  # fmt: skip
        if self.module._diff:
            result["diff"] = self.differences(old, new)
        if unit.get("LoadState") == "loaded":
            answer = (self.engine.ask() or self.engine.wait()) if running else None
            self.engine.look_at_version(unit, answer)
            if self.changed:
                self.judge(unit)
            how = self.method(running, answer, unit.get("MainPID"))
            if how == "restart":
                self.consent(answer)
        elif not self.module.check_mode:
            self.fail("service", "no-engine", "This host has no docker.service; install the engine's packages first.")
        if self.module.check_mode:
            self.tell_files()
            self.step("service", "changed" if how or not enabled else "ok", "")
            self.finish(result)
        if self.changed:
            self.write(new)
            if self.backup:
                result["backup"] = self.backup
        if self.drop_in.changed:
            self.write_drop_in()
        self.tell_files()
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

    def tell_files(self):
        self.step(SETTINGS, "changed" if self.changed else "ok", ", ".join(self.changed))
        if self.drop_in.wanted is not None:
            taken = "" if self.drop_in.after else " no more"
            self.step("proxy", "changed" if self.drop_in.changed else "ok",
                      ", ".join(self.drop_in.names) + taken if self.drop_in.changed else "")  # fmt: skip

    def differences(self, old, new):
        drop_in = self.drop_in
        pairs = [(self.path, old, new)] if self.changed else []
        if drop_in.changed:
            pairs.append((drop_in.path,) + tuple((text or b"").decode("utf-8", "replace")
                                                 for text in (drop_in.before, drop_in.after)))  # fmt: skip
        return [
            {"before": without_passwords(before), "after": without_passwords(after), "before_header": path,
             "after_header": path}
            for path, before, after in pairs
        ]  # fmt: skip

    def enable(self):
        code, out, err = self.run("systemctl", "enable", "docker.service")
        if code:
            self.fail("service", "not-enabled", "docker.service cannot be enabled on this host.", out, err)
        return "enabled"

    def complain(self, running, how, answer):
        """The engine is not as it should be: put back what was changed, and fail."""
        journal = self.engine.journal()
        if self.changed or self.drop_in.changed:
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
    module.run_command_environ_update = ENVIRONMENT
    settings = json.loads(json.dumps(module.params["settings"]))  # Python 2.7 mixes its two kinds of text.
    module.params["settings"] = without_passwords(settings)  # Ansible repeats the parameters in its result.
    proxy = dict(module.params["proxy"], **module.params["proxy_secrets"])
    daemon = Daemon(module, settings, proxy)
    problem = problem_with(proxy)
    if problem:
        daemon.fail("proxy", "wrong-settings", "Nothing was changed: the engine's proxy: %s." % problem)
    daemon.ensure()
