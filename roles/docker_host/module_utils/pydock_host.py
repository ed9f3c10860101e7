# -*- coding: utf-8 -*-
"""What the modules of all roles share: the host's journal, backups, and a few words of the tools they run."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import hashlib
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

NEVRA = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,120}-[A-Za-z0-9._+~^]{1,60}-[A-Za-z0-9._+~^]{1,60}\Z")
#: Files whose history ends with Docker's settings.
GOES = re.compile(
    r"/etc/docker/|/etc/systemd/system/docker\.(service|socket)|/etc/sysconfig/docker\Z|/etc/yum\.repos\.d/docker-ce\.repo\Z"
)
#: Docker's packages of its own repository.
DOCKERS = re.compile(r"(docker-ce(-.*)?|containerd\.io|docker-(buildx|compose|scan|model)-plugin)\Z")


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
    began = "%s.pydock-%s" % (path, stamp())
    name, number = began + ".bak", 1
    while os.path.lexists(name):  # Of the same second.
        name, number = "%s-%d.bak" % (began, number), number + 1
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


def note_found(run, forwarding="/proc/sys/net/ipv4/ip_forward"):
    """What an engine's first start changes: forwarding, and FORWARD's policy. Nothing if it ran before."""
    policies = {}
    for tool in ("iptables", "ip6tables"):
        if not any(os.path.exists("%s/%s-save" % (place, tool)) for place in ("/usr/sbin", "/sbin")):
            continue
        _code, out, _err = run(tool + "-save", "-t", "filter")
        if re.search(r"^:DOCKER", out, re.MULTILINE):
            return
        found = re.search(r"^:FORWARD (ACCEPT|DROP)", out, re.MULTILINE)
        policies[tool] = found.group(1) if found else "ACCEPT"  # The kernel's, as long as nobody uses the table.
    try:
        with io.open(forwarding, encoding="ascii") as source:
            note("found", name="ip_forward", value=source.read().strip())
    except (IOError, OSError):
        pass
    for tool in sorted(policies):
        note("found", name=tool + " FORWARD", value=policies[tool])


def note_file(path, backup):
    """A file that was written: new, or in place of one that is kept as ``backup``. Its sum tells later changes."""
    if backup:
        note("replaced", file=path, backup=backup, sha256=sha256(path))
    else:
        note("created", file=path, sha256=sha256(path))


def sha256(path):
    """The sum of a file, or None when it is not there."""
    if not os.path.isfile(path):
        return None
    with io.open(path, "rb") as source:
        return hashlib.sha256(source.read()).hexdigest()


def sums_of(entries):
    """SHA-256 of the files and backups that a journal names, by path, as far as they are there."""
    paths = set(entry.get(key) for entry in entries for key in ("file", "backup"))
    found = dict((path, sha256(path)) for path in paths if path)
    return dict((path, value) for path, value in found.items() if value)


def restorable(entries, sums):
    """What pydock wrote and nobody has taken back yet: a list of {file, backup, problem}, by file.

    ``sums`` has the SHA-256 of files and backups by their path. ``backup`` is the file as it was before pydock's first
    change, or before its first since somebody else's; None where there was none before, so that the file has to go.
    ``problem`` says why that should not be done, or is "".
    """
    histories = {}
    for entry in entries:
        history = histories.setdefault(entry.get("file"), [])
        if entry["action"] in ("created", "replaced"):
            history.append(entry)
        elif entry["action"] == "restored":
            while history and history.pop().get("backup") != entry.get("backup"):
                pass
            # What is there now and was not pydock's is somebody's own.
            if history and history[-1].get("sha256") != entry.get("sha256"):
                del history[:]
    found = []
    for path in sorted(path for path, history in histories.items() if path and history):
        history = histories[path]
        backup = None
        for number in range(len(history) - 1, -1, -1):
            backup = history[number].get("backup")
            if not backup or number == 0 or sums.get(backup) != history[number - 1].get("sha256"):
                break
        if path in sums and sums.get(path) == sums.get(backup):
            continue
        if not backup and path not in sums:
            continue
        problem = ""
        if backup and backup not in sums:
            problem = "its backup %s is gone" % backup
        elif path not in sums:
            problem = "it is gone"
        elif sums[path] != history[-1].get("sha256"):
            problem = "it was changed since"
        found.append({"file": path, "backup": backup, "problem": problem})
    return found


def package_name(nevra):
    """``containerd.io`` of ``containerd.io-1.6.20-1.el9.x86_64``."""
    return nevra.rsplit("-", 2)[0]


def packages_of(entry):
    """The packages of an entry that are told as NAME-VERSION-RELEASE.ARCH."""
    told = entry.get("packages")
    return [u"%s" % one for one in told if NEVRA.match(u"%s" % one)] if isinstance(told, list) else []


def removed_packages(entries):
    """What pydock's transactions removed and `restore` has not brought back: {name: NAME-VERSION-RELEASE.ARCH}.

    What a transaction also installed is another version of the same; Docker's own packages are none that it replaced.
    Whether somebody has installed them since, rpm knows.
    """
    came = set(package_name(one) for entry in entries if entry["action"] == "installed" for one in packages_of(entry))
    gone = {}
    for entry in entries:
        for one in packages_of(entry):
            name = package_name(one)
            if entry["action"] == "removed" and name not in came and not DOCKERS.match(name):
                gone[name] = one
            elif entry["action"] == "restored":
                gone.pop(name, None)
    return gone


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
