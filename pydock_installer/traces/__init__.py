"""What is there of Docker: one question to a host over one connection, one answer."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import resources

from pydock_installer import platforms
from pydock_installer.model import Host
from pydock_installer.probe import Probe, Questions, probe_for
from pydock_installer.traces.parser import parse_traces

__all__ = ["parse_traces", "question_for"]


def question_for(host: Host, packages: Iterable[str] = ()) -> Probe:
    """The probe of one host that asks, besides what every command asks, for all traces of Docker.

    ``packages``: more names that rpm is asked about.
    """
    names = platforms.package_names()
    questions = Questions(
        packages=(*names.all, *names.related, *packages),
        preflight=True,
        thorough=False,
        sections=("unit", "engine"),
    )
    return probe_for(host, questions, more=(_script(),))


@cache
def _script() -> str:
    return resources.files(__package__).joinpath("traces.sh").read_text(encoding="utf-8")
