"""The proof on real hosts: at which stage it ends, what the cause is, and what stays behind."""

import json
import re
import subprocess
from contextlib import contextmanager

import pytest

from tests.e2e.conftest import Pydock
from tests.lab import engine
from tests.lab.engine import GATEWAY
from tests.lab.registries import mirror
from tests.unit.modules import library

maker = library("pydock_builtin_image")
NAME = "docker.m.daocloud.io"
#: Which of the two an engine says is a matter of luck: its clocks run out at the same time.
HANGS = re.compile(
    r'proof: The image hello-world could not be pulled: Get "https://registry-1\.docker\.io/v2/": '
    r"(net/http: request canceled \(Client\.Timeout exceeded while awaiting headers\)|context deadline exceeded)\. "
    r"Docker Hub is not reachable from this host, no mirror is configured\."
)


@pytest.fixture(scope="module")
def hosts(lab, tmp_path_factory):
    """Docker on an old and a new release, without mirrors."""
    made = [lab.host("vy7", release=7), lab.host("vy9", release=9)]
    settings = {"repository_key": lab.key_fingerprint, "ssh": {"config": str(lab.ssh_config)}, "verify": {"image": "builtin"}}
    directory = tmp_path_factory.mktemp("work")
    Pydock(directory, settings, directory / "state")("install", "--yes", "--no-compilers", "vy7", "vy9", check=0)
    yield made
    for host in made:
        host.remove()


@pytest.fixture
def host(hosts):
    return hosts[1]


@pytest.fixture
def pydock(pydock):
    pydock.settings["registry_mirrors"] = []
    return pydock


def images(host):
    return host.run("docker images -aq --no-trunc; docker ps -aq").stdout


def failure(done, name="vy9"):
    assert done.code == 1, done.stdout + done.stderr
    told = done.host(name)
    assert told["status"] == "failed"
    assert told["proof"]["hello_world"] is False
    return told


@contextmanager
def mirrors(host, *urls):
    """Registry mirrors in effect on a host."""
    host.run(f"echo '{json.dumps({'registry-mirrors': urls})}' > /etc/docker/daemon.json; systemctl reload docker")
    try:
        yield
    finally:
        host.run("echo '{\"registry-mirrors\": []}' > /etc/docker/daemon.json; systemctl reload docker")


@contextmanager
def everything_dead(lab, *hosts):
    with lab.mirror.fault("hub-hang", hosts=list(hosts)), lab.mirror.fault("mirror-403", hosts=list(hosts)):
        yield


def test_a_closed_network_is_no_hindrance_to_a_proof_and_nothing_of_it_stays(lab, hosts, pydock):
    before = [images(host) for host in hosts]
    lines = len(lab.mirror.log())
    with everything_dead(lab, *hosts):
        done = pydock("verify", "--json", "--verify-image", "builtin", "vy7", "vy9", check=0)
    for name in ("vy7", "vy9"):
        assert done.host(name)["proof"]["hello_world"] is True
        assert done.host(name)["proof"]["image"] == "builtin"
        assert done.host(name)["steps"][0]["detail"].startswith("builtin made and run")
    assert [images(host) for host in hosts] == before
    assert not [r for r in lab.mirror.log()[lines:] if r["client"] in [h.address for h in hosts] and "/manifests/" in r["path"]]
    assert json.loads(hosts[0].run("cat /var/lib/pydock/proof.json").stdout)["image"] == "builtin"
    assert "builtin ok" in pydock("status", "vy7", check=0).stdout


def load(host, image):
    subprocess.run(
        ["docker", "-H", f"unix://{engine.SOCKET}", "exec", "-i", host.container, "docker", "load"],
        input=image.archive, check=True, capture_output=True,
    )  # fmt: skip


def test_an_image_that_was_there_before_stays(host, pydock):
    image = maker.image("amd64")
    load(host, image)
    try:
        done = pydock("verify", "--json", "--verify-image", "builtin", "vy9", check=0)
        assert done.host("vy9")["steps"][0]["detail"].startswith("builtin run")
        assert image.image_id in images(host)
    finally:
        host.run(f"docker rmi {image.name}")


def test_another_image_under_that_name_is_neither_run_nor_removed(host, pydock):
    image, other = maker.image("amd64"), maker.image("arm64")
    load(host, other)
    host.run(f"docker tag {other.name} {image.name}")
    try:
        told = failure(pydock("verify", "--json", "--verify-image", "builtin", "vy9"))
        assert (told["code"], told["proof"]["failed"]) == ("image-differs", "load")
        assert host.run("docker images --no-trunc -q pydock/builtin").stdout.split() == [other.image_id] * 2
    finally:
        host.run(f"docker rmi {image.name} {other.name}")


def test_a_hub_that_hangs_and_no_mirror(lab, host, pydock):
    with lab.mirror.fault("hub-hang", hosts=[host]):
        told = failure(pydock("verify", "--json", "vy9"))
    assert HANGS.fullmatch(told["cause"]), told["cause"]
    assert (told["code"], told["proof"]["failed"]) == ("client-timeout", "pull")
    assert "`pydock mirror test HOST`" in told["remedy"]
    assert "`pydock mirror set --best 2 HOST`" in told["remedy"]
    assert "--verify-image builtin" in told["remedy"]
    assert any("registry-1.docker.io" in line for line in told["evidence"])


def test_a_hub_that_hangs_behind_a_mirror_that_forbids(lab, host, pydock):
    with everything_dead(lab, host), mirrors(host, lab.registry_mirror):
        told = failure(pydock("verify", "--json", "vy9"))
    assert f"Docker Hub is not reachable from this host, the mirror {NAME} is configured and did not serve either." in told["cause"]
    assert "403" in told["cause"]
    assert told["proof"]["registry_mirrors"] == [lab.registry_mirror]
    assert told["code"] == "client-timeout"


def test_a_hub_that_hangs_behind_a_mirror_whose_certificate_nobody_knows(lab, host, pydock, stranger):
    dead = lab.mirror.fault("hub-hang", hosts=[host])
    with mirror("good", GATEWAY, name=NAME, certificate=stranger) as served, mirrors(host, served.url), dead:
        told = failure(pydock("verify", "--json", "vy9"))
    assert "did not serve either" in told["cause"]
    assert "Besides, the engine's journal tells: The host does not know the authority" in told["cause"]
    assert any("x509" in line for line in told["evidence"])


def test_a_certificate_that_the_engine_does_not_know(host, pydock):
    """Docker Hub behind an inspecting proxy whose authority the host was not given."""
    host.run("systemctl set-environment SSL_CERT_FILE=/dev/null SSL_CERT_DIR=/nowhere; systemctl restart docker")
    try:
        told = failure(pydock("verify", "--json", "vy9"))
        assert (told["code"], told["proof"]["failed"]) == ("certificate-unknown", "pull")
        assert "/etc/pki/ca-trust/source/anchors" in told["remedy"]
    finally:
        host.run("systemctl unset-environment SSL_CERT_FILE SSL_CERT_DIR; systemctl restart docker")


def test_an_engine_that_is_stopped(host, pydock):
    host.run("systemctl stop docker.socket docker")
    try:
        told = failure(pydock("verify", "--json", "vy9"))
        assert (told["code"], told["proof"]["failed"]) == ("daemon-down", "service")
        assert "docker.service is inactive" in told["cause"]
    finally:
        host.run("systemctl start docker.socket docker")


def test_an_engine_that_does_not_start_is_told_by_its_journal(host, pydock):
    unit = "/etc/systemd/system/docker.service.d/wrong.conf"
    host.run(
        f"mkdir -p {unit.rpartition('/')[0]}; printf '[Service]\\nExecStart=\\nExecStart=/usr/bin/dockerd --grahp=/data\\n' > {unit}; "
        "systemctl daemon-reload; systemctl stop docker.socket docker; systemctl start docker; true"
    )
    try:
        done = pydock("verify", "--json", "vy9")
        told = failure(done)
        assert (told["code"], told["proof"]["failed"]) == ("unknown-flag", "service")
        assert "--grahp" in told["cause"]
        said = pydock("verify", "--no-color", "vy9").stdout
        assert "| " in said and "unknown flag: --grahp" in said
        assert "pydock explain unknown-flag" in said
    finally:
        host.run(f"rm {unit}; systemctl daemon-reload; systemctl reset-failed docker; systemctl start docker.socket docker")


def test_a_full_disk(host, pydock):
    host.run("mkdir -p /var/lib/docker/tmp && mount -t tmpfs -o size=64k tmpfs /var/lib/docker/tmp")
    try:
        told = failure(pydock("verify", "--json", "vy9"))
        assert (told["code"], told["proof"]["failed"]) == ("disk-full", "pull")
    finally:
        host.run("umount /var/lib/docker/tmp")


def test_a_container_that_cannot_be_started(host, pydock):
    host.run("mv $(command -v runc) /root/runc")
    try:
        told = failure(pydock("verify", "--json", "--verify-image", "builtin", "vy9"))
        assert (told["code"], told["proof"]["failed"]) == ("runtime-missing", "run")
        assert not host.run("docker images -q pydock/builtin; docker ps -aq").stdout
    finally:
        host.run("mv /root/runc $(dirname $(command -v containerd))/runc")


def test_an_image_that_says_something_else(host, pydock):
    image = maker.image("amd64")
    load(host, image)
    host.run(f"docker tag {image.name} hello-world")
    try:
        told = failure(pydock("verify", "--json", "vy9"))
        assert (told["code"], told["proof"]["failed"]) == ("wrong-greeting", "greeting")
    finally:
        host.run(f"docker rmi hello-world {image.name}")


def test_no_password_of_a_proxy_is_told_or_kept(host, pydock):
    unit = "/etc/systemd/system/docker.service.d/http-proxy.conf"
    host.run(
        f"mkdir -p {unit.rpartition('/')[0]}; printf '[Service]\\nEnvironment=HTTPS_PROXY=http://ops:s3cr3t-word@127.0.0.1:9\\n' > {unit}; "
        "systemctl daemon-reload; systemctl restart docker"
    )
    try:
        done = pydock("verify", "--json", "vy9")
        assert failure(done)["code"] == "proxy-unreachable"
        kept = "".join(p.read_text(errors="replace") for p in pydock.state.rglob("*") if p.is_file())
        assert "s3cr3t-word" not in done.stdout + done.stderr + kept
    finally:
        host.run(f"rm {unit}; systemctl daemon-reload; systemctl restart docker")
