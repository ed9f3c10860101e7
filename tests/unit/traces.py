"""Traces of Docker as tests need them: a host without any, changed in what a test is about."""

from dataclasses import replace

from pydock_installer.model import Known, Traces
from pydock_installer.model.traces import Firewall, Mount, Root, Unit

ROOT = Mount("254:1", "/", "/", "ext4", "/dev/vda1")


def seen(**changes):
    """A host that was looked at as root, and has nothing of Docker's."""
    nothing = Traces(
        units=Known(()), roots=Known(()), volumes=Known(()), containers=Known(()), images=Known(0), networks=None,
        own_bridges=Known(()), links=Known({}), firewall=Known(Firewall()), group=None, files=Known({}),
        namespaces=Known(()), processes=Known(()), mounts=Known((ROOT,)), ip_forward=Known(0),
        needed=Known({"all": (), "engine": ()}), companions=Known(()),
    )  # fmt: skip
    return replace(nothing, **changes)


def root(path="/var/lib/docker", entries=("containers", "image", "overlay2", "volumes"), kind="docker", **changes):
    """A data root."""
    return replace(Root(kind, path, path, "dir", 2048, tuple(entries)), **changes)


def running(*names):
    """Units that run."""
    return Known(tuple(Unit(f"{name}", "active", "enabled", f"/usr/lib/systemd/system/{name}") for name in names))
