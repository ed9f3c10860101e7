"""What several rules need to judge: the settings in effect, the engine to come, the heaviest of findings."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydock_installer.checks.rule import Context, ok
from pydock_installer.model import Facts, Finding, Known, Severity


def effective(facts: Facts, context: Context) -> Mapping[str, Any]:
    """daemon.json as it will be: what the host has, below what the settings say."""
    present: Any = {}
    if context.platform and context.platform.legacy:
        # Engine 1.7.1 reads no such file.
        return context.settings.daemon_settings()
    if isinstance(facts.daemon_json, Known):
        try:
            present = json.loads(facts.daemon_json.value.lstrip("\ufeff").strip() or "{}")
        except (ValueError, RecursionError):
            present = {}
    return {**(present if isinstance(present, dict) else {}), **context.settings.daemon_settings()}


def proxied(facts: Facts, context: Context) -> bool:
    """Whether the engine will reach registries through a proxy, by its settings or its environment."""
    wanted, seen = context.settings.engine_proxy, facts.engine_facts
    if wanted and wanted.values_by_key():
        return True
    there = isinstance(seen.proxies, Known) or (wanted is None and isinstance(seen.own_proxy, Known))
    return there or bool(effective(facts, context).get("proxies"))


def surely_before(facts: Facts, context: Context, *version: int) -> bool:
    """Whether the engine that will run is known to be older: the pin, what is installed, or the last one built."""
    known: str | None = context.settings.docker_version
    if context.platform and context.platform.service == "sysvinit":
        # CentOS 6 ends with docker-io 1.7.1, whatever is wished for.
        known = "1.7.1"
    elif known == "latest":
        installed = facts.packages.value.get("docker-ce") if isinstance(facts.packages, Known) else None
        known = installed[0].version if installed else context.platform.newest if context.platform else None
    found = re.match(r"[0-9]{1,4}(?:\.[0-9]{1,4})*", known or "", re.ASCII)
    if not found:
        return False
    parts = tuple(map(int, found[0].split(".")))
    return parts[: len(version)] < version[: len(parts)]


def worst(code: str, found: Iterable[Finding], fine: str) -> Finding:
    """One finding of many: those that weigh most, said together; ``fine`` if there are none."""
    found = [finding for finding in found if finding.severity is not Severity.OK]
    for severity in (Severity.BLOCKER, Severity.WARNING, Severity.UNKNOWN):
        alike = [finding for finding in found if finding.severity is severity]
        if alike:
            messages = dict.fromkeys(finding.message for finding in alike)
            remedies = dict.fromkeys(finding.remedy for finding in alike if finding.remedy)
            return Finding(code, severity, "; ".join(messages), " ".join(remedies) or None)
    return ok(code, fine)
