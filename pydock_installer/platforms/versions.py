"""Versions in rpm's order, as sort keys."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: What rpm tells apart in a version, oldest first; separators only part the pieces.
_TILDE, _END, _CARET, _LETTERS, _NUMBER = range(5)

Key = tuple[tuple[int, int, str], ...]


def version_key(version: str) -> Key:
    """The place of a version (or of a release) in rpm's order.

    The order is that of rpm's rpmvercmp (rpm-software-management/rpm, docs/man/rpm-version.7): pieces are compared
    one by one, numbers by value and above letters, more pieces above fewer; ``~`` is older than the end, ``^`` newer.
    """
    pieces = re.findall(r"[0-9]+|[A-Za-z]+|[~^]", version)
    return (*map(_piece, pieces), (_END, 0, ""))


def _piece(piece: str) -> tuple[int, int, str]:
    if piece == "~":
        return (_TILDE, 0, "")
    if piece == "^":
        return (_CARET, 0, "")
    if piece.isalpha():
        return (_LETTERS, 0, piece)
    # Longer is larger: a number of any length, without making an int of what a host says.
    digits = piece.lstrip("0")
    return (_NUMBER, len(digits), digits)


def at_least(found: str, floor: str) -> bool:
    """Whether a VERSION-RELEASE is ``floor`` or newer; a floor without a release asks for the version alone."""
    version, _, release = found.partition("-")
    wanted, _, wanted_release = floor.partition("-")
    if version_key(version) != version_key(wanted):
        return version_key(version) > version_key(wanted)
    return not wanted_release or version_key(release) >= version_key(wanted_release)


def matches(version: str, wanted: str) -> bool:
    """``26.1.4`` matches ``26``, ``26.1`` and ``26.1.4``, and every version ``latest``."""
    return wanted == "latest" or version.split(".")[: wanted.count(".") + 1] == wanted.split(".")


def nearest(wanted: str, versions: Iterable[str]) -> tuple[str, ...]:
    """Up to three of the versions, oldest first: those that begin like the wanted one, or else lie beside it.

    The module ``docker_packages`` names the same.
    """
    known, parts = sorted(set(versions), key=version_key), wanted.split(".")
    for length in range(len(parts) - 1, -1, -1):
        alike = [version for version in known if version.split(".")[:length] == parts[:length]]
        if alike:
            place = sum(version_key(version) < version_key(wanted) for version in alike)
            return tuple(alike[max(0, place - 2) : place + 1])
    return ()
