"""Package mirrors by evidence, through proxies, and the repositories of releases that ended, mended and given back."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.packages import GATEWAY, NOWHERE, forward_proxy, package_mirror, point

OFFICIAL, ALIYUN = "download.docker.com", "mirrors.aliyun.com"
FEW = ("--json", "--yes", "--no-compilers")


@pytest.fixture(scope="module")
def pair(lab):
    """Two bare hosts, of different releases; no test of those that use them installs anything there."""
    hosts = lab.hosts([("ra7", 7), ("ra9", 9)])
    yield hosts
    for host in hosts:
        host.remove()


def step(host, name="repository"):
    return next((step for step in host["steps"] if step["name"] == name), None)


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("404", "official answered 404"),
        ("slow", "official took"),
        ("wrong-key", "official serves another key"),
        ("no-key", "official serves no key"),
        ("hang", "official did not answer"),
    ],
)
def test_another_mirror_is_taken_and_the_plan_says_why(pair, pydock, kind, why):
    with package_mirror(kind, OFFICIAL, pair):
        done = pydock("plan", "--json", "ra7", "ra9", check=0)
    for name in ("ra7", "ra9"):
        planned = step(done.host(name))
        # Which of the others is the fastest is not for a test to say.
        assert OFFICIAL not in planned["detail"], planned
        assert why in planned["reason"]
        assert re.search("(aliyun|tuna|ustc|tencent|huawei) answered in", planned["reason"])


def test_hosts_agree_and_one_that_cannot_reach_the_mirror_takes_its_own(pair, pydock):
    with package_mirror("404", OFFICIAL, pair), package_mirror("404", ALIYUN, pair[:1]):
        together = pydock("plan", "--json", "ra7", "ra9", check=0)
        pydock.settings["repository_scope"] = "host"
        apart = pydock("plan", "--json", "ra7", "ra9", check=0)
    # One of them: what serves both is what they agree on.
    assert {"mirrors.tuna.tsinghua.edu.cn" in step(together.host(name))["detail"] for name in ("ra7", "ra9")} == {True}
    assert ALIYUN in step(apart.host("ra9"))["detail"]
    assert "mirrors.tuna" in step(apart.host("ra7"))["detail"]


def test_a_host_cut_off_from_the_others_mirror(lab, pair, pydock):
    third = lab.host("rb9", release=9)
    mirrors = ["mirrors.tuna.tsinghua.edu.cn", "mirrors.ustc.edu.cn", "mirrors.tencent.com", "mirrors.huaweicloud.com"]
    try:
        for name in [OFFICIAL, *mirrors]:
            point(third, name, "127.0.0.1")
        with package_mirror("404", ALIYUN, [*pair]):
            done = pydock("plan", "--json", "ra7", "ra9", "rb9", check=0)
        assert OFFICIAL in step(done.host("ra7"))["detail"]
        assert "on 2 of 3 hosts" in step(done.host("ra7"))["reason"]
        assert ALIYUN in step(done.host("rb9"))["detail"]
        assert "official, the other hosts' mirror, did not answer here" in step(done.host("rb9"))["reason"]
    finally:
        third.remove()


@pytest.fixture
def one(lab):
    host = lab.host("rc8", release=8)
    yield host
    host.remove()


def write(host, base, more=""):
    text = f"[docker-ce-stable]\\nname=x\\nbaseurl={base}/linux/centos/$releasever/$basearch/stable\\ngpgcheck=0\\n{more}"
    host.run(f"printf '{text}' > /etc/yum.repos.d/docker-ce.repo")


def test_a_mirror_that_is_there_stays_while_it_serves(one, pydock):
    write(one, "https://mirrors.ustc.edu.cn/docker-ce")
    planned = step(pydock("plan", "--json", "rc8", check=0).host("rc8"))
    assert "mirrors.ustc.edu.cn" in planned["detail"]
    # One that nobody knows, and which answers.
    write(one, f"http://{GATEWAY}/docker-ce")
    planned = step(pydock("plan", "--json", "rc8", check=0).host("rc8"))
    assert GATEWAY in planned["detail"]
    assert f"http://{GATEWAY}/docker-ce, which its docker-ce.repo names, serves" in planned["reason"]
    # One that does not.
    write(one, f"http://{GATEWAY}/elsewhere")
    planned = step(pydock("plan", "--json", "rc8", check=0).host("rc8"))
    assert OFFICIAL in planned["detail"]
    assert f"http://{GATEWAY}/elsewhere, which it had, answered 404; official answered in" in planned["reason"]


def test_another_repository_of_the_name_that_is_read_first_is_in_the_way(one, pydock):
    one.run("printf '[docker-ce-stable]\\nname=x\\nbaseurl=http://192.0.2.1/\\nenabled=0\\n' > /etc/yum.repos.d/aaa.repo")
    failed = pydock("install", *FEW, "rc8", check=1).host("rc8")
    assert failed["code"] == "repository-twice"
    assert "aaa.repo" in failed["cause"]
    one.run("mv /etc/yum.repos.d/aaa.repo /etc/yum.repos.d/zzz.repo")
    done = pydock("install", *FEW, "rc8", check=0).host("rc8")
    assert done["proof"]["hello_world"] is True
    assert "192.0.2.1" in one.run("cat /etc/yum.repos.d/zzz.repo").stdout


def test_the_role_goes_to_the_next_mirror_where_one_fails_after_all(one, lab, pydock):
    """The key was right when the plan was made."""
    pydock("generate", "tree", "rc8", "--no-compilers", check=0)
    playbook = Path(sys.executable).parent / "ansible-playbook"
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    with package_mirror("wrong-key", OFFICIAL, [one]):
        said = subprocess.run(
            [playbook, "-v", "site.yml"], cwd=pydock.directory / "tree", capture_output=True, text=True, env=environment
        )
    assert said.returncode == 0, said.stdout
    assert "did not serve: wrong-key" in said.stdout
    assert OFFICIAL not in one.run("cat /etc/yum.repos.d/docker-ce.repo").stdout
    assert pydock("plan", "--json", "--no-compilers", "rc8", check=0).host("rc8")["steps"] == []


def test_a_mirror_that_lists_packages_and_does_not_have_them_is_left_for_the_next(one, pydock):
    with package_mirror("other-rpm", OFFICIAL, [one]):
        done = pydock("install", *FEW, "rc8", check=0).host("rc8")
        engine = step(done, "engine")["detail"]
        # Which of the others is the fastest is not for a test to say.
        moved = re.search(f"; from ([a-z.]+), because {OFFICIAL} sent docker-ce damaged$", engine)
        assert moved, engine
        assert pydock("plan", "--json", "--no-compilers", "rc8", check=0).host("rc8")["steps"] == []
    assert f"baseurl=https://{moved[1]}/" in one.run("cat /etc/yum.repos.d/docker-ce.repo").stdout
    assert '"replaced"' in one.run("grep docker-ce.repo /var/lib/pydock/journal.jsonl | tail -n 1").stdout


def test_through_a_proxy_alone(one, lab, pydock):
    """The host knows no mirror's name; the proxy does."""
    for name in (OFFICIAL, ALIYUN, "mirrors.tuna.tsinghua.edu.cn", "mirrors.ustc.edu.cn", "mirrors.tencent.com",
                 "mirrors.huaweicloud.com"):  # fmt: skip
        point(one, name, NOWHERE)
    with forward_proxy() as proxy:
        address = f"http://{GATEWAY}:{proxy.server_port}"
        done = pydock("install", *FEW, "--package-proxy", address, "rc8", check=0).host("rc8")
        assert done["proof"]["hello_world"] is True
        assert f"{OFFICIAL}:443" in proxy.paths
        assert not [path for path in proxy.paths if "centos.org" in path], "base repositories go their own way"
        file = one.run("cat /etc/yum.repos.d/docker-ce.repo; stat -c %a /etc/yum.repos.d/docker-ce.repo").stdout
        assert f"proxy={address}\n" in file
        assert pydock("plan", "--json", "--no-compilers", "--package-proxy", address, "rc8", check=0).host("rc8")["steps"] == []
    planned = step(pydock("plan", "--json", "rc8").host("rc8"))
    assert "its proxy goes" in planned["reason"]


def test_a_password_for_the_proxy_is_refused_and_not_repeated(pydock):
    refused = pydock("plan", "--package-proxy", "http://user:secret@192.0.2.1:3128", "rc8", check=2)
    assert "secret" not in refused.stdout + refused.stderr
    assert "/etc/yum.conf" in refused.stderr


def repositories(host):
    """The files, byte for byte, with owner and mode."""
    command = "cd /etc/yum.repos.d; for f in CentOS*.repo; do sha256sum $f; stat -c '%U %a' $f; done"
    return host.run(command).stdout


@pytest.mark.parametrize(
    ("name", "release", "says", "root"),
    [
        ("rd7", 7, "", "http://vault.centos.org/7.9.2009/os/"),
        ("rd8", 8, "", "http://vault.centos.org/8.5.2111/BaseOS/"),
        ("rds8", 8, "8-stream", "http://vault.centos.org/centos/8-stream/BaseOS/"),
    ],
)
def test_the_repositories_of_an_ended_release_are_mended_and_given_back(lab, pydock, name, release, says, root):
    """With them come settings of somebody's own; on release 8, podman, once Docker has gone."""
    host = lab.host(name, release=release, base="dead", says=says, packages=("podman",) if name == "rd8" else ())
    try:
        own = '{ "debug" : true}'
        host.run(f"mkdir -p /etc/docker; printf '{own}' > /etc/docker/daemon.json")
        as_it_was = repositories(host)
        blocked = pydock("install", *FEW, "--replace-podman", name, check=1).host(name)
        assert blocked["code"] == "base-repositories"
        assert "--repair-base-repositories" in blocked["remedy"]
        assert repositories(host) == as_it_was

        wanted = ("install", *FEW, "--replace-podman", "--repair-base-repositories", name)
        planned = pydock("plan", "--json", *wanted[3:], check=0).host(name)
        assert "CentOS-" in step(planned, "base-repositories")["detail"]
        done = pydock(*wanted, check=0).host(name)
        assert step(done, "base-repositories")["status"] == "changed"
        assert done["proof"]["hello_world"] is True
        files = host.run("cat /etc/yum.repos.d/CentOS*.repo").stdout
        assert f"\nbaseurl={root}" in files
        assert "\nmirrorlist=" not in files
        assert pydock(*wanted, check=0).host(name)["status"] == "unchanged"

        shown = pydock("restore", "--json", "--dry-run", name, check=0)
        assert "+mirrorlist=http://mirrorlist.centos.org" in shown.stderr
        assert f"+{own}" in shown.host(name)["diff"]
        pydock("restore", "--json", name, check=5)
        if name == "rd8":
            assert [finding["code"] for finding in shown.host(name)["findings"]] == ["restore-waits"]
            gone = pydock("uninstall", "--json", "--all", "--with-tools", "--yes", "--yes-delete-data", name, check=0).host(name)
            (left,) = gone["left"]
            assert left["what"] == "/var/lib/pydock/journal.jsonl"
            assert "podman, runc" in left["why"]
        restored = pydock("restore", "--json", "--yes", name, check=0).host(name)
        assert step(restored, "restore")["status"] == "changed"
        assert repositories(host) == as_it_was
        again = pydock("restore", "--json", "--yes", name, check=0).host(name)
        # The settings went with --all, their backup with them.
        lost = ["restore-lost"] if name == "rd8" else []
        assert (again["status"], [finding["code"] for finding in again["findings"]]) == ("unchanged", lost)
        if name == "rd8":
            # While the repositories still served.
            assert step(restored, "distribution-packages")["status"] == "changed"
            assert host.run("rpm -q --qf '%{NAME} ' podman runc").stdout == "podman runc "
            pydock("uninstall", "--all", "--yes", "--yes-delete-data", name, check=0)
            assert host.run("ls /var/lib/pydock", check=False).stdout == "", "nobody needs the journal any more"
        else:
            assert [s["status"] for s in restored["steps"]] == ["changed"] * 3
            assert host.run("cat /etc/docker/daemon.json").stdout == own
            assert host.run("docker info --format '{{json .RegistryConfig.Mirrors}}'").stdout.strip() == "[]"
            assert restored["proof"]["registry_mirrors"] == []
    finally:
        host.remove()


def test_an_archive_that_does_not_answer_changes_nothing(lab, pydock):
    host = lab.host("re7", release=7, base="dead")
    try:
        as_it_was = repositories(host)
        point(host, "vault.centos.org", "127.0.0.1")
        near = pydock("install", *FEW, "--repair-base-repositories", "re7", check=0).host("re7")
        assert "mirrors.aliyun.com" in step(near, "base-repositories")["detail"]
        # Somebody's later change is theirs.
        host.run("echo '# mine' >> /etc/yum.repos.d/CentOS-Base.repo")
        refused = pydock("restore", "--json", "--yes", "re7", check=5).host("re7")
        assert refused["code"] == "restore-changed"
        assert "; the rest was restored" in refused["cause"]
        assert step(refused, "settings")["status"] == "changed"
        assert pydock("restore", "--json", "--yes", "re7", check=3).host("re7")["code"] == "restore-changed"
        pydock("restore", "--yes", "--force", "re7", check=0)
        assert repositories(host) == as_it_was
        assert host.run("grep -l '# mine' /etc/yum.repos.d/*.bak").stdout

        for name in (ALIYUN, "mirrors.tuna.tsinghua.edu.cn", "mirrors.ustc.edu.cn", "mirrors.tencent.com", "mirrors.huaweicloud.com"):
            point(host, name, "127.0.0.1")
        host.run("yum -y -q remove docker-ce; rm -f /etc/yum.repos.d/docker-ce.repo", check=False)
        failed = pydock("install", *FEW, "--repair-base-repositories", "--repository", f"http://{GATEWAY}", "re7", check=1).host("re7")
        assert failed["code"] == "no-archive"
        assert repositories(host) == as_it_was
    finally:
        host.remove()
