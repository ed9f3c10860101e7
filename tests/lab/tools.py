"""Doors of the lab: commands, locks, and where things are kept."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

#: Sockets and pid files: short, because the path of a unix socket is limited.
RUN = Path("/run/pydock-lab")
#: By which debootstrap checks what it fetches.
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
#: Programs and the Debian package each comes from.
NEEDED = {
    "debootstrap": "debootstrap",
    "rpmbuild": "rpm",
    "createrepo_c": "createrepo-c",
    "gpg": "gnupg",
    "docker-registry": "docker-registry",
    "openssl": "openssl",
    "ssh": "openssh-client",
    "dockerd": "docker.io",
    "ip": "iproute2",
    "iptables": "iptables",
    "xz": "xz-utils",
}


class LabError(Exception):
    """The lab cannot be brought up, and why."""


def cache() -> Path:
    """Where built things are kept between labs."""
    base = os.environ.get("PYDOCK_LAB_CACHE")
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    directory = Path(base) if base else home / "pydock-lab"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def say(text: str) -> None:
    """Progress, for people."""
    print(f"lab: {text}", file=sys.stderr, flush=True)


def run(
    *command: str | Path,
    check: bool = True,
    stdin: str | None = None,
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    timeout: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command. Raises LabError with its last words if it fails and ``check`` is set."""
    done = subprocess.run(
        [str(word) for word in command],
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        errors="replace",
        cwd=cwd,
        env={**os.environ, **(env or {})},
        timeout=timeout,
    )
    if check and done.returncode:
        words = (done.stderr.strip() or done.stdout.strip())[-1500:]
        raise LabError(f"`{' '.join(map(str, command))[:200]}` ended with {done.returncode}: {words}")
    return done


def chroot(root: Path, *command: str, stdin: str | None = None, env: dict[str, str] | None = None) -> None:
    """Run a command inside a tree, where the caller's own TMPDIR is not. Raises LabError if it fails."""
    run("chroot", root, *command, stdin=stdin, env={**(env or {}), "TMPDIR": "/tmp"})


@contextmanager
def lock(name: str) -> Iterator[None]:
    """One process at a time; locks die with their holder."""
    with (cache() / f"{name}.lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def key_of(*parts: Any) -> str:
    """A short key of what something is built from."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:12]


def text_of(*names: str) -> list[str]:
    """The recipe itself, as part of a key."""
    here = Path(__file__).parent
    return [(here / name).read_text(encoding="utf-8") for name in names]


def files_of(directory: Path) -> list[tuple[str, str]]:
    """Files and what is in them, as part of a key."""
    paths = sorted(path for path in directory.rglob("*") if path.is_file())
    return [(str(path.relative_to(directory)), path.read_text(encoding="utf-8")) for path in paths]


def lay_over(root: Path, directory: Path) -> None:
    """Put a directory's files over a tree. Those that begin with ``#!`` are programs, whatever the checkout made of them."""
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            target = root / path.relative_to(directory)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            text = path.read_text(encoding="utf-8")
            target.write_text(text, encoding="utf-8")
            target.chmod(0o755 if text.startswith("#!") else 0o644)


def built(name: str, key: str, build: Callable[[Path], None], what: str) -> Path:
    """The directory ``name-key`` of the cache, built if it is missing: whole, or not at all."""
    target = cache() / f"{name}-{key}"
    if target.exists():
        return target
    with lock(name):
        if target.exists():
            return target
        say(what)
        started = time.monotonic()
        work = cache() / f"{name}-{key}.tmp"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        build(work)
        work.rename(target)
        say(f"  done in {time.monotonic() - started:.0f} s")
    return target


def need_tools() -> None:
    """Install the programs that are missing. The engine that comes with them is not to start by itself."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    os.environ["PATH"] = path
    missing = sorted({package for program, package in NEEDED.items() if not shutil.which(program, path=path)})
    if not KEYRING.exists():  # Ubuntu has it in a package of its own.
        missing.append("debian-archive-keyring")
    if not missing:
        return
    if os.geteuid() != 0:
        raise LabError("the lab makes containers and network links: run it as root")
    say(f"installing {', '.join(missing)}")
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
        policy.chmod(0o755)
    try:
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        wait = "DPkg::Lock::Timeout=300"
        run("apt-get", "-qq", "-o", wait, "update", env=quiet)
        run("apt-get", "-qq", "-y", "-o", wait, "install", "--no-install-recommends", *missing, env=quiet)
        if ours and "docker.io" in missing and Path("/run/systemd/system").exists():
            # The package would start it at the next boot.
            run("systemctl", "disable", "docker.service", "docker.socket", "containerd.service", check=False)
    finally:
        if ours:
            policy.unlink()


def debian_mirror() -> str | None:
    """The address of Debian's packages, as this machine's apt has it; ``None`` leaves it to debootstrap's own default."""
    if chosen := os.environ.get("PYDOCK_LAB_MIRROR"):
        return chosen
    lines = run("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(ORIGIN)").stdout.splitlines()
    rows: Sequence[list[str]] = [line.split(maxsplit=2) for line in lines]
    for uri, release, *origin in rows:
        if origin and origin[0] == "Debian" and "security" not in release:
            return uri
    return None
