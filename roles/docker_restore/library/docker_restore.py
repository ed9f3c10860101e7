#!/usr/bin/python
# -*- coding: utf-8 -*-
"""What pydock removed and replaced, brought back as the host's journal tells it: packages, then repository files."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: docker_restore
short_description: Bring back packages that pydock removed and repository files that it replaced
description:
  - Reads the host's journal. Packages are installed again, in the version that was there if a repository has it.
  - While Docker's packages are there, with which they conflict, they wait; what no repository has any more is told.
  - Repository files become what they were before pydock, all or none. The present files are kept as backups.
options:
  only: {description: What is restored., type: list, elements: str, choices: [packages, repositories],
         default: [packages, repositories]}
  files:
    description: The files to put back; none means all that the journal knows of.
    type: list
    elements: str
    default: []
  packages:
    description: The packages to bring back; none means all that the journal knows of.
    type: list
    elements: str
    default: []
  force: {description: Whether to put back also files that somebody else changed since., type: bool, default: false}
  journal: {description: The journal., type: path, default: /var/lib/pydock/journal.jsonl}
  directory: {description: Only files right below it are put back., type: path, default: /etc/yum.repos.d}
  lock_timeout: {description: Seconds to wait for another package manager., type: int, default: 300}
  turn: {description: Who sends this and how long it may take (role docker_host)., type: dict, default: {}}
author: [pydock]
"""

EXAMPLES = r"""
- name: The repository files of the release as they were
  docker_restore:
    only: [repositories]
    files: [/etc/yum.repos.d/CentOS-Base.repo]
"""

RETURN = r"""
steps: {description: What was done., type: list, returned: always}
left: {description: What could not be brought back and why., type: list, returned: always}
code: {description: Name of the failure., type: str, returned: failure}
evidence: {description: The tool's own words., type: str, returned: failure}
"""

import io
import os
import shutil
import tempfile
import time

from ansible.module_utils.pydock_host import (
    back_up,
    journal,
    note,
    removed_packages,
    restorable,
    sha256,
    sums_of,
    tail,
)
from ansible.module_utils.pydock_package_set import difference, listed_packages
from ansible.module_utils.pydock_returning import IN_THE_WAY, described, returning
from ansible.module_utils.pydock_turn import HostModule
from ansible.module_utils.pydock_yum import Locked, yum

DOCKER_FILE = "/etc/yum.repos.d/docker-ce.repo"


def text_of(path):
    if not os.path.isfile(path):
        return ""
    with io.open(path, encoding="utf-8", errors="replace") as source:
        return source.read()


class Restore(object):
    """The restoration of one host."""

    def __init__(self, module):
        self.module, self.params = module, module.params
        self.began = time.time()
        self.path = module.params["journal"]
        self.steps, self.left, self.diffs = [], [], []
        self.failure = None

    def run(self, *command):
        """(exit code, stdout, stderr); 127 and why for what cannot be started."""
        try:
            return self.module.run_command(list(command), expand_user_and_vars=False, handle_exceptions=False)
        except (OSError, IOError) as problem:
            return 127, "", str(problem)

    def step(self, name, status, detail):
        now = time.time()
        self.steps.append({"name": name, "status": status, "seconds": round(now - self.began, 2), "detail": detail})
        self.began = now

    def fail(self, code, message, evidence="", step="distribution-packages"):
        """Kept for the end: what else can be restored is."""
        self.step(step, "failed", message)
        self.failure = self.failure or {"msg": message, "code": code, "evidence": evidence}

    # -- packages

    def installed(self, names):
        if not names:
            return set()
        out = self.run("rpm", "-q", "--qf", "%{NAME}\\n", *sorted(names))[1]
        return set(line for line in out.splitlines() if line in names)

    def all_packages(self):
        return set(self.run("rpm", "-qa", "--qf", "%{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}\\n")[1].split())

    def yum(self, *words):
        return yum(self.run, words, self.params["lock_timeout"])

    def listed(self, names):
        """What the repositories have of these. Docker's own is asked, too: it would say if it could not be read."""
        code, out, err = self.yum(*(["-q", "list", "--showduplicates"] + sorted(names)))
        found = listed_packages(out)
        if code and not found and "o matching packages" not in (out + err).lower():
            return None, tail(out, err)
        return found, ""

    def packages(self):
        gone = removed_packages(journal(self.path))
        named = self.params["packages"]
        gone = dict((name, gone[name]) for name in gone if not named or name in named)
        there = self.installed(gone)
        gone = dict((name, gone[name]) for name in gone if name not in there)
        way = sorted(self.installed(IN_THE_WAY)) if gone else []
        if way:
            self.left.append("%s: in the way is %s" % (", ".join(sorted(gone)), ", ".join(way)))
        if way or not gone:
            return self.step("distribution-packages", "ok", "; ".join(self.left))
        listed, said = self.listed(gone)
        if listed is None:
            return self.fail("no-metadata", "Nothing was installed: a repository of this host"
                             " cannot be read; its own words say which.", said)  # fmt: skip
        chosen, lost = returning(gone, listed)
        self.left += ["%s: no repository has it" % name for name in lost]
        words = [described(gone, chosen)] * bool(chosen) + self.left
        if not chosen or self.module.check_mode:
            return self.step("distribution-packages", "changed" if chosen else "ok", "; ".join(words))
        problem = self.install(chosen)
        missing = sorted(set(chosen) - self.installed(chosen))
        if missing:
            return self.fail("restore-failed", "yum did not install %s; its own words say why."
                             % ", ".join(missing), problem)  # fmt: skip
        return self.step("distribution-packages", "changed", "; ".join(words))

    def install(self, chosen):
        """All of them at once, or else each that can be. What yum said of the last that could not."""
        # containerd.io provides runc: Docker would come back with podman.
        extra = ["--disablerepo=docker-ce-stable"] if "[docker-ce-stable]" in text_of(DOCKER_FILE) else []
        said = ""
        for names in [sorted(chosen)] + [[name] for name in sorted(chosen)]:
            names = [name for name in names if name not in self.installed(chosen)]
            if not names:
                continue
            before = self.all_packages()
            pins = ["%s-%s-%s" % ((name,) + tuple(chosen[name])) for name in names]
            code, out, err = self.yum(*(["-y"] + extra + ["install"] + pins))
            new = difference(before, self.all_packages())[0]
            if new:
                note("restored", self.path, packages=new)
            said = tail(out, err) if code else said
        return said

    # -- files

    def wanted(self):
        """What is to be put back; None if a file is not the journal's, was changed since, or has no backup."""
        entries = journal(self.path)
        known = [
            one
            for one in restorable(entries, sums_of(entries))
            if one["backup"] and os.path.dirname(one["file"]) == self.params["directory"]
        ]
        named = self.params["files"]
        found = [one for one in known if not named or one["file"] in named]
        lost = [one for one in found if not os.path.isfile(one["backup"])]
        if lost and named:
            message = "%s cannot be put back: %s."
            return self.fail("restore-failed", message % (lost[0]["file"], lost[0]["problem"]), step="restore")
        self.left += ["%s: %s" % (one["file"], one["problem"]) for one in lost]
        found = [one for one in found if one not in lost]
        changed = [one for one in found if one["problem"]]
        if changed and not self.params["force"]:
            message = "%s is not as pydock left it (%s), so no file was put back; compare it with %s."
            words = (changed[0]["file"], changed[0]["problem"], changed[0]["backup"])
            return self.fail("restore-failed", message % words, step="restore")
        return found

    def put_back(self, path, backup):
        kept = back_up(path) if os.path.isfile(path) else None
        handle, temporary = tempfile.mkstemp(dir=self.module.tmpdir, prefix="restore-")
        os.close(handle)
        shutil.copy2(backup, temporary)
        self.module.atomic_move(temporary, path)  # Takes over owner, mode and label of what is there.
        # First the word, then the deed: a backup that is gone unnoted would be missed.
        note("restored", self.path, file=path, backup=backup, kept=kept, sha256=sha256(path))
        os.remove(backup)

    def repositories(self):
        found = self.wanted()
        if found is None:
            return
        done = []
        for one in found:
            path, backup = one["file"], one["backup"]
            self.diffs.append(
                {"before": text_of(path), "after": text_of(backup), "before_header": path, "after_header": path}
            )
            if not self.module.check_mode:
                self.put_back(path, backup)
            done.append(os.path.basename(path))
        self.step("restore", "changed" if done else "ok", ", ".join(done))

    def ensure(self):
        # Packages first: the files that come back may name servers that are switched off.
        if "packages" in self.params["only"]:
            try:
                self.packages()
            except Locked as other:
                message = "Another package manager%s has held the lock for %d s; let it end, and run again."
                words = (" (pid %s)" % other.pid if other.pid else "", self.params["lock_timeout"])
                self.fail("locked", message % words, other.said)
        if "repositories" in self.params["only"]:
            self.repositories()
        changed = any(step["status"] == "changed" for step in self.steps)
        result = {"changed": changed, "steps": self.steps, "left": self.left}
        if self.diffs and self.module._diff:
            result["diff"] = self.diffs
        if self.failure:
            self.module.fail_json(**dict(result, **self.failure))
        self.module.exit_json(**result)


def main():
    strings = {"type": "list", "elements": "str", "default": []}
    kinds = ["packages", "repositories"]
    module = HostModule(
        argument_spec={
            "only": {"type": "list", "elements": "str", "choices": kinds, "default": kinds},
            "files": strings,
            "packages": strings,
            "force": {"type": "bool", "default": False},
            "journal": {"type": "path", "default": "/var/lib/pydock/journal.jsonl"},
            "directory": {"type": "path", "default": "/etc/yum.repos.d"},
            "lock_timeout": {"type": "int", "default": 300},
        },
        supports_check_mode=True,
    )
    module.run_command_environ_update = {"LC_ALL": "C", "LANG": "C"}
    Restore(module).ensure()


if __name__ == "__main__":
    main()
