# -*- coding: utf-8 -*-
"""The engine's files as they were before pydock, and the engine running with them."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import os
import shutil
import tempfile

from ansible.module_utils.pydock_daemon import ARGUMENTS as OF_SETTINGS
from ansible.module_utils.pydock_daemon import ENVIRONMENT, SETTINGS, Daemon
from ansible.module_utils.pydock_daemon_engine import named, read
from ansible.module_utils.pydock_daemon_json import NotSettings, differing, parse, without_passwords
from ansible.module_utils.pydock_daemon_rules import needs_restart_for, reload_is_enough, spelt_out
from ansible.module_utils.pydock_host import back_up, journal, note, note_file, restorable, sha256, sums_of

#: What the module takes.
ARGUMENTS = dict(
    OF_SETTINGS, undo={"type": "bool", "default": False}, force={"type": "bool", "default": False}
)
#: Where drop-ins of the engine's unit are.
DROPINS = "/etc/systemd/system/docker.service.d"


class Former(Daemon):
    """The engine's files as they were before pydock: daemon.json, and drop-ins of its unit."""

    kind, advice = "former", "see whether this engine knows what stands in it"

    def __init__(self, module, settings):
        Daemon.__init__(self, module, settings)
        entries = journal()
        found = [one for one in restorable(entries, sums_of(entries)) if self.is_the_engine_s(one["file"])]
        lost = [one for one in found if one["backup"] and not os.path.isfile(one["backup"])]
        changed = [one for one in found if one["problem"] and one not in lost and not module.params["force"]]
        self.left = ["%s (%s)" % (one["file"], one["problem"]) for one in lost + changed]
        self.files = [] if changed else [one for one in found if one not in lost]
        self.kept = {}
        self.passage, self.passing = None, False

    def is_the_engine_s(self, path):
        return path == self.path or os.path.dirname(path) == DROPINS

    def names_settings(self):
        return any(one["file"] == self.path for one in self.files)

    def plan(self):
        """As Daemon's, of daemon.json. A drop-in that changes counts as a key that no reload takes over."""
        self.before = read(self.path)
        former = self.before
        for one in self.files:
            if one["file"] == self.path:
                former = read(one["backup"]) if one["backup"] else None
        old, new = [(text or b"").decode("utf-8", "replace") for text in (self.before, former)]
        try:
            present, self.merged = parse(old), parse(new)
        except NotSettings as problem:
            self.refuse("broken-settings", "it or its backup is no valid JSON (%s); correct it and run again" % problem)
        self.changed = differing(present, self.merged)
        if "registry-mirrors" in self.changed:
            self.settings = {"registry-mirrors": self.merged.get("registry-mirrors", [])}
        self.passage = spelt_out(self.changed, self.merged)
        self.changed += [os.path.basename(one["file"]) for one in self.files if one["file"] != self.path]
        return old, new

    def method(self, running, answer, pid=None):
        """An engine that does not run stays so."""
        if not running or not self.changed:
            return ""
        enough = answer and self.passage is not None and reload_is_enough(self.changed, answer.version, self.passage)
        return "reload" if enough else "restart"

    def because(self, version):
        return needs_restart_for(self.changed, version, self.merged)

    def place(self, path, backup):
        """What was there before in the place of a file; the present one is kept beside it."""
        if path not in self.kept:
            self.kept[path] = back_up(path) if os.path.isfile(path) else None
        if backup is None:
            os.remove(path)
            return
        handle, temporary = tempfile.mkstemp(dir=self.module.tmpdir, prefix="former-")
        os.close(handle)
        shutil.copy2(backup, temporary)
        self.module.atomic_move(temporary, path)  # Takes over owner, mode and label of what is there.
        if self.kept[path] is None:
            shutil.copymode(backup, path)

    def check(self):
        """Fail if the engine would not take the former file."""
        for one in self.files:
            if one["file"] == self.path and one["backup"]:
                copy = os.path.join(self.module.tmpdir, "former.json")
                shutil.copyfile(one["backup"], copy)
                self.validate(copy)

    def pass_over(self):
        """What a reload has to be told besides, for the time of the reload: noted, so that one cut off is known."""
        self.kept[self.path] = back_up(self.path)
        handle, temporary = tempfile.mkstemp(dir=self.module.tmpdir, prefix="passage-")
        with os.fdopen(handle, "wb") as sink:
            sink.write(json.dumps(self.passage, sort_keys=True).encode("utf-8"))
        self.module.atomic_move(temporary, self.path)
        note_file(self.path, self.kept[self.path])
        self.passing = True

    def put_back(self):
        """The present files again."""
        for path, copy in self.kept.items():
            if copy:
                self.module.atomic_move(copy, path)
            elif os.path.isfile(path):
                os.remove(path)
        if self.passing:
            note("restored", file=self.path, backup=self.kept[self.path], sha256=sha256(self.path))
        self.run("systemctl", "daemon-reload")

    def write(self, how):
        """The files, as far as the engine is not to see something else before."""
        if how == "reload" and self.passage != self.merged:
            self.pass_over()
            return
        for one in self.files:
            self.place(one["file"], one["backup"])
        if any(one["file"] != self.path for one in self.files):
            self.run("systemctl", "daemon-reload")

    def settle(self):
        """The engine runs with it: the last file in its place, and a word for each."""
        for one in self.files:
            path, backup = one["file"], one["backup"]
            if sha256(path) != (sha256(backup) if backup else None):
                self.place(path, backup)
            # First the word, then the deed: a backup that is gone unnoted would be missed.
            note("restored", file=path, backup=backup, kept=self.kept.get(path), sha256=sha256(path))
            if backup:
                os.remove(backup)

    def ensure(self):
        if not self.files:
            self.step(SETTINGS, "ok", "left: %s" % ", ".join(self.left) if self.left else "")
            self.finish({"left": self.left})
        old, new = self.plan()
        unit = self.engine.unit()
        running = unit.get("ActiveState") == "active"
        result, how, answer = {"left": self.left}, "", None
        if self.module._diff:
            before, after = without_passwords(old), without_passwords(new)
            result["diff"] = {"before": before, "after": after, "before_header": self.path, "after_header": self.path}
        if unit.get("LoadState") == "loaded":
            answer = (self.engine.ask() or self.engine.wait()) if running else None
            self.engine.look_at_version(unit, answer)
            if self.changed and self.names_settings():
                self.judge(unit)
            how = self.method(running, answer)
            if how == "restart":
                self.consent(answer)
        words = ["%s %s" % (os.path.basename(one["file"]), "put back" if one["backup"] else "removed")
                 for one in self.files]  # fmt: skip
        words += ["left: %s" % ", ".join(self.left)] if self.left else []
        if not self.module.check_mode:
            self.check()
            self.write(how)
            if how:
                answer = self.bring_up(how)
                if not answer or self.mirrors_differ(answer):
                    self.complain(running, how, answer)
            self.settle()
        self.step(SETTINGS, "changed", ", ".join(words))
        if how:
            done = ["%sed" % how] + (["docker %s" % answer.version] if answer else [])
            lost, others = self.engine.missing(self.ran) if self.ran and not self.module.check_mode else ([], [])
            done += ["does not run now: %s" % named(lost + others)] if lost or others else []
            self.step("service", "changed", ", ".join(done))
        self.finish(result)


def undo(module):
    """Do it; the module ends with the result."""
    module.run_command_environ_update = ENVIRONMENT
    module.params["settings"] = {}  # Ansible repeats the parameters in its result.
    Former(module, {}).ensure()
