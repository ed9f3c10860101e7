"""pydock beside the floor: a bare shell script per host over parallel ssh, on the same fresh hosts, in one run.

``make bench``; writes its section of docs/performance.md. Only ratios are kept: seconds belong to the machine they were taken on.
``PYDOCK_BENCH_HOSTS`` says with how many hosts (``8 16 32``), ``PYDOCK_BENCH_ROUNDS`` how often (3).
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.bench import page
from tests.bench.everywhere import everywhere
from tests.demo import wrapper
from tests.lab import Host, Lab

RELEASE = 9
SIZES = [int(size) for size in os.environ.get("PYDOCK_BENCH_HOSTS", "8").split()]
HOSTS = SIZES[0]
ROUNDS = int(os.environ.get("PYDOCK_BENCH_ROUNDS", "3"))
FLOOR = (Path(__file__).parent / "floor.sh").read_text(encoding="utf-8")


@dataclass
class Size:
    """What was measured with so many hosts; times in seconds by side, memory in KiB, CPU in seconds a host."""

    first: dict[str, list[float]] = field(default_factory=lambda: {"floor": [], "pydock": []})
    again: dict[str, list[float]] = field(default_factory=lambda: {"floor": [], "pydock": []})
    memory: int = 0
    cpu: list[float] = field(default_factory=list)


def fresh(lab: Lab, number: int = HOSTS) -> list[Host]:
    """Bare hosts, booted and quiet."""
    hosts = lab.hosts([(f"b{n}", RELEASE) for n in range(number)], fresh=True)
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


def timed(work: Callable[[], object]) -> float:
    """Seconds."""
    started = time.monotonic()
    work()
    return time.monotonic() - started


def median_of(work: Callable[[], object], times: int = 7) -> float:
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
    return min(timed(lambda: subprocess.run(command, check=True, capture_output=True)) for _ in range(5))


def measure(lab: Lab, number: int) -> Size:
    """Both sides in turn, each on fresh hosts."""
    size = Size()
    for count in range(ROUNDS):
        for name in ("floor", "pydock") if count % 2 == 0 else ("pydock", "floor"):
            hosts = fresh(lab, number)
            wrapper(lab.directory)
            if name == "floor":
                size.first[name].append(timed(partial(floor, lab, hosts, False)))
                size.again[name].append(median_of(partial(floor, lab, hosts, True)))
            else:
                used, started = _cpu(), time.monotonic()
                peak = pydock(lab, hosts)
                size.first[name].append(time.monotonic() - started)
                size.cpu.append((_cpu() - used) / number)
                size.memory = max(size.memory, peak)
                size.again[name].append(median_of(partial(pydock, lab, hosts)))
            print(f"{number} hosts, {name}: {size.first[name][-1]:.1f} s, again {size.again[name][-1]:.1f} s", flush=True)
    return size


def _cpu() -> float:
    """CPU seconds of this process's children so far: the command's, none of the hosts'."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    """Measure, print, write."""
    lab = Lab.up("bench")
    try:
        sizes = {number: measure(lab, number) for number in SIZES}
        text = table(sizes, help_seconds(lab))
    finally:
        lab.down()
    print(text)
    page.write("Installing", text)
    return 0


def table(sizes: dict[int, Size], help_time: float) -> str:
    """The page that claims of speed rest on."""

    def ratio(times: dict[str, list[float]]) -> str:
        middle = statistics.median(times["pydock"]) / statistics.median(times["floor"])
        spread = ", ".join(f"{p / f:.2f}" for p, f in zip(times["pydock"], times["floor"], strict=True))
        return f"{middle:.2f} ({spread})"

    rows = [
        f"| {number} | {ratio(size.first)} | {ratio(size.again)} | {statistics.median(size.cpu):.2f} s | {size.memory // 1024} MB |"
        for number, size in sizes.items()
    ]
    return "\n".join(
        (
            f"`PYDOCK_BENCH_HOSTS='{' '.join(map(str, sizes))}' make bench` measured this: lab hosts of release {RELEASE}, {os.cpu_count()} cores shared by",
            "the controller and all hosts. The floor is `tests/bench/floor.sh`, a bare shell script run on all hosts at once",
            "over ssh: one yum transaction, daemon.json before the only start, hello-world. Both sides run in the same",
            f"session on fresh hosts, in alternating order; figures are pydock / floor, ratios of medians of {ROUNDS} rounds (each",
            "round in brackets); a run with nothing to do is repeated seven times in each.",
            "",
            "| hosts | first install | again, nothing to do | controller's CPU a host, first install | its memory, all processes |",
            "|---|---|---|---|---|",
            *rows,
            "| aim | 1.10 | 1.2 | 0.5 s | flat but for facts |",
            "",
            f"`pydock --help`: {help_time:.2f} s (aim: 0.2).",
        )
    )


if __name__ == "__main__":
    sys.exit(main())
