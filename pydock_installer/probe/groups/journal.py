"""From what a host tells of pydock's journal to facts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from pydock_installer.model import NOT_ASKED, Fact, Journal
from pydock_installer.probe.answers import Answers

PATH = r"/[!-~]{1,250}"


def journal(answers: Answers) -> Fact[Journal]:
    """The journal, with the sums and texts of what it names; ``None`` if pydock never changed anything there."""
    if "journal" not in answers.sections:
        return NOT_ASKED
    told = {name: section.text for name, section in answers.sections.items() if section.status == 0}
    sums = {
        name.removeprefix("sum:"): text[:64]
        for name, text in told.items()
        if name.startswith("sum:") and re.match("[0-9a-f]{64} ", text)
    }
    texts = {n.removeprefix("shown:"): text for n, text in told.items() if n.startswith("shown:")}
    real = told.get("settings_file", "").strip()
    return answers.fact(
        "journal",
        lambda text: Journal(
            entries(text),
            sums,
            texts,
            settings_file=real if re.fullmatch(PATH, real) else Journal.settings_file,
            present=frozenset(told.get("removed_there", "").split()),
            listed=answers.fact("removed_had", str) if "removed_had" in answers.sections else None,
        ),
    )


def entries(text: str) -> tuple[Mapping[str, Any], ...]:
    """The entries of a journal, oldest first; lines that are none, or name no sane path, are passed over."""
    found = []
    for line in text.splitlines():
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(entry, dict) and isinstance(entry.get("action"), str) and _sane(entry):
            found.append(entry)
    return tuple(found)


def _sane(entry: Mapping[str, Any]) -> bool:
    paths = [entry[key] for key in ("file", "backup") if entry.get(key) is not None]
    return all(isinstance(path, str) and re.fullmatch(PATH, path) for path in paths)
