"""`pydock mirror set` beside the floor: one parallel round of ssh that writes daemon.json and reloads the engine.

``python -m tests.bench.mirror``; writes the section "Mirror change" of docs/performance.md. Only ratios are kept.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

from tests.bench import page
from tests.bench.__main__ import HOSTS, RELEASE, fresh, pydock, timed
from tests.bench.everywhere import everywhere
from tests.demo import wrapper
from tests.lab import Host, Lab

ROUNDS = int(os.environ.get("PYDOCK_BENCH_ROUNDS", "5"))
#: The floor: what a person would paste, on every host at once. It looks at nothing, and other keys are gone.
FLOOR = """set -e
printf '{\\n  "registry-mirrors": ["%s"]\\n}\\n' "$1" > /etc/docker/daemon.json
systemctl reload docker
"""
HEADING = "Mirror change"


def floor(lab: Lab, hosts: list[Host], url: str) -> None:
    """The script on every host at once."""
    everywhere(lab, hosts, FLOOR, ("sh", "-s", url))


def change(lab: Lab, hosts: list[Host], url: str) -> None:
    """The command, as a user types it: looks, tests where something is new, writes, reloads, sees it in effect."""
    command = [str(lab.directory / "pydock"), "mirror", "set", "--yes", url, *(host.name for host in hosts)]
    done = subprocess.run(command, cwd=lab.directory, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def measure(lab: Lab, hosts: list[Host]) -> str:
    """The section, from hosts whose engine runs. Both sides in turn, in the same session."""
    times: dict[str, list[float]] = {"floor": [], "same": [], "new": []}
    wrapper(lab.directory)
    mirror = lab.registry_mirror
    for _ in range(ROUNDS):
        times["floor"].append(timed(lambda: floor(lab, hosts, mirror)))
        times["same"].append(timed(lambda: change(lab, hosts, mirror)))
        floor(lab, hosts, "https://elsewhere.example.com")
        times["new"].append(timed(lambda: change(lab, hosts, mirror)))
    return table(times)


def table(times: dict[str, list[float]]) -> str:
    """Ratios of medians, and of each round."""

    def row(what: str, name: str, aim: str) -> str:
        ratio = statistics.median(times[name]) / statistics.median(times["floor"])
        spread = ", ".join(f"{p / f:.1f}" for p, f in zip(times[name], times["floor"], strict=True))
        return f"| {what} | {ratio:.1f} | {spread} | {aim} |"

    return "\n".join(
        (
            f"`python -m tests.bench.mirror` measured this: {HOSTS} lab hosts of release {RELEASE} whose engine runs. The floor is",
            "one parallel round of bare ssh that overwrites daemon.json and reloads. `pydock mirror set` looks at each host,",
            "and where a mirror is new to it, tests the mirror from there, merges, validates, backs up, reloads and sees it in",
            f"effect. A change goes through Ansible, whose start alone is longer than the floor. Ratios of medians of {ROUNDS} rounds.",
            "",
            "| what | pydock / floor | rounds | aim |",
            "|---|---|---|---|",
            row("hosts that have it: one connection each, no Ansible", "same", "3"),
            row("hosts that do not: tested, changed, in effect", "new", "-"),
            "",
        )
    )


def main() -> int:
    """Measure, print, write."""
    lab = Lab.up(os.environ.get("PYDOCK_LAB_NAME", "bench-mirror"))
    try:
        hosts = fresh(lab)
        wrapper(lab.directory)
        pydock(lab, hosts)
        section = measure(lab, hosts)
    finally:
        lab.down()
    print(section)
    page.write(HEADING, section)
    return 0


if __name__ == "__main__":
    sys.exit(main())
