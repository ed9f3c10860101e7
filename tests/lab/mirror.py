"""The lab's server and registry as tests and the lab itself see them: started, switched, read, stopped."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.lab import engine, faults, root, rpms
from tests.lab.identity import identity
from tests.lab.tools import RUN, LabError, built, key_of, lock, run

if TYPE_CHECKING:
    from tests.lab.host import Host

TOP = Path(__file__).resolve().parents[2]
REGISTRY_PORT = 15213
GREETING = """
Hello from Docker!
This message shows that your installation appears to be working correctly.
(An image of the lab's, served by its registry under Docker Hub's name.)
"""


class Mirror:
    """Faults and the access log of the one server."""

    @contextmanager
    def fault(self, name: str, hosts: Sequence[Host] | None = None) -> Iterator[None]:
        """Switch a fault on for the length of the block, for all clients or for these hosts."""
        with faults.switched_on(RUN / "faults.json", name, [host.address for host in hosts or ()]):
            yield

    def log(self, since: int = 0) -> list[dict[str, Any]]:
        """Requests so far, oldest first, from the ``since``-th on."""
        try:
            lines = (RUN / "access.log").read_text(encoding="utf-8").splitlines()
        except OSError:
            return []
        return [json.loads(line) for line in lines[since:] if line.endswith("}")]


def up() -> None:
    """Start server and registry, if they are not up."""
    with lock("mirror"):
        arguments = [engine.GATEWAY, str(rpms.repositories()), str(identity()), str(REGISTRY_PORT), str(RUN)]
        # One that was started from an older recipe gives way.
        if _running(RUN / "server.pid", arguments[1]) and _running(RUN / "registry.pid", "docker-registry"):
            return
        down()
        storage = built("registry", key_of(GREETING, root.base().name), lambda work: None, "making the registry")
        configuration = RUN / "registry.yml"
        configuration.write_text(
            f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {storage}/data}}}}\n"
            f"http: {{addr: '127.0.0.1:{REGISTRY_PORT}'}}\n",
            encoding="utf-8",
        )
        _start("registry", ["docker-registry", "serve", str(configuration)])
        if not (storage / "pushed").exists():
            _push(storage)
        (RUN / "ready").unlink(missing_ok=True)
        _start("server", [sys.executable, "-m", "tests.lab.server", *arguments])
        for _ in range(200):
            if (RUN / "ready").exists():
                return
            time.sleep(0.05)
        said = (RUN / "server.log").read_text(errors="replace")[-800:]
        raise LabError(f"the lab's mirror does not start (ports 80 and 443 of {engine.GATEWAY}): {said}")


def down() -> None:
    """Stop both."""
    for name in ("server", "registry"):
        engine.stop(RUN / f"{name}.pid", 5)


def _start(name: str, command: list[str]) -> None:
    with (RUN / f"{name}.log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=TOP, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    (RUN / f"{name}.pid").write_text(str(process.pid), encoding="utf-8")


def _running(pid_file: Path, word: str) -> bool:
    """Whether the process of a pid file lives, and has this word in its command line."""
    try:
        command = Path(f"/proc/{int(pid_file.read_text())}/cmdline").read_bytes()
    except (OSError, ValueError):
        return False
    return word.encode() in command


def _push(storage: Path) -> None:
    """hello-world: a static binary that prints a file, in the registry under Docker Hub's name for it."""
    tini = root.base() / "root/bin/busybox"
    archive = BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.add(tini, "busybox")
        entry = tarfile.TarInfo("hello.txt")
        entry.size = len(GREETING.encode())
        tar.addfile(entry, BytesIO(GREETING.encode()))
    path = RUN / "hello.tar"
    path.write_bytes(archive.getvalue())
    name = f"127.0.0.1:{REGISTRY_PORT}/library/hello-world:latest"
    engine.docker("import", "-c", 'CMD ["/busybox", "cat", "/hello.txt"]', path, name)
    for attempt in range(40):
        if engine.docker("push", "-q", name, check=attempt == 39).returncode == 0:
            break
        time.sleep(0.25)
    path.unlink()
    (storage / "pushed").touch()
    run("sync", check=False)
