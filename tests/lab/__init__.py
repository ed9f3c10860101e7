"""The lab: stand-in CentOS hosts, a package mirror and a registry, all real, all on this machine. See README.md."""

from tests.lab.host import Host
from tests.lab.lab import Lab

__all__ = ["Host", "Lab"]
