"""From the answers of sections/engine.sh to facts."""

from __future__ import annotations

from pydock_installer.model import EngineFacts
from pydock_installer.probe.answers import Answers


def engine(answers: Answers) -> EngineFacts:
    """The group's facts; what makes no sense is ``Unknown`` with its reason."""
    del answers
    return EngineFacts()
