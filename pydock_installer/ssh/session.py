"""One connection: a socket or jump hosts, the key exchange, the host key, the login."""

from __future__ import annotations

import contextlib
import logging
import socket
from collections.abc import Iterator, Sequence
from dataclasses import replace

import paramiko

from pydock_installer.errors import UnreachableError
from pydock_installer.model import Host
from pydock_installer.ssh import known_hosts
from pydock_installer.ssh.config import Route, SshOptions, hop, route
from pydock_installer.ssh.known_hosts import HostKey

#: Jump hosts may have jump hosts.
DEEPEST = 8
logging.getLogger("paramiko").addHandler(logging.NullHandler())
logging.getLogger("paramiko").propagate = False
#: Key types in the order in which they are asked for.
KEY_TYPES = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "rsa-sha2-512",
             "rsa-sha2-256", "ssh-rsa")  # fmt: skip


@contextlib.contextmanager
def session(host: Host, options: SshOptions) -> Iterator[paramiko.Transport]:
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
    transport = connected(host, way, options, stack, kinds, through)
    _check_key(host, way, options, shown(transport), known)
    _authenticate(host, way, transport)
    return transport


def connected(
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
        text = words(error)
        if isinstance(error, paramiko.ssh_exception.IncompatiblePeer) or "acceptable" in text:
            raise UnreachableError(
                "ssh-algorithms",
                f"{host.name} and this machine have no SSH algorithm in common: {text}",
                "Update the SSH server of the host.",
            ) from error
        raise UnreachableError(
            "ssh-banner",
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
            "ssh-name",
            f"the name {way.address} is unknown here",
            "Mind the spelling, or give its address (HostName in ~/.ssh/config, ansible_host in an inventory).",
        ) from error
    except TimeoutError as error:
        raise UnreachableError(
            "ssh-no-answer",
            f"{_where(way)} does not answer within {options.timeout:g} s",
            "See that the host is on and that no firewall drops the connection.",
        ) from error
    except ConnectionRefusedError as error:
        raise UnreachableError(
            "ssh-refused",
            f"{_where(way)} refuses connections",
            "See that sshd runs there, and that this is its port (user@host:port).",
        ) from error
    except OSError as error:
        raise UnreachableError(
            "ssh-no-route",
            f"{_where(way)} cannot be reached: {words(error)}",
            "See that the network has a route.",
        ) from error


def _jump(host: Host, way: Route, options: SshOptions, stack: contextlib.ExitStack) -> paramiko.Channel:
    """A channel through each jump host in turn."""
    through: paramiko.Channel | None = None
    targets = [hop(text) for text in way.jumps]
    options = replace(options, config=way.config or options.config, depth=options.depth + 1)
    if options.depth > DEEPEST:
        raise UnreachableError(
            "ssh-jump",
            f"the jump hosts of {host.name} go round in circles",
            "Mind ProxyJump in the ssh configuration.",
        )
    for number, target in enumerate(targets):
        following = route(targets[number + 1], options) if number + 1 < len(targets) else way
        try:
            transport = _logged_in(target, options, stack, through)
            through = transport.open_channel(
                "direct-tcpip", (following.address, following.port), ("127.0.0.1", 0), timeout=options.timeout
            )
        except UnreachableError as error:
            raise UnreachableError(
                "ssh-jump",
                f"the jump host of {host.name}, {target.name}, lets nobody through: {error.message}",
                error.hint,
            ) from error
        except (paramiko.SSHException, OSError) as error:
            raise UnreachableError(
                "ssh-jump",
                f"from the jump host {target.name}, {_where(following)} cannot be reached: {words(error)}",
                "See that the host is on, and that the jump host may forward (AllowTcpForwarding).",
            ) from error
    if through is None:
        raise UnreachableError(
            "ssh-jump", f"{host.name} names no jump host", "Mind ProxyJump in the ssh configuration."
        )
    return through


def _preferred(known: tuple[known_hosts.Entry, ...]) -> list[str]:
    """Ask first for the kinds of key that are known, so that a host is not taken for another one."""
    kinds = {entry.key.type for entry in known}
    if "ssh-rsa" in kinds:
        kinds |= {"rsa-sha2-512", "rsa-sha2-256"}
    return [k for k in KEY_TYPES if k in kinds] + [k for k in KEY_TYPES if k not in kinds]


def shown(transport: paramiko.Transport) -> HostKey:
    key = transport.get_remote_server_key()
    return HostKey(key.get_name(), key.get_base64())


def _check_key(
    host: Host, way: Route, options: SshOptions, key: HostKey, known: tuple[known_hosts.Entry, ...]
) -> None:
    state = known_hosts.state(key, known)
    if state == "changed":
        raise changed(host, key, known)
    if state == "known":
        return
    if options.host_key_policy == "accept-new":
        if way.key_file:
            known_hosts.add(way.known_as, (key,), way.key_file)
        return
    raise UnreachableError(
        "unknown-host-key",
        f"the host key of {host.name} is unknown here: {key.type} {key.fingerprint}",
        f"Compare it with the host's own (`ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub`), then: "
        f"pydock trust {host.name}",
    )


def changed(host: Host, key: HostKey, known: tuple[known_hosts.Entry, ...]) -> UnreachableError:
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
            "ssh-key-passphrase",
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


def words(error: BaseException) -> str:
    return str(getattr(error, "strerror", None) or error or type(error).__name__)[:200]
