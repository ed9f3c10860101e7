# -*- coding: utf-8 -*-
"""Directories that hold Docker's data: which they are, what is mounted there, and how to empty them without harm."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import io
import os
import re
import stat
from collections import namedtuple

Mount = namedtuple("Mount", "number device root point kind source")

#: Never data of Docker's alone, whatever is in them.
SYSTEM = frozenset(
    """/ /bin /boot /data /dev /etc /home /lib /lib64 /media /mnt /opt /proc /root /run /sbin /srv /sys /tmp /usr
    /usr/local /usr/share /var /var/cache /var/lib /var/log /var/opt /var/run /var/spool /var/tmp /var/lib/containers
    /var/lib/kubelet /var/lib/pydock""".split()
)
#: What an engine makes in its data root: moby's packages by their directories, 1.7 to 29.
DOCKER = frozenset(
    """aufs btrfs buildkit builder containerd containers devicemapper discovery_certs engine-id execdriver
    fuse-overlayfs graph image init linkgraph.db lost+found network nuke-graph-directory.sh overlay overlay2 plugins
    rootfs runtimes swarm tmp tmp-old tmpmounts trust vfs volumes zfs""".split()
)
DOCKER_PATTERN = re.compile(r"(repositories-[a-z0-9]+|\d+\.\d+)\Z")
CONTAINERD_PATTERN = re.compile(r"(io\.containerd\.[a-z0-9.-]+|tmpmounts|lost\+found)\Z")
#: One of these makes a directory elsewhere than at the default recognisably Docker's.
TELLING = frozenset(["containers", "image", "overlay2", "volumes", "aufs", "devicemapper", "vfs", "graph", "buildkit"])
DEFAULTS = {"docker": "/var/lib/docker", "containerd": "/var/lib/containerd"}


# -- pure


def strangers(kind, entries):
    """The names in a data root that no engine put there."""
    if kind == "containerd":
        return sorted(name for name in entries if not CONTAINERD_PATTERN.match(name))
    return sorted(name for name in entries if name not in DOCKER and not DOCKER_PATTERN.match(name))


def why_not(kind, path, entries, trusted=False):
    """Why a directory (links followed) must not be emptied; None if it is a data root and nothing else.

    ``trusted``: it was recognised before and only a part of it is left.
    """
    if path in SYSTEM or os.path.normpath(path) != path or not path.startswith("/") or path.count("/") < 2:
        return "%s is a directory of the system, not of Docker alone" % path
    foreign = strangers(kind, entries)
    if foreign:
        return "%s holds other things, too: %s" % (path, ", ".join(shown(name) for name in foreign[:5]))
    if trusted or path == DEFAULTS[kind] or not entries:
        return None
    if kind == "docker" and not TELLING & set(entries):
        return "%s does not look like Docker's data (it has %s)" % (path, ", ".join(sorted(entries)[:5]))
    return None


def is_inside(path, directory):
    """Strictly below."""
    return path.startswith(directory.rstrip("/") + "/")


def parse_mounts(data):
    """The bytes of /proc/self/mountinfo (proc(5)) as Mounts, in its order."""
    mounts = []
    for line in data.split(b"\n"):
        before, dash, after = line.partition(b" - ")
        fields, rest = before.split(b" "), after.split(b" ")
        if dash and len(fields) >= 6 and len(rest) >= 2 and fields[0].isdigit():
            plain = [native(unescaped(word)) for word in (fields[2], fields[3], fields[4], rest[0], rest[1])]
            mounts.append(Mount(int(fields[0]), *plain))
    return mounts


def unescaped(data):
    """Blanks, tabs, line ends and backslashes of paths are octal numbers there."""
    return re.sub(br"\\([0-7]{3})", lambda found: bytes(bytearray([int(found.group(1), 8)])), data)


def native(data):
    """Bytes of a path as this Python's own kind of text."""
    return os.fsdecode(data) if hasattr(os, "fsdecode") else data


def shown(path):
    """A path as text that can be printed and sent."""
    data = os.fsencode(path) if hasattr(os, "fsencode") else path
    return data.decode("utf-8", "replace") if isinstance(data, bytes) else data


def holding(mounts, path):
    """The mount that a path is on: the one with the longest point, of several there the last."""
    fitting = [m for m in mounts if path == m.point or is_inside(path, m.point)]
    return max(enumerate(fitting), key=lambda pair: (len(pair[1].point), pair[0]))[1] if fitting else None


def seen_elsewhere(mounts, path):
    """Mount points outside of a directory where a part of it, or all of it, is visible as well."""
    here = holding(mounts, path)
    if here is None:
        return []
    inner = os.path.normpath(here.root + "/" + path[len(here.point.rstrip("/")):])
    inner = "/" + inner.lstrip("/")
    found = []
    for mount in mounts:
        same = mount.device == here.device and (mount.root == inner or is_inside(mount.root, inner))
        if same and mount.point != path and not is_inside(mount.point, path):
            found.append(mount.point)
    return found


# -- effects


def read_mounts():
    with io.open("/proc/self/mountinfo", "rb") as source:
        return parse_mounts(source.read())


def mount_number(handle):
    """The mount that an open directory is on; None where the kernel does not tell (before 3.15)."""
    try:
        with io.open("/proc/self/fdinfo/%d" % handle, encoding="ascii", errors="replace") as source:
            found = re.search(r"^mnt_id:\s*(\d+)", source.read(), re.MULTILINE)
    except (IOError, OSError):
        return None
    return int(found.group(1)) if found else None


def holders(point, limit=5):
    """Processes that keep a mount busy: "PID (COMMAND)"."""
    found = []
    for number in sorted((name for name in os.listdir("/proc") if name.isdigit()), key=int):
        base = "/proc/" + number
        try:
            links = [base + "/cwd", base + "/root", base + "/exe"]
            links += ["%s/fd/%s" % (base, name) for name in os.listdir(base + "/fd")]
        except OSError:
            links = []
        for link in links:
            try:
                target = os.readlink(link)
            except OSError:
                continue
            if target == point or is_inside(target, point):
                try:
                    with io.open(base + "/comm", encoding="utf-8", errors="replace") as source:
                        name = source.read().strip()
                except (IOError, OSError):
                    name = "?"
                found.append("%s (%s)" % (number, name))
                break
        if len(found) == limit:
            break
    return found


def unmount_below(run, directory):
    """Unmount all that is mounted strictly below, deepest first. None, or a sentence about what cannot be unmounted."""
    for _attempt in range(20000):
        below = [m for m in read_mounts() if is_inside(m.point, directory)]
        if not below:
            return None
        last = max(enumerate(below), key=lambda pair: (len(pair[1].point), pair[0]))[1]
        code, out, err = run("umount", "--", last.point)
        if code:
            who = holders(last.point)
            busy = "process %s uses it" % ", ".join(who) if who else (err or out).strip()[:200] or "umount failed"
            return "%s cannot be unmounted: %s" % (shown(last.point), busy)
    return "%s: new mounts appear as fast as they are unmounted" % directory


class Moved(Exception):
    """A directory was moved away while it was being emptied."""


class Emptying(object):
    """Everything in one directory goes; nothing beyond it, through no link and into no other mount.

    The working directory goes down and up the tree one step at a time, so that a name is never looked up through a
    path that somebody else may have changed; on the way up it is compared with what it was on the way down.
    """

    def __init__(self, run, keep=()):
        self.run, self.keep = run, keep
        self.problems = []

    def empty(self, path):
        """Remove what is in ``path``. ``problems`` has what stays, as (path, why). Raises OSError or Moved."""
        home = os.open(".", os.O_RDONLY)
        try:
            top = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                self.mount = mount_number(top)
                mounts = read_mounts()
                self.points = set(m.point for m in mounts)
                here = holding(mounts, path)
                self.kind = here.kind if here else ""
                os.fchdir(top)
            finally:
                os.close(top)
            self.walk(path)
        finally:
            os.fchdir(home)
            os.close(home)

    def walk(self, top):
        # Each level: its name, (device, inode), and what is still to be looked at in it. Only btrfs changes the device.
        levels = [(top, identity("."), [name for name in sorted(os.listdir(".")) if name not in self.keep])]
        while True:
            name, itself, names = levels[-1]
            if names:
                entry = names.pop()
                below = self.take(entry, "/".join([level[0] for level in levels] + [entry]), itself[0])
                if below:
                    levels.append((entry, below, sorted(os.listdir("."))))
                continue
            path = "/".join(level[0] for level in levels)
            levels.pop()
            if not levels:
                return
            os.chdir("..")
            if identity(".") != levels[-1][1]:
                raise Moved("%s was moved away while it was being emptied" % shown(path))
            if itself[0] == levels[-1][1][0] or not self.subvolume_goes(name):
                self.try_to(os.rmdir, name, path)

    def subvolume_goes(self, name):
        """Delete a subvolume of btrfs; False where it holds others, which go first."""
        return self.run("btrfs", "subvolume", "delete", "./" + name)[0] == 0

    def take(self, name, path, device):
        """Remove what is no directory. A directory is entered: its identity is returned."""
        try:
            info = os.lstat(name)
        except OSError as problem:
            return self.note(problem, path)
        if not stat.S_ISDIR(info.st_mode):
            return self.try_to(os.unlink, name, path)
        try:
            handle = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as problem:
            return self.note(problem, path)
        try:
            itself = os.fstat(handle)
            if path in self.points or mount_number(handle) != self.mount:
                self.problems.append((path, "something is mounted there"))
                return None
            if itself.st_dev != device:
                if self.kind != "btrfs" or itself.st_ino != 256:
                    self.problems.append((path, "it is on another file system"))
                    return None
                if self.subvolume_goes(name):
                    return None
            os.fchdir(handle)
            return identity(".")
        finally:
            os.close(handle)

    def try_to(self, remove, name, path):
        try:
            remove(name)
        except OSError as problem:
            self.note(problem, path)
        return

    def note(self, problem, path):
        told = problem.errno == errno.ENOTEMPTY and any(is_inside(one, path) for one, _why in self.problems)
        if problem.errno != errno.ENOENT and not told:
            self.problems.append((path, os.strerror(problem.errno)))
        return


def identity(path):
    info = os.stat(path)
    return info.st_dev, info.st_ino


def remove_tree(run, path):
    """Remove a directory with all that is in it, or a file, or a link itself. Problems as (path, why)."""
    if not os.path.lexists(path):
        return []
    if os.path.islink(path) or not os.path.isdir(path):
        os.unlink(path)
        return []
    work = Emptying(run)
    stuck = unmount_below(run, path)
    if stuck:
        return [(path, stuck)]
    work.empty(path)
    if not work.problems:
        os.rmdir(path)
    return work.problems


class Root(object):
    """A data root that is there: its kind, the path as it is named, the directory behind it."""

    def __init__(self, kind, path, trusted=False):
        self.kind, self.path, self.trusted = kind, path, trusted
        self.real = os.path.realpath(path)

    def entries(self):
        names = os.listdir(self.real) if os.path.isdir(self.real) else []
        return sorted(name for name in names if name != "lost+found")

    def is_mounted(self):
        return any(mount.point == self.real for mount in read_mounts())

    def is_there(self):
        """Whether there is something to be removed: a mount point stays, empty."""
        return bool(self.entries()) or (os.path.isdir(self.real) and not self.is_mounted()) or os.path.islink(self.path)

    def refusal(self, follow_links):
        """(code, why it must not be emptied), or None."""
        if os.path.islink(self.path) and not follow_links:
            return "data-root-link", "%s is a link to %s; say that it may be followed" % (self.path, shown(self.real))
        reason = why_not(self.kind, self.real, self.entries(), self.trusted)
        if reason:
            return "data-root-foreign", reason + "; move away what is not Docker's"
        elsewhere = seen_elsewhere(read_mounts(), self.real)
        if elsewhere:
            reason = "data in %s is mounted at %s, too; unmount that first"
            return "data-root-elsewhere", reason % (shown(self.real), ", ".join(shown(p) for p in elsewhere[:3]))
        return None

    def purge(self, run, follow_links):
        """Empty it, and remove it unless it is a mount point. Sentences about what stays."""
        stuck = unmount_below(run, self.real)
        if stuck:
            return [stuck]
        found = self.refusal(follow_links)  # Again, now that nothing is mounted below and right before it is emptied.
        if found:
            return [found[1]]
        work = Emptying(run, keep=("lost+found",))
        try:
            work.empty(self.real)
            if not work.problems and not self.is_mounted():
                os.rmdir(self.real)
        except (OSError, Moved) as problem:
            return ["%s: %s" % (shown(self.real), problem)]
        return ["%s: %s" % (shown(path), why) for path, why in work.problems[:20]]
