"""From the answers of sections/network.sh to facts."""

from __future__ import annotations

from pydock_installer.model import NetworkFacts
from pydock_installer.probe.answers import Answers


def network(answers: Answers) -> NetworkFacts:
    """The group's facts; what makes no sense is ``Unknown`` with its reason."""
    del answers
    return NetworkFacts()
