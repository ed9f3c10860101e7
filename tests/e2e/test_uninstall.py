"""Off again without a trace and without a loss: real engines with containers, volumes, neighbours and awkward disks."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time

import pytest
import yaml

from tests.e2e.conftest import TOP, running
from tests.lab.picture import difference, out, picture, rules

RELEASES = (7, 8, 9)
NAMES = [f"un{release}" for release in RELEASES]
#: A container that lives, from nothing but what a host has. sleep ends on no TERM: the engine would wait ten seconds for it.
IMAGE = (
    "quick='--stop-signal KILL'; cd / && tar -ch bin/sleep lib64/ld-linux-x86-64.so.2 lib/x86_64-linux-gnu/libc.so.6 | docker import - sleeper >/dev/null"
)
#: Rules of other owners, in tables and chains where Docker has some, too.
NEIGHBOURS = """
iptables -N KUBE-FORWARD; iptables -A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -j ACCEPT
iptables -A FORWARD -j KUBE-FORWARD
iptables -A INPUT -p tcp --dport 22 -j ACCEPT
iptables -A FORWARD -i docker0 -p tcp --dport 9999 -m comment --comment "mine, about docker0" -j DROP
iptables -t nat -A POSTROUTING -s 10.77.0.0/16 ! -o cni0 -j MASQUERADE
iptables -t nat -A PREROUTING -p tcp --dport 8081 -j DNAT --to-destination 10.77.0.5:80
iptables -t mangle -A PREROUTING -p tcp --dport 5060 -j MARK --set-mark 0x1
ip6tables -A INPUT -p ipv6-icmp -j ACCEPT
"""


@pytest.fixture(scope="module")
def hosts(lab):
    made = lab.hosts([(f"un{release}", release) for release in RELEASES], fresh=True)
    yield dict(zip(NAMES, made, strict=True))
    for host in made:
        host.remove()


def with_work(host):
    """A container that runs, a port, a network, two volumes with data."""
    host.run(
        f"{IMAGE}; docker network create mine >/dev/null; docker volume create db >/dev/null; "
        "docker run -d $quick --name web --network mine -p 8080:80 -v web:/data sleeper /bin/sleep 100000 >/dev/null; "
        "docker run -d $quick --name old -v db:/data --restart unless-stopped sleeper /bin/sleep 100000 >/dev/null; "
        "echo precious > /var/lib/docker/volumes/web/_data/file"
    )


def test_first_docker_goes_and_data_stays_then_all_goes_without_a_trace(hosts, pydock):
    """The whole way: neighbours, containers, data kept, again nothing to do, installed anew, and gone as if never there."""
    for host in hosts.values():
        host.run(NEIGHBOURS)
        host.run("iptables -P FORWARD ACCEPT; echo 0 > /proc/sys/net/ipv4/ip_forward; yum -y -q install buildah && rpm -e --nodeps runc; useradd -m joe")
    before = {name: picture(host) for name, host in hosts.items()}
    never = pydock("uninstall", "--json", "--yes", *NAMES, check=0).document
    assert {(entry["status"], entry["left"] == []) for entry in never["hosts"]} == {("unchanged", True)}
    assert all(difference(before[name], picture(host)) == {} for name, host in hosts.items())

    pydock("install", "--yes", *NAMES, check=0)
    for host in hosts.values():
        with_work(host)
        host.run("usermod -aG docker joe; iptables -I DOCKER-USER -s 192.0.2.9 -j DROP")
    shown = pydock("uninstall", "--dry-run", *NAMES, check=0).stdout
    for word in ("web (", "db (", "containers: 2, 2 of them running", "192.0.2.9", "group docker: joe", "networks: 1: mine"):
        assert shown.count(word) >= 3, word
    alive = {name: out(host, "docker ps -q") for name, host in hosts.items()}
    refused = pydock("uninstall", *NAMES, check=5)
    assert "--yes" in refused.stderr
    assert "--yes-delete-data" in pydock("uninstall", "--all", "--yes", *NAMES, check=5).stderr
    assert alive == {name: out(host, "docker ps -q") for name, host in hosts.items()}

    gone = pydock("uninstall", "--json", "--yes", *NAMES, check=0)
    for name, host in hosts.items():
        entry = gone.host(name)
        assert entry["status"] == "ok"
        assert [step["name"] for step in entry["steps"]] == ["stop", "packages", "network", "firewall", "system"]
        assert {v["name"] for v in entry["traces"]["volumes"]} == {"web", "db"}
        left = {row["what"].partition(" ")[0] for row in entry["left"]}
        assert {"/var/lib/docker", "/etc/docker", "gcc", "the"} <= left
        assert out(host, "cat /var/lib/docker/volumes/web/_data/file") == "precious\n"
        assert out(host, "command -v docker dockerd containerd; ps -e -o comm= | grep -E 'sleep|docker|containerd'") == ""
        assert before[name]["rules"] == rules(host), "the same rules in the same order"
        assert out(host, "id -nG joe; iptables-save -t filter | grep -o '^:FORWARD [A-Z]*'").split() == ["joe", "docker", ":FORWARD", "ACCEPT"]
        assert out(host, "stat -c %a%U /var/lib/pydock/journal.jsonl") == "600root\n"
    again = pydock("uninstall", "--json", "--yes", *NAMES, check=0).document
    assert {entry["status"] for entry in again["hosts"]} == {"unchanged"}
    assert again["run_directory"] is None
    assert "nothing to do" in pydock("uninstall", "--yes", *NAMES, check=0).stdout

    pydock("install", "--yes", *NAMES, check=0)
    for host in hosts.values():
        assert out(host, "docker volume ls -q").split() == ["db", "web"]
    wiped = pydock("uninstall", "--json", "--all", "--with-tools", "--yes", "--yes-delete-data", *NAMES, check=0)
    for name, host in hosts.items():
        entry = wiped.host(name)
        assert entry["left"] == [], name
        assert difference(before[name], picture(host)) == {}, name
    assert {entry["status"] for entry in pydock("uninstall", "--json", "--all", "--yes", "--yes-delete-data", *NAMES, check=0).document["hosts"]} == {"unchanged"}


def test_compilers_stay_and_are_told_and_only_docker_s_tables_go(hosts, pydock):
    """Engines from 29 on can have tables of nftables; these were made by hand."""
    host = hosts["un9"]
    host.run("yum -y -q install nftables")
    before = picture(host)
    pydock("install", "--yes", "un9", check=0)
    host.run(
        "for name in 'ip docker-bridges' 'ip6 docker-bridges' 'ip mine' 'inet docker-bridges-not'; do "
        "nft add table $name; nft add chain $name forward '{ type filter hook forward priority 0; }'; done"
    )
    entry = pydock("uninstall", "--json", "--all", "--yes", "--yes-delete-data", "un9", check=0).host("un9")
    told = {row["what"]: row["why"] for row in entry["left"]}
    assert set(told) == {"gcc", "gcc-c++", "yum-utils", "lvm2", "device-mapper-persistent-data"}
    new = picture(host)["packages"] - before["packages"]
    assert {name.rsplit("-", 2)[0] for name in new} == set(told)
    tables = set(out(host, "nft list tables").splitlines())
    assert {"table ip mine", "table inet docker-bridges-not"} <= tables
    assert not {"table ip docker-bridges", "table ip6 docker-bridges"} & tables
    host.run("nft delete table ip mine; nft delete table inet docker-bridges-not")
    host.run("yum -y -q remove nftables gcc gcc-c++ yum-utils lvm2 device-mapper-persistent-data")


def test_awkward_disks_lose_docker_s_data_and_nothing_else(hosts, pydock):
    """A data root moved to a file system of its own, a volume that is a mount of other files, one with options."""
    host = hosts["un8"]
    host.disk("/data/docker")
    host.run(
        "mkdir -p /srv/web /srv/opt; echo mine > /srv/web/file; echo mine > /srv/opt/file; "
        "mkdir -p /etc/docker; echo '{\"data-root\": \"/data/docker\"}' > /etc/docker/daemon.json"
    )
    pydock("install", "--yes", "--no-compilers", "un8", check=0)
    host.run(
        f"{IMAGE}; docker volume create web >/dev/null; mount --bind /srv/web /data/docker/volumes/web/_data; "
        "docker volume create --opt type=none --opt o=bind --opt device=/srv/opt opt >/dev/null; "
        "docker run -d $quick --name web -v web:/a -v opt:/b -v /srv/web:/c sleeper /bin/sleep 100000 >/dev/null"
    )
    assert out(host, "ls /data/docker/volumes/opt/_data") == "file\n"
    # Somebody works in it: refused, and nothing of the data is gone.
    host.run("cd /data/docker/volumes/web/_data && (setsid sleep 300 >/dev/null 2>&1 & echo $! > /run/holder)")
    busy = pydock("uninstall", "--json", "--purge-data", "--yes", "--yes-delete-data", "un8", check=1).host("un8")
    assert busy["code"] == "data-remain"
    assert f"{out(host, 'cat /run/holder').strip()} (sleep)" in busy["cause"]
    assert {"opt", "web"} <= set(out(host, "ls /data/docker/volumes").split())
    host.run("kill $(cat /run/holder)")
    entry = pydock("uninstall", "--json", "--purge-data", "--yes", "--yes-delete-data", "un8", check=0).host("un8")
    assert [step["name"] for step in entry["steps"]] == ["data", "system"], "it goes on where it stopped"
    assert out(host, "cat /srv/web/file /srv/opt/file") == "mine\nmine\n"
    assert out(host, "ls -A /data/docker; mountpoint -q /data/docker && echo mounted") == "lost+found\nmounted\n"
    assert out(host, "ls -A /var/lib/docker 2>/dev/null") == ""
    pydock("uninstall", "--all", "--yes", "--yes-delete-data", "un8", check=0)
    host.run("umount /data/docker; rm -rf /srv/web /srv/opt /data")


def test_subvolumes_of_btrfs_go_and_the_file_system_stays(hosts, pydock):
    """The engine makes one of each layer and container; this volume has one of its user's."""
    host = hosts["un7"]
    host.run("yum -y -q install btrfs-progs; mkdir -p /etc/docker; echo '{\"data-root\": \"/data/docker\"}' > /etc/docker/daemon.json")
    host.disk("/data/docker", "btrfs")
    pydock("install", "--yes", "--no-compilers", "un7", check=0)
    assert out(host, "docker info --format '{{.Driver}}'") == "btrfs\n"
    host.run(
        f"{IMAGE}; docker run -d $quick --name web -v web:/a sleeper /bin/sleep 100000 >/dev/null; cd /data/docker; "
        "btrfs -q subvolume create volumes/web/_data/mine; echo precious > volumes/web/_data/mine/file; "
        "btrfs -q subvolume snapshot -r volumes/web/_data/mine volumes/web/_data/mine/older"
    )
    assert out(host, "btrfs subvolume list /data/docker").count("btrfs/subvolumes") >= 3
    entry = pydock("uninstall", "--json", "--all", "--with-tools", "--yes", "--yes-delete-data", "un7", check=0).host("un7")
    assert not [row for row in entry["left"] if "/data" in row["what"]]
    assert out(host, "btrfs subvolume list /data/docker; ls -A /data/docker; mountpoint -q /data/docker && echo mounted") == "mounted\n"
    host.run("umount /data/docker; rm -r /data; yum -y -q remove btrfs-progs")


@pytest.mark.parametrize(
    ("prepare", "code", "word"),
    [
        ("echo x > /data/docker/invoices.ods", "data-root-foreign", "invoices.ods"),
        ("systemctl stop docker.socket docker; mv /data/docker /data/elsewhere; ln -s /data/elsewhere /data/docker", "data-root-link", "--follow-links"),
        ("mkdir -p /srv/www; mount --bind /data/docker/volumes /srv/www", "data-root-elsewhere", "/srv/www"),
    ],
)  # fmt: skip
def test_a_data_root_that_is_not_docker_s_alone_is_refused_before_anything_is_touched(hosts, pydock, prepare, code, word):
    host = hosts["un9"]
    host.run("mkdir -p /etc/docker /data; mountpoint -q /data || mount -t tmpfs none /data; echo '{\"data-root\": \"/data/docker\"}' > /etc/docker/daemon.json")
    pydock("install", "--yes", "--no-compilers", "un9", check=0)
    host.run(prepare)
    before = picture(host)
    entry = pydock("uninstall", "--json", "--all", "--yes", "--yes-delete-data", "un9", check=5).host("un9")
    assert (entry["status"], entry["code"]) == ("refused", code)
    assert word in f"{entry['cause']} {entry['remedy']}"
    assert difference(before, picture(host)) == {}
    host.run("umount /srv/www 2>/dev/null; rm -f /data/docker/invoices.ods", check=False)
    flags = ["--follow-links"] if code.endswith("link") else []
    done = pydock("uninstall", "--json", "--all", "--yes", "--yes-delete-data", *flags, "un9", check=0).host("un9")
    assert "data" in [step["name"] for step in done["steps"]]
    assert out(host, "ls -A /data") == ""


def test_containerd_of_others_is_left_alone(hosts, pydock):
    """A kubelet and images in the namespace k8s.io stand for a node of a cluster."""
    host = hosts["un9"]
    pydock("install", "--yes", "--no-compilers", "un9", check=0)
    host.run(
        f"{IMAGE}; docker save sleeper -o /root/sleeper.tar; ctr -n k8s.io images import /root/sleeper.tar >/dev/null; "
        "printf '[Service]\\nExecStart=/bin/sleep 100000\\n' > /etc/systemd/system/kubelet.service; systemctl daemon-reload; systemctl start kubelet"
    )
    entry = pydock("uninstall", "--json", "--all", "--yes", "--yes-delete-data", "un9", check=0).host("un9")
    told = {row["what"].partition(" ")[0]: row["why"] for row in entry["left"]}
    for what in ("containerd.io", "containerd.service", "/var/lib/containerd", "/etc/containerd", "/run/containerd"):
        assert "Kubernetes" in told[what], what
    assert out(host, "systemctl is-active containerd; rpm -q docker-ce; ctr -n k8s.io images ls -q | wc -l").splitlines()[::2] == ["active", "1"]
    host.run("systemctl stop kubelet; rm /etc/systemd/system/kubelet.service; systemctl daemon-reload; systemctl stop containerd")
    # kubelet is gone, its images are not: what cannot be asked any more is known from the book and the journal.
    still = pydock("uninstall", "--json", "--all", "--yes", "--yes-delete-data", "un9").host("un9")
    assert "k8s.io" in {row["what"].partition(" ")[0]: row["why"] for row in still["left"]}["/var/lib/containerd"]
    host.run("systemctl start containerd; ctr -n k8s.io images rm $(ctr -n k8s.io images ls -q); ctr namespaces rm k8s.io; rm -f /root/sleeper.tar", check=False)
    host.run("sed -i '/containerd-shared/d' /var/lib/pydock/journal.jsonl", check=False)
    pydock("uninstall", "--all", "--yes", "--yes-delete-data", "un9", check=0)
    assert out(host, "rpm -qa | grep -E 'docker|containerd'; ls -A /var/lib/containerd /var/lib/docker") .count("\n") <= 3


def test_a_static_archive_is_told_and_not_touched(hosts, pydock):
    host = hosts["un7"]
    host.run("printf '#!/bin/sh\\nexec sleep 100000\\n' > /usr/local/bin/dockerd; cp /usr/local/bin/dockerd /usr/local/bin/docker; chmod +x /usr/local/bin/docker*")
    before = picture(host)
    entry = pydock("uninstall", "--json", "--all", "--yes", "--yes-delete-data", "un7", check=5).host("un7")
    assert (entry["status"], entry["code"]) == ("refused", "foreign-docker")
    assert "/usr/local/bin/docker" in entry["cause"]
    assert difference(before, picture(host)) == {}
    pydock("uninstall", "--all", "--foreign", "--yes", "--yes-delete-data", "un7", check=0)
    assert out(host, "ls /usr/local/bin") == ""


@pytest.mark.parametrize("moment", ["stop", "packages", "data"])
def test_cut_off_half_way_the_next_run_finishes(hosts, pydock, moment):
    """The plug is pulled while it works; the host boots again."""
    host = hosts["un9"]
    pydock("install", "--yes", "--no-compilers", "un9", check=0)
    with_work(host)
    host.run("for i in $(seq 3000); do echo x > /var/lib/docker/volumes/web/_data/$i; done")
    signs = {
        "stop": "! systemctl is-active -q docker.socket",
        "packages": "! test -e /usr/bin/docker",
        "data": "! test -e /var/lib/docker/volumes/web/_data/1500",
    }
    with running(pydock, "uninstall", "--all", "--yes", "--yes-delete-data", "un9") as process:
        deadline = time.monotonic() + 120
        while host.run(signs[moment], check=False).returncode and time.monotonic() < deadline and process.poll() is None:
            pass
        host.power_off()
        assert process.wait(120) in (1, 4)
    host.power_on()
    done = pydock("uninstall", "--json", "--all", "--with-tools", "--yes", "--yes-delete-data", "un9", check=0).host("un9")
    assert done["status"] in ("ok", "unchanged")
    assert out(host, "rpm -qa | grep -E 'docker|containerd'; ls -A /var/lib/docker /etc/docker 2>/dev/null | grep -v :; ls /etc/yum.repos.d/docker*") == ""


def test_interrupted_by_hand_it_says_so_and_the_next_run_finishes(hosts, pydock):
    host = hosts["un8"]
    pydock("install", "--yes", "--no-compilers", "un8", check=0)
    with_work(host)
    with running(pydock, "uninstall", "--json", "--yes", "un8") as process:
        deadline = time.monotonic() + 60
        while out(host, "ps -e -o args= | grep '[s]ystemctl stop'") == "" and time.monotonic() < deadline and process.poll() is None:
            pass
        process.send_signal(signal.SIGINT)
        stdout, _ = process.communicate(timeout=120)
    assert process.returncode in (130, 0)
    assert json.loads(stdout)["exit_code"] == process.returncode
    entry = pydock("uninstall", "--json", "--yes", "un8", check=0).host("un8")
    assert entry["status"] in ("ok", "unchanged")
    assert out(host, "cat /var/lib/docker/volumes/web/_data/file; rpm -qa | grep docker") == "precious\n"
    pydock("uninstall", "--all", "--with-tools", "--yes", "--yes-delete-data", "un8", check=0)


def test_on_a_terminal_data_goes_only_for_the_right_numbers(hosts, pydock):
    host = hosts["un7"]
    pydock("install", "--yes", "--no-compilers", "un7", check=0)
    with_work(host)
    for typed, code in (("y", 5), ("2 1", 5), ("2 2", 0)):
        assert terminal(pydock, typed, "uninstall", "--purge-data", "un7") == code
        assert (out(host, "cat /var/lib/docker/volumes/web/_data/file") == "precious\n") == (code == 5)
        assert (out(host, "rpm -q docker-ce").startswith("docker-ce-")) == (code == 5)
    pydock("uninstall", "--all", "--with-tools", "--yes", "--yes-delete-data", "un7", check=0)


def terminal(pydock, typed, *arguments):
    """Run the command on a terminal, type one line when it asks; its exit code."""
    (pydock.directory / "pydock.yml").write_text(yaml.safe_dump(pydock.settings))
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "pydock_installer", *arguments], cwd=pydock.directory, stdin=theirs, stdout=theirs, stderr=theirs,
        env={**os.environ, "PYTHONPATH": str(TOP), "XDG_STATE_HOME": str(pydock.state), "TERM": "xterm"},
    )  # fmt: skip
    os.close(theirs)
    said, asked = b"", False
    while process.poll() is None or select.select([ours], [], [], 0)[0]:
        if not select.select([ours], [], [], 0.5)[0]:
            continue
        try:
            said += os.read(ours, 65536)
        except OSError:
            break
        if not asked and b"two numbers" in said:
            asked = True
            os.write(ours, typed.encode() + b"\n")
    os.close(ours)
    return process.wait(60)
