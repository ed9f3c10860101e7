"""``pydock platforms``: the releases that pydock knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydock_installer import platforms
from pydock_installer.platforms.page import newest, page

if TYPE_CHECKING:
    from pydock_installer.cli.console import Console
    from pydock_installer.platforms import Platform

HEADS = ("release", "packages", "newest", "by", "end of life", "tried")


def show(markdown: bool, talk: Console) -> int:
    """A line per release, and what is refused."""
    if talk.json:
        known = [_entry(platform) for platform in platforms.known()]
        refused = [{"name": r.name, "why": r.why, "instead": r.instead} for r in platforms.refused()]
        talk.document({"command": "platforms", "exit_code": 0, "platforms": known, "refused": refused})
    elif markdown:
        for line in page().splitlines():
            talk.out(line)
    else:
        for line in _lines([HEADS, *(_cells(platform) for platform in platforms.known())]):
            talk.out(line)
        talk.out("\nRefused:")
        for entry in platforms.refused():
            talk.out(f"  {entry.name}: {entry.why}. {entry.instead}")
    return 0


def _entry(platform: Platform) -> dict[str, Any]:
    return {
        "name": platform.name,
        "ids": list(platform.ids),
        "major": platform.major,
        "path": platform.path or None,
        "newest": platform.newest,
        "package_manager": platform.manager,
        "service_manager": platform.service,
        "interpreter": platform.interpreter,
        "kernel": platform.kernel,
        "end_of_life": str(platform.end_of_life) if platform.end_of_life else None,
        "support": platform.support,
    }


def _cells(platform: Platform) -> tuple[str, ...]:
    end = str(platform.end_of_life or "-")
    return (
        platform.name,
        platform.path or "not yet",
        newest(platform),
        platform.manager,
        end,
        platform.support,
    )


def _lines(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
