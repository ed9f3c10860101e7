"""In what hosts differ from each other: versions, registry mirrors in effect, keys of daemon.json. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from pydock_installer import platforms
from pydock_installer.model import Difference, Facts, Known, Unknown

#: So many are told in a sentence; the document has all.
TOLD = 4


def differences(fleet: Mapping[str, Facts]) -> tuple[Difference, ...]:
    """What is not the same on all hosts. What could not be seen is no difference; what differs alike is one."""
    said = {host: _values(facts) for host, facts in fleet.items()}
    found: dict[tuple[tuple[str, tuple[str, ...]], ...], list[str]] = {}
    for what in dict.fromkeys(what for values in said.values() for what in values):
        groups: dict[str, list[str]] = {}
        texts: dict[str, str] = {}
        for host, values in said.items():
            if (value := values.get(what, _lacking(what, values))) is not None:
                groups.setdefault(value[0], []).append(host)
                texts[value[0]] = value[1]
        if len(groups) > 1:
            ordered = sorted(groups, key=lambda key, g=groups: -len(g[key]))  # type: ignore[misc]
            shown = [texts[key] for key in ordered]
            told = [
                f"{t} ({shown[:n].count(t) + 1})" if shown.count(t) > 1 else t for n, t in enumerate(shown)
            ]
            split = tuple((text, tuple(groups[key])) for text, key in zip(told, ordered, strict=True))
            found.setdefault(split, []).append(what)
    return tuple(Difference(tuple(names), groups) for groups, names in found.items())


def sentence(found: tuple[Difference, ...]) -> str:
    """``Hosts differ: docker-ce 26.1.4 (7 hosts), 20.10.24 (db1).``; empty if they do not."""
    if not found:
        return ""
    parts = []
    for one in found[:TOLD]:
        values = ", ".join(f"{value} ({_who(hosts)})" for value, hosts in one.values)
        parts.append(f"{', '.join(one.what)} {values}")
    more = f"; and {len(found) - TOLD} more, which --json tells" if len(found) > TOLD else ""
    return f"Hosts differ: {'; '.join(parts)}{more}."


def _who(hosts: tuple[str, ...]) -> str:
    return ", ".join(hosts) if len(hosts) <= 3 else f"{len(hosts)} hosts"


def _values(facts: Facts) -> dict[str, tuple[str, str]]:
    """What there is to compare of a host: the value as it is, and as it may be shown."""
    values: dict[str, tuple[str, str]] = {}
    names = platforms.package_names()
    if isinstance(facts.packages, Known):
        installed = facts.packages.value
        wanted = (*names.engine, *names.plugins) if "docker-ce" in installed else names.engine[:1]
        for name in wanted:
            version = installed[name][0].version if name in installed else "none"
            values[name] = (version, version)
    if isinstance(facts.engine, Known):
        mirrors = ", ".join(mirror.rstrip("/") for mirror in facts.engine.value.registry_mirrors) or "none"
        values["registry mirrors"] = (mirrors, _shown(mirrors))
    values.update(_proxy(facts))
    if isinstance(facts.daemon_json, Known):
        try:
            settings = json.loads(facts.daemon_json.value.lstrip("\ufeff").strip() or "{}")
        except (ValueError, RecursionError):
            settings = None
        if isinstance(settings, dict):
            values[_READ] = ("", "")
            for key in settings:
                if key != "registry-mirrors":
                    text = json.dumps(settings[key], sort_keys=True)
                    values[f"daemon.json {key[:60]}"] = (text, _shown(settings[key]))
    elif facts.daemon_json is None:
        values[_READ] = ("", "")
    return values


def _proxy(facts: Facts) -> dict[str, tuple[str, str]]:
    """The engine's proxy by what sets it: pydock's drop-in, which is known by its sum alone, and others."""
    own, others = facts.engine_facts.own_proxy, facts.engine_facts.proxies
    if isinstance(own, Unknown) or isinstance(others, Unknown) or facts.legacy.options is not None:
        return {}
    rows = sorted({(name, value) for name, value, _ in others.value}) if others else []
    told = [*(["pydock's"] if own else []), *(f"{name}={value}" for name, value in rows)]
    text = ", ".join(told) or "none"
    return {"engine proxy": (f"{own.value.file if own else ''} {text}", _shown(text))}


#: Stands for a daemon.json that was read, or is not there.
_READ = "daemon.json"


def _lacking(what: str, values: Mapping[str, tuple[str, str]]) -> tuple[str, str] | None:
    """What a host has that has no value of that name; ``None`` if it could not be seen."""
    if what.startswith(f"{_READ} ") and _READ in values:
        return ("", "not set")
    return None


def _shown(value: Any) -> str:
    """A value without what may be secret: passwords in addresses, and what options (of log drivers) hold."""
    text = ", ".join(sorted(value)) if isinstance(value, dict) else value
    text = text if isinstance(text, str) else json.dumps(text, sort_keys=True)
    return re.sub(r"//[^/@\s\"]*@", "//***@", text)[:120]
