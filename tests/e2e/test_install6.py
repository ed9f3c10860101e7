"""Release 6 beside release 9, in one run and one table: installed, proven, left alone, drifted, restored, and off again."""

import json
import signal
import time

import pytest

from tests.e2e.conftest import running
from tests.lab.identity import fingerprint

#: Rules of other owners, in tables and chains where Docker has some, too.
NEIGHBOURS = """
iptables -P FORWARD ACCEPT
iptables -A INPUT -p tcp --dport 22 -m comment --comment "mine, not -j DOCKER" -j ACCEPT
iptables -A FORWARD -i docker0 -p tcp --dport 9999 -j DROP
iptables -t nat -A POSTROUTING -s 10.77.0.0/16 ! -o cni0 -j MASQUERADE
iptables-save | grep ^-A > /root/rules
"""


@pytest.fixture(scope="module")
def hosts(lab):
    for known in lab.known():
        if known.name in ("old6", "new9"):
            known.remove()
    made = [lab.host("old6", release=6, base="dead", users={"ops": "nopasswd"}), lab.host("new9", release=9)]
    _with_the_trays_docker(made[0])
    made[0].run(f"{NEIGHBOURS}rpm -qa | sort > /root/packages")
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
    # By a user with sudo, as most have it.
    entry = pydock6("install", "--json", "--yes", "-u", "ops", "old6", check=0).host("old6")
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


def with_work(host):
    """A container that runs, a port, a volume with data."""
    image = host.run("docker images -q pydock/builtin").stdout.split()[0]
    host.run(
        f"docker run -d --name web -v web:/data -v /bin:/b -v /lib:/lib -v /lib64:/lib64 -p 8080:80 --entrypoint /b/sh {image} "
        "-c 'trap exit TERM; /b/sleep 600 & wait'; echo precious > /var/lib/docker/volumes/web/_data/file"
    )


def test_docker_goes_from_both_kinds_of_host_and_what_is_not_its_own_stays(hosts, pydock6):
    old, _new = hosts
    with_work(old)
    shown = pydock6("uninstall", "--dry-run", "old6", "new9", check=0).stdout
    assert "web (image unknown, runs)" in shown
    assert "stop the service docker" in shown
    assert "web" in old.run("docker ps").stdout

    old.run("touch /var/lib/docker/invoices.ods")
    refused = pydock6("uninstall", "--json", "--purge-data", "--yes", "--yes-delete-data", "old6", check=5).host("old6")
    assert (refused["status"], refused["code"]) == ("refused", "data-root-foreign")
    assert "web" in old.run("docker ps").stdout
    old.run("rm /var/lib/docker/invoices.ods")

    gone = pydock6("uninstall", "--json", "--yes", "old6", "new9", check=0)
    assert [step["name"] for step in gone.host("old6")["steps"]] == ["stop", "network", "firewall", "packages", "system"]
    assert {gone.host(name)["status"] for name in ("old6", "new9")} == {"ok"}
    left = {row["what"].partition(" ")[0]: row["why"] for row in gone.host("old6")["left"]}
    assert {"/var/lib/docker", "/etc/sysconfig/docker.rpmsave", "gcc", "libcgroup"} <= set(left)
    assert old.run("cat /var/lib/docker/volumes/web/_data/file").stdout == "precious\n"
    assert old.run("iptables-save | grep ^-A | diff /root/rules -", check=False).stdout == ""
    there = old.run("rpm -q docker-io; ls -d /sys/class/net/docker0 /var/run/docker*; ls /etc/rc.d/rc*.d | grep docker; getent group docker", check=False)
    assert there.stdout == "package docker-io is not installed\n"
    assert "3:on" in old.run("chkconfig --list cgconfig").stdout, "it is not Docker's"
    again = pydock6("uninstall", "--json", "--yes", "old6", "new9", check=0)
    assert {entry["status"] for entry in again.document["hosts"]} == {"unchanged"}
    assert again.document["run_directory"] is None


def test_cut_off_half_way_the_next_uninstallation_finishes_without_a_trace(hosts, pydock6):
    old, _new = hosts
    pydock6("install", "--yes", "old6", check=0)
    assert "web" in old.run("ls /var/lib/docker/volumes").stdout.split()
    with running(pydock6, "uninstall", "--json", "--all", "--yes", "--yes-delete-data", "old6") as process:
        deadline = time.monotonic() + 60
        while old.run("test -e /etc/init.d/docker", check=False).returncode == 0 and time.monotonic() < deadline and process.poll() is None:
            pass
        process.send_signal(signal.SIGINT)
        stdout, _ = process.communicate(timeout=120)
    assert json.loads(stdout)["exit_code"] == process.returncode
    done = pydock6("uninstall", "--json", "--all", "--with-tools", "--yes", "--yes-delete-data", "old6", check=0).host("old6")
    assert done["status"] in ("ok", "unchanged")
    # The user's own repository file, which pydock replaced, and the package that it removed can still be put back.
    assert {row["what"] for row in done["left"]} <= {"/etc/yum.repos.d/epel.repo", "/var/lib/pydock/journal.jsonl"}
    assert old.run("rpm -qa | sort | diff /root/packages -", check=False).stdout.split()[1:] == ["<", "docker-1.5-5.el6.x86_64"]
    assert old.run("iptables-save | grep ^-A | diff /root/rules -; iptables-save -t filter | grep ^:FORWARD", check=False).stdout.startswith(":FORWARD ACCEPT")
    assert old.run("ls -A /var/lib/docker; ls -A /etc/sysconfig /var/log | grep docker", check=False).stdout == ""
    assert pydock6("uninstall", "--json", "--all", "--yes", "--yes-delete-data", "old6", check=0).document["run_directory"] is None
