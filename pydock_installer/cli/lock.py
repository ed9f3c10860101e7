"""What ``pydock lock`` says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydock_installer.cli.options import lock_path, request

if TYPE_CHECKING:
    from pydock_installer.cli.console import Console


def lock(options: Mapping[str, Any], talk: Console) -> int:
    """Look, write, tell. Raises RefusedError if the hosts have no one set, UnreachableError if one is silent."""
    from pydock_installer.workflows.lock import lock

    # What an older file says does not count for what hosts run.
    asked = request({**options, "docker_version": None}, talk, follow=False)
    done = lock(lock_path(options, asked.settings), asked, talk)
    if talk.json:
        talk.document(
            {
                "command": "lock",
                "exit_code": 0,
                "file": str(done.path),
                "changed": done.changed,
                "backup": str(done.backup) if done.backup else None,
                "platforms": {name: dict(packages) for name, packages in done.lock.platforms.items()},
                "hosts": [{"name": name, "platform": kind} for name, kind in done.hosts.items()],
            }
        )
        return 0
    for kind in dict.fromkeys(done.hosts.values()):
        number = list(done.hosts.values()).count(kind)
        packages = ", ".join(f"{name} {version}" for name, version in done.lock.platforms[kind].items())
        talk.out(f"{kind} ({number} host{'' if number == 1 else 's'}): {packages}")
    if not done.changed:
        talk.out(f"{done.path} says so already.")
    else:
        old = f"; the old file is {done.backup.name}" if done.backup else ""
        talk.out(f"Written: {done.path}{old}. `pydock plan` and `pydock install` follow it.")
    return 0
