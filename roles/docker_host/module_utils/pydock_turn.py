# -*- coding: utf-8 -*-
"""One run at a time on a host: whose turn it is, how long it may take, and whether it may still begin something."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import atexit
import errno
import fcntl
import io
import json
import os
import re
import select
import threading
import time

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.pydock_host import note

#: Locked by the process that is at work, which wrote into it who sent it: the lock goes with the process, the file
#: with the next boot.
LOCK = "/run/pydock.lock"
#: The controller makes it on a host where nothing new is to begin. No right is needed for that, and none comes of it.
STOP = "/tmp/.pydock-stop-%s"
#: Seconds: for the whole of a host's work, where nobody says; for a command other than the package manager; between
#: asking a command to end and ending it.
WORK, QUICK, GRACE = 3600, 600, 60
PACKAGE_MANAGERS = ("yum", "dnf", "yum3", "dnf-3")


class Held(Exception):
    """It is somebody else's turn; the message says whose."""


def described(holder):
    """A sentence about who is at work, as the lock file tells it."""
    words = dict((key, re.sub(r"[^\x20-\x7e]", "?", "%s" % (value,))[:200]) for key, value in holder.items())
    return "%s has been at work on this host since %s (%s, process %s there%s)" % (
        words.get("owner") or "somebody", words.get("since") or "some time",
        "`%s`" % words["command"] if words.get("command") else "an Ansible playbook", words.get("pid") or "unknown",
        "; the machine that sent it is gone, so it ends with the step that it is at" if holder.get("unheard") else "",
    )  # fmt: skip


def read_holder(path):
    """What the holder of the lock wrote; {} where it is not to be had."""
    try:
        with io.open(path, encoding="utf-8", errors="replace") as source:
            told = json.loads(source.read(8192))
    except (IOError, OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


class Turn(object):
    """This process's turn. ``told``: run, owner, command, break_lock, time_limit (seconds); all may be missing."""

    def __init__(self, told, path=None):
        self.told, self.path = told, path or LOCK
        self.run = str(told.get("run") or "")
        self.limit = int(told.get("time_limit") or WORK)
        self.ends = time.time() + self.limit
        self.handle = None
        self.unheard = False

    # -- the lock

    def take(self, pause=0.5):
        """Raises Held. An earlier try of this run is waited for, and so is one that nobody hears any more: both end by
        themselves."""
        if self.told.get("break_lock"):
            self._break()
        silent = 0
        while not self._locked():
            holder = read_holder(self.path)
            silent = 0 if holder else silent + 1
            ends_soon = holder.get("unheard") or (self.run and holder.get("run") == self.run)
            if (holder or silent > 5) and (not ends_soon or time.time() >= self.ends):
                raise Held(described(holder))
            time.sleep(pause)
        self._write()
        atexit.register(self.leave)

    def _locked(self):
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        # Whatever is started meanwhile, an engine for one, must not hold the lock on.
        fcntl.fcntl(handle, fcntl.F_SETFD, fcntl.fcntl(handle, fcntl.F_GETFD) | fcntl.FD_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (IOError, OSError) as problem:
            os.close(handle)
            if problem.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            return False
        self.handle = handle
        if self._mine():
            return True
        os.close(handle)  # It was taken away between the two.
        self.handle = None
        return False

    def _mine(self):
        try:
            there, here = os.stat(self.path), os.fstat(self.handle)
        except OSError:
            return False
        return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)

    def _break(self):
        """Who holds it sees that it is gone, and begins nothing new."""
        try:
            os.unlink(self.path)
        except OSError as problem:
            if problem.errno != errno.ENOENT:
                raise

    def _write(self, **more):
        user = os.environ.get("SUDO_USER") or "root"
        about = {
            "run": self.run, "owner": self.told.get("owner") or user, "command": self.told.get("command") or "",
            "pid": os.getpid(), "since": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
        }  # fmt: skip
        text = json.dumps(dict(about, **more), sort_keys=True).encode("utf-8")
        os.lseek(self.handle, 0, os.SEEK_SET)
        os.ftruncate(self.handle, 0)
        os.write(self.handle, text)

    def leave(self):
        """The turn is over."""
        if self.handle is None:
            return
        if self._mine():
            os.unlink(self.path)
        os.close(self.handle)
        self.handle = None
        if self.run:
            try:
                os.unlink(STOP % self.run)
            except OSError:
                pass

    # -- whether to go on

    def listen(self, channel=1):
        """Notice when nobody reads any more what this process will say: its controller or the connection is gone."""
        poller = select.poll()
        poller.register(channel, 0)

        def wait():
            poller.poll()
            self.unheard = True
            if self.handle is not None:
                self._write(unheard=True)

        thread = threading.Thread(target=wait)
        thread.daemon = True
        thread.start()

    def stop(self):
        """Why nothing new may begin, as (code, message); None if it may."""
        if self.handle is None:
            return None
        if not self._mine():
            return "lock-broken", "Nothing more was begun here: %s." % described(read_holder(self.path))
        if self.unheard:
            note("stopped", why="nobody hears this run any more", run=self.run)
            return "unheard", "Nothing more was begun here: the connection to the machine that sent this is gone."
        if self.run and os.path.exists(STOP % self.run):
            return "interrupted", "Nothing more was begun here: the run was interrupted."
        if time.time() >= self.ends:
            return "time-limit", "Nothing more was begun here: %d s, the limit of the work on a host, are over." % (
                self.limit)  # fmt: skip
        return None

    def seconds_for(self, program):
        """How long a command may take: the package manager as long as there is time, any other not for ever."""
        return max(1, int(self.ends - time.time())) if os.path.basename(program) in PACKAGE_MANAGERS else QUICK


class HostModule(AnsibleModule):
    """A module that changes a host: only while it is its turn, and no command of it without a limit.

    Option ``turn`` is what Turn is told. A module within another one shares its ``turn``.
    """

    def __init__(self, argument_spec, turn=None, **more):
        spec = dict(argument_spec, turn={"type": "dict", "default": {}})
        super(HostModule, self).__init__(argument_spec=spec, **more)
        self.turn = turn or Turn(self.params["turn"])
        if turn or self.check_mode:
            return
        try:
            self.turn.take()
        except Held as holder:
            self.end(("host-locked", "Nothing was changed: %s." % holder))
        self.turn.listen()

    def end(self, stop, steps=(), **result):
        """Fail, because nothing more may begin: with the code and the message that Turn.stop gave."""
        code, message = stop
        if code not in ("interrupted", "unheard"):
            failed = {"name": "lock" if "lock" in code else code, "status": "failed", "seconds": 0.0, "detail": message}
            steps = list(steps) + [failed]
        self.fail_json(msg=message, code=code, steps=list(steps), **result)

    def run_command(self, args, **options):
        """As Ansible's, but what does not end in time is ended. A package manager's caller sees to what it left
        half-done; another command that hangs is the end."""
        limit = self.turn.seconds_for(args[0])
        began = time.time()
        command = ["timeout", "-k", str(GRACE), str(limit)] + list(args)
        code, out, err = super(HostModule, self).run_command(command, **options)
        if code in (124, 137) and time.time() - began >= limit:
            said = "%s did not end within %d s, its limit, and was ended" % (" ".join(args)[:120], limit)
            if limit == QUICK:
                self.fail_json(msg="%s." % said, code="hung", evidence=(out + err)[-4000:])
            err += "\npydock: %s\n" % said
        return code, out, err
