"""Packages fetched once by the controller and handed to the hosts, for as long as Ansible runs."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pydock_installer import rundir
from pydock_installer.model import HostPlan
from pydock_installer.render import SHARING_FILE, render_sharing
from pydock_installer.settings import Settings
from pydock_installer.sharing import upstream
from pydock_installer.sharing.cache import Cache
from pydock_installer.sharing.library import Library, ProblemError
from pydock_installer.sharing.server import Server, serving
from pydock_installer.sharing.sources import Shares, shares
from pydock_installer.state import cache_directory
from pydock_installer.workflows.interruption import Interruption
from pydock_installer.workflows.look import count
from pydock_installer.workflows.request import Talk

#: Ports of hosts: below those that kernels give to connections (32768 on), and of no service that SELinux knows.
PORTS = range(21000, 24000)


@contextmanager
def shared_packages(
    entries: Collection[HostPlan], settings: Settings, tree: Path, talk: Talk, interruption: Interruption
) -> Iterator[None]:
    """While the block lasts, hosts of a run tree may take their packages from here, if the settings want that.

    What cannot be shared is said; its hosts fetch it themselves.
    """
    if not settings.share_packages:
        yield
        return
    found = shares(entries, settings.package_proxy or "")
    file = tree / SHARING_FILE
    with ExitStack() as stack:
        server = _served(found, settings, stack, talk, interruption) if found.sources else None
        if server:
            stack.callback(file.unlink, missing_ok=True)
            hosts = found.without(_unready(server.library, found, talk, interruption))
            text = render_sharing(hosts, server.server_port, random.choice(PORTS), server.secret)  # noqa: S311 - no secret
            rundir.add(file, text)
        _tell_why_not(found, talk)
        yield
    if server and server.handed[0]:
        came, went = server.library.fetched, server.handed
        talk.note(
            f"Packages and their metadata: {count(came[0], 'file')} ({_size(came[1])}) fetched from mirrors,"
            f" {went[0]} ({_size(went[1])}) handed to hosts."
        )


def _served(
    found: Shares, settings: Settings, stack: ExitStack, talk: Talk, interruption: Interruption
) -> Server | None:
    """A server of what was found; ``None`` where this machine has no place for one, which is said."""
    try:
        cache = Cache(cache_directory() / "packages")
        stack.callback(cache.close)
        library = Library(found.sources, cache, upstream.fetch, upstream.pause)
        return stack.enter_context(serving(library, 4 * settings.forks + 16))
    except OSError as problem:
        talk.note(f"Packages are not shared, and hosts fetch them themselves: {problem}")
        return None


def _unready(library: Library, found: Shares, talk: Talk, interruption: Interruption) -> Sequence[int]:
    """The sources that the controller cannot hand out, each of which is told."""
    pool = ThreadPoolExecutor(8, thread_name_prefix="sharing")
    asked: dict[Future[None], int] = {
        pool.submit(library.ready, number): number for number in range(len(found.sources))
    }
    waiting = set(asked)
    while waiting and not interruption.asked:
        _done, waiting = wait(waiting, timeout=0.2)
    pool.shutdown(wait=False, cancel_futures=True)
    unready = []
    for future, number in asked.items():
        if future in waiting:
            unready.append(number)
        elif problem := future.exception():
            if not isinstance(problem, ProblemError):
                raise problem
            unready.append(number)
            talk.note(f"Not shared, hosts fetch it themselves: {problem}")
    return unready


def _tell_why_not(found: Shares, talk: Talk) -> None:
    for reason, hosts in found.reasons.items():
        some = ", ".join(hosts[:3]) + (f" and {len(hosts) - 3} more" if len(hosts) > 3 else "")
        talk.note(f"Not shared on {some}: {reason}")


def _size(number: int) -> str:
    return f"{number / 1e6:.1f} MB"
