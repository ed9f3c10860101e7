"""What the roles of release 6 tell of a host without Python: lines of text, made into a module's result. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

#: The roles that work without Python.
ROLES = ("docker_legacy", "docker_legacy_absent")
#: How its lines begin; what else is on the terminal is noise.
MARK = "pydock: "


def result(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """A raw task's result with the steps, the proof and the failure that its output tells of."""
    steps: list[Mapping[str, Any]] = []
    told: dict[str, Any] = {}
    output = str(raw.get("stdout") or "")
    for line in output.splitlines():
        if not line.startswith(MARK):
            continue
        try:
            entry = json.loads(line[len(MARK) :])
        except (ValueError, RecursionError):
            continue
        if not isinstance(entry, Mapping):
            continue
        if isinstance(entry.get("step"), Mapping):
            steps.append(entry["step"])
        told.update({key: entry[key] for key in ("proof", "failed") if isinstance(entry.get(key), Mapping)})
    found: dict[str, Any] = {**raw, "stdout": "", "steps": steps}
    if "proof" in told:
        found["proof"] = told["proof"]
    if failed := told.get("failed"):
        found.update(
            msg=str(failed.get("message", "")),
            code=str(failed.get("code", "")),
            evidence=str(failed.get("evidence", "")),
        )
    elif raw.get("rc"):
        noise = [line for line in output.splitlines() if line.strip() and not line.startswith(MARK)]
        said = noise[-1].strip()[:300] if noise else "nothing more was said"
        found.update(msg=f"the work on this host ended early: {said}", evidence="\n".join(noise[-20:]))
    return found
