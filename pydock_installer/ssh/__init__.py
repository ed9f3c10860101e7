"""The door to hosts: connections, host keys, one command each, many hosts at once."""

from __future__ import annotations

import contextlib
import queue
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import paramiko

from pydock_installer.errors import PydockError, UnreachableError, UsageError
from pydock_installer.model import Host
from pydock_installer.retry import QUESTION, passing, pauses
from pydock_installer.ssh import known_hosts
from pydock_installer.ssh.config import SshOptions, route
from pydock_installer.ssh.known_hosts import HostKey
from pydock_installer.ssh.session import KEY_TYPES, changed, connected, session, shown, words

__all__ = [
    "CommandResult",
    "HostKey",
    "SshOptions",
    "add_known_host",
    "fetch_host_keys",
    "known_state",
    "run_everywhere",
    "run_script",
]

T = TypeVar("T")


@dataclass(frozen=True)
class CommandResult:
    """What a command left behind; ``truncated`` if it said more than was read."""

    exit_status: int
    stdout: bytes
    stderr: bytes
    truncated: bool


def run_script(
    host: Host,
    options: SshOptions,
    command: str,
    *,
    stdin: bytes = b"",
    time_limit: float = 60.0,
    output_limit: int = 1_000_000,
) -> CommandResult:
    """Run a command over a connection of its own; ``time_limit`` in seconds. Raises UnreachableError.

    Where a connection cannot be had, or breaks, it is run again: give commands that may run twice.
    """
    began = time.monotonic()
    for number, pause in enumerate((*pauses(options.retries, QUESTION), None), start=1):
        try:
            return _run_once(host, options, command, stdin, time_limit, output_limit)
        except UnreachableError as error:
            # A host that is silent has had its time already.
            if pause is None or not passing(error.code) or time.monotonic() - began + pause > options.timeout:
                tries = f" (tried {number} times)" if number > 1 else ""
                raise UnreachableError(error.code, error.message + tries, error.hint) from error
        time.sleep(pause * random.uniform(0.7, 1.3))  # noqa: S311 - so that a fleet does not knock all at once
    raise AssertionError("the last try returns or raises")


def _run_once(
    host: Host, options: SshOptions, command: str, stdin: bytes, time_limit: float, output_limit: int
) -> CommandResult:
    with session(host, options) as transport:
        try:
            channel = transport.open_session(timeout=options.timeout)
            channel.exec_command(command)
            if stdin:
                channel.sendall(stdin)
            channel.shutdown_write()
            return _read(host, channel, time_limit, output_limit)
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise UnreachableError(
                "ssh-lost", f"the connection to {host.name} broke: {words(error)}", "Run the command again."
            ) from error


def _read(host: Host, channel: paramiko.Channel, time_limit: float, output_limit: int) -> CommandResult:
    out, err, truncated = bytearray(), bytearray(), False
    deadline = time.monotonic() + time_limit
    channel.settimeout(1.0)
    while True:
        if time.monotonic() > deadline:
            raise UnreachableError(
                "ssh-command-timeout",
                f"{host.name} gave no complete answer within {time_limit:.0f} s",
                "Something hangs on the host (a dead NFS mount, rpm, docker): log in and see what `ps` shows.",
            )
        try:
            piece = channel.recv(65536)
        except TimeoutError:
            while channel.recv_stderr_ready():
                err += channel.recv_stderr(65536)
            continue
        if not piece:
            break
        out += piece
        if len(out) > output_limit:
            truncated = True
            break
    while len(err) < output_limit and channel.recv_stderr_ready():
        err += channel.recv_stderr(65536)
    status = -1
    if not truncated and channel.status_event.wait(max(0.1, deadline - time.monotonic())):
        status = channel.exit_status
    if status == -1 and not truncated and not channel.get_transport().is_active():
        raise EOFError("closed by the host")
    return CommandResult(status, bytes(out[:output_limit]), bytes(err[:output_limit]), truncated)


def run_everywhere(
    hosts: Sequence[Host],
    work: Callable[[Host], T],
    forks: int,
    on_done: Callable[[Host, T | UnreachableError], None] | None = None,
) -> dict[str, T | UnreachableError]:
    """Work on up to ``forks`` hosts at a time; each host's result, or why there is none. Ctrl-C does not wait."""
    waiting: queue.SimpleQueue[Host] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[Host, T | UnreachableError]] = queue.SimpleQueue()
    for host in hosts:
        waiting.put(host)

    def worker() -> None:
        while True:
            try:
                host = waiting.get_nowait()
            except queue.Empty:
                return
            done.put((host, _alone(host, work)))

    for _ in range(min(forks, len(hosts))):
        threading.Thread(target=worker, daemon=True).start()
    results: dict[str, T | UnreachableError] = {}
    for _ in hosts:
        host, result = done.get()
        results[host.name] = result
        if on_done:
            on_done(host, result)
    return {host.name: results[host.name] for host in hosts}


def _alone(host: Host, work: Callable[[Host], T]) -> T | UnreachableError:
    try:
        return work(host)
    except UnreachableError as error:
        return error
    except PydockError as error:
        return UnreachableError("ssh-configuration", error.message, error.hint)
    except Exception as error:  # one host's surprise must not be everybody's
        return UnreachableError(
            "internal", f"{host.name}: {type(error).__name__}: {error}", "Please report this."
        )


def fetch_host_keys(host: Host, options: SshOptions) -> list[HostKey]:
    """The keys that a host shows, one per kind that it has. Raises UnreachableError."""
    way = route(host, options)
    found: dict[str, HostKey] = {}
    last: UnreachableError | None = None
    for kinds in (("ssh-ed25519",), KEY_TYPES[1:4], KEY_TYPES[4:]):
        try:
            with contextlib.ExitStack() as stack:
                transport = connected(host, way, options, stack, kinds)
                key = shown(transport)
                found.setdefault(key.type, key)
        except UnreachableError as error:
            last = error
            if error.code != "ssh-algorithms":
                break
    if not found and last:
        raise last
    return list(found.values())


def known_state(host: Host, options: SshOptions, key: HostKey) -> str:
    """``known``, ``unknown``, ``changed``, or ``beside`` where the host is known by keys of other kinds alone."""
    way = route(host, options)
    entries = tuple(known_hosts.entries(way.known_as, way.known_hosts))
    state = known_hosts.state(key, entries)
    alike = any(entry.key.type == key.type for entry in entries)
    return "beside" if state == "changed" and not alike else state


def add_known_host(host: Host, options: SshOptions, keys: Sequence[HostKey]) -> Path:
    """Write keys into the user's known_hosts file; returns it. A changed key raises UnreachableError."""
    way = route(host, options)
    known = tuple(known_hosts.entries(way.known_as, way.known_hosts))
    for key in keys:
        if known_hosts.state(key, known) == "changed":
            raise changed(host, key, known)
    if way.key_file is None:
        raise UsageError(
            f"{host.name}: UserKnownHostsFile is none, so its key cannot be kept",
            "Name a file there (ssh configuration, ansible_ssh_common_args).",
        )
    return known_hosts.add(way.known_as, tuple(keys), way.key_file)
