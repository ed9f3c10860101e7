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

from tests.e2e.conftest import Result, running
from tests.lab.faults import FIRST_MIRRORS

PAGE = Path(__file__).resolve().parents[2] / "docs/reliability.md"
ARGUMENTS = ("install", "--json", "--yes", "--no-compilers")
PROBLEM = "/etc/systemd/system/docker.service.d/wrong.conf"


@dataclass(frozen=True)
class Fault:
    """How a host is told that has it; what does it to the host, or to its mirrors; what mends it."""

    code: str
    said: str = ""
    release: int = 9
    inject: str = ""
    mend: str = ""
    mirror: str = ""
    status: str = "failed"


FINE = Fault("", status="ok")
#: What is wrong when a run begins.
BEFORE = {
    "none": FINE,
    "404": Fault("package-repository", "404", release=8, mirror="404"),
    "403": Fault("package-repository", "403", mirror="403"),
    "500": Fault("package-repository", "500", mirror="500"),
    "key": Fault("wrong-key", "fingerprint", mirror="wrong-key"),
    "cut": Fault("package-damaged", release=8, mirror="truncated-rpm"),
    "corrupt": Fault("", status="ok", mirror="corrupt-rpm"),
    "slow": Fault("", status="ok", mirror="slow"),
    "names": Fault("dns", "download.docker.com", inject="cp /etc/hosts /root; grep localhost /root/hosts > /etc/hosts",
                   mend="cat /root/hosts > /etc/hosts"),
    "clock": Fault("clock", "400 days behind", inject="printf '#!/bin/sh\\nexec /bin/date -d \"-400 days\" \"$@\"\\n' > "
                   "/usr/local/bin/date; chmod 755 /usr/local/bin/date", mend="rm /usr/local/bin/date"),
    "full": Fault("disk-space", "2 MiB free", inject="mkdir -p /var/cache/dnf && mount -t tmpfs -o size=2m tmpfs /var/cache/dnf",
                  mend="umount /var/cache/dnf"),
    "engine": Fault("unknown-flag", "--grahp", inject=f"mkdir -p {PROBLEM.rpartition('/')[0]}; printf '[Service]\\nExecStart=\\n"
                    f"ExecStart=/usr/bin/dockerd --grahp=/data\\n' > {PROBLEM}",
                    mend=f"rm {PROBLEM}; systemctl daemon-reload; systemctl reset-failed"),
    "login": Fault("auth", "does not accept", status="unreachable", inject="mv /root/.ssh/authorized_keys /root/keys",
                   mend="mv /root/keys /root/.ssh/authorized_keys"),
    "sudo": Fault("privilege", "sudo", release=8, status="blocked", inject="useradd -m ops; cp -a /root/.ssh /home/ops; "
                  "chown -R ops: /home/ops; usermod -p '*' ops", mend="echo 'ops ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/ops"),
    "yum": Fault("", status="ok", release=8, inject="mkdir -p /var/cache/dnf; (sleep 12 & echo $! > "
                 "/var/cache/dnf/download_lock.pid) >/dev/null 2>&1"),
}  # fmt: skip
#: What goes wrong while packages go in.
DURING = {
    "well": FINE,
    "network": Fault("ssh-no-answer", "try number 2", status="unreachable",
                     inject="iptables -I INPUT -j DROP; iptables -I OUTPUT -j DROP", mend="iptables -F INPUT; iptables -F OUTPUT"),
    "hung": Fault("hung", "docker-ce is missing", release=7, inject="pkill -STOP -x 'yum|dnf'"),
    "reboot": Fault("", status="ok"),
    "link": Fault("", status="ok", release=8, inject="(ip link set eth0 down; sleep 8; ip link set eth0 up) >/dev/null 2>&1 &"),
    "sshd": Fault("", status="ok", release=8, inject="pkill -9 -x sshd; systemctl restart sshd"),
}  # fmt: skip


def made(lab, faults):
    """A host for each fault, by the fault's name."""
    hosts = lab.hosts([(f"m-{name}", fault.release) for name, fault in faults.items()])
    return {host.name.removeprefix("m-"): host for host in hosts}


@pytest.fixture(scope="module")
def before(lab):
    hosts = made(lab, BEFORE)
    yield hosts
    for host in hosts.values():
        host.remove()


@pytest.fixture(scope="module")
def during(lab):
    hosts = made(lab, DURING)
    yield hosts
    for host in hosts.values():
        host.remove()


def names(faults):
    """As a user types them."""
    return [f"ops@m-{name}" if name == "sudo" else f"m-{name}" for name in faults]


def eventually(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def transaction(host):
    """Whether the package manager is at work on a host."""
    return bool(host.run("pgrep -x 'yum|dnf'; true", check=False).stdout.strip())


def lock(host):
    """What stands in a host's lock."""
    return json.loads(host.run("cat /run/pydock.lock 2>/dev/null || echo '{}'").stdout or "{}")


def is_told(faults, done):
    """Each host as its fault wants it, the others as if nothing was."""
    told = {name: done.host(f"m-{name}") for name in faults}
    seen = {name: (host["status"], host["code"] or "") for name, host in told.items()}
    assert seen == {name: (fault.status, fault.code) for name, fault in faults.items()}, done.stdout
    for name, fault in faults.items():
        assert fault.said in (told[name]["cause"] or ""), told[name]
        assert told[name]["remedy"] or fault.status == "ok"
    return told


def completes(faults, hosts, pydock):
    """The next run, once the faults are mended."""
    for name, fault in faults.items():
        if fault.mend:
            hosts[name].run(fault.mend)
    done = pydock(*ARGUMENTS, *names(faults), check=0)
    assert all(done.host(f"m-{name}")["proof"]["hello_world"] for name in faults)


def test_the_page_names_every_cause():
    codes = {fault.code for fault in (*BEFORE.values(), *DURING.values()) if fault.code}
    text = PAGE.read_text(encoding="utf-8")
    assert {code for code in codes if f"`{code}`" not in text} == set()


def test_faults_that_are_there_when_a_run_begins(before, lab, pydock):
    with ExitStack() as switched:
        for name, fault in BEFORE.items():
            if fault.mirror:
                switched.enter_context(lab.mirror.fault(fault.mirror, hosts=[before[name]]))
            if fault.inject:
                before[name].run(fault.inject)
        is_told(BEFORE, pydock(*ARGUMENTS, "--keep-going", *names(BEFORE), check=1))
        files = before["corrupt"].run("cat /etc/yum.repos.d/docker-ce.repo").stdout
        assert not any(mirror in files for mirror in FIRST_MIRRORS), "the next mirror serves"
    completes(BEFORE, before, pydock)


def test_faults_while_packages_go_in(during, pydock):
    limits = ("--timeout", "2", "--retries", "1", "--time-limit", "45")
    with running(pydock, *ARGUMENTS, *limits, *names(DURING)) as process:
        waiting = dict(DURING)
        while waiting:
            for name in [name for name in waiting if transaction(during[name])]:
                if name == "reboot":
                    during[name].power_off()
                    during[name].power_on()
                elif waiting[name].inject:
                    during[name].run(waiting[name].inject, check=False)
                del waiting[name]
        stdout, stderr = process.communicate(timeout=300)
    print(stderr)
    is_told(DURING, Result(process.returncode, stdout, stderr))
    completes(DURING, during, pydock)


@pytest.fixture
def undone(during):
    """Hosts on which the engine is missing again."""
    for host in during.values():
        host.run("rpm -e --nodeps docker-ce docker-ce-cli containerd.io", check=False)
    return during


def held_up(host):
    """A host whose package manager stands still in the middle of its work, until it is let go on."""
    eventually(lambda: transaction(host))
    host.run("pkill -STOP -x 'yum|dnf'")


def goes_on(host, after=0):
    host.run(f"(sleep {after}; pkill -CONT -x 'yum|dnf') >/dev/null 2>&1 &")


def test_two_operators_are_kept_apart_until_one_takes_over(undone, pydock):
    host = undone["well"]
    with running(pydock, *ARGUMENTS, "m-well") as first:
        held_up(host)
        second = pydock(*ARGUMENTS, "m-well", check=1).host("m-well")
        assert second["code"] == "host-locked"
        assert re.search(r"\S+@\S+ has been at work on this host since \d{4}-.* \(`pydock install --json", second["cause"])
        assert "--break-lock" in second["remedy"]
        assert pydock("plan", "--json", "m-well").host("m-well")["status"] == "planned"
        owner = lock(host)["run"]
        with running(pydock, *ARGUMENTS, "--break-lock", "m-well") as third:
            eventually(lambda: lock(host).get("run") != owner)
            goes_on(host)
            ended = Result(1, *first.communicate(timeout=120)).host("m-well")
            assert ended["code"] == "lock-broken", ended
            assert ended["steps"][-2]["status"] == "changed", "what it had begun it finished"
            assert Result(0, *third.communicate(timeout=120)).host("m-well")["proof"]["hello_world"] is True
    assert lock(host) == {}


def test_a_killed_controller_leaves_nothing_that_goes_on_unseen(undone, pydock):
    host = undone["reboot"]
    with running(pydock, *ARGUMENTS, "m-reboot") as process:
        held_up(host)
        process.kill()
        process.wait()
    eventually(lambda: lock(host).get("unheard"))
    goes_on(host, after=3)
    # The next run waits for the step that was begun, and goes on behind it.
    assert pydock(*ARGUMENTS, "m-reboot", check=0).host("m-reboot")["proof"]["hello_world"] is True
    journal = host.run("cat /var/lib/pydock/journal.jsonl").stdout
    assert '"action": "stopped"' in journal
    assert [run["state"] for run in pydock("runs", "list", "--json", check=0).document["runs"]] == ["ended", "broken off"]
    assert lock(host) == {}


def test_the_first_ctrl_c_finishes_what_runs_and_the_second_stops_at_once(undone, pydock):
    with running(pydock, *ARGUMENTS, "--forks", "1", "m-hung", "m-sshd") as process:
        held_up(undone["hung"])
        process.send_signal(signal.SIGINT)
        eventually(lambda: "pydock-stop" in undone["hung"].run("ls -A /tmp").stdout)
        goes_on(undone["hung"])
        stdout, stderr = process.communicate(timeout=120)
    done = Result(process.returncode, stdout, stderr)
    assert done.code == 130
    assert "what runs is finished, nothing new begins" in stderr
    first, second = done.host("m-hung"), done.host("m-sshd")
    assert (first["code"], [step["status"] for step in first["steps"] if step["name"] == "engine"]) == ("interrupted", ["changed"])
    assert (second["code"], second["status"]) == ("not-begun", "refused")
    assert {step["status"] for step in second["steps"]} == {"planned"}
    with running(pydock, *ARGUMENTS, "m-link") as process:
        held_up(undone["link"])
        for _ in range(2):
            process.send_signal(signal.SIGINT)
            time.sleep(0.1)  # Two at the same moment are one.
        stdout, stderr = process.communicate(timeout=30)
    goes_on(undone["link"])
    done = Result(process.returncode, stdout, stderr)
    assert done.code == 130
    assert "the host ends the step that it is at by itself" in done.host("m-link")["cause"]
    again = pydock(*ARGUMENTS, "m-hung", "m-sshd", "m-link", check=0)
    assert all(host["proof"]["hello_world"] for host in again.document["hosts"])
    assert "pydock-stop" not in undone["hung"].run("ls -A /tmp").stdout
