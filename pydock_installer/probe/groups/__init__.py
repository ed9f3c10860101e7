"""The groups of preflight: for each a parser of the answers of its section of the probe."""

from pydock_installer.probe.groups.engine import engine
from pydock_installer.probe.groups.network import network
from pydock_installer.probe.groups.packages import packages
from pydock_installer.probe.groups.storage import storage
from pydock_installer.probe.groups.system import system

__all__ = ["engine", "network", "packages", "storage", "system"]
