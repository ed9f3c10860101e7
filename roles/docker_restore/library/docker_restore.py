#!/usr/bin/python
# -*- coding: utf-8 -*-
"""Files that pydock replaced, put back from their backups as the host's journal tells them."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: docker_restore
short_description: Put back repository files that pydock replaced
description:
  - Reads the host's journal, and puts back what was there before pydock's changes, all files or none.
  - The present files are kept as backups.
options:
  files:
    description: The files to put back; none means all that the journal knows of.
    type: list
    elements: str
    default: []
  force: {description: Whether to put back also files that somebody else changed since., type: bool, default: false}
  journal: {description: The journal., type: path, default: /var/lib/pydock/journal.jsonl}
  directory: {description: Only files right below it are put back., type: path, default: /etc/yum.repos.d}
  turn: {description: Who sends this and how long it may take (role docker_host)., type: dict, default: {}}
author: [pydock]
"""

EXAMPLES = r"""
- name: The repository files of the release as they were
  docker_restore:
    files: [/etc/yum.repos.d/CentOS-Base.repo]
"""

RETURN = r"""
steps: {description: What was done., type: list, returned: always}
code: {description: Name of the failure., type: str, returned: failure}
evidence: {description: The tool's own words., type: str, returned: failure}
"""

import io
import os
import shutil
import tempfile
import time

from ansible.module_utils.pydock_host import back_up, journal, note, restorable, sha256
from ansible.module_utils.pydock_turn import HostModule


def sums_of(entries):
    """SHA-256 of the files and backups that a journal names, by path, as far as they are there."""
    paths = set(entry.get(key) for entry in entries for key in ("file", "backup"))
    found = dict((path, sha256(path)) for path in paths if path)
    return dict((path, value) for path, value in found.items() if value)


def text_of(path):
    if not os.path.isfile(path):
        return ""
    with io.open(path, encoding="utf-8", errors="replace") as source:
        return source.read()


class Restore(object):
    """The restoration of one host."""

    def __init__(self, module):
        self.module = module
        self.began = time.time()
        self.path = module.params["journal"]
        self.done = []
        self.diffs = []

    def end(self, tell, status, detail, **result):
        step = {"name": "restore", "status": status, "seconds": round(time.time() - self.began, 2), "detail": detail}
        if self.diffs and self.module._diff:
            result["diff"] = self.diffs
        tell(changed=bool(self.done), steps=[step], **result)

    def fail(self, code, message, evidence=""):
        self.end(self.module.fail_json, "failed", message, msg=message, code=code, evidence=evidence)

    def wanted(self):
        """What is to be put back. Fails if a file is not the journal's, was changed since, or has no backup."""
        entries = journal(self.path)
        known = [
            one
            for one in restorable(entries, sums_of(entries))
            if os.path.dirname(one["file"]) == self.module.params["directory"]
        ]
        named = self.module.params["files"]
        found = [one for one in known if not named or one["file"] in named]
        lost = [one for one in found if one["backup"] and not os.path.isfile(one["backup"])]
        if lost and named:
            self.fail("restore-failed", "%s cannot be put back: %s." % (lost[0]["file"], lost[0]["problem"]))
        found = [one for one in found if one not in lost]
        changed = [one for one in found if one["problem"]]
        if changed and not self.module.params["force"]:
            message = "%s is not as pydock left it (%s), so nothing was put back; compare it with %s."
            self.fail("restore-failed", message % (changed[0]["file"], changed[0]["problem"], changed[0]["backup"]))
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

    def ensure(self):
        for one in self.wanted():
            path, backup = one["file"], one["backup"]
            self.diffs.append(
                {"before": text_of(path), "after": text_of(backup), "before_header": path, "after_header": path}
            )
            if not self.module.check_mode:
                self.put_back(path, backup)
            self.done.append(os.path.basename(path))
        self.end(self.module.exit_json, "changed" if self.done else "ok", ", ".join(self.done))


def main():
    module = HostModule(
        argument_spec={
            "files": {"type": "list", "elements": "str", "default": []},
            "force": {"type": "bool", "default": False},
            "journal": {"type": "path", "default": "/var/lib/pydock/journal.jsonl"},
            "directory": {"type": "path", "default": "/etc/yum.repos.d"},
        },
        supports_check_mode=True,
    )
    Restore(module).ensure()


if __name__ == "__main__":
    main()
