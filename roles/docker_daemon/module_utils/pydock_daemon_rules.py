# -*- coding: utf-8 -*-
"""What an engine of some version makes of its settings: facts about dockerd, and what follows from them. Pure."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re
import shlex

#: What the engine takes over on SIGHUP (dockerd's reference; moby v29.7.2, daemon/reload.go and reload_unix.go).
RELOADABLE = frozenset(
    """authorization-plugins debug default-cgroupns-mode default-ipc-mode default-runtime default-shm-size
    default-stop-timeout features insecure-registries labels live-restore max-concurrent-downloads
    max-concurrent-uploads max-download-attempts network-diagnostic-port nri-opts registry-mirrors runtimes
    shutdown-timeout""".split()
)
#: The engine from which on a key is reloadable, where that came later than the key (moby#29650).
RELOADABLE_SINCE = {"registry-mirrors": (17, 4)}
#: Engines that forget insecure-registries when they reload registry-mirrors: from, up to but without (moby#45552).
FORGETFUL = (((23, 0, 0), (23, 0, 7)), ((24, 0, 0), (24, 0, 2)))
#: What stands for a key that is gone. On a reload the engine keeps its value of a key that the file does not name
#: (moby v29.7.2, daemon/reload.go: IsValueSet).
UNSET = {"debug": False, "insecure-registries": [], "labels": [], "live-restore": False, "registry-mirrors": []}
#: With another value of these, containers do not survive a restart even with live-restore (Docker's manual on it).
CUTS_CONTAINERS_OFF = frozenset(
    """bip bip6 bridge containerd containerd-namespace data-root default-address-pools exec-root firewall-backend
    fixed-cidr fixed-cidr-v6 storage-driver storage-opts userns-remap""".split()
)
#: Keys that no engine before the version knows (moby's release notes). Engines from 23.0 on check that themselves.
NEWER = {
    (18, 9): ("builder", "default-address-pools", "features"),
    (20, 10): ("default-cgroupns-mode", "host-gateway-ip", "ip6tables", "max-download-attempts"),
    (23, 0): (
        "allow-direct-routing", "bip6", "bridge-accept-fwmark", "cdi-spec-dirs", "default-network-opts",
        "firewall-backend", "host-gateway-ips", "ip-forward-no-drop", "log-format", "nri-opts", "proxies",
    ),
}  # fmt: skip
#: Flags whose key in daemon.json has another name (dockerd's reference); short flags by their letter.
KEYS = {
    "H": "hosts", "g": "data-root", "s": "storage-driver", "l": "log-level", "D": "debug", "b": "bridge",
    "G": "group", "p": "pidfile", "graph": "data-root", "host": "hosts", "insecure-registry": "insecure-registries",
}  # fmt: skip
PLURAL = frozenset(
    """authorization-plugin cdi-spec-dir default-address-pool default-network-opt default-ulimit dns-opt exec-opt
    feature host-gateway-ip label log-opt node-generic-resource registry-mirror storage-opt""".split()
)
#: The longest texts of a unit that are looked at.
LONGEST = 65536


def numbers(version):
    """``(20, 10, 24)`` of ``20.10.24+dfsg1``; nothing of what is no version."""
    found = re.match(r"(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?", version or "")
    return tuple(int(part or 0) for part in found.groups()) if found else ()


def reload_is_enough(changed, version=None, merged=()):
    """Whether a running engine of this version takes all changed keys over without a restart."""
    engine = numbers(version)
    if not set(changed) <= RELOADABLE:
        return False
    if engine and any(engine[:2] < RELOADABLE_SINCE[key] for key in changed if key in RELOADABLE_SINCE):
        return False
    forgets = any(first <= engine < last for first, last in FORGETFUL)
    return not (forgets and changed and "insecure-registries" in merged and "registry-mirrors" in merged)


def needs_restart(changed, version=None, merged=()):
    """The keys because of which the engine would have to restart."""
    if reload_is_enough(changed, version, merged):
        return []
    beyond = sorted(set(changed) - RELOADABLE)
    return beyond or sorted(changed)


def spelt_out(changed, wanted):
    """The wanted settings, each changed key that is gone from them spelt out, so that a reload takes them over; None
    where only a restart makes the engine forget one."""
    gone = [key for key in changed if key not in wanted]
    if not set(gone) <= set(UNSET):
        return None
    return dict(wanted, **dict((key, UNSET[key]) for key in gone))


def needs_restart_for(changed, version, wanted):
    """As ``needs_restart`` where the file is to become ``wanted``, and keys may go from it."""
    told = spelt_out(changed, wanted)
    if told is None:
        return sorted(key for key in changed if key not in RELOADABLE or (key not in wanted and key not in UNSET))
    return needs_restart(changed, version, told)


def containers_go_on(changed, running, installed):
    """Whether containers of an engine with live-restore survive its restart: same keys, same minor version."""
    same_minor = not installed or numbers(running)[:2] == numbers(installed)[:2]
    return same_minor and not set(changed) & CUTS_CONTAINERS_OFF


def refusal(settings, version):
    """Why an engine of this version would not accept the settings, in one sentence; None if nothing is known.

    An engine whose version is not known is taken for one that accepts what any engine accepts.
    """
    engine = numbers(version)
    for since, keys in sorted(NEWER.items()):
        unknown = [key for key in settings if key in keys] if engine and engine[:2] < since else []
        if unknown:
            return "engine %s does not know the key %s, which is newer" % (version, unknown[0])
    mirrors = settings.get("registry-mirrors", [])
    if not isinstance(mirrors, list):
        return "registry-mirrors is no list"
    for mirror in mirrors:
        reason = mirror_refusal(mirror, version)
        if reason:
            return reason
    options = settings.get("log-opts", {})
    if not isinstance(options, dict):
        return "log-opts is no object"
    for name in sorted(options):
        if not isinstance(options[name], (type(u""), str)):
            return "log-opts.%s is no text: write it in quotes" % name
    return None


def mirror_refusal(mirror, version):
    """Why an engine of this version would not accept this registry mirror; None if it does. Repeats no password."""
    if not isinstance(mirror, (type(u""), str)):
        return "a registry mirror is no text"
    if "@" in mirror:
        return "a registry mirror has a user or password in its address, which no engine accepts"
    found = re.match(r"(https?)://([^/?#\s]+)(/[^?#\s]*)?(.*)", mirror)
    if not found:
        return "the registry mirror %s does not begin with https:// or http:// and a name" % mirror[:200]
    if found.group(4):
        return "the registry mirror %s has something behind its path, which no engine accepts" % mirror[:200]
    engine = numbers(version)
    if (found.group(3) or "").strip("/") and engine and engine < (25,):
        return "engine %s accepts no path in a registry mirror (%s); engines from 25.0 on do" % (version, mirror[:200])
    return None


# -- flags


def flags(files, read):
    """Keys of daemon.json that docker.service gives as flags: {key: (flag without its value, file)}.

    ``files`` are the unit and its drop-ins in systemd's order, as (path, text); ``read`` gives the text of a file
    that they name with EnvironmentFile=, or None. ``--config-file`` comes as the key ``config-file`` with its value.
    """
    variables, start = {}, []
    for name, value, path, counts in environment(files, read):
        # What a file of options says counts over Environment= (systemd.exec(5)).
        if counts or name not in variables:
            variables[name] = (value, path)
    for path, text in files:
        for name, value in _lines(text):
            if name == "ExecStart":
                start = [(word, path) for word in _words(value)]
    return _keys(start, variables)


def environment(files, read):
    """[(name, value, file, whether it is a file of options)] of the variables that docker.service is given.

    ``files`` and ``read`` are those of flags().
    """
    found = []
    for path, text in files:
        for name, value in _lines(text):
            if name == "Environment":
                found += [word.partition("=")[::2] + (path, False) for word in _words(value)]
            elif name == "EnvironmentFile":
                named = value.lstrip("-")
                for line in (read(named) or "")[:LONGEST].splitlines():
                    key, equals, given = line.strip().partition("=")
                    if equals and not key.startswith("#"):
                        found.append((key.strip(), " ".join(_words(given)), named, True))
    return found


def _lines(text):
    """(name, value) of a unit's lines."""
    lines = [line.strip() for line in text[:LONGEST].replace("\\\n", " ").splitlines()]
    parted = [line.partition("=") for line in lines if not line.startswith("#")]
    return [(name.strip(), value.strip()) for name, _equals, value in parted]


def _words(text):
    try:
        return shlex.split(text)
    except ValueError:  # A quote that is not closed.
        return text.split()


def _keys(start, variables):
    words = []
    for word, path in start:
        name = re.match(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?\Z", word)
        if name:
            # A variable that is a word of its own becomes as many words as it has (systemd.service(5)).
            value, path = variables.get(name.group(1), ("", path))
            words.extend((part, path) for part in value.split())
        else:
            words.append((word, path))
    found = {}
    for number, (word, path) in enumerate(words):
        flag, equals, value = word.partition("=")
        long_name = re.match(r"--([a-z0-9-]{1,40})\Z", flag)
        if long_name and long_name.group(1) == "config-file":
            following = words[number + 1][0] if number + 1 < len(words) else ""
            found["config-file"] = (value if equals else following, path)
        elif long_name:
            name = long_name.group(1)
            found[name + "s" if name in PLURAL else KEYS.get(name, name)] = (flag, path)
        elif word.startswith("-") and word[1:2] in KEYS:
            found[KEYS[word[1:2]]] = (word[:2], path)
    return found


def clashes(settings, found):
    """[(key, flag, file)] of what stands in the settings and as a flag: the engine does not start with both."""
    return [(key,) + found[key] for key in settings if key in found and key not in ("runtimes", "config-file")]
