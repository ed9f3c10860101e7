# -*- coding: utf-8 -*-
"""The drop-in with the engine's proxy on this host: looked at, written, taken away, put back."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import io
import os
import tempfile

from ansible.module_utils.pydock_daemon_engine import read
from ansible.module_utils.pydock_daemon_proxy import FILE, NAMES, content, has_password, is_set, refusal, variables
from ansible.module_utils.pydock_daemon_rules import environment
from ansible.module_utils.pydock_host import back_up, journal, make_directory, note, note_file, sha256


class DropIn(object):
    """pydock's drop-in. ``proxy`` are the settings; without any the host keeps what it has."""

    def __init__(self, proxy, path=FILE):
        self.wanted = variables(proxy) if proxy else None
        self.path = path
        self.before = self.after = self.backup = self.mode = None
        self.changed, self.due = False, []

    @property
    def names(self):
        """What it sets or set, for a sentence."""
        text = (self.before or b"").decode("utf-8", "replace")
        return [name for _key, name in NAMES if name in dict(self.wanted or []) or '"%s=' % name in text]

    def plan(self, files, read_text, settings):
        """Why it must not be done, or None. ``files`` are the unit and its drop-ins with their texts."""
        if self.wanted is None:
            return None
        self.before = self.after = read(self.path)
        rows = [
            (name, value if plain else value.replace("%%", "%"), path)
            for name, value, path, plain in environment([row for row in files if row[0] != self.path], read_text)
            if name.upper() in [known for _key, known in NAMES]
        ]
        problem = refusal(rows, self.wanted, settings)
        if problem or (self.before is None and is_set(rows, self.wanted)):
            return problem
        text = content(self.wanted)
        self.after = None if text is None else text.encode("ascii")
        self.changed = self.after != self.before
        return None

    def is_due(self, pid):
        """Whether a running engine has to restart for it; for what, is in ``due`` from then on."""
        if self.changed or not self._in_effect(pid):
            self.due = self.names
        return bool(self.due)

    def _in_effect(self, pid):
        """Whether the engine was started with what is wanted; also where nobody can tell, or nothing is."""
        try:
            with io.open("/proc/%s/environ" % pid, "rb") as source:
                given = source.read().decode("utf-8", "replace").split(u"\0")
        except (IOError, OSError):
            return True
        return all(u"%s=%s" % pair in given for pair in self.wanted or [])

    def write(self):
        """Write it, or take it away. Raises IOError or OSError."""
        if self.before is not None:
            self.mode = os.stat(self.path).st_mode & 0o777
        if self.after is None:
            self.backup = self._kept()
            os.remove(self.path)
            note("restored", file=self.path, backup=None, kept=self.backup, sha256=None)
            return
        make_directory(os.path.dirname(self.path))
        self.backup = back_up(self.path) if self.before is not None else None
        self._place(self.after, 0o600 if has_password(self.wanted) else 0o644)
        note_file(self.path, self.backup)

    def put_back(self):
        """What was there before write()."""
        if self.before is None:
            os.remove(self.path)
        else:
            self._place(self.before, self.mode)
            if self.backup:
                os.remove(self.backup)
        if self.after is None:
            note_file(self.path, None)
        else:
            note("restored", file=self.path, backup=self.backup, sha256=sha256(self.path))

    def _kept(self):
        """A copy of what somebody changed since pydock wrote it; of pydock's own words none is kept."""
        sums = [entry.get("sha256") for entry in journal() if entry.get("file") == self.path]
        return None if sums and sums[-1] == sha256(self.path) else back_up(self.path)

    def _place(self, data, mode):
        # Made beside its place, under a name that systemd does not read: no moment in which others could read it.
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(self.path), prefix=".pydock-")
        with os.fdopen(handle, "wb") as sink:
            sink.write(data)
        os.chmod(temporary, mode)
        os.rename(temporary, self.path)
