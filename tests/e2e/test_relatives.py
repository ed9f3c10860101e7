"""The relatives of CentOS: each named as it is, and served from the path of its own release, which it may not know itself."""

from pathlib import Path

import pytest
import yaml

DATA = Path(__file__).resolve().parents[1] / "data/platforms"
#: The lab's host with the same Python, by the platform that it says it is.
STAND_INS = {"almalinux-8": 8, "openeuler-22": 9, "kylin-server-v10": 9}


@pytest.fixture(scope="module")
def hosts(lab):
    """By name; the lab's own release 10, and hosts with the os-release of each relative."""
    names = {"rel10": 10, **STAND_INS}
    made = dict(zip(names, lab.hosts(list(names.items()), fresh=True), strict=True))
    for name in STAND_INS:
        for file, text in platform(name)["answers"].items():
            made[name].run(f"cat > /etc/{file} <<'E'\n{text}E\n")
    yield made
    for host in made.values():
        host.remove()


def platform(name):
    return yaml.safe_load((DATA / f"{name}.yml").read_text(encoding="utf-8"))


def test_a_mixed_fleet_is_installed_in_one_run(hosts, pydock):
    paths = {"rel10": "centos/10", **{name: platform(name)["expect"]["path"] for name in STAND_INS}}
    done = pydock("install", "--json", "--yes", "--no-compilers", *hosts, check=0)
    for name, host in hosts.items():
        entry = done.host(name)
        assert entry["status"] == "ok"
        assert entry["proof"]["hello_world"] is True
        repository = host.run("cat /etc/yum.repos.d/docker-ce.repo").stdout
        assert f"/linux/{paths[name]}/$basearch/stable" in repository
        assert f".el{paths[name].partition('/')[2]}" in host.run("rpm -q docker-ce").stdout
    again = pydock("install", "--json", "--no-compilers", *hosts, check=0)
    assert {entry["status"] for entry in again.document["hosts"]} == {"unchanged"}
