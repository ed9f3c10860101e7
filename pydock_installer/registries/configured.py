"""The registry mirrors that a host has: where each is written, and which of them the engine uses."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from pydock_installer import legacy_options
from pydock_installer.model import Fact, Facts, Known, Unknown
from pydock_installer.model.groups.engine import UnitFile, Word
from pydock_installer.model.groups.legacy import OptionsFile

FILE = "/etc/docker/daemon.json"
FLAG = "--registry-mirror"


@dataclass(frozen=True)
class Configured:
    """One mirror of a host, without the slash at its end."""

    url: str
    places: tuple[str, ...]
    """The files in which it stands: daemon.json, the unit, a drop-in, a file of options."""
    in_effect: bool | None
    """Whether the running engine uses it; ``None`` where none runs, or it could not be asked."""

    @property
    def standing(self) -> str:
        """Its standing in a few words."""
        if self.in_effect is None:
            return "no engine runs"
        if not self.in_effect:
            return "not in effect: the engine was not reloaded since"
        return "in effect" if self.places else "in effect, but written nowhere: gone when the engine restarts"


@dataclass(frozen=True)
class MirrorSettings:
    """What a host's engine is told about mirrors, in the engine's order as far as that is known."""

    mirrors: tuple[Configured, ...]
    engine: str | None
    """Version of the running engine."""
    docker: bool
    """Whether there is a Docker at all, running or not."""
    problems: tuple[str, ...] = ()
    """What could not be seen, or keeps the engine from its settings."""


def mirror_settings(facts: Facts) -> MirrorSettings:
    """The mirrors of a host, from what its probe saw."""
    problems: list[str] = []
    written: dict[str, list[str]] = {}
    if facts.legacy.options is not None:
        in_file: Sequence[Any] = ()
        in_flags = _told(_in_options(facts.legacy.options), problems)
    else:
        in_file = _told(_in_file(facts.daemon_json), problems)
        in_flags = _told(_in_flags(facts.engine_facts.unit_files), problems)
    for url, path in (*((url, FILE) for url in in_file), *((word.text, word.path) for word in in_flags)):
        written.setdefault(url.rstrip("/"), []).append(path)
    if in_file and in_flags:
        problems.append(
            f"registry-mirrors stands in {FILE} and as {FLAG} in {in_flags[0].path}: "
            "the engine does not start with both"
        )
    engine = facts.engine.value if isinstance(facts.engine, Known) else None
    if isinstance(facts.engine, Unknown):
        problems.append(f"the engine's settings in effect: {facts.engine.reason}")
    used = [url.rstrip("/") for url in engine.registry_mirrors] if engine else []
    return MirrorSettings(
        tuple(
            Configured(url, tuple(dict.fromkeys(written.get(url, ()))), (url in used) if engine else None)
            for url in dict.fromkeys([*used, *written])
        ),
        engine.server if engine else None,
        engine is not None or facts.service is not None or isinstance(facts.engine, Unknown),
        tuple(problems),
    )


def _told(found: Sequence[Word] | Sequence[str] | Unknown, problems: list[str]) -> Sequence[Any]:
    if isinstance(found, Unknown):
        problems.append(found.reason)
        return ()
    return found


def _in_file(file: Fact[str]) -> Sequence[str] | Unknown:
    if isinstance(file, Unknown):
        return Unknown(f"{FILE}: {file.reason}")
    text = file.value.removeprefix("\ufeff").strip() if file else ""
    try:
        found = json.loads(text) if text else {}
        listed = found.get("registry-mirrors") or []
    except (ValueError, RecursionError, AttributeError):
        return Unknown(f"{FILE}: the engine cannot read it; `pydock check` tells where")
    if not isinstance(listed, list) or not all(isinstance(entry, str) for entry in listed):
        return Unknown(f"{FILE}: registry-mirrors is no list of texts")
    return listed


def _in_options(file: Fact[OptionsFile]) -> Sequence[Word] | Unknown:
    """What release 6 has instead: other_args of its file of options."""
    if not isinstance(file, Known):
        return Unknown(f"{legacy_options.FILE}: {file.reason if file else 'it is not there'}")
    try:
        words = (legacy_options.assigned(file.value.text) or "").split()
    except ValueError as problem:
        return Unknown(str(problem))
    flags = legacy_options.parsed(words)
    return [Word(flag.value, legacy_options.FILE) for flag in flags if flag.name == "registry-mirror"]


def _in_flags(units: Fact[tuple[UnitFile, ...]]) -> Sequence[Word] | Unknown:
    """The flag's values in the ExecStart that counts, which is the last."""
    if isinstance(units, Unknown):
        return Unknown(f"docker's unit and its drop-ins: {units.reason}")
    starts = [unit.start for unit in units.value if unit.start is not None] if units else []
    words = starts[-1] if starts else ()
    found = [
        Word(word.text.partition("=")[2], word.path) for word in words if word.text.startswith(f"{FLAG}=")
    ]
    pairs = pairwise(words)
    return [*found, *(value for word, value in pairs if word.text == FLAG)]
