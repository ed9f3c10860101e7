"""The machine and its kernel, as preflight asks about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydock_installer.model.fact import NOT_ASKED, Fact


@dataclass(frozen=True)
class Cgroups:
    """Control groups as they are mounted: version 1 or 2, and the controllers that can be used."""

    version: int
    controllers: frozenset[str]


@dataclass(frozen=True)
class Init:
    """PID 1 by its name (/proc/1/comm), and what surrounds it."""

    name: str
    container: str | None = None
    """The kind of container that the host is in truth: ``docker``, ``lxc``, ``openvz`` and the like."""
    chroot: bool = False
    """Whether the login sees another root directory than PID 1; ``False`` also where only root could tell."""


@dataclass(frozen=True)
class SystemFacts:
    """The machine and its kernel, as preflight asks about them."""

    clock: Fact[int] = NOT_ASKED
    """The host's clock as the last question of the probe was asked, in seconds since the epoch."""
    product_uuid: Fact[str] = NOT_ASKED
    """What the firmware says (DMI); many firmwares say the same of all their machines."""
    tmp_options: Fact[Mapping[str, tuple[str, ...]]] = NOT_ASKED
    """Mount options of /tmp and /var/tmp, where they are file systems of their own."""
    kernel_options: Fact[frozenset[str]] = NOT_ASKED
    """Those of the asked options that the running kernel was built with, without ``CONFIG_``."""
    cgroups: Fact[Cgroups] = NOT_ASKED
    init: Fact[Init] = NOT_ASKED
