"""The engine's HTTP proxy, a drop-in of docker's unit, by the code that the role docker_daemon runs on hosts. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from types import ModuleType
from typing import Any

from pydock_installer import content, daemon_json
from pydock_installer.model import Facts, Known, Secret, Step
from pydock_installer.setting_parts import EngineProxy

RESTART = "the engine learns its proxy at a start alone"


@dataclass(frozen=True)
class ProxyChange:
    """What is to become of a host's drop-in, and whether its engine runs without what is wanted."""

    step: Step | None
    due: tuple[str, ...] = ()
    """The variables for which a running engine has to restart."""
    diff: str = ""
    """What the new drop-in says, as ``diff -u`` shows it, without passwords."""
    refusal: str = ""
    """Why it must not be written, in a sentence."""


NOTHING = ProxyChange(None)


def file() -> str:
    """Where pydock's drop-in is."""
    return str(_rules().FILE)


def told(proxy: EngineProxy | None) -> Mapping[str, Any]:
    """What the role is told: nothing where the host keeps what it has; addresses with a password apart."""
    if proxy is None:
        return {}
    values = proxy.values_by_key()
    plain = {key: "" for key in EngineProxy.model_fields if key not in values}
    return {
        "docker_daemon_proxy": {**plain, **{k: v for k, v in values.items() if isinstance(v, str)}},
        "docker_daemon_proxy_secrets": {k: v for k, v in values.items() if isinstance(v, Secret)},
    }


def change(facts: Facts, proxy: EngineProxy | None) -> ProxyChange:
    """What is to be done on a host."""
    if proxy is None:
        return NOTHING
    rules, others = _rules(), facts.engine_facts.proxies
    values = {k: v.reveal() if isinstance(v, Secret) else v for k, v in proxy.values_by_key().items()}
    pairs = rules.variables(values)
    rows = others.value if isinstance(others, Known) else ()
    if refusal := rules.refusal(rows, pairs, _daemon(facts)):
        return ProxyChange(None, refusal=refusal)
    own, content = facts.engine_facts.own_proxy, rules.content(pairs)
    if own is None and (content is None or rules.is_set(rows, pairs)):
        return NOTHING
    if content is None:
        step = Step("proxy", f"take {file()} away", "the settings want no proxy for the engine")
        return ProxyChange(step, ("the proxy that goes",))
    names = tuple(name for name, _ in pairs)
    if not isinstance(own, Known):
        reason = f"it could not be read: {own.reason}" if own else "there is no such file"
        return ProxyChange(_set(names, reason), names, _diff(content))
    if own.value.file != sha256(content.encode()).hexdigest():
        return ProxyChange(_set(names, "it differs"), names, _diff(content))
    running = own.value.running
    wrong = tuple(
        name for name, value in pairs if running is not None and running.get(name) != _sum(name, value)
    )
    return ProxyChange(None, wrong)


def _set(names: tuple[str, ...], reason: str) -> Step:
    return Step("proxy", f"set {', '.join(names) or 'nothing'} in {file()}", reason)


def _sum(name: str, value: str) -> str:
    return sha256(f"{name}={value}".encode()).hexdigest()


def _diff(content: str) -> str:
    """The new text alone: nobody has told the old one, which may have held a password."""
    after = daemon_json.shown(content).splitlines()
    return "\n".join(difflib.unified_diff([], after, file(), file(), n=0, lineterm=""))


def _daemon(facts: Facts) -> Mapping[str, Any]:
    """daemon.json's keys; none where the file cannot be read, which a rule of its own tells."""
    try:
        return daemon_json.parse(facts.daemon_json.value) if isinstance(facts.daemon_json, Known) else {}
    except ValueError:
        return {}


def _rules() -> ModuleType:
    return content.role_module("docker_daemon", "pydock_daemon_proxy")
