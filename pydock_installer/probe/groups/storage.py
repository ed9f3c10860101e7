"""From the answers of sections/storage.sh to facts."""

from __future__ import annotations

from pydock_installer.model import StorageFacts
from pydock_installer.probe.answers import Answers


def storage(answers: Answers) -> StorageFacts:
    """The group's facts; what makes no sense is ``Unknown`` with its reason."""
    del answers
    return StorageFacts()
