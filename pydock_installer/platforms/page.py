"""docs/platforms.md, made from the data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import resources

from pydock_installer import platforms
from pydock_installer.platforms import Platform

COLUMNS = (
    "release",
    "packages from",
    "newest engine there",
    "by",
    "Python",
    "end of life",
    "how far it is tried",
)


def page() -> str:
    """The page as it is to be."""
    text = resources.files(__package__).joinpath("page.md").read_text(encoding="utf-8")
    known = _table(COLUMNS, map(_row, platforms.known()))
    refused = _table(("system", "why", "instead"), ((r.name, r.why, r.instead) for r in platforms.refused()))
    return text.replace("@PLATFORMS@", known).replace("@REFUSED@", refused)


def newest(platform: Platform) -> str:
    """The newest engine that a release can have, in a word."""
    return platform.newest or ("current" if platform.path else "-")


def _row(platform: Platform) -> tuple[str, ...]:
    return (
        platform.name,
        f"`{platform.path}`" if platform.path else "not installed on yet",
        newest(platform),
        platform.manager,
        f"`{platform.interpreter}`",
        str(platform.end_of_life or "-"),
        platform.support,
    )


def _table(heads: Sequence[str], rows: Iterator[tuple[str, ...]]) -> str:
    lines = (f"| {' | '.join(cells)} |" for cells in rows)
    return "\n".join((f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}", *lines))
