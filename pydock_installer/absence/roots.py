"""Which directories are data of Docker's, and of nobody else's. Pure; the module docker_absent judges alike."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from pydock_installer.model.traces import Mount, Root

#: Never data of Docker's alone, whatever is in them.
SYSTEM = frozenset({
    "/", "/bin", "/boot", "/data", "/dev", "/etc", "/home", "/lib", "/lib64", "/media", "/mnt", "/opt",
    "/proc", "/root", "/run", "/sbin", "/srv", "/sys", "/usr", "/usr/local", "/usr/share", "/var",
    "/var/cache", "/var/lib", "/var/log", "/var/opt", "/var/run", "/var/spool", "/var/lib/containers",
    "/var/lib/kubelet", "/var/lib/pydock",
    "/tmp", "/var/tmp",  # noqa: S108 - never written to
})  # fmt: skip
#: What an engine makes in its data root: moby's packages by their directories, 1.7 to 29.
DOCKER = frozenset({
    "aufs", "btrfs", "buildkit", "builder", "containerd", "containers", "devicemapper", "discovery_certs",
    "engine-id", "execdriver", "fuse-overlayfs", "graph", "image", "init", "linkgraph.db", "lost+found",
    "network", "nuke-graph-directory.sh", "overlay", "overlay2", "plugins", "rootfs", "runtimes", "swarm",
    "tmp", "tmp-old", "tmpmounts", "trust", "vfs", "volumes", "zfs",
})  # fmt: skip
DOCKER_PATTERN = re.compile(r"repositories-[a-z0-9]+|\d+\.\d+", re.ASCII)
CONTAINERD_PATTERN = re.compile(r"io\.containerd\.[a-z0-9.-]+|tmpmounts|lost\+found")
#: One of these makes a directory elsewhere than at the default recognisably Docker's.
TELLING = frozenset(
    {"containers", "image", "overlay2", "volumes", "aufs", "devicemapper", "vfs", "graph", "buildkit"}
)
DEFAULTS = {"docker": "/var/lib/docker", "containerd": "/var/lib/containerd"}


def strangers(kind: str, entries: Sequence[str]) -> list[str]:
    """The names in a data root that no engine put there."""
    if kind == "containerd":
        return sorted(name for name in entries if not CONTAINERD_PATTERN.fullmatch(name))
    return sorted(name for name in entries if name not in DOCKER and not DOCKER_PATTERN.fullmatch(name))


def why_not(kind: str, path: str, entries: Sequence[str], trusted: bool = False) -> str | None:
    """Why a directory (links followed) must not be emptied; ``None`` if it is a data root and nothing else.

    ``trusted``: it was recognised before and only a part of it is left.
    """
    if path in SYSTEM or posixpath.normpath(path) != path or not path.startswith("/") or path.count("/") < 2:
        return f"{path} is a directory of the system, not of Docker alone"
    if foreign := strangers(kind, entries):
        return f"{path} holds other things, too: {', '.join(foreign[:5])}"
    if trusted or path == DEFAULTS[kind] or not entries:
        return None
    if kind == "docker" and not TELLING & set(entries):
        return f"{path} does not look like Docker's data (it has {', '.join(sorted(entries)[:5])})"
    return None


def is_inside(path: str, directory: str) -> bool:
    """Strictly below."""
    return path.startswith(directory.rstrip("/") + "/")


def is_mounted(root: Root, mounts: Sequence[Mount]) -> bool:
    """Whether the directory is itself a mount point, which stays."""
    return any(mount.point == root.real for mount in mounts)


def mounted_below(root: Root, mounts: Sequence[Mount]) -> list[Mount]:
    """What is mounted in it."""
    return [mount for mount in mounts if is_inside(mount.point, root.real)]


def seen_elsewhere(root: Root, mounts: Sequence[Mount]) -> list[str]:
    """Mount points outside of a directory where a part of it, or all of it, is visible as well."""
    fitting = [m for m in mounts if root.real == m.point or is_inside(root.real, m.point)]
    if not fitting:
        return []
    here = max(enumerate(fitting), key=lambda pair: (len(pair[1].point), pair[0]))[1]
    rest = root.real[len(here.point.rstrip("/")) :]
    inner = "/" + posixpath.normpath(f"{here.root}/{rest}").lstrip("/")
    return [
        mount.point
        for mount in mounts
        if mount.device == here.device
        and (mount.root == inner or is_inside(mount.root, inner))
        and mount.point != root.real
        and not is_inside(mount.point, root.real)
    ]
