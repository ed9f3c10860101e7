"""From all that Ansible's parsers say about a bad inventory to one sentence: file, line, reason."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import yaml

from pydock_installer.errors import InventoryError


def complaint(sources: Sequence[str], said: Sequence[str]) -> InventoryError:
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
