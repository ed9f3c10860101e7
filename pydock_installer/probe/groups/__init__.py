"""The groups of preflight, and the journal: for each a parser of its answers."""

from pydock_installer.probe.groups.engine import engine
from pydock_installer.probe.groups.journal import journal
from pydock_installer.probe.groups.legacy import legacy
from pydock_installer.probe.groups.network import network
from pydock_installer.probe.groups.packages import packages
from pydock_installer.probe.groups.storage import storage
from pydock_installer.probe.groups.system import system

__all__ = ["engine", "journal", "legacy", "network", "packages", "storage", "system"]
