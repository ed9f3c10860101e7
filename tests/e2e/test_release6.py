"""Release 6: the lab's host is what it claims to be, its Docker comes from EPEL's archive, and what must be refused is."""

import io
import json
import tarfile

import pytest

from tests.lab.root import base


@pytest.fixture(scope="module")
def host(lab):
    for known in lab.known():
        if known.name == "r6":
            known.remove()
    made = lab.host("r6", release=6, base="dead")
    yield made
    made.remove()


def test_a_login_sees_release_6(host):
    seen = host.ssh(
        """
        cat /etc/redhat-release; uname -r; cat /proc/1/comm
        for name in python python2 python2.6 python3 systemctl journalctl ss realpath dnf apt; do command -v $name; done
        ls /etc/os-release /usr/libexec/platform-python /usr/bin/python* 2>/dev/null
        timeout -k 1 2 true && echo newer timeout
        ip -j addr && echo newer ip
        service sshd status
        chkconfig --list sshd
        true
        """
    )
    lines = seen.splitlines()
    assert lines[0] == "CentOS release 6.10 (Final)"
    assert lines[1].startswith("2.6.")
    assert lines[2] == "init"
    assert lines[3].startswith("openssh-daemon (pid")
    assert lines[4].split() == ["sshd", "0:off", "1:off", "2:on", "3:on", "4:on", "5:on", "6:off"]
    assert len(lines) == 5


def test_check_names_the_dead_repositories_and_the_way_out(host, pydock):
    found = {f["code"]: f for f in pydock("check", "--json", "r6", check=3).host("r6")["findings"]}
    assert {code for code, f in found.items() if f["severity"] == "blocker"} == {"base-repositories"}
    assert "mirrorlist.centos.org" in found["base-repositories"]["message"]
    remedies = " ".join(f["remedy"] or "" for f in found.values())
    assert not [word for word in ("systemctl", "yum-config-manager", "--system") if word in remedies]
    remedy = found["base-repositories"]["remedy"].split("`")
    host.run(remedy[5])
    host.run(remedy[7])
    assert host.run("yum repolist").stdout.count("CentOS-6 - ") == 3


def test_docker_io_comes_from_the_archive_and_runs(host):
    if "mirrorlist" in host.run("grep ^mirrorlist /etc/yum.repos.d/*.repo; true").stdout:
        host.run("sed -i -e 's|^mirrorlist=|#|' -e 's|^#baseurl=http://mirror.centos.org/centos/$releasever|baseurl=http://vault.centos.org/6.10|' /etc/yum.repos.d/CentOS-Base.repo")
    host.run(
        "printf '%s\\n' '[epel]' 'name=EPEL' 'baseurl=http://dl.fedoraproject.org/pub/archive/epel/6/$basearch' gpgcheck=1 "
        "gpgkey=http://dl.fedoraproject.org/pub/archive/epel/RPM-GPG-KEY-EPEL-6 > /etc/yum.repos.d/epel.repo"
    )
    # The application of that name is in its way.
    host.run("yum -y -q install docker")
    refused = host.run("yum -y -q install docker-io", check=False)
    assert refused.returncode == 1
    assert "file /usr/bin/docker from install of docker-io-1.7.1-2.el6.x86_64 conflicts with" in refused.stdout + refused.stderr
    host.run("yum -y -q remove docker; yum -y -q install docker-io", timeout=300)
    assert host.run("rpm -q docker-io libcgroup").stdout.split() == ["docker-io-1.7.1-2.el6.x86_64", "libcgroup-0.40.rc1-27.el6_10.x86_64"]

    assert host.run("service docker status", check=False).returncode == 3
    assert "Starting cgconfig service" in host.ssh("service docker start")
    assert "Server version: 1.7.1" in host.ssh("docker version")
    assert "Kernel Version: 2.6." in host.ssh("docker info")

    host.ssh("docker load", stdin=layered_archive("pydock/proof", "works on release 6"))
    assert host.ssh("docker run --rm pydock/proof") == "works on release 6\n"


def test_other_args_reach_the_engine_and_a_wrong_one_is_not_told_by_the_service(lab, host):
    mirror = lab.registry_mirror

    def restarted(arguments):
        host.ssh(f"""sed -i 's|^other_args=.*|other_args="{arguments}"|' /etc/sysconfig/docker""")
        return host.ssh("service docker restart; service docker status; true")

    assert "is running" in restarted(f"--registry-mirror={mirror} -g /srv/docker --insecure-registry registry.invalid:5000")
    assert host.ssh("ls /srv/docker")
    before = len(lab.mirror.log())
    failed = host.ssh("docker pull hello-world 2>&1; true")
    # An engine this old reads schema 1 alone, which is served nowhere ...
    assert "missing signature key" in failed
    asked = [entry["host"] for entry in lab.mirror.log(before) if "/manifests/" in entry["path"]]
    assert asked[0] == mirror.partition("//")[2]
    assert asked[-1] == "registry-1.docker.io"
    # ... or by a mirror of the user's own.
    with lab.mirror.fault("schema-1", hosts=[host]):
        host.ssh("docker pull hello-world")
    told = restarted("--live-restore")
    assert "OK" in told
    assert "dead but subsys locked" in told
    assert "flag provided but not defined: --live-restore" in host.ssh("tail -n 3 /var/log/docker")


def test_what_is_too_old_is_refused(lab, pydock):
    hosts = [
        lab.host("ro6", release=6, says="6.4"),
        lab.host("ri6", release=6, i686=True),
        lab.host("rk6", release=6, kernel="2.6.32-220.el6.x86_64"),
    ]
    try:
        done = pydock("check", "--json", *(host.name for host in hosts), check=3)
        blockers = {
            host.name: {f["code"]: f["message"] for f in done.host(host.name)["findings"] if f["severity"] == "blocker"}
            for host in hosts
        }
        assert "6.5" in blockers["ro6"]["release"]
        assert "i686" in blockers["ri6"]["architecture"]
        assert "2.6.32-431" in blockers["rk6"]["kernel"]
        # Each is refused for that alone, and nothing is changed there.
        assert {name: set(found) for name, found in blockers.items()} == {
            "ro6": {"release"}, "ri6": {"architecture"}, "rk6": {"kernel"},
        }  # fmt: skip
        pydock("install", "--yes", *(host.name for host in hosts), check=3)
        assert all(host.run("rpm -q docker-io", check=False).returncode for host in hosts)
    finally:
        for host in hosts:
            host.remove()


def layered_archive(name, says):
    """An image that prints a text, in the layout that engines up to 1.9 know: a directory per layer, and ``repositories``."""
    layer = "5" * 64
    command = {"Cmd": ["/busybox", "echo", says]}
    about = {"id": layer, "created": "2020-01-01T00:00:00Z", "architecture": "amd64", "os": "linux", "config": command,
             "container_config": command}
    busybox = (base() / "root/bin/busybox").read_bytes()
    return _tar(
        {
            f"{layer}/VERSION": b"1.0",
            f"{layer}/json": json.dumps(about).encode(),
            f"{layer}/layer.tar": _tar({"busybox": busybox}),
            "repositories": json.dumps({name: {"latest": layer}}).encode(),
        }
    )


def _tar(files):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()
