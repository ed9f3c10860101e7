# -*- coding: utf-8 -*-
"""What rpm and yum say of packages, and which set of them is wanted. Decides; touches nothing."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re
from collections import namedtuple

#: One release of Docker: these have one version. The rest (containerd.io, plugins) has numbers of its own.
SAME_VERSION = ("docker-ce", "docker-ce-cli", "docker-ce-rootless-extras")

#: ``engine`` and ``plugins`` are names; ``pins`` is an exact set, {name: (version, release)}, and counts alone.
Wish = namedtuple("Wish", "engine plugins version upgrade pins")


# -- what rpm and yum said


def installed_packages(text):
    """rpm's five columns -> {name: (version, release)}; of several (gcc in two builds) the newest."""
    found = {}
    for line in text.splitlines():
        fields = line.split("\t")
        if len(fields) == 5:
            name, _epoch, version, release, _arch = fields
            found[name] = max([(version, release)] + ([found[name]] if name in found else []), key=order)
    return found


def listed_packages(text):
    """``yum list`` -> {name: [(version, release), ...]}, oldest first, installed ones included.

    yum 3 wraps rows when there is no terminal, so lines mean nothing: a name, a version and a repository follow
    one another.
    """
    found, tokens, place = {}, text.split(), 0
    while place + 2 < len(tokens):
        name = re.match(r"(\S+)\.(?:noarch|x86_64|aarch64|i[3-6]86|ppc64le|s390x)\Z", tokens[place])
        evr = re.match(r"(?:\d+:)?([^-:\s]+)-([^-:\s]+)\Z", tokens[place + 1])
        if name and evr:
            found.setdefault(name.group(1), set()).add(evr.groups())
            place += 3
        else:
            place += 1
    return dict((name, sorted(versions, key=order)) for name, versions in found.items())


def order(version_release):
    """A sort key near to rpm's: numbers as numbers, and above letters."""
    return [
        [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in re.findall(r"\d+|[a-zA-Z]+", text)]
        for text in version_release
    ]


def matches(version, wanted):
    """26.1.4 is 26, 26.1 and 26.1.4, not 2 and not 26.10."""
    return wanted == "latest" or (version + ".").startswith(wanted + ".")


def nearest(wanted, versions):
    """Up to three of the versions, oldest first: those that begin like the wanted one, or else lie beside it."""
    parts = wanted.split(".")
    for length in range(len(parts) - 1, -1, -1):
        alike = [version for version in versions if version.split(".")[:length] == parts[:length]]
        if alike:
            alike = sorted(alike, key=lambda version: order((version,)))
            place = len([version for version in alike if order((version,)) < order((wanted,))])
            return alike[max(0, place - 2) : place + 1]
    return []


def needed_by(text):
    """The packages that rpm -e --test names as still needing what is to be removed."""
    return sorted(set(re.findall(r"is needed by (?:\(installed\) )?(\S+)", text)))


def difference(before, after):
    """(what is new, what is gone) of two sets of NAME-VERSION-RELEASE.ARCH; a key is no package of anybody's."""
    return tuple(
        sorted(name for name in left - right if not name.startswith("gpg-pubkey"))
        for left, right in ((after, before), (before, after))
    )


# -- what to do


class NoSuchVersion(Exception):
    """The repository does not have it; the message says what it has."""


def engine_is_wanted(installed, wish):
    """Is something to be done about the engine? Nothing, if all of it is there in a version that fits; whether there
    is a newer one that fits as well is another question."""
    if wish.pins:
        return any(installed.get(name) != pin for name, pin in wish.pins.items())
    if any(name not in installed for name in wish.engine):
        return True
    same = [installed[name][0] for name in one_release(wish) if name in installed]
    return any(not matches(found, wish.version) for found in same) or len(set(same)) > 1


def one_release(wish):
    return [name for name in SAME_VERSION if name in wish.engine or name in wish.plugins]


def choose_versions(installed, listed, wish):
    """One consistent set, {name: (version, release)}: what is wanted of the engine and its plugins.

    The engine and its client have one version. The rest stays as it is, or is the newest.
    """
    if wish.pins:
        return pinned(installed, listed, wish.pins)
    missing = [name for name in wish.engine if name not in listed and name not in installed]
    if missing:
        raise NoSuchVersion("the repository has no %s" % ", ".join(missing))
    same = [name for name in wish.engine if name in SAME_VERSION]
    chosen = {}
    if same:
        number = choose_number(installed, listed, wish, same)
        for name in one_release(wish):
            fits = [pair for pair in candidates(installed, listed, name) if pair[0] == number]
            if fits:
                chosen[name] = installed[name] if installed.get(name) in fits and not wish.upgrade else fits[-1]
    for name in list(wish.engine) + list(wish.plugins):
        if name not in SAME_VERSION and (name in installed or name in listed):
            newest = candidates(installed, listed, name)[-1]
            chosen[name] = newest if wish.upgrade else installed.get(name, newest)
    return chosen


def pinned(installed, listed, pins):
    for name in sorted(pins):
        if pins[name] not in candidates(installed, listed, name):
            has = [pair[0] for pair in candidates(installed, listed, name)][-1:] or ["none at all"]
            raise NoSuchVersion("the repository has no %s-%s-%s; the newest is %s" % ((name,) + pins[name] + (has[0],)))
    return dict(pins)


def choose_number(installed, listed, wish, same):
    """The version of engine and client."""
    common = set.intersection(*[set(pair[0] for pair in candidates(installed, listed, name)) for name in same])
    common = sorted(common, key=lambda text: order((text,)))
    fitting = [found for found in common if matches(found, wish.version)]
    if not fitting:
        raise NoSuchVersion("%s has no version %s here; the newest is %s, the nearest: %s" % (
            same[0], wish.version, (common or ["none at all"])[-1], ", ".join(nearest(wish.version, common)) or "none"))
    present = installed.get(same[0], ("", ""))[0]
    return present if present in fitting and not wish.upgrade else fitting[-1]


def dropped(installed, chosen, wish):
    """What belongs to the engine's release and does not exist in the chosen one: engines before 20.10 have no
    rootless-extras of their own."""
    if wish.pins or "docker-ce" not in chosen:
        return []
    return [name for name in one_release(wish) if name in installed and name not in chosen]


def candidates(installed, listed, name):
    return sorted(set(listed.get(name, [])) | set([installed[name]] if name in installed else []), key=order)


def transaction(installed, remove, plain, chosen):
    """What yum is told: (removals, installs, downgrades). A pin has no epoch: yum 3 takes none without the
    architecture; and its ``install`` of an older version does nothing."""
    installs = [name for name in plain if name not in installed]
    downgrades = []
    for name in sorted(chosen):
        pin = "%s-%s-%s" % ((name,) + tuple(chosen[name]))
        if name not in installed or order(installed[name]) < order(chosen[name]):
            installs.append(pin)
        elif installed[name] != tuple(chosen[name]):
            downgrades.append(pin)
    return [name for name in remove if name in installed], installs, downgrades


def shell_script(removals, installs, downgrades):
    """Lines for ``yum shell``: the one way to remove, install and downgrade in a single transaction."""
    lines = [
        word + " " + " ".join(names)
        for word, names in (("remove", removals), ("downgrade", downgrades), ("install", installs))
        if names
    ]
    return "\n".join(lines + ["run", "exit", ""])


def restarts(installed, chosen):
    """Does the engine that runs restart for this? Docker's packages restart it when it or containerd.io changes."""
    return any(
        name in installed and name in chosen and installed[name] != tuple(chosen[name])
        for name in ("docker-ce", "containerd.io")
    )


def survives(installed, chosen):
    """Would containers survive that with live-restore? Docker promises it for patch releases alone."""
    before, after = (one.get("docker-ce", ("",))[0].split(".")[:2] for one in (installed, chosen))
    return before == after


def described(names, installed, before):
    """``docker-ce 20.10.24 (was 20.10.23), containerd.io 1.6.33``"""
    return ", ".join(
        "%s %s" % (name, installed[name][0])
        + (" (was %s)" % before[name][0] if name in before and before[name][0] != installed[name][0] else "")
        for name in names
        if name in installed
    )
