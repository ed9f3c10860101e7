"""How a host is reached: its own values, Ansible's ssh arguments, then ~/.ssh/config. Reads files, opens no socket."""

from __future__ import annotations

import getpass
import glob
import os
import pwd
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import paramiko

from pydock_installer.errors import UsageError
from pydock_installer.model import Host

DEFAULT_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")


@dataclass(frozen=True)
class SshOptions:
    """Settings of every connection; ``timeout`` in seconds, for connecting, the banner and logging in each."""

    timeout: float = 10.0
    host_key_policy: str = "strict"
    config: Path | None = None
    retries: int = 0
    """Further tries of a question, as long as they begin within ``timeout``."""
    depth: int = 0
    """How many jump hosts lie behind."""


@dataclass(frozen=True)
class Route:
    """Where and how to log in, everything decided."""

    address: str
    port: int
    user: str
    identity_files: tuple[Path, ...]
    agent: bool
    known_hosts: tuple[Path, ...]
    key_file: Path | None = None
    """Where a new host key is written; ``None`` if the configuration wants none kept."""
    jumps: tuple[str, ...] = ()
    proxy_command: str | None = None
    host_key_alias: str | None = None
    config: Path | None = None
    """The configuration file of this host's own, which counts for its jump hosts too."""

    @property
    def known_as(self) -> str:
        """The name under which known_hosts keeps this host."""
        name = self.host_key_alias or self.address
        return name if self.port == 22 or self.host_key_alias else f"[{name}]:{self.port}"


@dataclass
class Arguments:
    """What of the ssh program's options is honoured."""

    options: dict[str, str] = field(default_factory=dict)
    config: Path | None = None
    identity_files: list[str] = field(default_factory=list)


def home() -> Path:
    """The home directory that OpenSSH uses: the user's own, whatever HOME says."""
    return Path(pwd.getpwuid(os.getuid()).pw_dir)


def arguments(words: Sequence[str]) -> Arguments:
    """The options in ``ansible_ssh_common_args`` and the like; those that do not concern a login are passed over."""
    found = Arguments()
    letters = {"J": "proxyjump", "p": "port", "l": "user"}
    queue = list(words)
    while queue:
        word = queue.pop(0)
        if len(word) < 2 or word[0] != "-" or word[1] not in "oFJipl":
            continue
        value = word[2:] or (queue.pop(0) if queue else "")
        if word[1] == "F":
            found.config = Path(value).expanduser()
        elif word[1] == "i":
            found.identity_files.append(value)
        elif word[1] == "o":
            # ``Key=value`` or ``Key value``: what comes first divides.
            key, *rest = re.split(r"\s*=\s*|\s+", value.strip(), maxsplit=1)
            found.options.setdefault(key.lower(), rest[0] if rest else "")
        else:
            found.options.setdefault(letters[word[1]], value)
    return found


def route(host: Host, options: SshOptions) -> Route:
    """The route to a host. Raises UsageError if the configuration cannot be read."""
    given = arguments(host.ssh_arguments)
    path = given.config or options.config
    found = _lookup(Path(path).expanduser() if path else None, host, given.options)

    def text(key: str) -> str | None:
        value = found.get(key)
        return value if isinstance(value, str) and value.lower() != "none" else None

    files = [host.identity_file] if host.identity_file else given.identity_files
    if not files:
        listed = found.get("identityfile", [])
        files = listed if isinstance(listed, list) else [listed]
    keys = [Path(os.path.expandvars(name)).expanduser() for name in files if name]
    keys = keys or [home() / ".ssh" / name for name in DEFAULT_KEYS]
    port = text("port") or "22"
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        raise UsageError(f"{host.name}: the ssh configuration has {port} as a port", "Ports are 1 to 65535.")
    address = text("hostname") or host.address
    jump, command = text("proxyjump"), text("proxycommand")
    if jump and command and "proxycommand" in given.options and "proxyjump" not in given.options:
        jump = None
    # A jump host under `Host *` is not reached through itself.
    hops = [word.strip() for word in jump.split(",")] if jump else []
    way = Route(
        address=address,
        port=int(port),
        user=text("user") or getpass.getuser(),
        identity_files=tuple(keys),
        agent=(text("identitiesonly") or "no").lower() != "yes"
        and str(found.get("identityagent", "")).lower() != "none",
        known_hosts=(),
        jumps=tuple(word for word in hops if hop(word).address not in (host.address, address)),
        proxy_command=None if jump else command,
        host_key_alias=text("hostkeyalias"),
        config=given.config,
    )
    own = _key_files(found.get("userknownhostsfile", f"{home()}/.ssh/known_hosts"), way, host)
    common = _key_files(found.get("globalknownhostsfile", "/etc/ssh/ssh_known_hosts"), way, host)
    return replace(way, known_hosts=(*own, *common), key_file=own[0] if own else None)


def hop(text: str) -> Host:
    """A jump host, ``[user@]host[:port]``, as a host of its own that ~/.ssh/config may know."""
    user, _, rest = text.removeprefix("ssh://").rpartition("@")
    name, colon, port = rest.rpartition(":")
    if not colon or not port.isdigit():
        name, port = rest, ""
    return Host(
        name=name.strip("[]"), address=name.strip("[]"), user=user or None, port=int(port) if port else None
    )


def _key_files(value: object, way: Route, host: Host) -> tuple[Path, ...]:
    """Files of known hosts, with the tokens that ssh_config(5) allows in their names."""
    words = str(value).split()
    if [word.lower() for word in words] == ["none"]:
        return ()
    tokens = {
        **{"%": "%", "d": str(home()), "h": way.address, "k": way.host_key_alias or way.address},
        **{"n": host.address, "p": str(way.port), "r": way.user, "u": getpass.getuser()},
    }
    filled = (re.sub(r"%(.)", lambda found: tokens.get(found[1], found[0]), word) for word in words)
    return tuple(_expand(word) for word in filled)


def _expand(name: str) -> Path:
    return home() / name[2:] if name.startswith("~/") else Path(name)


def _lookup(path: Path | None, host: Host, given: Mapping[str, str]) -> Mapping[str, str | list[str]]:
    """What counts for a host: what was given for it first, then the files, their Include lines followed."""
    first = {"user": host.user, "port": str(host.port) if host.port else None}
    stated = {**given, **{key: value for key, value in first.items() if value}}
    if any(not value.isprintable() for value in stated.values()):
        raise UsageError(
            f"{host.name}: an ssh option holds a control character", "Mind ansible_ssh_common_args."
        )
    places = (path,) if path else (home() / ".ssh" / "config", Path("/etc/ssh/ssh_config"))
    words = tuple(f"{key} {value}" for key, value in stated.items() if value)
    try:
        return _parsed(words, places, path is not None).lookup(host.address)
    except UsageError:
        raise
    except Exception as error:  # paramiko raises bare ones for a line it cannot read
        raise UsageError(f"the ssh configuration cannot be read: {error}", "See man ssh_config.") from error


#: What files say together with what was given, and the state in which the files were read. The hosts of a fleet are
#: given the same, as a rule: a thousand of them need not parse the same files a thousand times.
_known: dict[tuple[tuple[str, ...], tuple[Path, ...]], tuple[dict[Path, object], paramiko.SSHConfig]] = {}
_lock = threading.Lock()


def _parsed(words: tuple[str, ...], places: tuple[Path, ...], needed: bool) -> paramiko.SSHConfig:
    with _lock:
        read, found = _known.get((words, places), ({}, None))
        if found and all(stamp(path) == then for path, then in read.items()):
            return found
        read = {place: stamp(place) for place in places}
        lines = ["Host *", *words]
        for place in places:
            if str(place) != "none" and (needed or place.exists()):
                lines += ["Host *", *_lines(place, "Host *", 0, read)]
        if not any(line.split()[:1] and line.split()[0].lower() == "canonicaldomains" for line in lines):
            # Without domains there is nothing to do; paramiko would look for them all the same.
            lines = [line for line in lines if not line.strip().lower().startswith("canonicalizehostname")]
        # paramiko knows no Include.
        found = paramiko.SSHConfig.from_text("\n".join(lines))
        if len(_known) >= 100:
            _known.clear()
        _known[(words, places)] = (read, found)
        return found


def stamp(path: Path) -> object:
    """What changes with a file; ``None`` where there is none."""
    try:
        state = path.stat()
    except OSError:
        return None
    return (state.st_mtime_ns, state.st_size, state.st_ino)


def _lines(path: Path, section: str, depth: int, read: dict[Path, object]) -> list[str]:
    """The lines of a file that stands, or is included, under a ``Host`` line."""
    read[path] = stamp(path)
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "Mind --ssh-config.") from error
    lines: list[str] = []
    for line in text.splitlines():
        keyword, _, rest = line.strip().partition(" ")
        if keyword.lower() == "include" and depth < 16:
            for pattern in rest.split():
                whole = _expand(pattern)
                whole = whole if whole.is_absolute() else home() / ".ssh" / pattern
                for found in sorted(glob.glob(str(whole))):  # noqa: PTH207 - a pattern may be in any part
                    if Path(found).is_file():
                        # What a file begins ends with it.
                        lines += [*_lines(Path(found), section, depth + 1, read), section]
            continue
        if keyword.lower() == "match":
            # Conditions need a shell and a login; what stands under them counts for no host here.
            line = section = "Host pydock-never-matches"  # noqa: PLW2901
        elif keyword.lower() == "host":
            section = line
        lines.append(line)
    return lines
