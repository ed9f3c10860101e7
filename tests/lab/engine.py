"""The engine that runs the hosts: the lab's own, beside any other on this machine, gone when the last lab is down."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

from tests.lab.tools import RUN, LabError, cache, lock, run, say

SOCKET = RUN / "docker.sock"
INOTIFY, WATCHERS = Path("/proc/sys/fs/inotify/max_user_instances"), 1024
PID = RUN / "docker.pid"
NETWORK = "pydock-lab"
BRIDGE = "pydock-lab0"
SUBNET, GATEWAY = "10.213.0.0/16", "10.213.0.1"
HIDDEN_NETWORK, HIDDEN_SUBNET = "pydock-hidden", "10.214.0.0/16"


def docker(*arguments: str | Path, check: bool = True, stdin: str | None = None, timeout: float | None = None) -> (
    subprocess.CompletedProcess[str]
):
    """The docker command, spoken to the lab's engine."""
    return run("docker", "-H", f"unix://{SOCKET}", *arguments, check=check, stdin=stdin, timeout=timeout)


def alive() -> bool:
    """Whether the lab's engine answers."""
    return SOCKET.exists() and docker("version", check=False, timeout=20).returncode == 0


def runs() -> bool:
    """Whether its process is there, be it silent."""
    try:
        return b"dockerd" in Path(f"/proc/{int(PID.read_text())}/cmdline").read_bytes()
    except (OSError, ValueError):
        return False


def up() -> None:
    """Start the engine and its networks, if they are not up."""
    with lock("engine"):
        _allow_watchers()
        if not alive():
            _start()
        if docker("network", "inspect", NETWORK, check=False).returncode:
            options = ("-o", f"com.docker.network.bridge.name={BRIDGE}")
            docker("network", "create", "--subnet", SUBNET, "--gateway", GATEWAY, *options, NETWORK)
        if docker("network", "inspect", HIDDEN_NETWORK, check=False).returncode:
            # The machine gets no address there: it is reached through a host that has one.
            options = ("-o", "com.docker.network.bridge.inhibit_ipv4=true")
            name = ("-o", "com.docker.network.bridge.name=pydock-lab1")
            docker("network", "create", "--subnet", HIDDEN_SUBNET, *options, *name, HIDDEN_NETWORK)


def _allow_watchers() -> None:
    """Every booted host takes some of the machine's inotify instances; Debian's 128 are enough for about 15."""
    kept = RUN / "inotify"
    RUN.mkdir(mode=0o711, exist_ok=True)
    if not kept.exists() and int(INOTIFY.read_text()) < WATCHERS:
        kept.write_text(INOTIFY.read_text())
        INOTIFY.write_text(str(WATCHERS))


def _start() -> None:
    RUN.mkdir(mode=0o711, exist_ok=True)
    PID.unlink(missing_ok=True)
    (RUN / "engine.json").write_text("{}", encoding="utf-8")
    # No name server: a name that is not in a host's /etc/hosts fails at once instead of after ten seconds.
    (RUN / "resolv.conf").write_text("nameserver 127.0.0.1\n", encoding="utf-8")
    with (RUN / "docker.log").open("w") as log:
        process = subprocess.Popen(
            [
                "dockerd",
                *("--host", f"unix://{SOCKET}", "--data-root", str(cache() / "engine"), "--exec-root", str(RUN / "exec")),
                *("--pidfile", str(PID), "--bridge", "none", "--ip-masq=false", "--iptables=false"),
                *("--ip-forward=false", "--config-file", str(RUN / "engine.json")),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            close_fds=True,
        )
    for _ in range(300):
        if alive():
            return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    said = (RUN / "docker.log").read_text(errors="replace")[-1500:]
    raise LabError(f"the lab's engine does not start: {said}")


def down() -> None:
    """Stop the engine; its links and mounts go with it."""
    with lock("engine"):
        if alive():
            for network in (NETWORK, HIDDEN_NETWORK):
                docker("network", "rm", network, check=False)
        stop(PID)
        if (RUN / "inotify").exists():
            INOTIFY.write_text((RUN / "inotify").read_text())
            (RUN / "inotify").unlink()
        for link in (BRIDGE, "pydock-lab1"):
            run("ip", "link", "del", link, check=False)
        for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
            point = line.split()[4]
            if point.startswith((str(RUN), str(cache() / "engine"))):
                run("umount", point, check=False)


def stop(pid_file: Path, seconds: float = 30) -> None:
    """End the process of a pid file, gently at first."""
    try:
        pid = int(pid_file.read_text(encoding="utf-8"))
        os.kill(pid, signal.SIGTERM)
    except (OSError, ValueError):
        return
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
            # A child of this very process stays a zombie until it is waited for.
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            time.sleep(0.1)
            continue
        except OSError:
            break
        time.sleep(0.1)
    else:
        say(f"process {pid} does not end; killing it")
        os.kill(pid, signal.SIGKILL)
    pid_file.unlink(missing_ok=True)
