"""Each fault on a host of its own, several in one run: the other hosts finish, the host is told with its cause, and the
next run completes it. docs/reliability.md has the same table."""

import json
import re
import signal
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.conftest import running

PAGE = Path(__file__).resolve().parents[2] / "docs/reliability.md"
ARGUMENTS = ("--json", "--yes", "--no-compilers")


@dataclass(frozen=True)
class Fault:
    """What is done to a host before a run, how the host is told, and what mends it."""

    release: int
    cause: str
    inject: str = ""
    mend: str = ""
    mirror: str = ""
    status: str = "failed"


#: What is wrong when the run begins.
BEFORE = {
    "nothing": Fault(9, "", status="ok"),
    "404": Fault(8, "metadata-404", mirror="404"),
    "403": Fault(9, "mirror-forbids", mirror="403"),
    "500": Fault(9, "mirror-fault", mirror="500"),
    "key": Fault(9, "wrong-key", mirror="wrong-key"),
    "cut": Fault(8, "package-damaged", mirror="truncated-rpm"),
    "names": Fault(9, "mirror-name", "cp /etc/hosts /root/hosts; grep localhost /root/hosts > /etc/hosts",
                   "cat /root/hosts > /etc/hosts"),
    "clock": Fault(9, "clock", "printf '#!/bin/sh\\nexec /bin/date -d \"-400 days\" \"$@\"\\n' > /usr/local/bin/date; chmod 755 /usr/local/bin/date",
                   "rm /usr/local/bin/date"),
    "full": Fault(9, "disk-space", "mkdir -p /var/cache/dnf && mount -t tmpfs -o size=2m tmpfs /var/cache/dnf", "umount /var/cache/dnf"),
    "engine": Fault(9, "unknown-flag", "mkdir -p /etc/systemd/system/docker.service.d; printf '[Service]\\nExecStart=\\n"
                    "ExecStart=/usr/bin/dockerd --grahp=/data\\n' > /etc/systemd/system/docker.service.d/wrong.conf",
                    "rm /etc/systemd/system/docker.service.d/wrong.conf; systemctl daemon-reload; systemctl reset-failed"),
    "login": Fault(9, "auth", "mv /root/.ssh/authorized_keys /root/", "mv /root/authorized_keys /root/.ssh/", status="unreachable"),
    "yum": Fault(8, "", "mkdir -p /var/cache/dnf; (sleep 12 & echo $! > /var/cache/dnf/download_lock.pid) >/dev/null 2>&1",
                 status="ok"),
}  # fmt: skip


@pytest.fixture(scope="module")
def hosts(lab):
    """A host for each fault."""
    made = lab.hosts([(f"m-{name}", fault.release) for name, fault in BEFORE.items()])
    yield {host.name.removeprefix("m-"): host for host in made}
    for host in made:
        host.remove()


def test_faults_that_are_there_when_a_run_begins(hosts, lab, pydock):
    names = [f"m-{name}" for name in BEFORE]
    with ExitStack() as switched:
        for name, fault in BEFORE.items():
            if fault.mirror:
                switched.enter_context(lab.mirror.fault(fault.mirror, hosts=[hosts[name]]))
            if fault.inject:
                hosts[name].run(fault.inject)
        done = pydock("install", *ARGUMENTS, "--repository", "official", *names)
    told = {name: done.host(f"m-{name}") for name in BEFORE}
    print(json.dumps({n: (t["status"], t["code"], t["cause"]) for n, t in told.items()}, indent=1))
    assert {name: (host["status"], host["code"] or "") for name, host in told.items()} == {
        name: (fault.status, fault.cause) for name, fault in BEFORE.items()
    }
    assert all(host["remedy"] for host in told.values() if host["status"] != "ok")
    for name, fault in BEFORE.items():
        if fault.mend:
            hosts[name].run(fault.mend)
    again = pydock("install", *ARGUMENTS, "--repository", "official", *names, check=0)
    assert all(again.host(name)["proof"]["hello_world"] for name in names)
