"""Ansible inventories, read by Ansible's own code, which loads plugins and variables as its users expect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydock_installer.errors import InventoryError
from pydock_installer.fleet.complaint import complaint
from pydock_installer.fleet.login import CONNECTION_VARIABLES, Login, host_from_variables
from pydock_installer.model import Host
from pydock_installer.suggest import hint


@dataclass(frozen=True)
class Inventory:
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
            raise complaint(self.sources, [str(error)]) from None
        groups = {host.name: tuple(sorted(group.name for group in host.get_groups())) for host in chosen}
        return tuple(
            replace(host_from_variables(name, self._templated(name, found), login), groups=groups[name])
            for name, found in raw.items()
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


def open_inventory(sources: Sequence[str | Path]) -> Inventory:
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
            return Inventory(names, loader, InventoryManager(loader=loader, sources=list(names)))
    except AnsibleError as error:
        raise complaint(names, [*said, str(error)]) from None


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
