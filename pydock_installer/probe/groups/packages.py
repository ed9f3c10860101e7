"""From the answers of sections/packages.sh to facts."""

from __future__ import annotations

from pydock_installer.model import PackageFacts
from pydock_installer.probe.answers import Answers


def packages(answers: Answers) -> PackageFacts:
    """The group's facts; what makes no sense is ``Unknown`` with its reason."""
    del answers
    return PackageFacts()
