"""One question to a host, one answer: the command line of the probe, and the facts in its output."""

from pydock_installer.probe.groups.registries import registries
from pydock_installer.probe.parser import parse
from pydock_installer.probe.script import Probe, Questions, probe_for

__all__ = ["Probe", "Questions", "parse", "probe_for", "registries"]
