"""Where fetched files are kept, by their sums: private, bounded, and looked at again before they are used."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pydock_installer.sharing.metadata import Item

#: Bytes that stay from run to run; what was used last goes last.
LIMIT = 4 << 30
#: Seconds after which a half-fetched file belongs to nobody.
FORGOTTEN = 86400.0


class WrongSumError(Exception):
    """What came is not what the repository describes; the message says how."""


class Cache:
    """Files named by their sums. Several runs may share one directory: a file appears whole or not at all."""

    def __init__(self, directory: Path, limit: int = LIMIT) -> None:
        """Raises OSError if the directory cannot be made or is not this user's alone."""
        self.directory, self.limit = directory, limit
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if directory.is_symlink() or directory.stat().st_uid != os.geteuid():
            raise PermissionError(f"{directory} belongs to somebody else")
        directory.chmod(0o700)
        for left in directory.glob("partial-*"):
            with suppress(OSError):
                if time.time() - left.stat().st_mtime > FORGOTTEN:
                    shutil.rmtree(left)
        self._partial = Path(tempfile.mkdtemp(prefix="partial-", dir=directory))

    def find(self, item: Item) -> Path | None:
        """The file of an item, its sum checked; a file that went bad goes."""
        path = self.directory / item.sum
        try:
            with path.open("rb") as stream:
                whole = _digest(iter(lambda: stream.read(1 << 20), b""), _kind(item))
            if whole == _digits(item):
                os.utime(path)
                return path
            path.unlink()
        except OSError:
            pass
        return None

    def keep(self, chunks: Iterable[bytes], item: Item | None) -> tuple[Path, int]:
        """Write what comes, check it, and give it its place: (path, bytes). Without an item it is its own measure.

        Raises WrongSumError, and OSError for a full disk.
        """
        kind = _kind(item) if item else "sha256"
        total, size = hashlib.new(kind), 0
        handle, name = tempfile.mkstemp(dir=self._partial)
        try:
            with os.fdopen(handle, "wb") as sink:
                for chunk in chunks:
                    total.update(chunk)
                    size += len(chunk)
                    sink.write(chunk)
            if item and item.size is not None and size != item.size:
                raise WrongSumError(f"it has {size} bytes, and the repository's metadata says {item.size}")
            if item and total.hexdigest() != _digits(item):
                raise WrongSumError("its sum is not the one that the repository's metadata has")
            path = self.directory / f"{kind}-{total.hexdigest()}"
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        return path, size

    def close(self) -> None:
        """Take away what is half-fetched and, beyond the limit, what was not used for the longest time."""
        shutil.rmtree(self._partial, ignore_errors=True)
        files = []
        for path in self.directory.iterdir():
            with suppress(OSError):
                if path.is_file():
                    files.append((path.stat().st_mtime, path.stat().st_size, path))
        room = self.limit
        for _used, size, path in sorted(files, reverse=True):
            room -= size
            if room < 0:
                path.unlink(missing_ok=True)


def _kind(item: Item) -> str:
    return item.sum.partition("-")[0]


def _digits(item: Item) -> str:
    return item.sum.partition("-")[2]


def _digest(chunks: Iterable[bytes], kind: str) -> str:
    total = hashlib.new(kind)
    for chunk in chunks:
        total.update(chunk)
    return total.hexdigest()
