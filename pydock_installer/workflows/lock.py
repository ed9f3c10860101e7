"""``pydock lock``: write down the exact packages that the hosts run."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydock_installer.errors import PydockError, RefusedError, UnreachableError
from pydock_installer.lock import Lock, of_fleet, platform_of, read
from pydock_installer.model import Facts
from pydock_installer.planner import is_legacy
from pydock_installer.workflows.look import look
from pydock_installer.workflows.request import Request, Talk


@dataclass(frozen=True)
class Written:
    """What came of it: the file and what it holds now, the backup of the old one, the platform of each host."""

    path: Path
    lock: Lock
    changed: bool
    backup: Path | None
    hosts: Mapping[str, str]


def lock(path: Path, request: Request, talk: Talk) -> Written:
    """Look at the hosts and write the file; what it has for other platforms stays.

    Hosts of release 6 are passed over.

    Raises RefusedError if hosts of a kind differ, UnreachableError if one does not answer: a guess is no lock.
    """
    before = read(path) if path.exists() else Lock(path.name)
    with talk.progress([host.name for host in request.hosts]) as progress:
        seen = look(request, progress)
    silent = [found for found in seen.values() if isinstance(found, UnreachableError)]
    if silent:
        raise UnreachableError(
            silent[0].code, f"nothing was written: {silent[0].message}", silent[0].hint
        ) from silent[0]
    facts = {name: found for name, found in seen.items() if isinstance(found, Facts)}
    old = [name for name, found in facts.items() if is_legacy(found)]
    if len(old) == len(facts):
        raise RefusedError(
            "nothing was written: there is one docker-io for release 6, nothing to lock",
            "Nothing has to be done: an installation there takes that one.",
        )
    if old:
        talk.note(
            f"{', '.join(old[:6])}{' ...' if old[6:] else ''}: there is one docker-io for release 6, nothing to lock."
        )
        facts = {name: found for name, found in facts.items() if name not in old}
    made = Lock(path.name, {**before.platforms, **of_fleet(facts)})
    hosts = {name: platform_of(found) or "" for name, found in facts.items()}
    text = path.read_text(encoding="utf-8") if path.exists() else None
    if text == made.text:
        return Written(path, made, False, None, hosts)
    try:
        return Written(path, made, True, _write(path, made.text, text is not None), hosts)
    except OSError as error:
        raise PydockError(
            f"{path} cannot be written: {error.strerror or error}", "Mind its directory."
        ) from error


def _write(path: Path, text: str, backed_up: bool) -> Path | None:
    """All of it or nothing; the old file is kept as ``NAME.bak``."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as sink:
            sink.write(text)
            sink.flush()
            os.fsync(sink.fileno())
        backup = path.with_name(f"{path.name}.bak") if backed_up else None
        if backup:
            shutil.copy2(path, backup)
        # It is no secret, and colleagues share it: as the shell would have made it.
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(path.stat().st_mode & 0o777 if backed_up else 0o666 & ~mask)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return backup
