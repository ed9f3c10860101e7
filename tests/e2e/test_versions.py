"""Versions on real hosts: pinned, up, down, held, locked; containers stop only with a word; drift is told."""

import pytest
import yaml

OLD, NEW = "20.10.23", "20.10.24"
ENGINE = "docker-ce docker-ce-cli docker-ce-rootless-extras"


@pytest.fixture(scope="module")
def hosts(lab):
    made = lab.hosts([("vs7", 7), ("vs9", 9)], fresh=True)
    yield dict(zip((7, 9), made, strict=True))
    for host in made:
        host.remove()


@pytest.fixture
def old(hosts, pydock):
    """Both hosts on the older version, nothing running."""
    for host in hosts.values():
        host.run("docker rm -f $(docker ps -aq); true")
    pydock("install", "--json", "--yes", "--no-hold", "--docker-version", OLD, "vs7", "vs9", check=0)
    return hosts


def versions(host, names=ENGINE):
    return set(host.run(f"rpm -q --qf '%{{VERSION}}\\n' {names}").stdout.split())


def containers(host):
    return set(host.run("docker ps --format '{{.Names}}'").stdout.split())


def start(host, name, *options):
    host.run("docker image inspect keep >/dev/null 2>&1 || tar -chC / bin/sleep lib64/ld-linux-x86-64.so.2 "
             "lib/x86_64-linux-gnu/libc.so.6 | docker import - keep")  # fmt: skip
    host.run(f"docker run -d --name {name} {' '.join(options)} keep /bin/sleep 100000")
    assert name in containers(host)


def test_latest_keeps_and_upgrade_brings_the_newest_of_the_whole_set(old, pydock):
    kept = pydock("plan", "--json", "vs7", "vs9", check=0).document
    assert [entry["steps"] for entry in kept["hosts"]] == [[], []]
    planned = pydock("plan", "--json", "--upgrade", "vs7", "vs9", check=0).document
    for entry in planned["hosts"]:
        assert entry["steps"][0]["detail"] == f"upgrade Docker from {OLD} to {NEW}"
    done = pydock("install", "--json", "--yes", "--upgrade", "vs7", "vs9", check=0)
    for release, host in old.items():
        assert versions(host) == {NEW}
        entry = done.host(f"vs{release}")
        assert entry["proof"]["client"] == entry["proof"]["server"]
        assert entry["proof"]["server"].startswith(NEW)
    again = pydock("plan", "--json", "--upgrade", "vs7", "vs9", check=0).document
    assert [entry["steps"] for entry in again["hosts"]] == [[], []]


def test_a_version_that_is_not_there_is_refused_before_anything_is_touched(old, pydock):
    before = {release: host.run("rpm -qa | sort").stdout for release, host in old.items()}
    refused = pydock("install", "--json", "--yes", "--docker-version", "20.10.99", "vs7", "vs9", check=3)
    for entry in refused.document["hosts"]:
        assert entry["status"] == "blocked"
        assert entry["code"] == "docker-version"
        assert f"newest is {NEW}, the nearest: {OLD}, {NEW}" in entry["cause"]
    assert {release: host.run("rpm -qa | sort").stdout for release, host in old.items()} == before


@pytest.mark.parametrize("release", [7, 9])
def test_a_client_that_went_ahead_alone_is_brought_back_without_a_restart(old, pydock, release):
    host, name = old[release], f"vs{release}"
    start(host, "web")
    host.run(f"yum -y install docker-ce-cli-{NEW}")
    assert versions(host) == {OLD, NEW}
    entry = pydock("install", "--json", "--yes", name, check=0).host(name)
    assert [step["name"] for step in entry["steps"] if step["status"] == "changed"] == ["engine"]
    assert versions(host) == {OLD}
    assert containers(host) == {"web"}, "the engine was left alone"


def test_containers_stop_only_with_a_word_and_up_and_down_both_ask(old, pydock):
    host = old[9]
    start(host, "web")
    start(host, "db", "--restart", "always")
    refused = pydock("install", "--json", "--yes", "--upgrade", "vs9", check=5).host("vs9")
    assert "db, web would stop" in refused["cause"].replace("web, db", "db, web")
    assert f"upgrade Docker from {OLD} to {NEW}" in refused["cause"]
    assert versions(host) == {OLD}
    assert containers(host) == {"web", "db"}
    pydock("install", "--json", "--yes", "--upgrade", "--restart", "vs9", check=0)
    assert versions(host) == {NEW}
    assert containers(host) == {"db"}, "a restart policy brings it back"
    pydock("install", "--json", "--yes", "--docker-version", OLD, "vs9", check=5)
    assert versions(host) == {NEW}


def test_with_live_restore_containers_go_on_over_a_patch_release(old, pydock):
    host = old[9]
    pydock.settings["daemon"] = {"live-restore": True}
    pydock("install", "--json", "--yes", "vs9", check=0)
    start(host, "web")
    pydock("install", "--json", "--yes", "--upgrade", "vs9", check=0)
    assert versions(host) == {NEW}
    assert containers(host) == {"web"}
    host.run("echo '{}' > /etc/docker/daemon.json; systemctl restart docker")


@pytest.mark.parametrize("release", [7, 9])
def test_a_held_host_keeps_its_set_in_an_update_and_a_free_one_does_not(old, pydock, release):
    host, name = old[release], f"vs{release}"
    pydock.settings["hold"] = True
    pydock("install", "--json", "--yes", name, check=0)
    host.run("yum -y update")
    assert versions(host) == {OLD}
    assert pydock("plan", "--json", name, check=0).host(name)["steps"] == []
    pydock("install", "--json", "--yes", "--upgrade", name, check=0)
    assert versions(host) == {NEW}, "pydock itself sees a held repository"
    pydock("install", "--json", "--yes", "--docker-version", OLD, name, check=0)
    assert versions(host) == {OLD}
    pydock("install", "--json", "--yes", "--no-hold", name, check=0)
    host.run("yum -y update")
    assert versions(host) == {NEW}


def test_a_fleet_is_locked_and_followed_and_drift_is_told(old, pydock):
    written = pydock("lock", "--json", "vs7", "vs9", check=0).document
    assert written["changed"] is True
    assert written["backup"] is None
    file = pydock.directory / "pydock.lock"
    assert yaml.safe_load(file.read_text())["platforms"] == written["platforms"]
    assert written["platforms"]["centos/7/x86_64"]["docker-ce"] == f"3:{OLD}-3.el7"
    assert pydock("lock", "--json", "vs7", "vs9", check=0).document["changed"] is False

    up = pydock("install", "--json", "--yes", "--upgrade", "vs9", check=0)
    assert "pydock.lock is not followed: --upgrade" in up.stderr
    status = pydock("status", "--json", "vs7", "vs9", check=0).document
    (drift,) = status["drift"]
    assert drift["what"] == ENGINE.split()
    assert drift["values"] == [{"value": OLD, "hosts": ["vs7"]}, {"value": NEW, "hosts": ["vs9"]}]
    assert "Hosts differ: docker-ce" in pydock("status", "vs7", "vs9", check=0).stdout

    pydock.settings["docker_version"] = NEW
    planned = pydock("plan", "--json", "vs7", "vs9", check=0).document
    assert [[step["name"] for step in entry["steps"]] for entry in planned["hosts"]] == [[], ["engine", "proof"]]
    pydock("install", "--json", "--yes", "vs7", "vs9", check=0)
    assert versions(old[7]) == versions(old[9]) == {OLD}
    assert pydock("plan", "--json", "vs7", "vs9", check=0).document["summary"] == "2 hosts: 2 with nothing to do."


def test_hosts_of_one_kind_that_differ_are_not_locked(old, pydock, lab):
    """Two names of one kind: the same release, once up and once not, as a colleague's host would be."""
    old[9].run(f"yum -y install docker-compose-plugin docker-ce-{NEW} docker-ce-cli-{NEW} docker-ce-rootless-extras-{NEW}")
    (pydock.directory / "pydock.lock").write_text(
        "platforms:\n  rhel/9/x86_64: {docker-ce: 3:26.1.4-1.el9, docker-ce-cli: 1:26.1.4-1.el9, containerd.io: 1.6.33-3.1.el9}\n"
    )
    done = pydock("lock", "--json", "vs7", "vs9", check=0).document
    assert set(done["platforms"]) == {"centos/7/x86_64", "centos/9/x86_64", "rhel/9/x86_64"}, "the others stay"
    assert (pydock.directory / "pydock.lock.bak").exists()
    old[9].run("rpm -e --nodeps docker-ce-cli")
    refused = pydock("lock", "--json", "vs7", "vs9", check=5).document
    assert "vs9 runs no Docker that could be locked: it lacks docker-ce-cli" in refused["error"]
