"""The door to hosts: connections, host keys, one command each, many hosts at once."""

from __future__ import annotations

import contextlib
import logging
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import paramiko

from pydock_installer import known_hosts
from pydock_installer.errors import UnreachableError
from pydock_installer.known_hosts import HostKey
from pydock_installer.model import Host
from pydock_installer.ssh_config import Route, SshOptions, hop, route

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
logging.getLogger("paramiko").addHandler(logging.NullHandler())
logging.getLogger("paramiko").propagate = False
#: Key types in the order in which they are asked for.
KEY_TYPES = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "rsa-sha2-512",
             "rsa-sha2-256", "ssh-rsa")  # fmt: skip


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
    """Run a command over a connection of its own; ``time_limit`` in seconds. Raises UnreachableError."""
    with _session(host, options) as transport:
        try:
            channel = transport.open_session(timeout=options.timeout)
            channel.exec_command(command)
            if stdin:
                channel.sendall(stdin)
            channel.shutdown_write()
            return _read(host, channel, time_limit, output_limit)
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise UnreachableError(
                "closed", f"the connection to {host.name} broke: {_words(error)}", "Run the command again."
            ) from error


def _read(host: Host, channel: paramiko.Channel, time_limit: float, output_limit: int) -> CommandResult:
    out, err, truncated = bytearray(), bytearray(), False
    deadline = time.monotonic() + time_limit
    channel.settimeout(0.2)
    while True:
        if time.monotonic() > deadline:
            raise UnreachableError(
                "command-timeout",
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
                transport = _transport(host, way, options, stack, kinds)
                key = _shown(transport)
                found.setdefault(key.type, key)
        except UnreachableError as error:
            last = error
            if error.code != "algorithms":
                break
    if not found and last:
        raise last
    return list(found.values())


def known_state(host: Host, options: SshOptions, key: HostKey) -> str:
    """``known``, ``unknown`` or ``changed``."""
    way = route(host, options)
    same_kind = tuple(e for e in known_hosts.entries(way.known_as, way.known_hosts))
    return known_hosts.state(key, same_kind)


def add_known_host(host: Host, options: SshOptions, keys: Sequence[HostKey]) -> Path:
    """Write keys into the user's known_hosts file; returns it. A changed key raises UnreachableError."""
    way = route(host, options)
    known = tuple(known_hosts.entries(way.known_as, way.known_hosts))
    for key in keys:
        if known_hosts.state(key, known) == "changed":
            raise _changed(host, key, known)
    return known_hosts.add(way.known_as, tuple(keys), way.known_hosts[0])


@contextlib.contextmanager
def _session(host: Host, options: SshOptions) -> Iterator[paramiko.Transport]:
    """A connection that is logged in, through its jump hosts if it has some."""
    with contextlib.ExitStack() as stack:
        yield _logged_in(host, options, stack, None)


def _logged_in(
    host: Host,
    options: SshOptions,
    stack: contextlib.ExitStack,
    through: socket.socket | paramiko.Channel | None,
) -> paramiko.Transport:
    way = route(host, options)
    known = tuple(known_hosts.entries(way.known_as, way.known_hosts))
    kinds = _preferred(known)
    transport = _transport(host, way, options, stack, kinds, through)
    _check_key(host, way, options, _shown(transport), known)
    _authenticate(host, way, transport)
    return transport


def _transport(
    host: Host,
    way: Route,
    options: SshOptions,
    stack: contextlib.ExitStack,
    kinds: Sequence[str],
    through: socket.socket | paramiko.Channel | None = None,
) -> paramiko.Transport:
    """Connected, key exchange done, not logged in."""
    connection = through or _connect(host, way, options, stack)
    stack.callback(connection.close)
    try:
        transport = paramiko.Transport(connection)
        stack.callback(transport.close)
        transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = options.timeout
        wanted = [kind for kind in transport.get_security_options().key_types if kind in kinds]
        order = sorted(wanted, key=list(kinds).index)
        if not order:
            raise paramiko.SSHException("no acceptable host key type")
        transport.get_security_options().key_types = order
        transport.start_client(timeout=options.timeout)
    except (paramiko.SSHException, OSError, EOFError) as error:
        text = _words(error)
        if isinstance(error, paramiko.ssh_exception.IncompatiblePeer) or "acceptable" in text:
            raise UnreachableError(
                "algorithms",
                f"{host.name} and this machine have no SSH algorithm in common: {text}",
                "Update the SSH server of the host.",
            ) from error
        raise UnreachableError(
            "banner",
            f"{_where(way)} does not speak SSH, or cut the connection: {text}",
            "See that the port is sshd's, and that no firewall or tcpwrapper cuts in.",
        ) from error
    return transport


def _connect(
    host: Host, way: Route, options: SshOptions, stack: contextlib.ExitStack
) -> socket.socket | paramiko.Channel | paramiko.ProxyCommand:
    if way.jumps:
        return _jump(host, way, options, stack)
    if way.proxy_command:
        return paramiko.ProxyCommand(way.proxy_command)
    try:
        return socket.create_connection((way.address, way.port), timeout=options.timeout)
    except socket.gaierror as error:
        raise UnreachableError(
            "name-unknown",
            f"the name {way.address} is unknown here",
            "Mind the spelling, or give its address (HostName in ~/.ssh/config, ansible_host in an inventory).",
        ) from error
    except TimeoutError as error:
        raise UnreachableError(
            "timeout",
            f"{_where(way)} does not answer within {options.timeout:g} s",
            "See that the host is on and that no firewall drops the connection.",
        ) from error
    except ConnectionRefusedError as error:
        raise UnreachableError(
            "refused",
            f"{_where(way)} refuses connections",
            "See that sshd runs there, and that this is its port (user@host:port).",
        ) from error
    except OSError as error:
        raise UnreachableError(
            "no-route",
            f"{_where(way)} cannot be reached: {_words(error)}",
            "See that the network has a route.",
        ) from error


def _jump(host: Host, way: Route, options: SshOptions, stack: contextlib.ExitStack) -> paramiko.Channel:
    """A channel through each jump host in turn."""
    through: paramiko.Channel | None = None
    targets = [hop(text) for text in way.jumps]
    for number, target in enumerate(targets):
        following = route(targets[number + 1], options) if number + 1 < len(targets) else way
        try:
            transport = _logged_in(target, options, stack, through)
            through = transport.open_channel(
                "direct-tcpip", (following.address, following.port), ("127.0.0.1", 0), timeout=options.timeout
            )
        except UnreachableError as error:
            raise UnreachableError(
                "jump",
                f"the jump host of {host.name}, {target.name}, lets nobody through: {error.message}",
                error.hint,
            ) from error
        except (paramiko.SSHException, OSError) as error:
            raise UnreachableError(
                "jump",
                f"from the jump host {target.name}, {_where(following)} cannot be reached: {_words(error)}",
                "See that the host is on, and that the jump host may forward (AllowTcpForwarding).",
            ) from error
    if through is None:
        raise UnreachableError(
            "jump", f"{host.name} names no jump host", "Mind ProxyJump in the ssh configuration."
        )
    return through


def _preferred(known: tuple[known_hosts.Entry, ...]) -> list[str]:
    """Ask first for the kinds of key that are known, so that a host is not taken for another one."""
    kinds = {entry.key.type for entry in known}
    if "ssh-rsa" in kinds:
        kinds |= {"rsa-sha2-512", "rsa-sha2-256"}
    return [k for k in KEY_TYPES if k in kinds] + [k for k in KEY_TYPES if k not in kinds]


def _shown(transport: paramiko.Transport) -> HostKey:
    key = transport.get_remote_server_key()
    return HostKey(key.get_name(), key.get_base64())


def _check_key(
    host: Host, way: Route, options: SshOptions, key: HostKey, known: tuple[known_hosts.Entry, ...]
) -> None:
    state = known_hosts.state(key, known)
    if state == "changed":
        raise _changed(host, key, known)
    if state == "known":
        return
    if options.host_key_policy == "accept-new":
        known_hosts.add(way.known_as, (key,), way.known_hosts[0])
        return
    raise UnreachableError(
        "unknown-host-key",
        f"the host key of {host.name} is unknown here: {key.type} {key.fingerprint}",
        f"Compare it with the host's own (`ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub`), then: "
        f"pydock trust {host.name}",
    )


def _changed(host: Host, key: HostKey, known: tuple[known_hosts.Entry, ...]) -> UnreachableError:
    places = ", ".join(entry.place for entry in known)
    return UnreachableError(
        "changed-host-key",
        f"the host key of {host.name} has changed to {key.type} {key.fingerprint}; another one is known ({places})",
        "Someone may be listening in: find out why. If the host was reinstalled, remove the old key "
        f"(`ssh-keygen -R {host.address}`), then: pydock trust {host.name}",
    )


def _authenticate(host: Host, way: Route, transport: paramiko.Transport) -> None:
    """Keys first, then the password; the error says what was tried."""
    tried: list[str] = []
    locked: list[str] = []
    try:
        for key in _keys(way, locked):
            tried.append("key")
            with contextlib.suppress(paramiko.AuthenticationException):
                transport.auth_publickey(way.user, key)
            if transport.is_authenticated():
                return
            if not transport.is_active():
                break
        if host.password and transport.is_active():
            tried.append("password")
            transport.auth_password(way.user, host.password.reveal())
            if transport.is_authenticated():
                return
    except (paramiko.SSHException, OSError, EOFError):
        pass
    if locked and not transport.is_authenticated() and "password" not in tried:
        raise UnreachableError(
            "key-passphrase",
            f"{host.name}: the key {locked[0]} wants a passphrase",
            f"Unlock it for this session: ssh-add {locked[0]}",
        )
    what = "the password" if "password" in tried else "any key" if tried else "us: there is no key to try"
    raise UnreachableError(
        "auth",
        f"{host.name} does not accept {what} for {way.user}",
        "Pass -u for another user, -k to be asked for a password, or put your key there (ssh-copy-id).",
    )


def _keys(way: Route, locked: list[str]) -> Iterator[paramiko.PKey]:
    for path in way.identity_files:
        if not path.exists():
            continue
        try:
            yield paramiko.PKey.from_path(path)
        except (paramiko.PasswordRequiredException, TypeError):
            locked.append(str(path))
        except Exception:  # noqa: S112 - a file that is no key is no key; paramiko has many ways to say so
            continue
    if way.agent or locked:
        with contextlib.suppress(paramiko.SSHException, OSError):
            yield from paramiko.Agent().get_keys()


def _where(way: Route) -> str:
    return f"{way.address} port {way.port}"


def _words(error: BaseException) -> str:
    return str(getattr(error, "strerror", None) or error or type(error).__name__)[:200]
