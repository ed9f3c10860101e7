"""``pydock check`` and ``status`` on up to 1,000 addresses beside ``xargs -P64`` over the ssh program running ``true``,
in one run.

``make bench-fleet``; writes its section of docs/performance.md. One lab host of release 9 stands in for the fleet: its
sshd answers on every address of 127.0.0.0/8, and both programs run in its network namespace, where nothing else is.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench import page
from tests.bench.__main__ import Memory
from tests.demo import wrapper
from tests.lab import Lab
from tests.lab.engine import docker

SIZES = [int(size) for size in os.environ.get("PYDOCK_BENCH_SIZES", "10 100 1000").split()]
FORKS, DEAD = 64, 5


@dataclass(frozen=True)
class Run:
    """What one run took: seconds, the controller's own CPU seconds, its memory in KiB; when the last living answered."""

    seconds: float
    cpu: float
    memory: int = 0
    last: float = 0


class Fleet:
    """Addresses of one lab host, seen from inside of it."""

    def __init__(self, lab: Lab) -> None:
        self.host = lab.hosts([("fleet", 9)], fresh=True)[0]
        self.directory = lab.directory / "fleet"
        self.directory.mkdir(exist_ok=True)
        self.config = self.directory / "ssh_config"
        known = self.directory / "known_hosts"
        key = next(line.split(" ", 1)[1] for line in lab.known_hosts.read_text(encoding="utf-8").splitlines())
        known.write_text(f"127.* {key}\n", encoding="utf-8")
        self.config.write_text(
            f"Host *\n  User root\n  IdentityFile {lab.identity}\n  IdentitiesOnly yes\n"
            f"  UserKnownHostsFile {known}\n  StrictHostKeyChecking yes\n  LogLevel ERROR\n",
            encoding="utf-8",
        )
        settings = (lab.directory / "pydock.yml").read_text(encoding="utf-8")
        (self.directory / "pydock.yml").write_text(settings.replace(str(lab.ssh_config), str(self.config)), encoding="utf-8")
        wrapper(self.directory)
        pid = docker("inspect", "-f", "{{.State.Pid}}", self.host.container).stdout.strip()
        self.inside = ["nsenter", "-t", pid, "-n"]

    def floor(self, addresses: Sequence[str]) -> Run:
        """The ssh program, as many at a time."""
        begun, cpu = time.monotonic(), _cpu()
        subprocess.run(
            [*self.inside, "xargs", f"-P{FORKS}", "-I{}", "ssh", "-F", str(self.config), "{}", "true"],
            input="\n".join(addresses), text=True, check=True,
        )  # fmt: skip
        return Run(time.monotonic() - begun, _cpu() - cpu)

    def pydock(self, addresses: Sequence[str], dead: int = 0, command: str = "check") -> Run:
        """The command, as a user types it; each living address must have been looked at."""
        begun, cpu, seen, last = time.monotonic(), _cpu(), 0, 0.0
        words = [*self.inside, str(self.directory / "pydock"), command, "-f", str(FORKS), *addresses]
        with (
            (self.directory / "out").open("w") as out,
            subprocess.Popen(words, cwd=self.directory, stdout=out, stderr=subprocess.PIPE, text=True) as process,
            Memory(process.pid) as used,
        ):
            assert process.stderr
            for line in process.stderr:
                if ": CentOS" in line:
                    seen, last = seen + 1, time.monotonic() - begun
        assert seen == len(addresses) - dead, f"{seen} of {len(addresses)} answered"
        return Run(time.monotonic() - begun, _cpu() - cpu, used.peak, last)

    def beside_floor(self, size: int, command: str) -> tuple[Run, Run]:
        """The floor, before and after, so that a machine that gets slower on the way does not look like pydock; pydock."""
        floors = [self.floor(addresses(size))]
        run = self.pydock(addresses(size), command=command)
        floors.append(self.floor(addresses(size)))
        seconds, cpu = (statistics.mean(values) for values in zip(*((f.seconds, f.cpu) for f in floors), strict=True))
        print(
            f"{command}, {size}: floor {', '.join(f'{f.seconds:.1f}' for f in floors)} s (CPU {cpu:.1f}), "
            f"pydock {run.seconds:.1f} s (CPU {run.cpu:.1f}, {run.memory // 1024} MB)",
            flush=True,
        )
        return Run(seconds, cpu), run

    def install(self) -> None:
        """Docker on the host, with which it lacks nothing."""
        command = [str(wrapper(self.directory.parent)), "install", "--yes", self.host.name]
        subprocess.run(command, cwd=self.directory.parent, check=True, capture_output=True)

    def kill(self, addresses: Sequence[str]) -> None:
        """Make addresses that never answer."""
        self.host.run("\n".join(f"iptables -I INPUT -d {address} -j DROP" for address in addresses))

    def revive(self) -> None:
        """Take that back."""
        self.host.run("iptables -F INPUT")


def _cpu() -> float:
    """CPU seconds of this process's children so far; what sshd runs is none of them."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def addresses(number: int, start: int = 0) -> list[str]:
    """So many addresses of the loopback network."""
    return [f"127.1.{n // 250}.{n % 250 + 1}" for n in range(start, start + number)]


def main() -> int:
    """Measure, print, write."""
    if shutil.which("nsenter") is None or os.geteuid():
        sys.exit("bench-fleet: needs root and nsenter (util-linux)")
    lab = Lab.up(os.environ.get("PYDOCK_BENCH_LAB", "bench-fleet"))
    try:
        fleet = Fleet(lab)
        time.sleep(5)
        rows = {size: fleet.beside_floor(size, "check") for size in SIZES}
        whole = fleet.pydock(addresses(100))
        fleet.kill(addresses(DEAD))
        holes = fleet.pydock(addresses(100), DEAD)
        print(f"100: {whole.last:.1f} s to the last answer; with {DEAD} dead {holes.last:.1f} s, end {holes.seconds:.1f} s")
        fleet.revive()
        fleet.install()
        drift = fleet.beside_floor(SIZES[-1], "status")
    finally:
        lab.down()
    text = table(rows, whole, holes, drift)
    print(text)
    page.write("Checking a fleet", text)
    return 0


def table(rows: dict[int, tuple[Run, Run]], whole: Run, holes: Run, drift: tuple[Run, Run]) -> str:
    """The section."""
    smallest, largest = min(rows), max(rows)
    lines = []
    for size, (floor, run) in rows.items():
        growth = (run.seconds / size) / (rows[smallest][1].seconds / smallest)
        lines.append(
            f"| {size:,} | {run.seconds / floor.seconds:.2f} | {growth:.2f} | {run.cpu / floor.cpu:.2f} | "
            f"{run.cpu / size * 100:.1f} s | {run.memory // 1024} MB |"
        )
    (floor, run), (quick, status) = rows[largest], drift
    return "\n".join(
        (
            f"`make bench-fleet` measured this: `pydock check -f {FORKS}` beside `xargs -P{FORKS}` over the ssh program running",
            f"`true`, in one run, on addresses that are all one lab host of release 9 on the same {os.cpu_count()} cores as the",
            "controller. So both columns of time hold what a host does for its login, and pydock's what the questions cost it:",
            "on a real fleet each host does that for itself. The floor is measured before and after each run of pydock.",
            "",
            "| addresses | time, pydock / floor | time per address, to that of the smallest | controller's CPU, pydock / ssh "
            "| controller's CPU per 100 | memory |",
            "|---|---|---|---|---|---|",
            *lines,
            "",
            f"- Aims for 1,000: time 1.0, memory 250 MB. At {largest:,} it is {run.seconds / floor.seconds:.2f} and "
            f"{run.memory // 1024} MB.",
            f"- The controller alone takes {run.cpu / floor.cpu:.2f} of the CPU that the ssh program takes for the same hosts.",
            f"- {DEAD} of 100 addresses never answer: the last of the others has answered after {holes.last / whole.last:.2f} of",
            "  the time that it takes where all are alive; the dead ones are given up after `ssh.timeout`, meanwhile.",
            f"- `pydock status` on {largest:,}, which runs Docker and lacks nothing: one round trip each, "
            f"{status.seconds / quick.seconds:.2f} of the floor's time,",
            f"  {status.cpu / quick.cpu:.2f} of its CPU on the controller ({status.cpu / largest * 100:.1f} s per 100 hosts), {status.memory // 1024} MB.",
        )
    )


if __name__ == "__main__":
    sys.exit(main())
