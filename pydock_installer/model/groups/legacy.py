"""What release 6 has instead of systemd and daemon.json."""

from __future__ import annotations

from dataclasses import dataclass

from pydock_installer.model.fact import Fact


@dataclass(frozen=True)
class OptionsFile:
    """/etc/sysconfig/docker: mode in octal, owner and group, and its text; of passwords it has three asterisks."""

    mode: str
    owner: str
    group: str
    text: str


@dataclass(frozen=True)
class InitService:
    """A service of sysvinit: whether it runs, and whether it starts at boot."""

    running: bool
    at_boot: bool


@dataclass(frozen=True)
class LegacyFacts:
    """What release 6 has instead of systemd and daemon.json. ``None`` where there is none, also on later releases."""

    options: Fact[OptionsFile] = None
    arguments: Fact[tuple[str, ...]] = None
    """The words that the running engine was started with."""
    containers: Fact[tuple[str, ...]] = None
    """Names of those that run."""
    cgconfig: Fact[InitService] = None
    repository_file: Fact[str] = None
    """/etc/yum.repos.d/epel.repo."""
    repository_key: Fact[str] = None
    """/etc/pki/rpm-gpg/RPM-GPG-KEY-EPEL-6."""
