"""Which hosts, and how to log in to them: from arguments, or from any Ansible inventory."""

from __future__ import annotations

import ipaddress
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pydock_installer.errors import InventoryError
from pydock_installer.model import Host, Secret
from pydock_installer.suggest import hint

DEFAULT_INVENTORY = "inventory"
WAYS = (
    "Name hosts (pydock plan root@192.0.2.10) or an inventory (-i FILE), or run where there is an inventory/."
)


@dataclass(frozen=True)
class Login:
    """What the flags -u, -k and -K say; it goes before the inventory."""

    user: str | None = None
    password: Secret | None = None
    become_password: Secret | None = None


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
        plain = [text for text in arguments if not re.search(r"[@:\[\]*!&]", text)]
        if standing and plain == list(arguments):
            found = _known(standing, login, arguments, limit)
            if found is not None:
                return found
        if limit:
            raise InventoryError(
                "--limit chooses from an inventory, and there is none", "Name the hosts alone, or -i."
            )
        return from_arguments(arguments, login)
    if standing is None:
        raise InventoryError("no host is named, and there is no inventory here", WAYS)
    return from_inventory([standing], login, "all", limit)


def from_arguments(texts: Sequence[str], login: Login) -> tuple[Host, ...]:
    """``[user@]host[:port]``; IPv6 addresses in brackets if a port follows. Raises InventoryError."""
    return tuple({host.name: host for host in (_argument(text, login) for text in texts)}.values())


def from_inventory(
    sources: Sequence[str | Path], login: Login, pattern: str, limit: str | None
) -> tuple[Host, ...]:
    """The hosts of an inventory that match, with the connection variables that Ansible would see."""
    for source in sources:
        if "," not in str(source) and not Path(source).exists():
            raise InventoryError(f"the inventory {source} does not exist", "Mind the path after -i.")
    names, variables = _read([str(source) for source in sources], pattern, limit)
    return tuple(_from_variables(name, variables[name], login) for name in names)


def _known(standing: Path, login: Login, names: Sequence[str], limit: str | None) -> tuple[Host, ...] | None:
    """Hosts by name in the standing inventory; ``None`` if it does not know each of them."""
    known, variables = _read([str(standing)], "all", limit)
    if not set(names) <= set(known):
        return None
    return tuple(_from_variables(name, variables[name], login) for name in dict.fromkeys(names))


def _usable(directory: Path) -> Path | None:
    """A directory counts if a file stands in it that can be an inventory; examples and notes do not."""
    if not directory.is_dir():
        return directory if directory.is_file() else None
    passed = {".md", ".txt", ".example", ".cfg", ".retry"}
    files = (p for p in directory.iterdir() if p.is_file() and not p.name.startswith("."))
    return directory if any(p.suffix not in passed for p in files) else None


def _argument(text: str, login: Login) -> Host:
    user, at, place = text.rpartition("@")
    bracketed = re.fullmatch(r"\[([^\[\]]+)\](?::(\d+))?", place)
    plain = re.fullmatch(r"([^:\[\]]+)(?::(\d+))?", place)
    if bracketed or plain:
        address, digits = (bracketed or plain).groups()  # type: ignore[union-attr]
    else:
        address, digits = place, None
    six = ":" in address
    if not _safe(text) or not address or (at and not user) or (six and not _is_ipv6(address)):
        raise InventoryError(
            f"{text!r} names no host", "Write user@host:port; user and port may be left out."
        )
    port = int(digits) if digits else None
    if port is not None and not 0 < port < 65536:
        raise InventoryError(f"{text}: {port} is not a port", "Ports are 1 to 65535.")
    # The name is also the host's name in Ansible, which takes a colon for a port.
    name = ("ipv6-" + address.replace(":", "-") if six else address) + (
        f"-{port}" if port not in (None, 22) else ""
    )
    return Host(
        name=name,
        address=address,
        user=_checked(user or login.user, text, "user"),
        port=port,
        password=login.password,
        become_password=login.become_password,
    )


def _is_ipv6(text: str) -> bool:
    try:
        return ipaddress.ip_address(text.partition("%")[0]).version == 6
    except ValueError:
        return False


def _safe(text: str) -> bool:
    """Neither an option for ssh nor something that would paint a terminal."""
    return text.isprintable() and " " not in text and not text.startswith("-") and "@-" not in text


def _checked(text: str | None, name: str, what: str) -> str | None:
    if text is not None and (not text or not _safe(text)):
        raise InventoryError(
            f"{name}: {text!r} is not a {what} to log in with", f"Mind the {what} of this host."
        )
    return text


def _from_variables(name: str, variables: Mapping[str, Any], login: Login) -> Host:
    def first(*keys: str) -> Any:
        return next((variables[key] for key in keys if variables.get(key) not in (None, "")), None)

    connection = str(variables.get("ansible_connection", "ssh"))
    if connection not in ("ssh", "smart", "paramiko", "paramiko_ssh"):
        raise InventoryError(
            f"{name} has ansible_connection {connection}: pydock works over SSH alone",
            "Remove it, or the host.",
        )
    port = first("ansible_port", "ansible_ssh_port")
    if port is not None and not (str(port).isdigit() and 0 < int(port) < 65536):
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
        name=str(_checked(name, name, "name")),
        address=str(_checked(str(first("ansible_host", "ansible_ssh_host") or name), name, "address")),
        user=_checked(login.user or first("ansible_user", "ansible_ssh_user"), name, "user"),
        port=int(port) if port is not None else None,
        identity_file=str(Path(str(key)).expanduser()) if key else None,
        password=login.password or (Secret(str(password)) if password is not None else None),
        become_password=login.become_password or (Secret(str(become)) if become is not None else None),
        ssh_arguments=arguments,
        interpreter=None if interpreter.startswith("auto") else interpreter,
    )


def _read(sources: list[str], pattern: str, limit: str | None) -> tuple[list[str], dict[str, Any]]:
    """Names that match, in the inventory's order, and the variables of each. Ansible's own code reads them."""
    from ansible import constants
    from ansible.errors import AnsibleError
    from ansible.inventory.manager import InventoryManager
    from ansible.parsing.dataloader import DataLoader
    from ansible.template import Templar
    from ansible.vars.manager import VariableManager

    constants.INVENTORY_ANY_UNPARSED_IS_FAILED = True
    said: list[str] = []
    try:
        with _quiet(said):
            loader = DataLoader()
            inventory = InventoryManager(loader=loader, sources=sources)
            if limit:
                inventory.subset(limit)
            chosen = [
                host for host in inventory.get_hosts(pattern) if host.name != "localhost" or pattern != "all"
            ]
            manager = VariableManager(loader=loader, inventory=inventory)
            variables = {}
            for host in chosen:
                raw = manager.get_vars(host=host, include_hostvars=False)
                wanted = {key: value for key, value in raw.items() if key.startswith("ansible_")}
                variables[host.name] = Templar(loader, variables=raw).template(
                    wanted, fail_on_undefined=False
                )
    except AnsibleError as error:
        raise _complaint(sources, [*said, str(error)]) from None
    if not chosen:
        everyone = [host.name for host in inventory.get_hosts("all", ignore_limits=True)]
        groups = [name for name in inventory.groups if name not in ("all", "ungrouped")]
        wanted_names = limit or pattern
        raise InventoryError(
            f"no host matches {wanted_names} among the {len(everyone)} of {', '.join(sources)}"
            + hint(wanted_names, [*everyone, *groups]),
            "`ansible-inventory --list -i INVENTORY` shows what there is."
            if everyone
            else "The inventory is empty.",
        )
    return [host.name for host in chosen], variables


@contextmanager
def _quiet(said: list[str]) -> Iterator[None]:
    """Ansible prints its warnings itself; here they are kept for the one sentence that the user gets."""
    from ansible.utils.display import Display

    display = Display()
    before = {name: getattr(display, name) for name in ("warning", "deprecated", "display", "error")}
    for name in before:
        setattr(display, name, lambda message, *_, **__: said.append(str(message)))
    try:
        yield
    finally:
        for name in before:
            delattr(display, name)


def _complaint(sources: list[str], said: Sequence[str]) -> InventoryError:
    """File, line and reason, out of all that Ansible's parsers had to say about a source."""
    text = "\n".join(said)
    if "vault" in text.lower():
        return InventoryError(
            f"{', '.join(sources)} holds values under Ansible Vault that cannot be read",
            "Set ANSIBLE_VAULT_PASSWORD_FILE, or keep passwords out of the inventory and use -k and -K.",
        )
    named = re.search(r"'?(/[^\s':]+\.ya?ml)", text)
    if named and (found := _yaml_problem(Path(named[1]))):
        return InventoryError(found, "Mind the indentation and the quotes.")
    ini = re.search(r"((?:/|\.)[^\s:]*):(\d+): (.+)", text)
    if ini:
        return InventoryError(
            f"{ini[1]}:{ini[2]}: {ini[3][:200]}", "See that every line is a host, a [group] or key=value."
        )
    lines = [line.strip(" *") for line in text.splitlines() if line.strip(" *")]
    ours = [line.partition("plugin: ")[2] for line in lines if "with yaml plugin" in line]
    why = (ours or [line for line in lines if "Failed to parse" in line] or lines or ["it is empty"])[0]
    where = named[1] if named else ", ".join(sources)
    return InventoryError(f"{where} is no inventory: {why[:300]}", "See what ansible-inventory says of it.")


def _yaml_problem(path: Path) -> str | None:
    """Where a file stops being YAML, and why."""
    try:
        yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        return (
            f"{path}:{mark.line + 1}:{mark.column + 1}: {error.problem}"
            if mark
            else f"{path}: {error.problem}"
        )
    except (OSError, ValueError):
        return f"{path} cannot be read"
    return None
