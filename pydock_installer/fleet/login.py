"""How to log in to a host: what the flags say, and what the variables of an inventory say."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydock_installer.errors import InventoryError
from pydock_installer.model import Host, Secret

#: The variables of an inventory that say how a host is reached.
CONNECTION_VARIABLES = frozenset(
    f"ansible_{name}"
    for name in (
        *("connection", "host", "ssh_host", "port", "ssh_port", "user", "ssh_user", "python_interpreter"),
        *("password", "ssh_pass", "ssh_password", "become_password", "become_pass", "sudo_pass"),
        *("ssh_private_key_file", "private_key_file", "ssh_common_args", "ssh_extra_args"),
    )
)


@dataclass(frozen=True)
class Login:
    """What the flags -u, -k and -K say; it goes before the inventory."""

    user: str | None = None
    password: Secret | None = None
    become_password: Secret | None = None


def _safe(text: str) -> bool:
    """Neither an option for ssh nor something that would paint a terminal."""
    return (
        bool(text)
        and text.isprintable()
        and " " not in text
        and not text.startswith("-")
        and "@-" not in text
    )


def checked(value: Any, name: str, what: str) -> str | None:
    """A text that is safe to hand to ssh; a number counts as one."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int) or not _safe(str(value)):
        raise InventoryError(
            f"{name}: {value!r} is not {'an' if what == 'address' else 'a'} {what} to log in with",
            f"Mind the {what} of this host.",
        )
    return str(value)


def host_from_variables(name: str, variables: Mapping[str, Any], login: Login) -> Host:
    def first(*keys: str) -> Any:
        return next((variables[key] for key in keys if variables.get(key) not in (None, "")), None)

    connection = str(variables.get("ansible_connection", "ssh"))
    if connection not in ("ssh", "smart", "paramiko", "paramiko_ssh"):
        raise InventoryError(
            f"{name} has ansible_connection {connection}: pydock works over SSH alone",
            "Remove it, or the host.",
        )
    port = first("ansible_port", "ansible_ssh_port")
    if port is not None and not (re.fullmatch(r"[0-9]{1,5}", str(port)) and 0 < int(port) < 65536):
        raise InventoryError(f"{name}: ansible_port is {port}, which is not a port", "Ports are 1 to 65535.")
    password = first("ansible_password", "ansible_ssh_pass", "ansible_ssh_password")
    become = first("ansible_become_password", "ansible_become_pass", "ansible_sudo_pass")
    key = first("ansible_ssh_private_key_file", "ansible_private_key_file")
    interpreter = str(first("ansible_python_interpreter") or "auto")
    extra = " ".join(str(v) for k in ("ansible_ssh_common_args", "ansible_ssh_extra_args") if (v := first(k)))
    try:
        arguments = tuple(shlex.split(extra))
    except ValueError as error:
        raise InventoryError(
            f"{name}: ansible_ssh_common_args cannot be split: {error}", "Mind the quotes."
        ) from None
    return Host(
        name=str(checked(name, name, "name")),
        address=str(checked(first("ansible_host", "ansible_ssh_host") or name, name, "address")),
        user=checked(login.user or first("ansible_user", "ansible_ssh_user"), name, "user"),
        port=int(port) if port is not None else None,
        identity_file=_absolute(str(key), name) if key else None,
        password=login.password or (Secret(str(password)) if password is not None else None),
        become_password=login.become_password or (Secret(str(become)) if become is not None else None),
        ssh_arguments=arguments,
        interpreter=None if interpreter.startswith("auto") else interpreter,
    )


def _absolute(path: str, name: str) -> str:
    """Wherever it is read from: Ansible runs in a directory of its own."""
    try:
        return str(Path.cwd() / Path(path).expanduser())
    except (RuntimeError, ValueError):
        raise InventoryError(f"{name}: {path} is in the home of nobody", "Write the path out.") from None
