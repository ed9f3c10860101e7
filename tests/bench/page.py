"""docs/performance.md: each bench owns a section and leaves the others as they are."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs/performance.md"


def write(heading: str, text: str, page: Path = PAGE) -> None:
    """Put a section in the place of the one that has its heading, or at the end."""
    section = f"## {heading}\n\n{text.strip()}\n"
    whole = page.read_text(encoding="utf-8") if page.exists() else "# Performance\n"
    before, found, rest = whole.partition(f"## {heading}\n")
    after = re.search("^## ", rest, re.MULTILINE)
    following = f"\n{rest[after.start() :]}" if after else ""
    page.write_text(f"{before if found else whole.rstrip() + chr(10) * 2}{section}{following}", encoding="utf-8")
