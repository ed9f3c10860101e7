"""What registry mirrors serve, asked from every host. Reads, changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydock_installer.errors import UnreachableError
from pydock_installer.model.mirror import MirrorAnswer
from pydock_installer.workflows.request import Progress, Request


def test_mirrors(
    request: Request, urls: Sequence[str], progress: Progress
) -> Mapping[str, tuple[MirrorAnswer, ...] | UnreachableError]:
    """Each host's answers on these addresses, best first; for hosts that cannot be reached, why."""
    raise NotImplementedError
