"""Where pydock keeps what it remembers, and that nobody else may read it."""

from __future__ import annotations

import getpass
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def private_files() -> Iterator[None]:
    """What is written meanwhile, by this process or those it starts, is for nobody else."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def operator() -> str:
    """Who works here, for others: ``ops@controller``."""
    try:
        user = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{platform.node()}"


def state_directory() -> Path:
    """``$XDG_STATE_HOME/pydock``, by default ``~/.local/state/pydock``."""
    base = os.environ.get("XDG_STATE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".local" / "state") / "pydock"


def cache_directory() -> Path:
    """``$XDG_CACHE_HOME/pydock``, by default ``~/.cache/pydock``."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "pydock"
