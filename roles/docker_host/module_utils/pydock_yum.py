# -*- coding: utf-8 -*-
"""yum 3 or dnf under that name, as the modules of the roles run it."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import time

from ansible.module_utils.pydock_host import lock_holder

OPTIONS = ["--setopt=exit_on_lock=True", "--setopt=timeout=30", "--setopt=retries=3"]


class Locked(Exception):
    """Another package manager holds the lock; ``pid`` is "" where it has no name."""

    def __init__(self, pid, said):
        Exception.__init__(self, pid)
        self.pid, self.said = pid, said


def yum(run, words, lock_timeout=300):
    """(exit code, stdout, stderr) of yum, tried again for a while when another package manager works: yum 3 would wait
    for ever. ``run`` runs a command. Raises Locked."""
    deadline = time.time() + lock_timeout
    while True:
        code, out, err = run("/usr/bin/yum", *(OPTIONS + list(words)))
        holder = lock_holder(out + err)
        if code == 0 or holder is None:
            return code, out, err
        if time.time() >= deadline:
            raise Locked(holder, out + err)
        time.sleep(3)
