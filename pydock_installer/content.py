"""Where playbooks, roles and templates are: inside the wheel, or at the top of a checkout."""

from __future__ import annotations

from pathlib import Path


def root() -> Path:
    """The directory that holds playbooks/, roles/ and templates/."""
    package = Path(__file__).resolve().parent
    shipped = package / "_content"
    return shipped if shipped.is_dir() else package.parent
