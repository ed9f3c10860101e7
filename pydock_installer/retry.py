"""Which troubles of a connection are worth another try, and how long to wait before it. Pure."""

from __future__ import annotations

#: What may be over in a moment. A login, sudo or a host key that is refused would be refused again, and an account be
#: locked; a name that nobody knows stays unknown.
PASSING = frozenset({"ssh-refused", "ssh-banner", "ssh-no-route", "ssh-no-answer", "ssh-lost"})
#: Seconds before the first other try of a question, and of work on a host, which may be rebooting.
QUESTION, WORK = 1.0, 5.0
#: How much longer each pause is than the one before.
GROWTH = 3.0


def pauses(retries: int, first: float) -> tuple[float, ...]:
    """Seconds to wait before each further try."""
    return tuple(first * GROWTH**number for number in range(retries))


def passing(code: str | None) -> bool:
    """Whether a host that is out of reach for this cause may answer the next time; one without a cause may."""
    return code is None or code in PASSING
