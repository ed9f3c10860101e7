# -*- coding: utf-8 -*-
"""Packages that pydock removed, on their way back: which of them, and in which version. Decides; touches nothing."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

#: Each of what pydock removes conflicts with one of these.
IN_THE_WAY = ("docker-ce", "docker-ce-cli", "containerd.io")


def version_of(nevra):
    """("2.0", "1.el9") of ``name-2.0-1.el9.x86_64``."""
    _name, version, release = nevra.rsplit("-", 2)
    return version, release.rpartition(".")[0] or release


def returning(gone, listed):
    """({name: (version, release)} of what repositories have, [names that none has]).

    ``gone``: {name: NAME-VERSION-RELEASE.ARCH} as it was; ``listed``: {name: [(version, release), ...]}, oldest first.
    The very version comes back if it can, otherwise the newest.
    """
    chosen = {}
    for name in gone:
        there = listed.get(name)
        if there:
            chosen[name] = version_of(gone[name]) if version_of(gone[name]) in there else there[-1]
    return chosen, sorted(set(gone) - set(chosen))


def described(gone, chosen):
    """``podman 4.6.1, runc 1.1.12 (was 1.1.9)``"""
    words = []
    for name in sorted(chosen):
        was, now = version_of(gone[name]), chosen[name]
        text = "%s %s" % (name, now[0])
        if was != now:
            text += " (was %s)" % (was[0] if was[0] != now[0] else "-".join(was))
        words.append(text)
    return ", ".join(words)
