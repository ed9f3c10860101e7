"""File systems that Docker and yum will use."""

from __future__ import annotations

from dataclasses import dataclass

from pydock_installer.model.fact import NOT_ASKED, Fact


@dataclass(frozen=True)
class Filesystem:
    """The file system that holds a path, or would: sizes in bytes, as df tells them to those who are not root."""

    path: str
    mount_point: str
    device: str
    free: int
    size: int
    free_inodes: int | None = None
    """``None``: df did not tell."""
    inodes: int | None = None
    """0 where a file system has no fixed number of them, as btrfs."""
    type: str | None = None
    """As in /proc/mounts; ``None``: no row there matches."""
    options: tuple[str, ...] = ()
    ftype: bool | None = None
    """Whether xfs keeps the type of directory entries (d_type); ``None``: no xfs, or xfs_info does not tell."""


@dataclass(frozen=True)
class StorageFacts:
    """File systems that Docker and yum will use."""

    data_root: Fact[Filesystem] = NOT_ASKED
    """Where the settings, or Docker's default, put images and containers."""
    data_root_there: Fact[Filesystem] = NOT_ASKED
    """Where a daemon.json that is on the host already puts them; ``None`` if it does not say."""
    containerd_root: Fact[Filesystem] = NOT_ASKED
    yum_cache: Fact[Filesystem] = NOT_ASKED
    overlay_module: Fact[str] = NOT_ASKED
    """One of ``loaded available disabled missing``."""
