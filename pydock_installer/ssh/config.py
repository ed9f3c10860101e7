"""How a host is reached: its own values, Ansible's ssh arguments, then ~/.ssh/config. Reads files, opens no socket."""

from __future__ import annotations

import getpass
import os
import pwd
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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


@dataclass(frozen=True)
class Route:
    """Where and how to log in, everything decided."""

    address: str
    port: int
    user: str
    identity_files: tuple[Path, ...]
    agent: bool
    known_hosts: tuple[Path, ...]
    jumps: tuple[str, ...] = ()
    proxy_command: str | None = None
    host_key_alias: str | None = None

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
            key, _, text = (
                value.replace(" ", "=", 1).partition("=") if "=" not in value else value.partition("=")
            )
            found.options.setdefault(key.strip().lower(), text.strip())
        else:
            found.options.setdefault(letters[word[1]], value)
    return found


def route(host: Host, options: SshOptions) -> Route:
    """The route to a host. Raises UsageError if the configuration cannot be read."""
    given = arguments(host.ssh_arguments)
    path = given.config or options.config
    config = _config(Path(path).expanduser() if path else None)
    found: Mapping[str, str | list[str]] = {**config.lookup(host.address), **given.options}

    def text(key: str) -> str | None:
        value = found.get(key)
        return value if isinstance(value, str) and value.lower() != "none" else None

    files = [host.identity_file] if host.identity_file else given.identity_files
    if not files:
        listed = found.get("identityfile", [])
        files = listed if isinstance(listed, list) else [listed]
    keys = [Path(os.path.expandvars(name)).expanduser() for name in files if name]
    keys = keys or [home() / ".ssh" / name for name in DEFAULT_KEYS]
    known = (text("userknownhostsfile") or f"{home()}/.ssh/known_hosts").split()
    known += (text("globalknownhostsfile") or "/etc/ssh/ssh_known_hosts").split()
    jump = text("proxyjump")
    return Route(
        address=text("hostname") or host.address,
        port=host.port or int(text("port") or 22),
        user=host.user or text("user") or getpass.getuser(),
        identity_files=tuple(keys),
        agent=(text("identitiesonly") or "no").lower() != "yes" and text("identityagent") != "none",
        known_hosts=tuple(_expand(name) for name in known),
        jumps=tuple(hop.strip() for hop in jump.split(",")) if jump else (),
        proxy_command=None if jump else text("proxycommand"),
        host_key_alias=text("hostkeyalias"),
    )


def hop(text: str) -> Host:
    """A jump host, ``[user@]host[:port]``, as a host of its own that ~/.ssh/config may know."""
    user, _, rest = text.removeprefix("ssh://").rpartition("@")
    name, colon, port = rest.rpartition(":")
    if not colon or not port.isdigit():
        name, port = rest, ""
    return Host(
        name=name.strip("[]"), address=name.strip("[]"), user=user or None, port=int(port) if port else None
    )


def _expand(name: str) -> Path:
    return home() / name[2:] if name.startswith("~/") else Path(name.replace("%d", str(home())))


def _config(path: Path | None) -> paramiko.SSHConfig:
    """The configuration, its Include lines followed (paramiko knows none)."""
    places = [path] if path else [home() / ".ssh" / "config", Path("/etc/ssh/ssh_config")]
    lines: list[str] = []
    for place in places:
        if path or place.exists():
            lines += [*_lines(place, 0), "Host *"]
    try:
        return paramiko.SSHConfig.from_text("\n".join(lines))
    except Exception as error:  # paramiko raises bare ones for a line it cannot read
        raise UsageError(f"the ssh configuration cannot be read: {error}", "See man ssh_config.") from error


def _lines(path: Path, depth: int) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "Mind --ssh-config.") from error
    lines: list[str] = []
    for line in text.splitlines():
        words = line.split()
        if words and words[0].lower() == "include" and depth < 16:
            for pattern in words[1:]:
                whole = _expand(pattern)
                whole = whole if whole.is_absolute() else home() / ".ssh" / pattern
                for found in sorted(whole.parent.glob(whole.name)):
                    lines += _lines(found, depth + 1)
        elif not (words and words[0].lower() == "match"):
            lines.append(line)
        else:
            # Conditions need a shell and a login; what stands under them counts for no host here.
            lines.append("Host pydock-never-matches")
    return lines
