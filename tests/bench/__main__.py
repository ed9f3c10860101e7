"""pydock beside the floor: a bare shell script per host over parallel ssh, on the same fresh hosts, in one run.

``make bench``; writes its section of docs/performance.md. Only ratios are kept: seconds belong to the machine they were taken on.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench import page
from tests.bench.everywhere import everywhere
from tests.demo import wrapper
from tests.lab import Host, Lab

RELEASE, HOSTS = 9, int(os.environ.get("PYDOCK_BENCH_HOSTS", "8"))
ROUNDS = int(os.environ.get("PYDOCK_BENCH_ROUNDS", "3"))
FLOOR = (Path(__file__).parent / "floor.sh").read_text(encoding="utf-8")


def fresh(lab: Lab) -> list[Host]:
    """Bare hosts, booted and quiet."""
    hosts = lab.hosts([(f"b{number}", RELEASE) for number in range(HOSTS)], fresh=True)
    time.sleep(3)
    return hosts


def floor(lab: Lab, hosts: list[Host], again: bool) -> None:
    """The script on every host at once."""
    command = ["sh", "-s", str(RELEASE), lab.registry_mirror, "again" if again else "first"]
    everywhere(lab, hosts, FLOOR, command)


def pydock(lab: Lab, hosts: list[Host]) -> int:
    """The command, as a user types it; the most memory it had with its children, in KiB."""
    command = [str(lab.directory / "pydock"), "install", "--yes", "--repository", "official"]
    with subprocess.Popen(
        [*command, *(host.name for host in hosts)], cwd=lab.directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process, Memory(process.pid) as used:
        assert process.stdout
        said = process.stdout.read()
    assert process.returncode == 0, said.decode()
    return used.peak


def timed(work: Callable[[], None]) -> float:
    """Seconds."""
    started = time.monotonic()
    work()
    return time.monotonic() - started


def median_of(work: Callable[[], None], times: int = 7) -> float:
    """Seconds. About one second is too short to be measured once."""
    time.sleep(3)
    return statistics.median(timed(work) for _ in range(times))


class Memory:
    """The most that a process and its descendants hold at once (proportional set size), sampled twice a second."""

    def __init__(self, pid: int) -> None:
        self.pid, self.peak = pid, 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._stop.wait(0.5):
            self.peak = max(self.peak, sum(_pss(pid) for pid in _descendants(self.pid)))


def _descendants(root: int) -> list[int]:
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found, queue = [root], [root]
    while queue:
        parent = queue.pop()
        children = [pid for pid, one in parents.items() if one == parent]
        found += children
        queue += children
    return found


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    except (OSError, StopIteration):
        return 0


def help_seconds(lab: Lab) -> float:
    """``pydock --help``, the best of five."""
    command = [str(lab.directory / "pydock"), "--help"]
    return min(timed(lambda: subprocess.run(command, check=True, capture_output=True) and None) for _ in range(5))


def main() -> int:
    """Measure, print, write."""
    lab = Lab.up("bench")
    first: dict[str, list[float]] = {"floor": [], "pydock": []}
    again: dict[str, list[float]] = {"floor": [], "pydock": []}
    memory = 0
    try:
        for number in range(ROUNDS):
            for name in ("floor", "pydock") if number % 2 == 0 else ("pydock", "floor"):
                hosts = fresh(lab)
                wrapper(lab.directory)
                if name == "floor":
                    first[name].append(timed(lambda hosts=hosts: floor(lab, hosts, False)))
                    again[name].append(median_of(lambda hosts=hosts: floor(lab, hosts, True)))
                else:
                    peaks: list[int] = []
                    first[name].append(timed(lambda hosts=hosts, peaks=peaks: peaks.append(pydock(lab, hosts))))
                    memory = max(memory, *peaks)
                    again[name].append(median_of(lambda hosts=hosts: pydock(lab, hosts) and None))
                print(f"{name}: first {first[name][-1]:.1f} s, again {again[name][-1]:.1f} s", flush=True)
        text = table(first, again, memory // 1024, help_seconds(lab))
    finally:
        lab.down()
    print(text)
    page.write("Installing", text)
    return 0


def table(first: dict[str, list[float]], again: dict[str, list[float]], memory: int, help_time: float) -> str:
    """The page that claims of speed rest on."""

    def row(what: str, times: dict[str, list[float]], aim: str) -> str:
        ratio = statistics.median(times["pydock"]) / statistics.median(times["floor"])
        spread = ", ".join(f"{p / f:.2f}" for p, f in zip(times["pydock"], times["floor"], strict=True))
        return f"| {what} | {ratio:.2f} | {spread} | {aim} |"

    return "\n".join(
        (
            f"`make bench` measured this: {HOSTS} lab hosts of release {RELEASE}, {os.cpu_count()} cores shared by the",
            "controller and all hosts. The floor is `tests/bench/floor.sh`, a bare shell script run on all hosts at once",
            "over ssh: one yum transaction, daemon.json before the only start, hello-world. Both sides run in the same",
            f"session on fresh hosts, in alternating order; figures are ratios of medians of {ROUNDS} rounds; a run",
            "with nothing to do is repeated seven times in each.",
            "",
            "| what | pydock / floor | rounds | aim |",
            "|---|---|---|---|",
            row("first install", first, "1.25"),
            row("again, nothing to do", again, "1.5"),
            "",
            f"- Memory of the controller with all its processes during the install: {memory} MB at its peak (aim: 200).",
            f"- `pydock --help`: {help_time:.2f} s (aim: 0.2).",
        )
    )


if __name__ == "__main__":
    sys.exit(main())
