"""A host with firewalld, as most have it: Docker beside it, and off again, with the zones of others as they were."""

import pytest

from tests.lab.picture import out

#: What there is for good, and of the running one what a user has put there.
ZONES = "firewall-cmd --permanent --list-all-zones; firewall-cmd --list-all"


@pytest.fixture(scope="module")
def host(lab):
    made = lab.host("fw9", release=9)
    made.run("yum -y -q install firewalld && systemctl -q enable --now firewalld")
    made.run("firewall-cmd -q --permanent --add-port=8443/tcp; firewall-cmd -q --reload; firewall-cmd -q --add-port=9443/tcp")
    yield made
    made.remove()


def test_docker_lives_beside_it_and_leaves_as_it_came(host, pydock):
    before = out(host, ZONES)
    assert "8443/tcp 9443/tcp" in before
    findings = {finding["code"]: finding for finding in pydock("check", "--json", "fw9", check=0).host("fw9")["findings"]}
    assert findings["firewalld"]["severity"] == "ok"
    assert "nftables" in findings["firewalld"]["message"]

    pydock("install", "--yes", "--no-compilers", "fw9", check=0)
    assert out(host, "firewall-cmd --get-zone-of-interface=docker0") == "docker\n"
    # A restart of firewalld takes the engine's rules away, and the engine sees it.
    host.run("systemctl restart firewalld; firewall-cmd -q --add-port=9443/tcp")
    host.run("timeout 60 sh -c 'until [ \"$(firewall-cmd --get-zone-of-interface=docker0)\" = docker ]; do sleep 0.2; done'")
    pydock("verify", "fw9", check=0)

    gone = pydock("uninstall", "--json", "--all", "--with-tools", "--yes", "--yes-delete-data", "fw9", check=0).host("fw9")
    assert gone["left"] == []
    assert out(host, ZONES) == before
    # The running firewalld is not reloaded, for 9443 would be lost: an empty zone stays until then.
    assert out(host, "firewall-cmd --zone=docker --list-interfaces").strip() == ""
    host.run("firewall-cmd -q --reload")
    assert "docker" not in out(host, "firewall-cmd --get-zones").split()
    host.ssh("true")
