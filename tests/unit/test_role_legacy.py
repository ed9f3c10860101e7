"""The script of docker_legacy under every shell there is, in a root of its own with made-up programs; and what it tells."""

import base64
import fcntl
import gzip
import importlib.util
import json
import re
import shutil
import subprocess
from pathlib import Path

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
from tests.unit.modules import ROLES

ROLE = ROLES / "docker_legacy"
SCRIPT = (ROLE / "files/docker_legacy.sh").read_text(encoding="utf-8")
BUSYBOX = shutil.which("busybox") or next(
    map(str, Path.home().glob(".cache/pydock-lab/base-*/root/bin/busybox")), None
)
SHELLS = {"bash": ["bash", "--posix"], "dash": ["dash"], "busybox": [BUSYBOX, "sh"]}
shells = pytest.mark.parametrize(
    "shell",
    [
        pytest.param(words, id=name, marks=pytest.mark.skipif(not words[0] or not shutil.which(words[0]), reason="not there"))
        for name, words in SHELLS.items()
    ],
)
BASE = "http://archive.example/epel"

#: What the made-up programs do; $R is the root. Engine and packages are files.
PROGRAMS = {
    "rpm": """
        case $1 in
        -q) shift; [ "$1" != --qf ] || { shift 2; for n; do printf '%s 1.0, ' "$n"; done; exit; }; [ -e "$R/rpm/$1" ] ;;
        --import) touch "$R/rpm/gpg-pubkey-0608b895" ;;
        esac""",
    "yum": """
        shift; verb=$1; shift
        echo "yum $verb $*" >> "$R/log"
        for n; do case $verb in install) touch "$R/rpm/$n" ;; remove) rm -f "$R/rpm/$n" ;; esac; done
        [ ! -e "$R/rpm/docker-io" ] || { touch "$R/etc/init.d/docker"; chmod +x "$R/etc/init.d/docker"
            [ -e "$R/etc/sysconfig/docker" ] || echo 'other_args=""' > "$R/etc/sysconfig/docker"; }""",
    "curl": """
        while read -r key equals value; do case $key in url) url=$value ;; output) out=$value ;; esac; done
        url=${url#\\"} out=${out#\\"}; url=${url%\\"} out=${out%\\"}
        case $url in *archive.example*) echo ok > "$out" ;; *) echo 'curl: (6) no such name' >&2; exit 6 ;; esac""",
    "gpg": """case "$*" in *--fingerprint*) printf 'pub:\\nfpr:::::::::%s:\\n' "$(cat "$R/key")" ;; esac""",
    "chkconfig": """touch "$R/etc/rc.d/rc3.d/S95$1" """,
    "service": """
        echo "service $1 $2" >> "$R/log"
        [ "$1" = docker ] || exit 0
        . "$R/etc/sysconfig/docker"
        rm -f "$R/var/run/docker.pid"
        case $other_args in *--bad*) echo "flag provided but not defined: --bad" >> "$R/var/log/docker"; exit 0 ;; esac
        echo 77 > "$R/var/run/docker.pid"
        mkdir -p "$R/proc/77"; printf '/usr/bin/docker\\0-d\\0' > "$R/proc/77/cmdline"
        for w in $other_args; do printf '%s\\0' "$w" >> "$R/proc/77/cmdline"; done""",
    "docker": """
        case $1 in
        version) echo 'Client version: 1.7.1'; [ -e "$R/var/run/docker.pid" ] || exit 1; echo 'Server version: 1.7.1' ;;
        ps) cat "$R/containers" 2>/dev/null ;;
        pull) echo 'missing signature key' >&2; exit 1 ;;
        load) cat > "$R/loaded" ;;
        run) echo 'I am the built-in image.' ;;
        esac""",
    "id": "echo 0",
    "uname": "echo x86_64",
    "restorecon": ":",
    "sleep": ":",
}


class Machine:
    """A root directory that the script takes for its host."""

    def __init__(self, root, shell):
        self.root, self.shell = root, shell
        for name in ("rpm", "proc", "tmp", "var/run", "var/log", "etc/init.d", "etc/rc.d/rc3.d", "etc/yum.repos.d",
                     "etc/sysconfig", "etc/pki/rpm-gpg", "bin"):  # fmt: skip
            (root / name).mkdir(parents=True)
        self.write("etc/redhat-release", "CentOS release 6.10 (Final)\n")
        self.write("etc/inittab", "# runlevels\nid:3:initdefault:\n")
        self.write("key", EPEL_KEY)
        for name, body in PROGRAMS.items():
            self.write(f"bin/{name}", f"#!/bin/sh\nR={root}\n{body}\n").chmod(0o755)
        here = re.sub(r"(?<![\w}$])/(etc|var|proc|tmp)/", rf"{root}/\1/", SCRIPT)
        here = here.replace("/sbin/service", f"{root}/bin/service").replace("PATH=/usr/local/sbin", f"PATH={root}/bin:/usr/local/sbin")
        # busybox takes its own applets before what is in PATH.
        first = "".join(f'{name}() {{ {root}/bin/{name} "$@"; }}\n' for name in ("rpm", "id", "uname", "sleep"))
        self.script = first + here if "busybox" in shell[0] else here

    def write(self, name, text):
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text)
        return self.root / name

    def read(self, name):
        return (self.root / name).read_text()

    def run(self, *arguments):
        words = (f"epel={BASE}", f"epel_key={EPEL_KEY}", "builtin_name=b:1", "greeting=I am the built-in image.", "builtin=H4sI")
        done = subprocess.run(
            [*self.shell, "-c", self.script, "docker_legacy", *words, *arguments],
            capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.stderr == ""
        assert not list((self.root / "tmp").iterdir()), "nothing is left behind"
        told = legacy_report.result({"stdout": f"a banner\r\n{done.stdout}".replace("\n", "\r\n"), "rc": done.returncode})
        assert len(told["steps"]) == done.stdout.count('"step"')
        return {step["name"]: step["status"] for step in told["steps"]}, told


@pytest.fixture
def machine(tmp_path, shell):
    return Machine(tmp_path, shell)


@shells
def test_a_bare_host_is_installed_and_then_left_alone(machine):
    machine.write("rpm/docker", "")
    wish = ("absent=docker", "compiler=gcc", "compiler=gcc-c++", "other_args=--registry-mirror=https://m", "was=", "mirror=https://m")
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
    assert [entry["action"] for entry in entries] == ["created", "created", "replaced"]


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
    steps, told = machine.run("run=r2", "owner=eve@laptop", "break_lock=yes")
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
    used = set(re.findall(r"docker_legacy_\w+", (ROLE / "vars/main.yml").read_text())) - {"docker_legacy_arguments"}
    assert used == set(defaults)
    old = bare("7", release=Known(Release("centos", "6.10", "CentOS 6.10")), kernel=Known("2.6.32-754.el6.x86_64"))
    hosts = ((Host("old", "192.0.2.6"), old), (Host("new", "192.0.2.9"), bare("9")))
    settings = Settings()
    tree = render(Plan(tuple(plan_host(host, facts, settings, Wishes()) for host, facts in hosts)), settings)
    site = tree.files["site.yml"]
    assert site.index("docker_apply") < site.index("docker_legacy")
    assert tree.files["roles/docker_legacy/files/docker_legacy.sh"] == SCRIPT
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
