"""Which hosts, and how to log in to them: from arguments, or from any Ansible inventory."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Sequence
from pathlib import Path

from pydock_installer.errors import InventoryError
from pydock_installer.fleet.inventory import open_inventory
from pydock_installer.fleet.login import Login, checked
from pydock_installer.model import Host
from pydock_installer.suggest import hint

__all__ = ["Login", "choose", "from_arguments", "from_inventory"]

DEFAULT_INVENTORY = "inventory"
#: What DNS and /etc/hosts take, and nothing that a shell, ssh or Ansible would read otherwise.
HOST_NAME = re.compile(r"\w[\w.-]{0,254}")
WAYS = (
    "Name hosts (pydock plan root@192.0.2.10) or an inventory (-i FILE), or run where there is an inventory/."
)


def choose(
    arguments: Sequence[str],
    inventories: Sequence[str],
    limit: str | None,
    login: Login,
    directory: Path,
    settings_inventory: Path | None,
) -> tuple[Host, ...]:
    """The hosts of a command. Raises InventoryError if there are none, with what is wrong."""
    standing = settings_inventory or _usable(directory / DEFAULT_INVENTORY)
    if inventories:
        patterns = ",".join(arguments) or "all"
        return from_inventory(inventories, login, patterns, limit)
    if arguments:
        named = _known(standing, login, arguments, limit) if standing else None
        if named is None and limit:
            raise InventoryError(
                f"--limit chooses from an inventory, and {standing or 'there'} "
                + (f"does not know {', '.join(arguments)}" if standing else "is none"),
                "Name the hosts alone, or an inventory (-i).",
            )
        return named if named is not None else from_arguments(arguments, login)
    if standing is None:
        raise InventoryError("no host is named, and there is no inventory here", WAYS)
    return from_inventory([standing], login, "all", limit)


def from_arguments(texts: Sequence[str], login: Login) -> tuple[Host, ...]:
    """``[user@]host[:port]``; IPv6 addresses in brackets if a port follows. Raises InventoryError."""
    found: dict[str, Host] = {}
    for host in (_argument(text, login) for text in texts):
        first = found.setdefault(host.name, host)
        if (first.address, first.user, first.port or 22) != (host.address, host.user, host.port or 22):
            raise InventoryError(
                f"two different hosts would be {host.name}", "Give them names in an inventory."
            )
    return tuple(found.values())


def from_inventory(
    sources: Sequence[str | Path], login: Login, pattern: str, limit: str | None
) -> tuple[Host, ...]:
    """The hosts of an inventory that match, with the connection variables that Ansible would see."""
    for source in sources:
        if "," not in str(source) and not Path(source).exists():
            raise InventoryError(f"the inventory {source} does not exist", "Mind the path after -i.")
    return open_inventory(sources).select(pattern, limit, login)


def _known(standing: Path, login: Login, names: Sequence[str], limit: str | None) -> tuple[Host, ...] | None:
    """Hosts, groups and patterns of the standing inventory; ``None`` if it knows none of them.

    Raises InventoryError if it knows some: a name that was misspelt must not become an address.
    """
    patterns = any(re.search(r"[*?!&~]", name) and "@" not in name for name in names)
    if not patterns and not any(re.fullmatch(r"[\w.-]+", name) for name in names):
        return None
    opened = open_inventory([standing])
    if patterns:
        return opened.select(",".join(names), limit, login)
    known = {*opened.hosts, *opened.groups}
    strange = [name for name in names if name not in known]
    if len(strange) == len(names):
        return None
    if strange:
        found = ", ".join(name for name in names if name in known)
        raise InventoryError(
            f"{standing} knows {found}, but not {', '.join(strange)}{hint(strange[0], known)}",
            "Name hosts of the inventory, or others, not both at once.",
        )
    return opened.select(",".join(names), limit, login)


def _usable(directory: Path) -> Path | None:
    """A directory counts if a file stands in it that can be an inventory; examples and notes do not."""
    if not directory.is_dir():
        return directory if directory.is_file() else None
    passed = {".md", ".txt", ".example", ".cfg", ".retry"}
    files = (p for p in directory.iterdir() if p.is_file() and not p.name.startswith("."))
    return directory if any(p.suffix not in passed for p in files) else None


def _argument(text: str, login: Login) -> Host:
    user, at, place = text.rpartition("@")
    bracketed = re.fullmatch(r"\[([^\[\]]+)\](?::([0-9]+))?", place)
    plain = re.fullmatch(r"([^:\[\]]+)(?::([0-9]+))?", place)
    if bracketed or plain:
        address, digits = (bracketed or plain).groups()  # type: ignore[union-attr]
    else:
        address, digits = place, None
    six = _is_ipv6(address)
    if (
        not text.isprintable()
        or not (six or HOST_NAME.fullmatch(address))
        or (at and not re.fullmatch(r"[^-/:\s][^/:\s]*", user))
    ):
        is_path = text and os.path.exists(text)  # noqa: PTH110 - whatever the text is, this one does not raise
        raise InventoryError(
            f"{text!r} names no host",
            f"To use it as an inventory: -i {text}"
            if is_path
            else "Write user@host:port; user and port may be left out.",
        )
    port = int(digits[:6]) if digits else None
    if port is not None and not 0 < port < 65536:
        raise InventoryError(f"{text}: {digits} is not a port", "Ports are 1 to 65535.")
    # The name is also the host's name in Ansible, which takes a colon for a port.
    name = ("ipv6-" + re.sub(r"[:%]", "-", address) if six else address) + (
        f"-{port}" if port not in (None, 22) else ""
    )
    return Host(
        name=name,
        address=address,
        user=checked(user or login.user, text, "user"),
        port=port,
        password=login.password,
        become_password=login.become_password,
    )


def _is_ipv6(text: str) -> bool:
    try:
        return ipaddress.ip_address(text.partition("%")[0]).version == 6
    except ValueError:
        return False
