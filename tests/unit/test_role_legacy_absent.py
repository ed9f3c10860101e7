"""The script of docker_legacy_absent under every shell there is: what goes, what stays, and what is refused untouched."""

import fcntl
import json
import re
from pathlib import Path

import pytest
import yaml

from tests.unit.machine6 import Machine, shells
from tests.unit.modules import ROLES

ROLE = ROLES / "docker_legacy_absent"
#: What an engine of 1.7.1 and its neighbours have in the packet filter.
RULES = """*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A PREROUTING -p tcp -m tcp --dport 8081 -j DNAT --to-destination 10.77.0.5:80
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A POSTROUTING -s 10.77.0.0/16 ! -o cni0 -j MASQUERADE
-A POSTROUTING -s 172.17.0.2/32 -d 172.17.0.2/32 -p tcp -m tcp --dport 80 -j MASQUERADE
-A POSTROUTING -s 10.77.0.2/32 -d 10.77.0.2/32 -p tcp -m tcp --dport 80 -j MASQUERADE
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKERS - [0:0]
-A INPUT -p tcp -m comment --comment "a -j DOCKER b" -m tcp --dport 22 -j ACCEPT
-A FORWARD -j DOCKERS
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A FORWARD -i docker0 -o docker0 -j ACCEPT
-A FORWARD -i docker0 -p tcp -m tcp --dport 9999 -j DROP
-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
COMMIT
"""
UNDONE = """*nat
-D PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-D POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-D POSTROUTING -s 172.17.0.2/32 -d 172.17.0.2/32 -p tcp -m tcp --dport 80 -j MASQUERADE
-D OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-F DOCKER
-X DOCKER
COMMIT
*filter
-D FORWARD -o docker0 -j DOCKER
-D FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-D FORWARD -i docker0 ! -o docker0 -j ACCEPT
-D FORWARD -i docker0 -o docker0 -j ACCEPT
-F DOCKER
-X DOCKER
COMMIT
"""
ALL = ("purge_data=yes", "purge_config=yes")
ID = "0123456789abcdef" * 4


class Removing(Machine):
    """A host with an engine at work, as pydock has installed it."""

    def __init__(self, root, shell):
        super().__init__(root, shell, "docker_legacy_absent")
        for name in ("docker-io", "libcgroup", "gcc", "lvm2", "gpg-pubkey-0608b895", "gpg-pubkey-c105b9de"):
            self.write(f"rpm/{name}", "")
        self.write("etc/sysconfig/docker", 'other_args="-D"\n')
        self.write("etc/sysconfig/docker.pydock-20200101T000000Z.bak", "")
        self.write("etc/init.d/docker", "").chmod(0o755)
        self.write("etc/rc.d/rc3.d/S95docker", "")
        self.write("etc/passwd", "joe:x:1000:1000::/home/joe:/bin/sh\n")
        self.write("etc/group", "root:x:0:\ndocker:x:497:\n")
        self.write("etc/yum.repos.d/epel.repo", "# Managed by pydock.\n")
        self.write("etc/pki/rpm-gpg/RPM-GPG-KEY-EPEL-6", "key\n")
        self.write("var/run/docker.pid", "77\n")
        self.write("proc/77/cmdline", "/usr/bin/docker\0-d\0")
        self.write("var/log/docker", "started\n")
        self.write("var/lib/pydock/proof.json", "{}\n")
        self.write("rules", RULES)
        (self.root / "sys/class/net/docker0/bridge").mkdir(parents=True)
        self.note(action="created", file=f"{root}/etc/pki/rpm-gpg/RPM-GPG-KEY-EPEL-6")
        self.note(action="imported", key="8C3BE96AF2309184DA5C0DAE3B49DF2A0608B895")
        self.note(action="created", file=f"{root}/etc/yum.repos.d/epel.repo")
        self.note(action="installed", packages=["gcc-4.4.7-23.el6.x86_64"])
        self.note(action="installed", packages=["docker-io-1.7.1-2.el6.x86_64", "libcgroup-0.40.rc1-27.el6_10.x86_64"])
        self.data("var/lib/docker")

    def note(self, **entry):
        path = self.root / "var/lib/pydock/journal.jsonl"
        self.write("var/lib/pydock/journal.jsonl", (path.read_text() if path.exists() else "") + json.dumps(entry, sort_keys=True) + "\n")

    def data(self, place):
        for name in ("graph/aa/layer", "volumes/web/_data/file", f"containers/{ID}/config.json", "linkgraph.db", "repositories-vfs",
                     "volumes/web/_data/.hidden", "volumes/web/_data/- two words", "tmp/x\ny"):  # fmt: skip
            self.write(f"{place}/{name}", "precious\n")

    def mount(self, point, device="8:17", root="/"):
        path = self.root / "proc/self/mountinfo"
        point = str(point).replace(" ", "\\040")
        path.write_text(path.read_text() + f"30 21 {device} {root} {point} rw - ext4 /dev/sdb1 rw\n")

    def run(self, *arguments):
        words = ("package=docker-io", "package=docker-engine", "keep=gcc", "keep=gcc-c++")
        return super().run(*words, *arguments)

    def picture(self):
        return {str(path.relative_to(self.root)): path.read_text() if path.is_file() else None for path in self.root.rglob("*")}

    def log(self):
        return self.read("log").splitlines() if (self.root / "log").exists() else []

    def there(self, name):
        return (self.root / name).exists()


@pytest.fixture
def machine(tmp_path, shell):
    return Removing(tmp_path, shell)


@shells
def test_docker_goes_and_data_and_settings_stay_then_all_goes(machine):
    before = machine.picture()
    looked, _ = machine.run("check=yes", *ALL)
    assert set(looked.values()) == {"changed"}
    assert machine.picture() == before, "check mode changes nothing"
    steps, _ = machine.run()
    assert list(steps) == ["stop", "network", "firewall", "packages", "system"]
    assert set(steps.values()) == {"changed"}
    assert machine.log() == ["service docker stop", "iptables-restore --noflush", "yum remove docker-io"]
    assert machine.read("undone") == UNDONE
    assert machine.read("var/lib/docker/volumes/web/_data/file") == "precious\n"
    assert "-D" in machine.read("etc/sysconfig/docker.rpmsave")
    assert machine.there("etc/yum.repos.d/epel.repo")
    assert machine.read("etc/group") == "root:x:0:\n"
    assert not [name for name in ("var/run/docker.pid", "var/lib/pydock/proof.json", "sys/class/net/docker0") if machine.there(name)]
    assert machine.run() == ({}, {"stdout": "", "steps": [], "rc": 0}), "the second run has nothing to do"

    steps, _ = machine.run(*ALL)
    assert list(steps) == ["packages", "data", "config"]
    assert machine.log()[-1] == "yum remove libcgroup", "gcc and lvm2 are kept"
    assert [machine.there(f"rpm/{name}") for name in ("gcc", "lvm2", "gpg-pubkey-0608b895", "gpg-pubkey-c105b9de")] == [True, True, False, True]
    gone = ("var/lib/docker", "etc/sysconfig/docker.rpmsave", "etc/sysconfig/docker.pydock-20200101T000000Z.bak", "var/log/docker",
            "etc/yum.repos.d/epel.repo", "etc/pki/rpm-gpg/RPM-GPG-KEY-EPEL-6", "var/lib/pydock")  # fmt: skip
    assert [name for name in gone if machine.there(name)] == []
    assert machine.run(*ALL)[0] == {}


@shells
def test_tools_go_with_a_word_and_what_others_need_stays(machine):
    machine.write("needs/libcgroup", "cgred")
    machine.run("tool=gcc", *ALL)
    assert machine.log()[-1] == "yum remove docker-io gcc"
    machine.write("rpm/docker-io", "")
    machine.write("needs/docker-io", "fig")
    before = machine.picture()
    assert machine.run(*ALL)[1]["code"] == "still-needed"
    assert machine.picture() == before


@shells
@pytest.mark.parametrize(
    ("prepare", "code", "word"),
    [
        (lambda m: m.write("var/lib/docker/invoices.ods", ""), "data-root-foreign", "invoices.ods"),
        (lambda m: m.write("var/lib/docker/.git/config", ""), "data-root-foreign", ".git"),
        (lambda m: m.mount("/srv/www", "8:1", f"{m.root}/var/lib/docker/volumes"), "data-root-elsewhere", "/srv/www"),
        (lambda m: (m.root / "var/lib/docker").rename(m.root / "big") and (m.root / "var/lib/docker").symlink_to(m.root / "big"),
         "data-root-link", "followed"),
        (lambda m: m.write("etc/sysconfig/docker", "other_args='-g /'\n"), "data-root-foreign", "directory of the system"),
        (lambda m: m.write("etc/sysconfig/docker", "other_args=--graph=/home/\n"), "data-root-foreign", "directory of the system"),
        (lambda m: m.write("etc/sysconfig/docker", f"other_args='-g {m.root}/var/../var/lib/docker'\n"), "data-root-foreign", "plain path"),
        (lambda m: m.write("etc/sysconfig/docker", f"other_args='-g {m.write('mine/tmp', '').parent}'\n"), "data-root-foreign", "look like"),
        (lambda m: m.write("opt/bin/docker", ""), "foreign-docker", "opt/bin/docker"),
    ],
)  # fmt: skip
def test_what_is_not_docker_s_alone_is_refused_before_anything_is_touched(machine, prepare, code, word):
    prepare(machine)
    before = machine.picture()
    _steps, told = machine.run(*ALL)
    assert told["code"] == code
    assert word in told["msg"]
    assert machine.picture() == before


@shells
def test_data_elsewhere_is_found_by_the_flag_and_remembered_when_the_flag_is_gone(machine):
    (machine.root / "var/lib/docker").rename(machine.root / "big")
    machine.write("etc/sysconfig/docker", f'other_args="-D -g {machine.root}/big/"\n')
    machine.run("purge_config=yes")
    assert not machine.there("etc/sysconfig/docker.rpmsave")
    assert machine.there("var/lib/pydock/journal.jsonl"), "it knows where the data is"
    machine.run(*ALL)
    assert not machine.there("big")
    assert not machine.there("var/lib/pydock")


@shells
def test_only_the_roots_that_were_shown_are_emptied(machine):
    assert "data" not in machine.run("purge_data=yes", "data_root=/srv/docker")[0]
    assert machine.there("var/lib/docker/graph")


@shells
def test_a_mount_point_is_emptied_and_what_is_mounted_below_is_unmounted_first(machine):
    root = machine.root / "var/lib/docker"
    machine.mount(root)
    machine.mount(root / "volumes/web/my files", "8:33")
    machine.mount(root / "devicemapper/mnt/a", "253:3")
    machine.mount(root / "devicemapper/mnt/a/rootfs", "253:4")
    machine.write("busy", "")
    machine.write("proc/4242/status", "Name:\tless\n")
    (machine.root / "proc/4242/cwd").symlink_to(root / "devicemapper/mnt/a/rootfs/etc")
    _steps, told = machine.run("purge_data=yes")
    assert told["code"] == "data-remain"
    assert "process 4242 (less) uses it" in told["msg"]
    assert machine.there("var/lib/docker/graph/aa/layer"), "nothing is deleted"
    (machine.root / "busy").unlink()
    assert machine.run("purge_data=yes")[0]["data"] == "changed"
    unmounted = [line.removeprefix(f"umount {root}/") for line in machine.log() if line.startswith("umount")]
    assert unmounted == ["devicemapper/mnt/a/rootfs"] + ["devicemapper/mnt/a/rootfs", "volumes/web/my files", "devicemapper/mnt/a"]
    assert list(root.iterdir()) == []
    assert machine.run("purge_data=yes")[0] == {}


@shells
def test_a_link_is_followed_with_a_word_and_goes_itself(machine):
    root = machine.root / "var/lib/docker"
    root.rename(machine.root / "big")
    root.symlink_to(machine.root / "big")
    outside = machine.write("outside/file", "mine")
    (machine.root / "big/volumes/web/_data/link").symlink_to(outside.parent)
    machine.run("purge_data=yes", "follow_links=yes")
    assert (root.is_symlink(), machine.there("big"), outside.read_text()) == (False, False, "mine")


@shells
def test_the_thin_pool_over_files_is_closed_and_a_pool_of_lvm_stays(machine):
    place = machine.root / "var/lib/docker/devicemapper"
    machine.write("var/lib/docker/devicemapper/devicemapper/data", "")
    number = place.stat()
    own = f"docker-{number.st_dev >> 8 & 4095}:{number.st_dev & 255 | number.st_dev >> 12 & 0xfff00}-{number.st_ino}"
    machine.write("devices", f"vg-docker--pool\t(253:0)\n{own}-pool\t(253:1)\n{own}-{ID}\t(253:2)\ndocker-8:1-7-pool\t(253:9)\n")
    machine.write("loops", f"/dev/loop0: [0801]:12 ({place}/devicemapper/data)\n/dev/loop1: [0801]:13 (/srv/iso)\n")
    machine.run("purge_data=yes")
    assert [line for line in machine.log() if "dmsetup" in line or "losetup" in line] == [
        f"dmsetup remove {own}-{ID}", f"dmsetup remove {own}-pool", "losetup -d /dev/loop0",
    ]  # fmt: skip
    assert machine.read("devices").count("\n") == 2


@shells
def test_containers_that_outlived_their_engine_end_and_nobody_else(machine):
    """The host itself may be in a control group of that form: it is a container of another engine."""
    (machine.root / "var/run/docker.pid").unlink()
    machine.write("proc/1/cgroup", f"2:cpu:/docker/{'f' * 64}\n")
    machine.write("proc/900/cgroup", f"3:memory:/docker/{ID}\n2:cpu:/docker/{ID}\n")
    machine.write("proc/901/cgroup", "2:cpu:/user\n")
    assert machine.run()[0]["stop"] == "changed"
    assert [line for line in machine.log() if line.startswith("kill")] == ["kill -s TERM 900"]


@shells
def test_what_restore_can_put_back_keeps_the_journal_and_epel_of_the_user_stays(machine):
    backup = machine.write("etc/yum.repos.d/epel.repo.pydock-20200101T000000Z.bak", "metalink=\n")
    machine.note(action="replaced", backup=str(backup), file=f"{machine.root}/etc/yum.repos.d/epel.repo")
    assert machine.run(*ALL)[0]["config"] == "changed"
    assert [machine.there(name) for name in ("etc/yum.repos.d/epel.repo", "var/lib/pydock/journal.jsonl")] == [True, True]
    assert backup.exists()


@shells
def test_forwarding_and_the_group_go_back_to_what_they_were(machine):
    machine.note(action="found", name="ip_forward", value="0")
    machine.write("proc/sys/net/ipv4/ip_forward", "1\n")
    machine.write("etc/group", "docker:x:497:joe\n")
    machine.write("etc/sysctl.conf", "net.ipv4.ip_forward = 1\n")
    machine.run()
    assert machine.read("proc/sys/net/ipv4/ip_forward") == "1\n", "somebody wants it"
    machine.write("etc/sysctl.conf", "# net.ipv4.ip_forward = 1\n")
    machine.run()
    assert (machine.read("proc/sys/net/ipv4/ip_forward"), machine.read("etc/group")) == ("0\n", "docker:x:497:joe\n")
    machine.write("etc/passwd", "joe:x:1000:497::/:/bin/sh\n")
    machine.run(*ALL)
    assert machine.read("etc/group") == "docker:x:497:joe\n", "it is somebody's first group"
    machine.write("etc/passwd", "joe:x:1000:1000::/:/bin/sh\n")
    machine.run(*ALL)
    assert machine.read("etc/group") == ""


@shells
def test_words_are_no_options_and_other_releases_are_left_alone(machine):
    before = machine.picture()
    assert machine.run("package=--all")[1]["code"] == "wrong-settings"
    machine.write("etc/redhat-release", "CentOS Linux release 7.9.2009 (Core)\n")
    assert machine.run(*ALL)[1]["code"] == "not-release-6"
    machine.write("etc/redhat-release", "CentOS release 6.10 (Final)\n")
    assert machine.picture() == before


def test_the_role_is_told_as_docker_absent_is():
    """The same words for both kinds of host, and the same names that are Docker's in both."""
    for file in ("defaults/main.yml", "meta/argument_specs.yml"):
        one, other = ((ROLES / role / file).read_text() for role in ("docker_absent", "docker_legacy_absent"))
        names = [set(re.findall(rf"{role}_(\w+):", text)) for role, text in (("docker_absent", one), ("docker_legacy_absent", other))]
        assert names[0] == names[1], file
    defaults = yaml.safe_load((ROLE / "defaults/main.yml").read_text())
    rows = dict(re.findall(r"^\| `(\w+)` \| `(.+?)` \|", (ROLE / "README.md").read_text(), re.MULTILINE))
    assert {name: yaml.safe_load(text) for name, text in rows.items()} == defaults
    used = set(re.findall(r"docker_legacy_absent_\w+", (ROLE / "vars/main.yml").read_text()))
    assert {name for name in used if not name.endswith(("_parts", "_script", "_arguments"))} == set(defaults)
    play = (ROLES.parent / "playbooks/uninstall.yml").read_text()
    assert {f"docker_legacy_absent_{name}" for name in re.findall(r"docker_legacy_absent_(\w+):", play)} == set(defaults) - {
        "docker_legacy_absent_packages", "docker_legacy_absent_keep",
    }  # fmt: skip


def test_every_part_of_the_role_is_run():
    assert {path.stem for path in Path(ROLE / "files").glob("*.sh")} == {"look", "firewall", "data", "leavings", "main"}


@shells
def test_a_host_at_which_somebody_else_is_at_work_is_left_alone(machine):
    path = machine.write("var/run/pydock.lock", '{"command": "pydock install", "owner": "ops@control", "run": "r1", "since": "noon"}\n')
    with path.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        before = machine.picture()
        steps, told = machine.run("run=r2", *ALL)
        assert (steps, told["code"]) == ({"lock": "failed"}, "host-locked")
        assert "ops@control has been at work on this host since noon" in told["msg"]
        assert machine.picture() == before
