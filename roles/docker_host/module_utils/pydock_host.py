# -*- coding: utf-8 -*-
"""What the modules of all roles share: the host's journal, backups, and a few words of the tools they run."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import io
import json
import os
import re
import shutil
import time

#: A line of JSON for each change that pydock made: root's, 0600. ``uninstall`` and ``restore`` read it.
JOURNAL = "/var/lib/pydock/journal.jsonl"

LOCKED = re.compile(
    r"configured by exit_on_lock|already locked by|holding the yum lock|Failed to obtain .* lock"
    r"|can't create transaction lock"
)


def lock_holder(text):
    """The pid that holds the package manager's lock, "" when it has no name, None when the lock is free."""
    if not LOCKED.search(text):
        return None
    found = re.search(r"(?:pid|locked by) (\d+)", text)
    return found.group(1) if found else ""


def tail(*texts):
    """The end of what tools said: the part that tells why."""
    return "\n".join(text.strip() for text in texts if text.strip())[-4000:]


def stamp():
    """The time in UTC, fit for the name of a file."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())


def make_directory(path, mode=0o755):
    """The directory, with those above it, whatever the umask."""
    if not os.path.isdir(path):
        make_directory(os.path.dirname(path))
        try:
            os.mkdir(path, mode)
            os.chmod(path, mode)
        except OSError as problem:
            if problem.errno != errno.EEXIST:
                raise


def back_up(path):
    """Copy a file beside itself, under a name that no tool reads; that name."""
    name = "%s.pydock-%s.bak" % (path, stamp())
    shutil.copy2(path, name)
    return name


def note(action, path=JOURNAL, **facts):
    """Write into the journal what was just done; the role's README has the actions and what belongs to each."""
    entry = dict(facts, action=action, time=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    line = json.dumps(entry, sort_keys=True) + "\n"
    make_directory(os.path.dirname(path))
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        # One write, on a line of its own also after one that was cut off.
        os.write(handle, (line if ends_well(path) else "\n" + line).encode("utf-8"))
        os.fsync(handle)
    finally:
        os.close(handle)


def note_file(path, backup):
    """A file that was written: new, or in place of one that is kept as ``backup``."""
    if backup:
        note("replaced", file=path, backup=backup)
    else:
        note("created", file=path)


def ends_well(path):
    """Whether the journal is empty or ends with a whole line."""
    with io.open(path, "rb") as source:
        source.seek(0, os.SEEK_END)
        if source.tell() == 0:
            return True
        source.seek(-1, os.SEEK_END)
        return source.read(1) == b"\n"


def journal(path=JOURNAL):
    """All entries, oldest first; lines that are none are passed over."""
    if not os.path.exists(path):
        return []
    with io.open(path, encoding="utf-8", errors="replace") as source:
        lines = source.read().splitlines()
    entries = []
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and "action" in entry:
            entries.append(entry)
    return entries
