"""Docker off again: what there is, what becomes of it, what is left. Pure; the module docker_absent judges alike."""

from __future__ import annotations

from pydock_installer.absence.plan import plan_absence
from pydock_installer.absence.thing import Consents, value
from pydock_installer.absence.things import companions, remains, shared, size, unknown_before

__all__ = ["Consents", "companions", "plan_absence", "remains", "shared", "size", "unknown_before", "value"]
