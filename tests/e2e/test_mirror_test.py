"""Registry mirrors, asked from real hosts: what serves, what does not, and why; what hosts are set to."""

import json
from contextlib import ExitStack

import pytest

from tests.lab.engine import GATEWAY
from tests.lab.identity import identity
from tests.lab.registries import Image, mirror

#: A name that hosts resolve to the address on which the mirrors of these tests stand.
NAME = "docker.m.daocloud.io"
HUB = "https://registry-1.docker.io"


@pytest.fixture(scope="module")
def host(lab):
    """A bare host: what mirrors serve does not depend on a Docker."""
    made = lab.host("mt7", release=7)
    yield made
    made.remove()


@pytest.fixture(scope="module")
def docker(lab, tmp_path_factory):
    """A host with Docker on it."""
    from tests.e2e.conftest import Pydock

    made = lab.host("mt9", release=9)
    settings = {"repository_key": lab.key_fingerprint, "ssh": {"config": str(lab.ssh_config)}}
    settings["registry_mirrors"] = [lab.registry_mirror]
    directory = tmp_path_factory.mktemp("work")
    Pydock(directory, settings, directory / "state")("install", "--yes", "--no-compilers", "mt9", check=0)
    yield made
    made.remove()


@pytest.fixture
def pydock(pydock):
    pydock.settings["registry_mirrors"] = []
    return pydock


@pytest.fixture(scope="module")
def certificate():
    """The lab's own: hosts trust it."""
    return identity() / "server.crt", identity() / "server.key"


#: On a busy machine a good mirror may be slow.
USABLE = ("alive", "slow")


def answers(done, name):
    return {entry["url"]: entry for entry in done.host(name)["mirrors"]}


def test_every_way_to_fail_is_told_apart_and_what_serves_comes_first(lab, host, pydock, certificate, stranger):
    """One round: the lab's real registry, and beside it mirrors that each fail in a way of their own."""
    wanted = {
        "good": "alive", "bearer": "alive", "slow": "slow", "403": "restricted", "allow-list": "restricted",
        "basic": "login", "login": "login", "other-image": "wrong-content", "wrong-layer": "wrong-content",
        "hang": "dead",
    }  # fmt: skip
    with ExitStack() as stack:
        served = {
            kind: stack.enter_context(mirror(kind, GATEWAY, name=NAME, certificate=certificate)).url for kind in wanted
        }
        unknown = stack.enter_context(mirror("good", GATEWAY, name=NAME, certificate=stranger)).url
        refused = f"https://{NAME}:1"
        nowhere = "https://mirror.invalid"
        stack.enter_context(lab.mirror.fault("hub-hang", hosts=[host]))
        urls = [nowhere, refused, unknown, HUB, *served.values(), lab.registry_mirror]
        done = pydock("mirror", "test", "--json", *urls, "mt7", check=0)
        said = pydock("mirror", "test", "--no-color", unknown, served["good"], "mt7", check=0).stdout
    found = answers(done, "mt7")
    states = {kind: found[url]["state"] for kind, url in served.items()}
    assert all(states[kind] in USABLE for kind in ("good", "bearer")), states
    assert {**states, "good": "alive", "bearer": "alive"} == wanted
    assert {url: found[url]["state"] for url in (unknown, refused, nowhere, HUB)} == dict.fromkeys(
        (unknown, refused, nowhere, HUB), "dead"
    )
    assert "trust" in found[unknown]["detail"]
    assert f"/etc/docker/certs.d/{unknown.removeprefix('https://')}/ca.crt" in found[unknown]["remedy"]
    assert "resolve" in found[nowhere]["detail"]
    assert "no answer in time" in found[HUB]["detail"]
    assert "not in the allowlist" in found[served["allow-list"]]["detail"]
    assert "greeting" in found[served["other-image"]]["detail"]
    assert "digest" in found[served["wrong-layer"]]["detail"]
    real = found[lab.registry_mirror]
    assert real["state"] in USABLE
    assert real["usable"] is True
    assert real["image"].startswith("sha256:")
    assert real["rate"] > 0
    usable = [entry["usable"] for entry in done.host("mt7")["mirrors"]]
    assert usable == sorted(usable, reverse=True)
    assert set(done.document["best"]) == {served["good"], served["bearer"], served["slow"], lab.registry_mirror}
    assert done.document["best"][-1] == served["slow"]
    assert said.index(served["good"]) < said.index(unknown)
    assert f"the best that can be used is {served['good']}." in said


def test_the_fault_of_one_host_is_not_that_of_another(lab, host, docker, pydock):
    with lab.mirror.fault("mirror-403", hosts=[host]):
        done = pydock("mirror", "test", "--json", lab.registry_mirror, "mt7", "mt9", check=1)
        said = pydock("mirror", "test", lab.registry_mirror, "mt7", "mt9", check=1).stdout
    assert answers(done, "mt7")[lab.registry_mirror]["state"] == "restricted"
    assert answers(done, "mt9")[lab.registry_mirror]["state"] in USABLE
    assert (done.host("mt7")["status"], done.host("mt9")["status"]) == ("failed", "ok")
    assert done.document["best"] == []
    assert "no mirror can be used on mt7" in said


def test_the_engines_own_certificates_insecure_registries_and_proxy_count(docker, pydock, stranger):
    """What matters is what dockerd would see, not what curl sees."""
    with (
        mirror("good", GATEWAY, name=NAME, certificate=stranger) as trusted,
        mirror("good", GATEWAY, name=NAME, certificate=stranger) as insecure,
        mirror("good", GATEWAY) as proxy,
    ):
        behind = "http://only-by-proxy.invalid"
        place = f"/etc/docker/certs.d/{trusted.url.removeprefix('https://')}"
        before = docker.run("cat /etc/docker/daemon.json").stdout
        settings = {
            **json.loads(before),
            "insecure-registries": [insecure.url.removeprefix("https://")],
            "proxies": {"http-proxy": f"http://user:s3cret@{proxy.url.removeprefix('http://')}", "no-proxy": NAME},
        }
        try:
            docker.run(f"mkdir -p {place}; cat > {place}/ca.crt <<'END'\n{stranger[0].read_text()}\nEND")
            docker.run(f"cat > /etc/docker/daemon.json <<'END'\n{json.dumps(settings)}\nEND")
            done = pydock("mirror", "test", "--json", trusted.url, insecure.url, behind, "mt9", check=0)
        finally:
            docker.run(f"rm -r {place}; cat > /etc/docker/daemon.json <<'END'\n{before}\nEND")
        found = answers(done, "mt9")
        assert all(entry["usable"] for entry in found.values()), found
        assert found[behind]["proxy"] == proxy.url
        assert "s3cret" not in done.stdout + done.stderr
        (first, headers), *_ = proxy.requests
    assert first == f"{behind}/v2/"
    assert headers["Proxy-Authorization"]


def test_a_drop_in_tells_the_proxy_also_before_the_engine_runs(host, pydock):
    with mirror("good", GATEWAY) as proxy:
        place = "/etc/systemd/system/docker.service.d"
        host.run(
            f"mkdir -p {place}; printf '[Service]\\nExecStart=\\nExecStart=/bin/true\\n' > /etc/systemd/system/docker.service; "
            f"printf '[Service]\\nEnvironment=\"HTTP_PROXY={proxy.url}\"\\n' > {place}/proxy.conf; systemctl daemon-reload"
        )
        try:
            done = pydock("mirror", "test", "--json", "http://only-by-proxy.invalid", "mt7", check=0)
        finally:
            host.run(f"rm -r {place} /etc/systemd/system/docker.service; systemctl daemon-reload")
    assert answers(done, "mt7")["http://only-by-proxy.invalid"]["proxy"] == proxy.url


def test_without_an_address_the_shipped_list_the_settings_and_the_hosts_own_are_asked(lab, docker, pydock):
    with mirror("good", GATEWAY) as mine:
        pydock.settings["registry_mirrors"] = [mine.url]
        found = answers(pydock("mirror", "test", "--json", "mt9", check=0), "mt9")
    assert found[mine.url]["usable"]
    assert found[lab.registry_mirror]["in_effect"] is True
    assert found["https://docker.1ms.run"]["state"] == "dead"
    assert found["https://docker.1ms.run"]["known"]["note"]


def test_show_tells_file_drop_in_and_effect(lab, docker, host, pydock):
    """One mirror is in effect, one was written behind the engine's back, one host has no Docker."""
    with mirror("403", GATEWAY) as late:
        before = docker.run("cat /etc/docker/daemon.json").stdout
        settings = {**json.loads(before), "registry-mirrors": [lab.registry_mirror, late.url]}
        try:
            docker.run(f"cat > /etc/docker/daemon.json <<'END'\n{json.dumps(settings)}\nEND")
            done = pydock("mirror", "show", "--json", "mt9", "mt7", check=0)
            said = pydock("mirror", "show", "--no-color", "mt9", "mt7", check=0).stdout
            quiet = pydock("mirror", "show", "--json", "--no-test", "mt9", check=0)
        finally:
            docker.run(f"cat > /etc/docker/daemon.json <<'END'\n{before}\nEND")
    found = answers(done, "mt9")
    assert found[lab.registry_mirror]["places"] == ["/etc/docker/daemon.json"]
    assert found[lab.registry_mirror]["in_effect"] is True
    assert found[late.url]["in_effect"] is False
    assert found[late.url]["state"] == "restricted"
    assert answers(quiet, "mt9")[late.url]["state"] is None
    assert done.host("mt9")["engine"].startswith("20.10")
    assert (done.host("mt7")["docker"], done.host("mt7")["mirrors"]) == (False, [])
    assert "not in effect: the engine was not reloaded since" in " ".join(said.split())
    assert "no Docker" in said


def test_show_finds_flags_and_a_clash(docker, pydock):
    place = "/etc/systemd/system/docker.service.d/mirror.conf"
    docker.run(
        f"mkdir -p {place.rpartition('/')[0]}; printf '[Service]\\nExecStart=\\nExecStart=/usr/bin/dockerd -H fd:// "
        f"--registry-mirror https://flag.example\\n' > {place}"
    )
    try:
        shown = pydock("mirror", "show", "--json", "--no-test", "mt9", check=0).host("mt9")
    finally:
        docker.run(f"rm {place}")
    (flag,) = [entry for entry in shown["mirrors"] if entry["url"] == "https://flag.example"]
    assert flag["places"] == [place]
    assert "does not start with both" in shown["problems"][0]


def test_an_ordinary_user_may_ask(lab, pydock):
    """No root is needed to ask what a mirror serves."""
    user = lab.host("mtu9", release=9, users={"ops": "none"})
    try:
        done = pydock("mirror", "test", "--json", lab.registry_mirror, "-u", "ops", "mtu9", check=0)
    finally:
        user.remove()
    assert answers(done, "mtu9")[lab.registry_mirror]["usable"]


def test_a_host_that_is_off_holds_nobody_up(lab, host, pydock):
    done = pydock("mirror", "test", "--json", "--timeout", "3", lab.registry_mirror, "mt7", "192.0.2.1", check=4)
    assert done.host("mt7")["status"] == "ok"
    assert done.host("192.0.2.1")["status"] == "unreachable"


def test_a_layer_of_some_size_has_a_rate(host, pydock):
    with mirror("good", GATEWAY, image=Image(padding=200_000)) as large, mirror("good", GATEWAY) as small:
        found = answers(pydock("mirror", "test", "--json", large.url, small.url, "mt7", check=0), "mt7")
    assert found[large.url]["rate"] > 0
    assert found[small.url]["rate"] is None


def test_nothing_is_written_on_the_host(host, pydock):
    """But for the shared memory of rpm's own database, which every question to rpm touches."""
    passed = " ".join(f"-not -path '{place}/*'" for place in ("/proc", "/run", "/var/log", "/var/lib/rpm"))
    host.run("touch /var/tmp/before; sleep 1.1; touch /var/tmp/after")
    with mirror("good", GATEWAY) as one:
        pydock("mirror", "test", one.url, "mt7", check=0)
    assert host.run(f"find / /tmp -xdev -type f -newer /var/tmp/before {passed}").stdout.split() == ["/var/tmp/after"]
