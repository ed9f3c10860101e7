"""Rules about packages."""

from __future__ import annotations

from pydock_installer.checks.rule import Rule

RULES: tuple[Rule, ...] = ()
