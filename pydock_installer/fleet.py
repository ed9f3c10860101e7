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
#: What DNS and /etc/hosts take, and nothing that a shell, ssh or Ansible would read otherwise.
HOST_NAME = re.compile(r"\w[\w.-]{0,254}")
#: The variables of an inventory that say how a host is reached.
CONNECTION_VARIABLES = frozenset(
    f"ansible_{name}"
    for name in (
        *("connection", "host", "ssh_host", "port", "ssh_port", "user", "ssh_user", "python_interpreter"),
        *("password", "ssh_pass", "ssh_password", "become_password", "become_pass", "sudo_pass"),
        *("ssh_private_key_file", "private_key_file", "ssh_common_args", "ssh_extra_args"),
    )
)
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
    return _open(sources).select(pattern, limit, login)


def _known(standing: Path, login: Login, names: Sequence[str], limit: str | None) -> tuple[Host, ...] | None:
    """Hosts and groups by name in the standing inventory; ``None`` if it knows none of them.

    Raises InventoryError if it knows some: a name that was misspelt must not become an address.
    """
    if not any(re.fullmatch(r"[\w.-]+", name) for name in names):
        return None
    opened = _open([standing])
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
    if not (six or HOST_NAME.fullmatch(address)) or (at and not re.fullmatch(r"[^-/:\s][^/:\s]*", user)):
        is_path = text and text.isprintable() and Path(text).exists()
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
    return (
        bool(text)
        and text.isprintable()
        and " " not in text
        and not text.startswith("-")
        and "@-" not in text
    )


def _checked(value: Any, name: str, what: str) -> str | None:
    """A text that is safe to hand to ssh; a number counts as one."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int) or not _safe(str(value)):
        raise InventoryError(
            f"{name}: {value!r} is not {'an' if what == 'address' else 'a'} {what} to log in with",
            f"Mind the {what} of this host.",
        )
    return str(value)


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
        name=str(_checked(name, name, "name")),
        address=str(_checked(first("ansible_host", "ansible_ssh_host") or name, name, "address")),
        user=_checked(login.user or first("ansible_user", "ansible_ssh_user"), name, "user"),
        port=int(port) if port is not None else None,
        identity_file=_expanded(str(key), name) if key else None,
        password=login.password or (Secret(str(password)) if password is not None else None),
        become_password=login.become_password or (Secret(str(become)) if become is not None else None),
        ssh_arguments=arguments,
        interpreter=None if interpreter.startswith("auto") else interpreter,
    )


def _expanded(path: str, name: str) -> str:
    try:
        return str(Path(path).expanduser())
    except RuntimeError:
        raise InventoryError(f"{name}: {path} is in the home of nobody", "Write the path out.") from None


@dataclass(frozen=True)
class _Inventory:
    """An inventory as Ansible's own code reads it."""

    sources: tuple[str, ...]
    loader: Any
    manager: Any

    @property
    def hosts(self) -> list[str]:
        return [host.name for host in self.manager.get_hosts("all", ignore_limits=True)]

    @property
    def groups(self) -> list[str]:
        return list(self.manager.groups)

    def select(self, pattern: str, limit: str | None, login: Login) -> tuple[Host, ...]:
        """The hosts that match, in the inventory's order. Raises InventoryError if there are none."""
        from ansible.errors import AnsibleError
        from ansible.vars.manager import VariableManager

        try:
            with _quiet([]):
                if limit:
                    self.manager.subset(limit)
                chosen = [
                    host
                    for host in self.manager.get_hosts(pattern)
                    if host.name != "localhost" or pattern != "all"
                ]
        except AnsibleError as error:
            raise InventoryError(
                f"{limit or pattern} chooses no hosts: {str(error)[:300]}", "See `ansible --list-hosts`."
            ) from None
        if not chosen:
            raise self._no_match(pattern, limit)
        try:
            with _quiet([]):
                variables = VariableManager(loader=self.loader, inventory=self.manager)
                raw = {host.name: variables.get_vars(host=host, include_hostvars=False) for host in chosen}
        except AnsibleError as error:
            raise _complaint(self.sources, [str(error)]) from None
        return tuple(
            _from_variables(name, self._templated(name, found), login) for name, found in raw.items()
        )

    def _templated(self, name: str, raw: Mapping[str, Any]) -> dict[str, Any]:
        """The connection variables of a host, their templates and vaults resolved. Values are never repeated."""
        from ansible.template import Templar

        found = {}
        for key in CONNECTION_VARIABLES & raw.keys():
            try:
                with _quiet([]):
                    value = Templar(self.loader, variables=raw).template(raw[key])
                    # A vaulted value is one that opens itself when it is read.
                    found[key] = str(value) if isinstance(raw[key], bytes | _vaulted()) else value
            except Exception as error:  # a template can raise anything
                problem = (
                    "its vault does not open" if "ault" in type(error).__name__ else type(error).__name__
                )
                raise InventoryError(
                    f"{name}: {key} cannot be made out ({problem})",
                    "`ansible-inventory --host NAME -i INVENTORY` shows it; ANSIBLE_VAULT_PASSWORD_FILE opens vaults.",
                ) from None
        return found

    def _no_match(self, pattern: str, limit: str | None) -> InventoryError:
        everyone = self.hosts
        known = [*everyone, *(name for name in self.groups if name not in ("all", "ungrouped"))]
        wanted = f"{pattern} and {limit}" if limit and pattern != "all" else limit or pattern
        near = next((hint(word, known) for word in (limit, pattern) if word and word not in known), "")
        return InventoryError(
            f"no host matches {wanted} among the {len(everyone)} of {', '.join(self.sources)}{near}",
            "`ansible-inventory --list -i INVENTORY` shows what there is."
            if everyone
            else "The inventory is empty.",
        )


def _open(sources: Sequence[str | Path]) -> _Inventory:
    """Read inventories. Raises InventoryError with file and line."""
    from ansible import constants
    from ansible.errors import AnsibleError
    from ansible.inventory.manager import InventoryManager
    from ansible.parsing.dataloader import DataLoader

    constants.INVENTORY_ANY_UNPARSED_IS_FAILED = True
    names = tuple(str(source) for source in sources)
    said: list[str] = []
    try:
        with _quiet(said):
            loader = DataLoader()
            return _Inventory(names, loader, InventoryManager(loader=loader, sources=list(names)))
    except AnsibleError as error:
        raise _complaint(names, [*said, str(error)]) from None


def _vaulted() -> type:
    from ansible.parsing.yaml.objects import AnsibleVaultEncryptedUnicode

    return AnsibleVaultEncryptedUnicode  # type: ignore[no-any-return]


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


def _complaint(sources: Sequence[str], said: Sequence[str]) -> InventoryError:
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
        # The line itself may hold a password: only what comes after it is repeated.
        why = ini[3].rpartition("': ")[2] if "host definition" in ini[3] else ini[3]
        return InventoryError(
            f"{ini[1]}:{ini[2]}: {why[:200]}", "See that every line is a host, a [group] or key=value."
        )
    if found := next((problem for source in sources if (problem := _open_bracket(Path(source)))), None):
        return InventoryError(found, "Write groups as [name].")
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


def _open_bracket(path: Path) -> str | None:
    """Where an INI file begins a group and does not end its name: Ansible has no line for that."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return None
    for number, line in enumerate(lines, start=1):
        if line.strip().startswith("[") and "]" not in line:
            return f"{path}:{number}: the name of a group is not closed with ]"
    return None
