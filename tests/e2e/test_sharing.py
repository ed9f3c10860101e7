"""Packages fetched once for a fleet, and handed to its hosts over their own SSH connections."""

from collections import Counter
from types import SimpleNamespace

import pytest

from tests.lab.identity import identity
from tests.lab.packages import GATEWAY, forward_proxy

NAMES = ["sh9a", "sh9b", "sh9c"]
FEW = ("install", "--json", "--yes", "--no-compilers", "--share-packages")


@pytest.fixture
def hosts(lab):
    made = lab.hosts([(name, 9) for name in NAMES], fresh=True)
    yield made
    for host in made:
        host.remove()


def engine(entry):
    return next(step["detail"] for step in entry["steps"] if step["name"] == "engine")


def test_each_package_is_fetched_once_and_a_broken_one_is_handed_to_nobody(hosts, lab, pydock, tmp_path):
    """The controller knows no mirror's name; its proxy does, and is the one client that the mirror sees for it."""
    with forward_proxy() as proxy:
        way = f"http://{GATEWAY}:{proxy.server_port}"
        pydock.environment = {"https_proxy": way, "http_proxy": way, "no_proxy": "", "XDG_CACHE_HOME": str(tmp_path / "cache"),
                              "SSL_CERT_FILE": str(identity() / "ca.crt")}  # fmt: skip
        with lab.mirror.fault("truncated-rpm", [SimpleNamespace(address=GATEWAY)]):
            failed = pydock(*FEW, NAMES[0], check=1).host(NAMES[0])
        assert failed["code"] == "not-shared"
        assert "docker-ce-2" in failed["cause"]
        assert hosts[0].run("rpm -q docker-ce", check=False).returncode == 1

        hosts[2].run("echo 'AllowTcpForwarding no' > /etc/ssh/sshd_config.d/forwarding.conf; systemctl restart sshd")
        since = len(lab.mirror.log())
        done = pydock(*FEW, *NAMES, check=0)
    for name in NAMES[:2]:
        assert engine(done.host(name)).endswith("; through the controller")
    assert "; downloaded by itself: the controller cannot be reached through SSH" in engine(done.host(NAMES[2]))
    assert all(done.host(name)["proof"]["hello_world"] for name in NAMES)

    ours = {GATEWAY, *(host.address for host in hosts)}  # Other tests' hosts take packages meanwhile.
    log = [entry for entry in lab.mirror.log(since) if entry["client"] in ours and entry["path"].endswith(".rpm")]
    fetched = Counter((entry["client"], entry["path"]) for entry in log)
    assert {client for client, _path in fetched} == {GATEWAY, hosts[2].address}
    assert set(fetched.values()) == {1}
    assert len([path for client, path in fetched if client == GATEWAY]) == 1, "the rest was fetched and kept by the run before"
    assert "handed to hosts" in done.stderr

    # Nothing stays of it, neither on hosts nor in the tree.
    for host in hosts[:2]:
        assert host.run("ls /var/cache | grep pydock", check=False).stdout == ""
        assert "127.0.0.1" not in host.run("cat /etc/yum.repos.d/*.repo").stdout
    assert list((pydock.state / "pydock/runs").glob("*/inventory/sharing.yml")) == []
    assert list((tmp_path / "cache/pydock/packages").glob("partial-*")) == []
