"""From the answers of sections/system.sh to facts."""

from __future__ import annotations

from pydock_installer.model import SystemFacts
from pydock_installer.probe.answers import Answers


def system(answers: Answers) -> SystemFacts:
    """The group's facts; what makes no sense is ``Unknown`` with its reason."""
    del answers
    return SystemFacts()
