"""``pydock check`` on real hosts with real troubles: named, weighed, with a remedy; and nothing is changed."""

import json
import signal
import time
from xml.etree import ElementTree

import pytest

from tests.e2e.conftest import running


@pytest.fixture(scope="module")
def host(lab):
    for known in lab.known():
        if known.name == "ck9":
            known.remove()
    made = lab.host("ck9", release=9, users={"plain": "none"})
    yield made
    made.remove()


def findings(entry):
    return {finding["code"]: finding for finding in entry["findings"]}


def test_a_bare_host_is_ready_and_stays_as_it_is(host, pydock):
    looks = "rpm -qa | sort; find /etc /root /tmp /var -xdev -newer /etc/os-release -type f | grep -v -e /var/log -e /run | sort; true"
    before = host.run(looks).stdout
    done = pydock("check", "--json", "ck9", check=0)
    assert host.run(looks).stdout == before
    entry = done.host("ck9")
    assert entry["status"] == "unchanged"
    assert not [f for f in entry["findings"] if f["severity"] == "blocker"]
    groups = {f["group"] for f in entry["findings"]}
    assert groups >= {"host", "system", "storage", "network", "packages"}


@pytest.mark.parametrize(
    ("harm", "undo", "code", "severity", "said"),
    [
        ("mount -t tmpfs -o size=100m tmpfs /var/lib/docker", "umount /var/lib/docker", "disk-space", "blocker", "/var/lib/docker"),
        ("mount -t tmpfs -o size=4g,nr_inodes=600 tmpfs /var/lib/docker", "umount /var/lib/docker", "inodes", "blocker", "/var/lib/docker"),
        ("mount -t tmpfs -o ro,size=20g tmpfs /var/lib/docker", "umount /var/lib/docker", "read-only", "blocker", "/var/lib/docker"),
        ("ip route add 172.17.5.0/24 dev eth0", "ip route del 172.17.5.0/24 dev eth0", "address-pool", None, "172.17"),
        (
            "printf '[dead]\\nname=dead\\nbaseurl=http://mirror.centos.org/nowhere\\nenabled=1\\n' > /etc/yum.repos.d/dead.repo",
            "rm /etc/yum.repos.d/dead.repo", "base-repositories", "blocker", "dead",
        ),
        ("echo 'excludepkgs=docker*' >> /etc/dnf/dnf.conf", "sed -i /excludepkgs/d /etc/dnf/dnf.conf", "excluded-packages", "blocker", "docker"),
        ("mkdir -p /etc/docker; echo '{\"debug\": true,' > /etc/docker/daemon.json", "rm -r /etc/docker", "daemon-json", "blocker", "line"),
        ("cp /bin/true /usr/local/bin/dockerd", "rm /usr/local/bin/dockerd", "docker-origin", "blocker", "/usr/local/bin/dockerd"),
        ("mount -o remount,noexec /tmp", "mount -o remount,exec /tmp", "tmp-noexec", "warning", "/tmp"),
        (
            "printf '#!/bin/sh\\nexec /bin/date -d \"1 hour ago\" \"$@\"\\n' > /usr/local/bin/date; chmod +x /usr/local/bin/date",
            "rm /usr/local/bin/date", "clock", "blocker", "behind",
        ),
        (
            "sed /download.docker.com/d /etc/hosts > /tmp/hosts && cp /etc/hosts /tmp/old && cat /tmp/hosts > /etc/hosts",
            "cat /tmp/old > /etc/hosts", "dns", "blocker", "download.docker.com",
        ),
    ],
)  # fmt: skip
def test_a_trouble_is_found(host, pydock, harm, undo, code, severity, said):
    host.run(harm)
    try:
        done = pydock("check", "--json", "--repository", "official", "ck9")
        found = findings(done.host("ck9"))[code]
        assert severity in (None, found["severity"]), found
        assert said in found["message"]
        assert found["remedy"]
        assert done.code == (3 if found["severity"] == "blocker" else 0)
    finally:
        host.run(undo)


def test_a_package_manager_at_work_is_named(host, pydock):
    host.run("mkdir -p /var/cache/dnf; nohup sleep 60 >/dev/null 2>&1 & echo $! > /var/cache/dnf/metadata_lock.pid")
    try:
        found = findings(pydock("check", "--json", "ck9", check=0).host("ck9"))["package-lock"]
        assert found["severity"] == "warning"
    finally:
        host.run("kill $(cat /var/cache/dnf/metadata_lock.pid); rm /var/cache/dnf/metadata_lock.pid")


def test_a_command_that_hangs_holds_nobody_up(host, pydock):
    host.run("printf '#!/bin/sh\\nexec sleep 600\\n' > /usr/local/bin/rpm; chmod +x /usr/local/bin/rpm")
    try:
        began = time.monotonic()
        found = findings(pydock("check", "--json", "ck9", check=3).host("ck9"))["rpm"]
        assert "in time" in found["message"]
        assert time.monotonic() - began < 120
    finally:
        host.run("rm /usr/local/bin/rpm; pkill -x sleep; true")


def test_ctrl_c_tells_what_is_known_so_far(host, lab, pydock):
    quick = lab.host("cq9", release=9)
    host.run("printf '#!/bin/sh\\nexec sleep 600\\n' > /usr/local/bin/rpm; chmod +x /usr/local/bin/rpm")
    try:
        with running(pydock, "check", "ck9", "cq9") as process:
            # The quick one has answered; the other hangs for half a minute.
            for line in process.stderr:
                if "cq9: CentOS" in line:
                    break
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=30)
        assert process.returncode == 130, stdout + stderr
        assert "Traceback" not in stderr
        assert "1 unreachable" in stdout
        assert "interrupted before it answered" in stdout
        assert "cq9" in stdout
    finally:
        host.run("rm /usr/local/bin/rpm; pkill -x sleep; true")
        quick.remove()


def test_an_ordinary_user_sees_less_and_is_told_so(host, pydock):
    found = findings(pydock("check", "--json", "-u", "plain", "ck9", check=3).host("ck9"))
    assert found["privilege"]["severity"] == "blocker"
    assert found["kernel"]["severity"] == "ok"


def test_two_names_of_one_machine_are_found(host, pydock):
    done = pydock("check", "--json", "ck9", f"root@{host.address}", check=3)
    assert {entry["code"] for entry in done.document["hosts"]} == {"same-machine"}


def test_one_or_all_but_one_and_what_install_makes_of_it(host, pydock, tmp_path):
    only = pydock("check", "--json", "--only", "kernel,release", "ck9", check=0).host("ck9")
    assert [f["code"] for f in only["findings"]] == ["release", "kernel"]
    host.run("mkdir -p /etc/docker; echo '{' > /etc/docker/daemon.json")
    try:
        pydock("check", "ck9", check=3)
        pydock("install", "--yes", "ck9", check=1)
        pydock("check", "--skip", "daemon-json", "ck9", check=0)
        pydock.settings["checks"] = {"severity": {"daemon-json": "warning"}}
        report = tmp_path / "check.xml"
        assert "1 with warnings" in pydock("check", "ck9", "--junit", str(report), check=0).stdout
        assert ElementTree.parse(report).getroot().find("testsuite").get("name") == "ck9"
    finally:
        host.run("rm -r /etc/docker")
    assert json.loads(pydock("explain", "--json", "daemon-json", check=0).stdout)["findings"][0]["source"]
