"""Release 6 beside release 9, in one run and one table: installed, proven, left alone, drifted, restored."""

import json

import pytest

from tests.lab.identity import fingerprint


@pytest.fixture(scope="module")
def hosts(lab):
    for known in lab.known():
        if known.name in ("old6", "new9"):
            known.remove()
    made = [lab.host("old6", release=6, base="dead"), lab.host("new9", release=9)]
    _with_the_trays_docker(made[0])
    yield made
    for host in made:
        host.remove()


def _with_the_trays_docker(host):
    """The application of that name, from before the mirrors went."""
    file = "/etc/yum.repos.d/CentOS-Base.repo"
    host.run(
        f"cp -p {file} /root/dead; sed -i -e 's|^mirrorlist=|#|' -e "
        f"'s|^#baseurl=http://mirror.centos.org/centos/$releasever|baseurl=http://vault.centos.org/6.10|' {file}; "
        f"printf '[e]\\nname=e\\nbaseurl=http://dl.fedoraproject.org/pub/archive/epel/6/$basearch\\n"
        f"gpgcheck=0\\n' > /etc/yum.repos.d/e.repo; yum -y -q install docker epel-release; rm /etc/yum.repos.d/e.repo; cp -p /root/dead {file}",
        timeout=300,
    )
    assert host.run("rpm -q docker epel-release").stdout.split() == ["docker-1.5-5.el6.x86_64", "epel-release-6-8.x86_64"]


@pytest.fixture
def pydock6(pydock):
    """With the key of the lab's EPEL in place of the real one."""
    pydock.settings["legacy"] = {"epel_key": fingerprint("epel")}
    pydock.settings["repair_base_repositories"] = True
    return pydock


def test_fresh_hosts_of_both_kinds_in_one_run(hosts, pydock6, lab):
    old, _new = hosts
    planned = pydock6("plan", "--json", "old6", "new9", check=0)
    steps = {step["name"]: step for step in planned.host("old6")["steps"]}
    assert list(steps) == [
        "base-repositories", "repository", "remove", "compilers", "engine", "settings", "service", "proof",
    ]  # fmt: skip
    assert "system tray" in steps["remove"]["detail"]
    assert old.run("rpm -q docker-io", check=False).returncode == 1, "a plan changes nothing"

    done = pydock6("install", "--json", "--yes", "old6", "new9", check=0)
    entry = done.host("old6")
    assert entry["status"] == "ok"
    assert [step["name"] for step in entry["steps"]] == list(steps)
    assert (entry["proof"]["client"], entry["proof"]["server"]) == ("1.7.1", "1.7.1")
    assert entry["proof"]["registry_mirrors"] == [lab.registry_mirror]
    assert entry["proof"]["image"] == "builtin"
    assert "schema 1" in entry["steps"][-1]["detail"], "why another image proves it is said"
    assert done.host("new9")["proof"]["image"] == "hello-world"

    assert old.run("rpm -q docker", check=False).returncode == 1
    assert old.run("rpm -q gcc gcc-c++ docker-io").returncode == 0
    assert old.run("chkconfig --list docker; chkconfig --list cgconfig").stdout.count("3:on") == 2
    assert f'other_args="--registry-mirror={lab.registry_mirror}"' in old.run("cat /etc/sysconfig/docker").stdout
    assert "Managed by pydock" in old.run("cat /etc/yum.repos.d/epel.repo").stdout
    assert "metalink" in old.run("cat /etc/yum.repos.d/epel.repo.pydock-*.bak").stdout, "the old file is kept"
    assert "1.7.1" in pydock6("install", "--yes", "old6", "new9", check=0).stdout, "one table has both"


def test_the_second_run_is_one_look(hosts, pydock6):
    again = pydock6("install", "--json", "old6", "new9", check=0)
    assert {entry["status"] for entry in again.document["hosts"]} == {"unchanged"}
    assert again.document["run_directory"] is None, "a converged fleet costs no Ansible run"
    status = pydock6("status", "--json", "old6", check=0).host("old6")
    assert status["facts"]["service"] == {"active": "active", "enabled": "enabled"}
    checked = pydock6("check", "--json", "old6", check=0).host("old6")
    assert not [f for f in checked["findings"] if f["severity"] in ("blocker", "unknown")]


def test_the_tree_repeats_and_check_mode_changes_nothing(hosts, pydock6, lab):
    """As Ansible's user has it: the roles alone, no Python on the host."""
    import subprocess
    import sys
    from pathlib import Path

    tree = pydock6.directory / "tree"
    hosts[0].run("chkconfig docker off")
    pydock6("generate", str(tree), "old6", check=0)
    program = Path(sys.executable).parent / "ansible-playbook"
    looked = subprocess.run([program, "site.yml", "--check"], cwd=tree, capture_output=True, text=True, timeout=300)
    assert looked.returncode == 0, looked.stdout
    assert "changed=1" in looked.stdout
    assert hosts[0].run("chkconfig --list docker").stdout.count("on") == 0
    done = subprocess.run([program, "site.yml"], cwd=tree, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout
    assert "3:on" in hosts[0].run("chkconfig --list docker").stdout


def test_drift_is_seen_and_undone(hosts, pydock6, lab):
    old = hosts[0]
    old.run("service docker stop; sed -i 's|^other_args=.*|other_args=\"--label=rack=7\"|' /etc/sysconfig/docker")
    planned = [step["name"] for step in pydock6("plan", "--json", "old6", check=0).host("old6")["steps"]]
    assert planned == ["settings", "service", "proof"]
    entry = pydock6("install", "--json", "--yes", "old6", check=0).host("old6")
    assert entry["proof"]["registry_mirrors"] == [lab.registry_mirror]
    # What somebody set beside it stays.
    assert f'other_args="--label=rack=7 --registry-mirror={lab.registry_mirror}"' in old.run("cat /etc/sysconfig/docker").stdout


def test_options_that_the_engine_refuses_are_put_back(hosts, pydock6):
    old = hosts[0]
    before = old.run("cat /etc/sysconfig/docker").stdout
    pydock6.settings["daemon"] = {"bip": "not-an-address"}
    failed = pydock6("install", "--json", "--yes", "--skip", "address-pool", "old6", check=1).host("old6")
    assert failed["code"] == "settings-rolled-back"
    assert "the engine runs with it" in failed["cause"]
    assert old.run("cat /etc/sysconfig/docker").stdout == before
    assert "Server version" in old.run("docker version").stdout

    for daemon, word in (({"live-restore": True}, "no flag for live-restore"), ({"storage-driver": "overlay2"}, "overlay2")):
        pydock6.settings["daemon"] = daemon
        refused = pydock6("install", "--json", "--yes", "old6").host("old6")
        assert word in refused["cause"]
        assert old.run("cat /etc/sysconfig/docker").stdout == before


def test_mirrors_change_by_a_restart_that_takes_a_word(hosts, pydock6, lab):
    old = hosts[0]
    name = json.loads(old.run("cat /var/lib/pydock/proof.json").stdout)["image"]
    assert name == "builtin"
    image = old.run("docker images -q pydock/builtin").stdout.split()[0]
    # Something that goes on running: the engine's own word for a paused container.
    old.run(f"docker run -d --name keeps -v /bin:/b -v /lib:/lib -v /lib64:/lib64 --entrypoint /b/sleep {image} 600")
    other = "https://mirrors.aliyun.com"
    shown = pydock6("mirror", "show", "--json", "old6", check=0).host("old6")
    assert [m["url"] for m in shown["mirrors"]] == [lab.registry_mirror]

    held = pydock6("mirror", "add", "--force", "--yes", other, "old6")
    assert held.code != 0
    assert "keeps" in held.stdout
    assert other not in old.run("cat /etc/sysconfig/docker").stdout
    assert "keeps" in old.run("docker ps").stdout

    pydock6("mirror", "add", "--force", "--yes", "--restart", other, "old6", check=0)
    assert other in old.run("tr '\\000' ' ' < /proc/$(cat /var/run/docker.pid)/cmdline").stdout
    old.run("docker rm -f keeps")
    pydock6("mirror", "remove", "--yes", other, "old6", check=0)
    assert other not in old.run("cat /etc/sysconfig/docker").stdout


def test_what_was_repaired_is_restored(hosts, pydock6):
    old = hosts[0]
    pydock6("restore", "--yes", "old6", check=0)
    assert old.run("cmp /etc/yum.repos.d/CentOS-Base.repo /root/dead", check=False).returncode == 0
