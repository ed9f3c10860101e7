"""What hosts ask for, fetched once however many ask, and checked before anybody gets it."""

from __future__ import annotations

import bz2
import gzip
import lzma
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydock_installer.sharing import metadata
from pydock_installer.sharing.cache import Cache, WrongSumError
from pydock_installer.sharing.metadata import BadMetadataError, Item
from pydock_installer.sharing.sources import Source
from pydock_installer.sharing.upstream import CHUNK, FetchError

REPOMD = "repodata/repomd.xml"
#: Bytes that a list of mirrors, an index and its signature have at most, a file whose size is not told, and a primary.
SMALL, LARGE, UNPACKED = 4 << 20, 4 << 30, 2 << 30
#: Downloads at a time, attempts for each address, and how many mirrors of a list are tried.
AT_A_TIME, ATTEMPTS, MIRRORS = 4, 3, 4
#: Seconds in which something must come: of what is small, and of what is not.
SOON, STALL = 10.0, 30.0
#: Seconds for which a failure is the answer to all who ask for the same: a fleet does not storm a mirror that is down.
REMEMBERED = 60.0


class NotThereError(Exception):
    """No file of a shared repository."""


class ProblemError(Exception):
    """Why the controller has not got a file: the address and the reason, for people."""


@dataclass(frozen=True)
class _Repository:
    bases: tuple[str, ...]
    proxy: str
    index: Path
    files: dict[str, Item]
    primary: str


class Library:
    """The sources of a run by their numbers. Its methods may be called by many threads at once."""

    def __init__(
        self,
        sources: Sequence[Source],
        cache: Cache,
        fetch: Callable[[str, str, int, float], Iterator[bytes]],
        pause: Callable[[int], float],
    ) -> None:
        self._sources, self._cache, self._fetch, self._pause = sources, cache, fetch, pause
        self._lock = threading.Lock()
        self._room = threading.BoundedSemaphore(AT_A_TIME)
        self._flights: dict[tuple[Any, ...], tuple[Future[Any], float]] = {}
        self._stopped = threading.Event()
        self.fetched = [0, 0]
        """Files and bytes that came from mirrors."""
        self.problems: dict[tuple[int, str], str] = {}
        """What could not be handed out, and why."""

    def stop(self) -> None:
        """Nothing is fetched any more."""
        self._stopped.set()

    def ready(self, number: int) -> None:
        """Read the index of a source that will be needed. Raises ProblemError if it cannot be shared."""
        source = self._sources[number]
        if not (source.below or source.spare):
            self._repository(number, "")

    def file(self, number: int, path: str) -> Path:
        """A file of a source, checked. Raises NotThereError and ProblemError."""
        if not 0 <= number < len(self._sources) or not _plain(path):
            raise NotThereError(path)
        try:
            found = self._file(number, path)
            if not found.exists():  # Another run needed the room.
                self._forget(found)
                found = self._file(number, path)
        except ProblemError as problem:
            self.problems[number, path] = str(problem)
            raise
        self.problems.pop((number, path), None)
        return found

    def _file(self, number: int, path: str) -> Path:
        for ending in (REPOMD, f"{REPOMD}.asc"):
            if path == ending or path.endswith(f"/{ending}"):
                repository = self._repository(number, path[: -len(ending)])
                return repository.index if ending == REPOMD else self._signature(repository)
        above, inside, rest = path.rpartition("repodata/")
        if inside:
            repository = self._repository(number, above)
            item = repository.files.get(inside + rest)
        else:
            above = self._known(number, path)
            repository = self._repository(number, above)
            key = ("packages", repository.bases, repository.primary)
            item = self._once(key, lambda: self._packages(repository)).get(path[len(above) :])
        if item is None:
            raise NotThereError(path)
        return self._item(repository, path[len(above) :], item)

    def _known(self, number: int, path: str) -> str:
        """Which repository below a source a package belongs to: one whose index was asked for."""
        with self._lock:
            asked = [key[2] for key in self._flights if key[:2] == ("index", number)]
        found = sorted((str(above) for above in asked if path.startswith(above)), key=len)
        if not found:
            raise NotThereError(path)
        return found[-1]

    # -- each of these is done once

    def _repository(self, number: int, above: str) -> _Repository:
        source = self._sources[number]
        if above and not source.below:
            raise NotThereError(above)
        found: _Repository = self._once(("index", number, above), lambda: self._read_index(source, above))
        return found

    def _read_index(self, source: Source, above: str) -> _Repository:
        bases = tuple(f"{base}/{above}".rstrip("/") for base in source.addresses)
        for address in source.lists if not bases else ():
            path = self._obtain((address,), source.proxy, None)
            bases += metadata.mirrors(path.read_text(encoding="utf-8", errors="replace"))[:MIRRORS]
        if not bases:
            raise ProblemError(f"{source.name} names no mirror that pydock can fetch from")
        # The index is the first mirror's that serves one; whatever it names may come from any, for sums are sums.
        index = self._obtain([f"{base}/{REPOMD}" for base in bases], source.proxy, None)
        try:
            files, primary = metadata.index(index.read_bytes())
        except BadMetadataError as problem:
            raise ProblemError(f"{source.name}: {problem}") from None
        return _Repository(bases, source.proxy, index, files, primary)

    def _signature(self, repository: _Repository) -> Path:
        addresses = [f"{base}/{REPOMD}.asc" for base in repository.bases]
        found: Path = self._once(
            ("signature", *repository.bases), lambda: self._obtain(addresses, repository.proxy, None)
        )
        return found

    def _packages(self, repository: _Repository) -> dict[str, Item]:
        path = self._item(repository, repository.primary, repository.files[repository.primary])
        try:
            return metadata.packages(_unpacked(path, repository.primary))
        except (OSError, EOFError, lzma.LZMAError, BadMetadataError) as problem:
            raise ProblemError(f"{repository.bases[0]}/{repository.primary}: {problem}") from None

    def _item(self, repository: _Repository, path: str, item: Item) -> Path:
        def get() -> Path:
            addresses = [f"{base}/{path}" for base in repository.bases]
            return self._cache.find(item) or self._obtain(addresses, repository.proxy, item)

        found: Path = self._once(("item", item.sum), get)
        return found

    # -- how

    def _once(self, key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        """What ``make`` gives, made once for all who ask; a failure is one for all, too, and for a while."""
        with self._lock:
            flight, began = self._flights.get(key, (None, 0.0))
            old = flight is not None and flight.done() and flight.exception() is not None
            first = flight is None or (old and time.monotonic() - began > REMEMBERED)
            if flight is None or first:
                flight = Future()
                self._flights[key] = (flight, time.monotonic())
        if first:
            try:
                flight.set_result(make())
            except BaseException as problem:
                with self._lock:
                    self._flights[key] = (flight, time.monotonic())
                flight.set_exception(problem)
        return flight.result()

    def _forget(self, path: Path) -> None:
        with self._lock:
            for key, (flight, _began) in list(self._flights.items()):
                if flight.done() and not flight.exception() and flight.result() == path:
                    del self._flights[key]

    def _obtain(self, addresses: Sequence[str], proxy: str, item: Item | None) -> Path:
        """A file from the first address that gives it whole. Raises ProblemError with what was wrong with each."""
        problems = []
        for address in addresses:
            for attempt in range(ATTEMPTS):
                try:
                    return self._download(address, proxy, item)
                except FetchError as problem:
                    reason, again = str(problem), problem.passing
                except WrongSumError as problem:
                    reason, again = str(problem), attempt == 0 and len(addresses) == 1
                except OSError as problem:
                    raise ProblemError(f"the controller cannot keep {address}: {problem}") from None
                if not again or attempt + 1 == ATTEMPTS or self._stopped.wait(self._pause(attempt)):
                    break
            problems.append(f"{address}: {reason}")
            if self._stopped.is_set():
                break
        others = f"; {len(problems) - 1} more mirrors failed as well" if problems[1:] else ""
        raise ProblemError(problems[0] + others)

    def _download(self, address: str, proxy: str, item: Item | None) -> Path:
        limit = SMALL if item is None else LARGE if item.size is None else item.size
        with self._room:
            chunks = self._fetch(address, proxy, limit, STALL if item else SOON)
            path, size = self._cache.keep(self._unless_stopped(chunks), item)
        with self._lock:
            self.fetched[0] += 1
            self.fetched[1] += size
        return path

    def _unless_stopped(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            if self._stopped.is_set():
                raise FetchError("the run has ended", False)
            yield chunk


def _plain(path: str) -> bool:
    """A path that leads down from its source, and nowhere else."""
    parts = path.split("/")
    return len(path) < 1000 and path.isprintable() and "\\" not in path and not {"", ".", ".."} & set(parts)


def _unpacked(path: Path, name: str) -> Iterator[bytes]:
    openers: dict[str, Callable[[Path], Any]] = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}
    opener = next((one for ending, one in openers.items() if name.endswith(ending)), None)
    size = 0
    with opener(path) if opener else path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            if size > UNPACKED:
                raise BadMetadataError("it is larger than it can be")
            yield chunk
