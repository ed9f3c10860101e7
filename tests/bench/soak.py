"""Rounds of install, drift, repair and uninstall on four hosts: nothing is left behind, and nothing grows.

``make soak``; ``PYDOCK_BENCH_SOAK`` says how many (20). Compared with a host before the first round, and with the
controller after its first: processes, mounts, sockets, files, and memory. Writes its section of docs/reliability.md.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from tests.bench import page
from tests.bench.__main__ import Memory
from tests.demo import wrapper
from tests.lab import Host, Lab
from tests.lab.engine import docker
from tests.lab.picture import difference, out, picture

ROUNDS = int(os.environ.get("PYDOCK_BENCH_SOAK", "20"))
HOSTS = [("soak7", 7), ("soak8", 8), ("soak9", 9), ("soak9b", 9)]
PAGE = page.PAGE.with_name("reliability.md")
#: What happens to hosts between two runs, a host each: the second run must find and mend it.
DRIFT = (
    "systemctl disable --now docker.socket docker.service 2>/dev/null",
    "printf '{}' > /etc/docker/daemon.json; systemctl reload docker",
    "rm /etc/yum.repos.d/docker-ce.repo; rm -f /var/lib/pydock/proof.json",
    "rpm -e --nodeps docker-ce-cli",
)
#: How much more memory a host or a run may take at the end than in the second round, in MiB: pages come and go.
ROOM = 24


@dataclass
class Soak:
    """A lab, the hosts in it, and the command."""

    lab: Lab
    hosts: list[Host]
    home: Path
    """Of the user who runs it, for this alone: whatever else the machine does leaves nothing there."""

    def pydock(self, *arguments: str) -> int:
        """Run it as a user would; the most memory it had with its children, in KiB. Raises if it does not end well."""
        command = [str(self.lab.directory / "pydock"), *arguments, *(host.name for host in self.hosts)]
        own = {"HOME": self.home, "TMPDIR": self.home / "tmp", "XDG_STATE_HOME": self.home / "state"}
        environment = {**os.environ, **{name: str(path) for name, path in own.items()}}
        with (
            subprocess.Popen(
                command, cwd=self.lab.directory, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            ) as process,
            Memory(process.pid) as used,
        ):
            assert process.stdout
            said = process.stdout.read().decode()
        if process.returncode:
            raise SystemExit(f"{' '.join(arguments)} ended with {process.returncode}:\n{said}")
        return used.peak

    def round(self) -> int:
        """Install, drift, repair, uninstall; the most memory that a command took."""
        peaks = [self.pydock("install", "--yes", "--repository", "official")]
        for host, change in zip(self.hosts, DRIFT, strict=True):
            host.run(change)
        peaks.append(self.pydock("install", "--yes", "--repository", "official"))
        for host in self.hosts:
            assert "Hello from Docker!" in out(host, "docker run --rm hello-world")
        peaks.append(self.pydock("uninstall", "--all", "--with-tools", "--yes", "--yes-delete-data"))
        return max(peaks)


def controller(home: Path) -> dict[str, Collection[str]]:
    """What a run could leave on the machine it was started on."""
    processes = subprocess.run(["ps", "-e", "-o", "args="], capture_output=True, text=True, check=True).stdout
    ours = (str(home), *(name for name, _ in HOSTS))
    sockets = Path("/proc/net/unix").read_text(encoding="utf-8").splitlines()
    places = (home / "tmp", home / ".ansible/tmp", home / ".ansible/cp")
    return {
        "processes": sorted({line for line in processes.splitlines() if any(word in line for word in ours)}),
        "sockets": sorted({line.split()[-1] for line in sockets if str(home) in line}),
        "mounts": [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if str(home) in line],
        "files": sorted(str(path) for place in places if place.is_dir() for path in place.iterdir()),
    }


def memory_of(host: Host) -> int:
    """MiB that the processes of a host hold, without what the kernel could drop."""
    pids = docker("top", host.container, "-eo", "pid").stdout.split()[1:]
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss_Anon:"))
    return total // 1024


def main() -> int:
    """Rounds, what they left, and the section."""
    lab = Lab.up("soak")
    home = Path(tempfile.mkdtemp(prefix="soak-"))
    try:
        (home / "tmp").mkdir()
        wrapper(lab.directory)
        soak = Soak(lab, lab.hosts(HOSTS, fresh=True), home)
        time.sleep(3)
        before = {host.name: picture(host) for host in soak.hosts}
        left: list[str] = []
        peaks, held, sizes = [], [], []
        first: dict[str, Collection[str]] = {}
        begun = time.monotonic()
        for number in range(1, ROUNDS + 1):
            peaks.append(soak.round() // 1024)
            held.append(max(memory_of(host) for host in soak.hosts))
            sizes.append(sum(1 for _ in (home / "state").rglob("*")))
            for host in soak.hosts:
                if found := difference(before[host.name], picture(host)):
                    left.append(f"round {number}, {host.name}: {found}")
            # Ansible keeps its connections for a minute: what is still there after that is a leftover.
            if number == 1:
                time.sleep(62)
                first = controller(home)
            print(f"round {number}: {peaks[-1]} MB a run, {held[-1]} MB a host, {sizes[-1]} files kept", flush=True)
        minutes = (time.monotonic() - begun) / 60
        time.sleep(62)
        if found := difference(first, controller(home)):
            left.append(f"controller: {found}")
        if peaks[-1] > peaks[1] + ROOM or held[-1] > held[1] + ROOM:
            left.append(f"memory grew: runs {peaks}, hosts {held}")
    finally:
        lab.down()
        shutil.rmtree(home)
    print("\n".join(left) or "nothing left behind")
    print(f"{minutes:.0f} min")
    page.write("Soak", section(left, peaks, held, sizes), PAGE)
    return int(bool(left))


def section(left: list[str], peaks: list[int], held: list[int], sizes: list[int]) -> str:
    """What the rounds came to."""
    middle = len(peaks) // 2
    return "\n".join(
        (
            f"`make soak`: {len(peaks)} rounds of install, drift (service off, daemon.json emptied, repository file gone,",
            f"client removed), repair and `uninstall --all --with-tools` on {len(HOSTS)} hosts of releases 7, 8 and 9. After each",
            "round a host is compared with what it was before the first: files, packages, keys, links, rules, units, groups,",
            "processes, mounts. The controller after the last round, once Ansible's connections have ended, with after the first.",
            "",
            "| | second round | middle | last |",
            "|---|---|---|---|",
            f"| most memory of a run, with all its processes | {peaks[1]} MB | {peaks[middle]} MB | {peaks[-1]} MB |",
            f"| most memory of a host's processes, Docker gone | {held[1]} MB | {held[middle]} MB | {held[-1]} MB |",
            f"| files in the record of runs (pruned by age and number) | {sizes[1]} | {sizes[middle]} | {sizes[-1]} |",
            "",
            *(f"- {line}" for line in left or ["Nothing was left behind: no process, mount, socket or file."]),
        )
    )


if __name__ == "__main__":
    sys.exit(main())
