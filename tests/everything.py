"""Every test there is, stage by stage, with the time of each. A stage that fails does not hide the next."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PYTEST = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]

STAGES: dict[str, list[list[str]]] = {
    "lint": [
        [str(BIN / "ruff"), "check", "--no-cache", "."],
        [str(BIN / "ruff"), "format", "--no-cache", "--check", "pydock_installer"],
        [str(BIN / "mypy"), "--cache-dir", os.devnull],
        [str(BIN / "ansible-lint"), "--offline", "-q", "playbooks", "roles"],
    ],
    "unit": [[*PYTEST, "tests/unit", "-n", "2"]],
    "wheel": [[*PYTEST, "tests/wheel"]],
    "e2e": [[*PYTEST, "tests/e2e", "-n", "3", "--dist", "loadfile"]],
    "molecule": [[sys.executable, "-m", "tests.molecule_lab"]],
}

#: What a stage leaves running on purpose, for its tests to share, and how it ends.
AFTERWARDS = {"e2e": [sys.executable, "-m", "tests.lab", "down", "--name", "e2e"]}


def main(names: Sequence[str]) -> int:
    """Run the named stages, by default all; 0 if each went well."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(TOP),
        "PATH": f"{BIN}:{os.environ.get('PATH', os.defpath)}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    failed = []
    started = time.monotonic()
    for name in names or STAGES:
        begun = time.monotonic()
        print(f"== {name}", flush=True)
        try:
            good = all(subprocess.run(c, cwd=TOP, env=environment).returncode == 0 for c in STAGES[name])
        finally:
            if name in AFTERWARDS:
                subprocess.run(AFTERWARDS[name], cwd=TOP, env=environment)
        print(f"== {name}: {'passed' if good else 'FAILED'}, {time.monotonic() - begun:.0f} s", flush=True)
        if not good:
            failed.append(name)
    print(f"== all: {'FAILED: ' + ', '.join(failed) if failed else 'passed'}, {time.monotonic() - started:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
