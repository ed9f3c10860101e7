"""What breaks breaks alone, is told truthfully, and is mended by running again."""

import json
import signal
import time

import pytest

from tests.e2e.conftest import running


@pytest.fixture(scope="module")
def good(lab):
    """A host on which everything goes well, beside the one that fails."""
    host = lab.host("fg9", release=9)
    yield host
    host.remove()


@pytest.fixture
def bad(lab):
    host = lab.host("fb8", release=8)
    yield host
    host.remove()


def eventually(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.3)


def transaction(host):
    """Whether the package manager is at work on a host."""
    return bool(host.run("pgrep -x 'yum|dnf'; true").stdout.strip())


@pytest.mark.parametrize(
    ("fault", "said"),
    [("404", "404"), ("wrong-key", "fingerprint"), ("truncated-rpm", ""), ("mirror-500", "500")],
)
def test_a_mirror_that_fails_for_one_host(good, bad, lab, pydock, fault, said):
    arguments = ["--json", "--yes", "--no-compilers", "--repository", "official", "fg9", "fb8"]
    name = fault.removeprefix("mirror-")
    with lab.mirror.fault(name, hosts=[bad]):
        done = pydock("install", *arguments, check=1)
    assert done.host("fg9")["status"] in ("ok", "unchanged")
    failed = done.host("fb8")
    assert failed["status"] == "failed"
    assert said in failed["cause"]
    assert failed["remedy"]
    assert pydock("install", *arguments, check=0).host("fb8")["proof"]["hello_world"] is True


def test_a_hub_that_hangs_is_explained_and_the_proof_is_made_later(bad, lab, pydock):
    pydock.settings["registry_mirrors"] = []
    with lab.mirror.fault("hub-hang", hosts=[bad]):
        failed = pydock("install", "--json", "--yes", "--no-compilers", "fb8", check=1).host("fb8")
    assert [step["name"] for step in failed["steps"] if step["status"] == "failed"] == ["proof"]
    assert "pydock mirror test" in failed["remedy"]
    assert [s["name"] for s in pydock("plan", "--json", "fb8", "--no-compilers", check=0).host("fb8")["steps"]] == [
        "proof"
    ]
    pydock("install", "--yes", "--no-compilers", "fb8", check=0)


def test_a_host_that_is_off_does_not_hold_up_the_others(good, bad, pydock):
    bad.power_off()
    done = pydock("install", "--json", "--yes", "--no-compilers", "--timeout", "4", "fg9", "fb8", check=4)
    assert done.host("fb8")["status"] == "unreachable"
    assert done.host("fg9")["status"] in ("ok", "unchanged")


def test_a_connection_that_is_cut_half_way(good, bad, pydock):
    """sshd and all its sessions are killed while packages go in."""
    with running(pydock, "install", "--json", "--yes", "fg9", "fb8") as process:
        eventually(lambda: transaction(bad))
        bad.run("pkill -9 sshd; true", check=False)
        bad.run("pkill -9 -f 'sshd:'; true", check=False)
        stdout, stderr = process.communicate(timeout=600)
    assert process.returncode in (1, 4), stdout + stderr
    bad.run("systemctl restart ssh sshd 2>/dev/null; true", check=False)
    eventually(lambda: not transaction(bad), 300)
    done = pydock("install", "--json", "--yes", "fg9", "fb8", check=0)
    assert done.host("fb8")["proof"]["hello_world"] is True


def test_ctrl_c_leaves_a_truthful_report_and_a_host_that_the_next_run_completes(bad, pydock):
    with running(pydock, "install", "--json", "--yes", "fb8") as process:
        eventually(lambda: transaction(bad))
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 130, stdout + stderr
    assert "interrupted" in stdout
    assert "Traceback" not in stderr
    eventually(lambda: not transaction(bad), 300)
    assert pydock("install", "--json", "--yes", "fb8", check=0).host("fb8")["proof"]["hello_world"] is True


def test_hosts_that_cannot_run_docker_stop_everything_unless_told_to_go_on(good, lab, pydock):
    old = lab.host("fk7", release=7, kernel_26=True)
    small = lab.host("fi9", release=9, i686=True)
    try:
        log = lab.mirror.log()
        done = pydock("install", "--json", "--yes", "fk7", "fi9", check=3)
        assert "older than 3.10" in done.host("fk7")["cause"]
        assert "i686" in done.host("fi9")["cause"]
        assert not [r for r in lab.mirror.log()[len(log) :] if r["client"] in (old.address, small.address)
                    and r["path"].endswith(".rpm")]
        going = pydock("install", "--json", "--yes", "--keep-going", "--no-compilers", "fk7", "fg9", check=3)
        assert going.host("fg9")["status"] in ("ok", "unchanged")
    finally:
        old.remove()
        small.remove()


def test_old_docker_goes_and_podman_only_with_a_word_of_its_own(lab, pydock):
    old = lab.host("fo7", release=7, packages=("docker",))
    podman = lab.host("fp8", release=8, packages=("podman",))
    try:
        blocked = pydock("install", "--json", "--yes", "fo7", "fp8", check=3)
        assert "podman" in blocked.host("fp8")["cause"]
        assert "--replace-podman" in blocked.host("fp8")["remedy"]
        assert old.run("rpm -q docker").stdout.startswith("docker-1.13")
        old.run("echo '{\"debug\": true}' > /etc/docker/daemon.json")
        done = pydock("install", "--json", "--yes", "--no-compilers", "--replace-podman", "fo7", "fp8", check=0)
        for name in ("fo7", "fp8"):
            assert [s["status"] for s in done.host(name)["steps"] if s["name"] == "remove"] == ["changed"]
            assert done.host(name)["proof"]["hello_world"] is True
        assert "not installed" in podman.run("rpm -q podman", check=False).stdout
        assert json.loads(old.run("cat /etc/docker/daemon.json").stdout) == {
            "debug": True, "registry-mirrors": [lab.registry_mirror],
        }  # fmt: skip
    finally:
        old.remove()
        podman.remove()


def test_a_full_disk_is_named_and_the_next_run_completes(lab, pydock):
    host = lab.host("fd9", release=9)
    try:
        host.run("mkdir -p /var/cache/dnf && mount -t tmpfs -o size=2m tmpfs /var/cache/dnf")
        failed = pydock("install", "--json", "--yes", "--no-compilers", "fd9", check=1).host("fd9")
        assert failed["code"] == "disk-space", failed
        # Where nobody looked before, yum's own words are understood.
        failed = pydock("install", "--json", "--yes", "--no-compilers", "--skip", "disk-space", "fd9", check=1).host("fd9")
        assert failed["code"] == "disk-full", failed
        host.run("umount /var/cache/dnf")
        pydock("install", "--yes", "--no-compilers", "fd9", check=0)
    finally:
        host.remove()


def test_a_host_whose_yum_is_broken_is_told_so(lab, pydock):
    """The Python that yum runs with was replaced: common on CentOS 7."""
    host = lab.host("fy8", release=8)
    try:
        host.run("sed -i '1s,.*,#!/usr/bin/python3.12,' /usr/bin/dnf-3")
        failed = pydock("install", "--json", "--yes", "fy8", check=1).host("fy8")
        assert failed["code"] == "yum-broken"
        assert "yum --version" in failed["remedy"]
    finally:
        host.remove()
