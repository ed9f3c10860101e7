"""Whether the engine has to restart for what is wanted, and which containers that would stop. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydock_installer import daemon_json
from pydock_installer.engine_change import EngineChange
from pydock_installer.model import Facts, Known
from pydock_installer.platforms.versions import matches


@dataclass(frozen=True)
class Restart:
    """A restart that is due. ``stops`` is the number of containers that it would stop."""

    reason: str
    stops: int = 0
    names: tuple[str, ...] = ()
    """Theirs, as far as they are known."""
    goes_on: bool = False
    """Whether containers run and survive it (live-restore)."""

    @property
    def who(self) -> str:
        """What would stop, for a sentence."""
        if not self.names:
            return "1 container" if self.stops == 1 else f"{self.stops} containers"
        shown = ", ".join(self.names[:8])
        return shown if self.stops <= 8 else f"{shown} and {self.stops - 8} more"


def restart(
    facts: Facts,
    settings: Mapping[str, Any],
    version: str | None = "latest",
    change: EngineChange | None = None,
    keys: tuple[str, ...] | None = None,
    also: Sequence[str] = (),
) -> Restart | None:
    """The restart that these keys of daemon.json and this version bring about on a host whose engine runs.

    ``version`` is ``None`` where the engine stays as it is, whatever the settings say; ``change`` is what becomes of
    its packages, where that is known, and restarts it. ``keys``: those that need a restart, where somebody knows
    already; ``also``: what else it would restart for.
    """
    if not isinstance(facts.engine, Known):
        return None
    running = facts.engine.value.server
    keys = (*(_keys(facts, settings, running) if keys is None else keys), *also)
    replaced = _replaced(facts, version) if version else None
    if change:
        replaced, version = f"the engine restarts: {change.sentence}", change.target or None
    if not keys and not replaced:
        return None
    reason = replaced or f"the engine has to restart for {', '.join(keys)}"
    if facts.engine.value.containers_running <= 0:
        return Restart(reason)
    installed = (version is None and not change) or "docker-ce" in (
        facts.packages.value if isinstance(facts.packages, Known) else ()
    )
    # A change whose end nobody can tell is one that they do not survive.
    survives = installed and daemon_json.containers_go_on(
        keys, running, (version or "0") if replaced else running
    )
    if survives and _live_restore(facts):
        return Restart(reason, goes_on=True)
    seen = facts.engine_facts.running
    return Restart(
        reason,
        facts.engine.value.containers_running,
        seen.value.containers if isinstance(seen, Known) else (),
    )


def _keys(facts: Facts, settings: Mapping[str, Any], running: str | None) -> tuple[str, ...]:
    """Keys that change and are not taken over by a reload; none of a broken file, which stays as it is.

    Where the file could not be seen, every key is taken for one that changes.
    """
    text = facts.daemon_json.value if isinstance(facts.daemon_json, Known) else ""
    try:
        change = daemon_json.change(text, settings)
    except ValueError:
        return ()
    return daemon_json.needs_restart(change.keys, running, change.merged)


def _replaced(facts: Facts, version: str) -> str | None:
    """Why another engine would come in place of the one that runs."""
    if isinstance(facts.packages, Known) and "docker-ce" not in facts.packages.value:
        return "docker-ce comes in place of this Docker"
    server = facts.engine.value.server if isinstance(facts.engine, Known) else None
    if version == "latest" or not server or matches(server.partition("+")[0], version):
        return None
    return f"engine {server[:40]} is to become {version}"


def _live_restore(facts: Facts) -> bool:
    running, state = facts.engine_facts.running, facts.engine_facts.state
    return (isinstance(running, Known) and running.value.live_restore) or (
        isinstance(state, Known) and state.value.live_restore
    )
