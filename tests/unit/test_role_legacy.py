"""The script of docker_legacy under every shell there is, in a root of its own with made-up programs; and what it tells."""

import base64
import fcntl
import gzip
import importlib.util
import json
import re
import subprocess

import pytest
import yaml

from pydock_installer import legacy_report, platforms
from pydock_installer.epel import content
from pydock_installer.model import Host, Known, Plan, Release
from pydock_installer.planner import Wishes, plan_host
from pydock_installer.render import render
from pydock_installer.setting_parts import EPEL_KEY
from pydock_installer.settings import Settings
from tests.unit.facts import bare
from tests.unit.machine6 import Machine, script, shells
from tests.unit.modules import ROLES

ROLE = ROLES / "docker_legacy"
BASE = "http://archive.example/epel"
WORDS = (f"epel={BASE}", f"epel_key={EPEL_KEY}", "builtin_name=b:1", "greeting=I am the built-in image.", "builtin=H4sI")


class Installing(Machine):
    """With what every run of the role says."""

    def run(self, *arguments):
        return super().run(*WORDS, *arguments)


@pytest.fixture
def machine(tmp_path, shell):
    return Installing(tmp_path, shell)


@shells
def test_a_bare_host_is_installed_and_then_left_alone(machine):
    machine.write("rpm/docker", "")
    wish = ("unwanted=docker", "compiler=gcc", "compiler=gcc-c++", "other_args=--registry-mirror=https://m", "was=", "mirror=https://m")
    looked, _ = machine.run("check=yes", *wish)
    assert set(looked.values()) <= {"changed", "skipped"}
    assert not (machine.root / "log").exists(), "check mode changes nothing"
    steps, told = machine.run(*wish)
    assert steps == {
        "repository": "changed", "remove": "changed", "compilers": "changed", "engine": "changed", "settings": "changed",
        "service": "changed", "proof": "ok",
    }  # fmt: skip
    assert told["proof"] == {
        "client": "1.7.1", "server": "1.7.1", "image": "builtin", "registry_mirrors": ["https://m/"], "hello_world": True,
    }  # fmt: skip
    assert "missing signature key" in told["steps"][-1]["detail"]
    assert machine.read("etc/yum.repos.d/epel.repo") == content(BASE).replace("/etc/", f"{machine.root}/etc/")
    assert machine.read("log").splitlines()[:3] == ["yum remove docker", "yum install gcc gcc-c++", "yum install docker-io"]
    assert machine.read("etc/sysconfig/docker") == 'other_args="--registry-mirror=https://m"\n'
    log = machine.read("log")
    steps, _ = machine.run(*wish)
    assert set(steps.values()) == {"ok"}
    assert machine.read("log") == log
    proof = json.loads(machine.read("var/lib/pydock/proof.json"))
    assert (proof["server"], proof["image"]) == ("1.7.1", "builtin")
    entries = [json.loads(line) for line in machine.read("var/lib/pydock/journal.jsonl").splitlines()]
    assert [entry["action"] for entry in entries] == [
        "created", "imported", "created", "removed", "installed", "installed", "replaced", "found", "found", "found",
    ]  # fmt: skip
    assert [entry["packages"] for entry in entries[3:6]] == [["docker-1.0-1.x86_64"], ["gcc-1.0-1.x86_64", "gcc-c++-1.0-1.x86_64"], ["docker-io-1.0-1.x86_64"]]
    assert [(entry["name"], entry["value"]) for entry in entries[7:]] == [
        ("ip_forward", "0"), ("iptables FORWARD", "ACCEPT"), ("ip6tables FORWARD", "ACCEPT"),
    ]  # fmt: skip


@shells
def test_another_key_is_not_imported(machine):
    machine.write("key", "0" * 40)
    _steps, told = machine.run()
    assert told["code"] == "wrong-key"
    assert EPEL_KEY in told["msg"]
    assert not (machine.root / "rpm/gpg-pubkey-0608b895").exists()
    assert not (machine.root / "etc/yum.repos.d/epel.repo").exists()


@pytest.fixture
def installed(machine):
    for name in ("docker-io", "gcc"):
        machine.write(f"rpm/{name}", "")
    machine.write("etc/sysconfig/docker", '# mine\nother_args="-g /srv"\nexport HTTP_PROXY=http://old\n')
    machine.write("etc/init.d/docker", "").chmod(0o755)
    machine.run()
    return machine


@shells
@pytest.mark.parametrize("value", ["-g /srv --label=a=b", "--label=it's", '--label="x"', "--label=$HOME", "--label=`x`", "a\\b", ""])
def test_any_value_reaches_the_engine_as_it_is(installed, value):
    steps, _ = installed.run(f"other_args={value}", "was=-g /srv", "proxy=HTTP_PROXY=http://p:3128", "proxy=NO_PROXY=a,b")
    assert steps["settings"] == "changed"
    shown = subprocess.run(
        ["sh", "-c", f'. {installed.root}/etc/sysconfig/docker; printf "%s|" "$other_args" "$HTTP_PROXY" "$NO_PROXY"'],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert shown == f"{value}|http://p:3128|a,b|"
    assert installed.read("etc/sysconfig/docker").startswith("# mine\n")
    assert (installed.root / "proc/77/cmdline").read_bytes().count(b"\0") == 2 + len(value.split())


@shells
def test_options_that_do_not_start_are_put_back(installed):
    before = installed.read("etc/sysconfig/docker")
    _steps, told = installed.run("other_args=--bad", "was=-g /srv")
    assert told["code"] == "settings-rolled-back"
    assert "not defined: --bad" in told["evidence"]
    assert installed.read("etc/sysconfig/docker") == before
    assert b"/srv" in (installed.root / "proc/77/cmdline").read_bytes(), "the engine runs with the old ones"


@shells
def test_running_containers_are_not_stopped_without_a_word(installed):
    installed.write("containers", "0123456789ab\n")
    before = installed.read("etc/sysconfig/docker")
    _steps, told = installed.run("other_args=-D", "was=-g /srv")
    assert told["code"] == "restart-needed"
    assert installed.read("etc/sysconfig/docker") == before
    steps, _ = installed.run("other_args=-D", "was=-g /srv", "restart=yes")
    assert steps["service"] == "changed"


@shells
def test_a_file_that_somebody_changed_meanwhile_or_computes_stays(installed):
    _steps, told = installed.run("other_args=-D", "was=something else")
    assert told["code"] == "settings-refused"
    text = 'A=1\nother_args="-g \\\n /srv"\n'
    installed.write("etc/sysconfig/docker", text)
    _steps, told = installed.run("other_args=-D")
    assert told["code"] == "settings-refused"
    assert installed.read("etc/sysconfig/docker") == text


DEAD = """[base]
mirrorlist=http://mirrorlist.centos.org/?release=$releasever&arch=$basearch&repo=os
#baseurl=http://mirror.centos.org/centos/$releasever/os/$basearch/
gpgcheck=1
[sclo]
baseurl=http://mirror.centos.org/centos/6/sclo/$basearch/
"""


@shells
def test_dead_repositories_are_repaired_and_put_back(installed):
    file = installed.write("etc/yum.repos.d/CentOS-Base.repo", DEAD)
    alive = installed.write("etc/yum.repos.d/mine.repo", "[mine]\nbaseurl=http://mine.example/mirror.centos.org.copy/\n")
    steps, _ = installed.run("archive=http://gone.example/6.10", "archive=http://archive.example/6.10")
    assert steps["base-repositories"] == "changed"
    assert file.read_text() == (
        "[base]\n#mirrorlist=http://mirrorlist.centos.org/?release=$releasever&arch=$basearch&repo=os\n"
        "baseurl=http://archive.example/6.10/os/$basearch/\ngpgcheck=1\n"
        "[sclo]\nbaseurl=http://mirror.centos.org/centos/6/sclo/$basearch/\n"
    )
    assert "mirror.centos.org.copy" in alive.read_text()
    assert "base-repositories" not in installed.run("archive=http://archive.example/6.10")[0]
    entry = json.loads(installed.read("var/lib/pydock/journal.jsonl").splitlines()[-1])
    row = f"{entry['file']}|{entry['backup']}|{entry['sha256']}"
    file.write_text(file.read_text() + "# somebody's\n")
    assert installed.run("only=restore", f"file={row}")[1]["code"] == "restore-failed"
    installed.run("only=restore", f"file={row}", "force=yes")
    assert file.read_text() == DEAD
    assert installed.run("only=restore", f"file=/etc/passwd|{entry['backup']}|")[1]["code"] == "restore-failed"


@shells
def test_a_repair_leaves_the_addresses_of_the_user_alone(installed):
    """A company's own base beside extras that died: the commented address in the former stays a comment."""
    dead = "mirrorlist=http://mirrorlist.centos.org/?release=$releasever&arch=$basearch&repo="
    address = "baseurl=http://mirror.centos.org/centos/$releasever"
    file = installed.write(
        "etc/yum.repos.d/CentOS-Base.repo",
        f"[base]\nbaseurl=http://yum.example/6/os/$basearch/\n#{address}/os/$basearch/\n"
        f"[updates]\n{dead}updates\nbaseurl=http://yum.example/6/updates/$basearch/\n"
        f"[extras]\n{dead}extras\n#{address}/extras/$basearch/\n[contrib]\nname=c\n{dead}contrib\ngpgcheck=1\n",
    )
    installed.run("archive=http://archive.example/6.10")
    assert file.read_text() == (
        f"[base]\nbaseurl=http://yum.example/6/os/$basearch/\n#{address}/os/$basearch/\n"
        f"[updates]\n#{dead}updates\nbaseurl=http://yum.example/6/updates/$basearch/\n"
        f"[extras]\n#{dead}extras\nbaseurl=http://archive.example/6.10/extras/$basearch/\n"
        f"[contrib]\nname=c\n#{dead}contrib\nbaseurl=http://archive.example/6.10/contrib/$basearch/\ngpgcheck=1\n"
    )


@shells
def test_a_library_that_is_too_old_for_the_program_is_updated(installed):
    """What the program says then is the dynamic linker's; of a library that stays too old the user is told."""
    docker = installed.root / "bin/docker"
    works = docker.read_text()
    old = "docker: relocation error: docker: symbol dm_task_get_info_with_deferred_remove, version Base not defined"
    docker.write_text(works.replace("\n", f'\n[ -e {installed.root}/rpm/newer ] || {{ echo "{old}" >&2; exit 127; }}\n', 1))
    steps, told = installed.run()
    assert (steps["library"], told["code"]) == ("failed", "library-too-old")
    assert "dm_task_get_info_with_deferred_remove" in told["evidence"]
    yum = installed.root / "bin/yum"
    yum.write_text(yum.read_text() + f'\n[ "$verb" != update ] || touch {installed.root}/rpm/newer\n')
    assert installed.run()[0]["library"] == "changed"
    assert "library" not in installed.run()[0]


@shells
def test_an_engine_that_hangs_is_not_restarted_under_its_containers(installed):
    """What does not answer may have containers all the same: the control groups of their processes tell."""
    installed.write("bin/docker", installed.read("bin/docker").replace("ps) ", "ps) exit 124; ").replace("version) ", "version) exit 124; "))
    installed.write("proc/88/cgroup", "3:cpu:/docker/" + 64 * "a" + "\n2:memory:/docker/" + 64 * "a" + "\n")
    (installed.root / "log").write_text("")
    _steps, told = installed.run()
    assert told["code"] == "restart-needed"
    assert "it runs but does not answer, which would stop 1 running container(s)" in told["msg"]
    assert "service docker" not in installed.read("log")
    (installed.root / "proc/88/cgroup").unlink()
    installed.run()
    assert "service docker restart" in installed.read("log")


@shells
def test_a_lock_that_somebody_holds_is_waited_for_but_not_for_ever(machine):
    machine.write("var/run/yum.pid", "4711")  # As yum 3.2 writes it, without an end of line.
    (machine.root / "proc/4711").mkdir()
    _steps, told = machine.run("patience=4", "compiler=gcc")
    assert told["code"] == "locked"
    assert "4711" in told["msg"]
    (machine.root / "proc/4711").rmdir()
    assert machine.run("patience=4", "compiler=gcc")[0]["compilers"] == "changed"


@shells
def test_other_releases_are_left_alone(machine):
    machine.write("etc/redhat-release", "CentOS Linux release 7.9.2009 (Core)\n")
    _steps, told = machine.run()
    assert told["code"] == "not-release-6"


@pytest.fixture
def other(machine):
    """Another run is at work there."""
    path = machine.write("var/run/pydock.lock", HOLDER)
    with path.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield path


HOLDER = '{"command": "pydock install", "owner": "ops@control", "pid": 5, "run": "r1", "since": "2026-11-26 06:40:28 UTC"}\n'


@shells
def test_one_run_at_a_time(machine, other):
    steps, told = machine.run("run=r2", "owner=eve@laptop")
    assert (steps, told["code"]) == ({"lock": "failed"}, "host-locked")
    assert "ops@control has been at work on this host since 2026-11-26 06:40:28 UTC (`pydock install`)" in told["msg"]
    assert other.read_text() == HOLDER
    steps, told = machine.run("run=r2", "owner=eve@laptop", "break_lock=True")
    assert steps["proof"] == "ok"
    assert not other.exists(), "its own lock goes with it"


@shells
def test_a_lock_is_free_once_its_owner_is_gone_and_an_engine_does_not_keep_it(machine):
    path = machine.write("var/run/pydock.lock", HOLDER)
    machine.write("bin/docker", machine.read("bin/docker").replace("version) ", f"version) cat {path} > {machine.root}/seen; "))
    machine.write("bin/service", machine.read("bin/service") + f"\nls -l /proc/$$/fd > {machine.root}/open\n")
    steps, _told = machine.run("run=r2", "owner=eve@laptop", "command=pydock install \"x\"")
    assert steps["service"] == "changed"
    assert json.loads(machine.read("seen"))["command"] == 'pydock install "x"'
    assert "pydock.lock" not in machine.read("open")


@shells
def test_nothing_new_begins_once_it_is_asked_to_stop(machine):
    stop = machine.root / "tmp/.pydock-stop-r2"
    machine.write("bin/yum", machine.read("bin/yum") + f"\ntouch {stop}\n")
    steps, told = machine.run("run=r2")
    assert told["code"] == "interrupted"
    assert steps == {"repository": "changed", "engine": "changed"}
    assert machine.run("run=r3")[0]["proof"] == "ok"


def test_what_a_host_says_is_data():
    """Noise, lines that are cut, and words that are none: no step, no crash."""
    for text in ("pydock: {", "pydock: []", 'pydock: {"step": 1}', "pydock: " + "[" * 5000, "x" * 5000, ""):
        assert legacy_report.result({"stdout": text, "rc": 0})["steps"] == []
    cut = legacy_report.result({"stdout": 'pydock: {"step": {"name": "engine", "status": "ok"}}\nKilled', "rc": 137})
    assert "Killed" in cut["msg"]
    assert [step["name"] for step in cut["steps"]] == ["engine"]


def test_role_and_run_tree_agree():
    """Variables, their types and defaults; a tree of both kinds of host carries both kinds of role."""
    defaults = yaml.safe_load((ROLE / "defaults/main.yml").read_text())
    options = yaml.safe_load((ROLE / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    assert set(defaults) == set(options)
    rows = dict(re.findall(r"^\| `(\w+)` \| `(.+?)` \|", (ROLE / "README.md").read_text(), re.MULTILINE))
    assert {name: yaml.safe_load(text) for name, text in rows.items()} == defaults
    used = {name for name in re.findall(r"docker_legacy_\w+", (ROLE / "vars/main.yml").read_text()) if not name.endswith(("_arguments", "_parts", "_script"))}
    assert used == set(defaults)
    old = bare("7", release=Known(Release("centos", "6.10", "CentOS 6.10")), kernel=Known("2.6.32-754.el6.x86_64"))
    hosts = ((Host("old", "192.0.2.6"), old), (Host("new", "192.0.2.9"), bare("9")))
    settings = Settings()
    tree = render(Plan(tuple(plan_host(host, facts, settings, Wishes()) for host, facts in hosts)), settings)
    site = tree.files["site.yml"]
    assert site.index("docker_apply") < site.index("docker_legacy")
    shipped = [tree.files[f"roles/docker_legacy/files/{path.name}"] for path in (ROLE / "files").glob("*.sh")]
    assert sorted(shipped) == sorted(path.read_text() for path in (ROLE / "files").glob("*.sh"))
    assert all(text in script("docker_legacy") for text in shipped), "every part is run"
    assert "roles/docker_legacy/files/builtin.base64" in tree.files
    inventory = yaml.load(tree.files["inventory/hosts.yml"].replace("!unsafe ", ""), yaml.SafeLoader)["docker"]["hosts"]
    assert inventory["old"]["pydock_roles"] == ["docker_legacy"]
    assert "ansible_python_interpreter" not in inventory["old"]
    told = {name: value for name, value in inventory["old"].items() if name.startswith("docker_legacy")}
    assert set(told) <= set(defaults)
    assert all(type(told[name]) is type(defaults[name]) or told[name] is None or defaults[name] is None for name in told)
    assert {name: defaults[name] for name in told} == told, "the role alone makes the same host"


def test_the_built_in_image_is_that_of_docker_verify():
    path = ROLES / "docker_verify/module_utils/pydock_builtin_image.py"
    if not path.exists():
        pytest.skip("docker_verify has no image of its own yet")
    spec = importlib.util.spec_from_file_location("pydock_builtin_image", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = module.image("amd64")
    text = (ROLE / "files/builtin.base64").read_text()
    assert gzip.decompress(base64.b64decode(text)) == made.archive
    assert (ROLE / "files/builtin.txt").read_text() == f"builtin_name={made.name}\ngreeting={made.greeting}\n"


def test_release_6_is_told_by_its_service_manager():
    assert [row.name for row in platforms.known() if row.legacy] == ["CentOS 6", "RHEL 6", "Oracle Linux 6"]
