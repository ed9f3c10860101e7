"""The main job: bare hosts to a proven Docker, again for nothing, and back after drift."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

RELEASES = (7, 8, 9)


@pytest.fixture(scope="module")
def hosts(lab):
    made = lab.hosts([(f"in{release}", release) for release in RELEASES], fresh=True)
    yield dict(zip(RELEASES, made, strict=True))
    for host in made:
        host.remove()


NAMES = [f"in{release}" for release in RELEASES]


def test_plan_then_install_then_nothing(hosts, pydock, lab):
    """plan changes nothing and says what install then does; a second plan is empty; the tree repeats the run."""
    looks = "rpm -qa | sort; ls /etc/yum.repos.d /etc/docker 2>&1; true"
    before = {release: host.run(looks).stdout for release, host in hosts.items()}
    planned = pydock("plan", "--json", *NAMES, check=0).document
    assert {release: host.run(looks).stdout for release, host in hosts.items()} == before
    steps = {entry["name"]: [step["name"] for step in entry["steps"]] for entry in planned["hosts"]}
    assert steps == dict.fromkeys(
        NAMES, ["compilers", "tools", "repository", "engine", "settings", "service", "proof"]
    )

    done = pydock("install", "--json", "--yes", *NAMES, check=0)
    for release, name in zip(RELEASES, NAMES, strict=True):
        entry = done.host(name)
        assert entry["status"] == "ok"
        assert {step["name"] for step in entry["steps"]} == set(steps[name])
        assert entry["proof"]["hello_world"] is True
        assert entry["proof"]["client"] == entry["proof"]["server"]
        assert entry["proof"]["server"].startswith("20.10.24")
        assert entry["proof"]["registry_mirrors"] == [lab.registry_mirror]
        compilers = next(step for step in entry["steps"] if step["name"] == "compilers")
        assert "gcc" in compilers["detail"]
        look(hosts[release], release, lab)
    tree_is_private_and_repeats(Path(done.document["run_directory"]), lab)

    again = pydock("install", "--json", *NAMES, check=0)
    assert {entry["status"] for entry in again.document["hosts"]} == {"unchanged"}
    assert again.document["run_directory"] is None, "a converged fleet costs no Ansible run"
    assert all(entry["steps"] == [] for entry in pydock("plan", "--json", *NAMES, check=0).document["hosts"])
    verified = pydock("install", "--json", "--yes", "--verify", *NAMES, check=0)
    assert all([s["name"] for s in e["steps"]] == ["proof"] for e in verified.document["hosts"])


def look(host, release, lab):
    """What a person would look at."""
    assert host.run("systemctl is-active docker; systemctl is-enabled docker").stdout.split() == ["active", "enabled"]
    assert json.loads(host.run("cat /etc/docker/daemon.json").stdout) == {"registry-mirrors": [lab.registry_mirror]}
    repository = host.run("cat /etc/yum.repos.d/docker-ce.repo").stdout
    assert f"/centos/{release}/$basearch/stable" in repository
    assert "gpgcheck=1" in repository
    key = lab.key_fingerprint[-8:].lower()
    assert key in host.run("rpm -q gpg-pubkey").stdout
    starts = host.run("journalctl -u docker --no-pager -o cat | grep -c 'Daemon has completed initialization'")
    assert starts.stdout.strip() == "1", "daemon.json is in place before the only start"


def tree_is_private_and_repeats(tree, lab):
    modes = {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in tree.rglob("*")}
    assert stat.S_IMODE(tree.stat().st_mode) == 0o700
    assert modes == {0}
    playbook = Path(sys.executable).parent / "ansible-playbook"
    done = subprocess.run(
        [playbook, "site.yml"], cwd=tree, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C.UTF-8"}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "changed=0" in done.stdout


@pytest.mark.parametrize(
    ("harm", "steps"),
    [
        ("systemctl stop docker.socket docker", ["service", "proof"]),
        ("systemctl disable docker", ["service", "proof"]),
        ("rpm -e --nodeps gcc-c++", ["compilers"]),
        ("rpm -e --nodeps docker-ce-cli", ["engine", "proof"]),
        ("echo '{\"debug\": false}' > /etc/docker/daemon.json", ["settings", "proof"]),
        ("sed -i s/gpgcheck=1/gpgcheck=0/ /etc/yum.repos.d/docker-ce.repo", ["repository"]),
    ],
)
def test_a_host_that_drifted_gets_just_what_it_lacks(hosts, pydock, harm, steps):
    name, host = "in9", hosts[9]
    pydock("install", "--yes", name, check=0)
    host.run(harm)
    planned = pydock("plan", "--json", name, check=0).host(name)
    assert [step["name"] for step in planned["steps"]] == steps
    assert pydock("install", "--json", "--yes", name, check=0).host(name)["status"] == "ok"
    assert pydock("plan", "--json", name, check=0).host(name)["steps"] == []


def test_a_broken_daemon_json_is_never_overwritten(hosts, pydock):
    host = hosts[8]
    pydock("install", "--yes", "in8", check=0)
    before = host.run("cat /etc/docker/daemon.json").stdout
    host.run("echo '{\"debug\": true,' > /etc/docker/daemon.json")
    failed = pydock("install", "--json", "--yes", "in8", check=1).host("in8")
    assert "line 1" in failed["cause"]
    assert failed["code"] == "daemon-json"
    assert host.run("cat /etc/docker/daemon.json").stdout == '{"debug": true,\n'
    host.run(f"cat > /etc/docker/daemon.json <<'E'\n{before}E\n")
    pydock("install", "--yes", "in8", check=0)


def test_the_engine_goes_back_and_forth_to_the_version_asked_for(hosts, pydock):
    """yum 3 needs `downgrade`, dnf does not care; docker-ce and its client move together."""
    for version in ("20.10.23", "20.10.24"):
        entry = pydock("install", "--json", "--yes", "--docker-version", version, "in7", check=0).host("in7")
        assert entry["proof"]["client"] == entry["proof"]["server"]
        assert entry["proof"]["server"].startswith(version)
    missing = pydock("install", "--json", "--yes", "--docker-version", "19.03.1", "in7", check=3).host("in7")
    assert "20.10.24" in missing["cause"]


def test_output_for_people_is_plain_when_piped(hosts, pydock):
    done = pydock("install", "in7", "in8", "in9", "--docker-version", "20.10.24", check=0)
    assert "\x1b" not in done.stdout + done.stderr
    assert "\r" not in done.stdout + done.stderr
    for name in NAMES:
        assert name in done.stdout
    assert "nothing to do" in done.stdout.lower()
