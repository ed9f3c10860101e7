"""The group packages: hostile answers, the files of yum and dnf, and the shell section with a false curl."""

import os
import re
import shutil
import subprocess
from importlib import resources
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pydock_installer import checks, platforms
from pydock_installer.checks.rule import Context
from pydock_installer.model import Known
from pydock_installer.model.groups.packages import VersionLock
from pydock_installer.probe import parse
from pydock_installer.probe.answers import Answers, Section, split
from pydock_installer.probe.groups import packages, repo_files
from pydock_installer.settings import Settings
from tests.unit.test_rules import BARE, NONCE, RELEASES, findings, output

CASES = Path(__file__).resolve().parents[1] / "data/checks/packages"
MAIN = "config:/etc/yum.conf"
REPOSITORY = "config:/etc/yum.repos.d/a.repo"
WHOLE = {
    MAIN: "[main]\nexclude=x\n",
    REPOSITORY: "[base]\nbaseurl=http://vault.centos.org/7.9.2009/os/$basearch/\n",
    "config:/etc/dnf/modules.d/container-tools.module": "[container-tools]\nstate=enabled\n",
    "config:/etc/yum/pluginconf.d/versionlock.conf": "[main]\nenabled=1\n",
    "config:/etc/yum/pluginconf.d/versionlock.list": "3:docker-ce-20.10.23-3.el7.*\n",
    "config_end": "5 /etc/yum.conf\n",
    "rpm_database": "rpm\t4.11.3-45.el7\npackage moby-engine is not installed\n",
    "repository_variables": "basearch=x86_64\nreleasever=7\n",
    "repository_status": "base\tbase\t200 0 0\n",
    "locks": "/var/run/yum.pid\t12\tyum\n",
}
modest = settings(max_examples=60, deadline=None)
pieces = st.sampled_from(
    ["[", "]", "[main]", "[base]", "\n", "\n ", "=", ":", "\t", "baseurl", "mirrorlist", "exclude", "enabled", "0",
     "200", "-1", "²", "9" * 5000, "\0", "\x1b[2J", "\r", "\u2028", "$releasever", "${", "}", "(", "*", "!", "docker-ce-",
     "container-tools", "state", "disabled", "http://", "file:///", "error: ", "package x is not installed", "é"]
)  # fmt: skip
noise = st.lists(pieces | st.text(max_size=6), max_size=20).map("".join)


def judged(answers, release="7", **wishes):
    facts = parse(output({**BARE, **RELEASES[release], **answers}), NONCE)
    found = checks.findings(facts, Context(Settings(**wishes), platforms.lookup(facts.release.value)))
    return {finding.code: finding for finding in found}


@modest
@given(st.sampled_from(sorted(WHOLE)), noise, st.sampled_from(["0", "1", "44", "77", "124", "137", "x"]), st.sampled_from(["7", "8", "9"]))
def test_no_answer_breaks_anything(name, text, status, release):
    told = judged({**WHOLE, name: {"text": text.replace(NONCE, ""), "status": status}}, release)
    for finding in told.values():
        assert "\x1b" not in f"{finding.message}{finding.remedy}"
        assert "\0" not in finding.message


@modest
@given(noise, noise)
def test_no_answer_breaks_the_parser_either(first, second):
    sections = {name: Section(0, first) for name in WHOLE} | {f"config:{second}": Section(0, second), "preflight": Section(0, "yes")}
    packages(Answers(sections))


@modest
@given(noise)
def test_no_file_breaks_the_reader(text):
    for section in repo_files.sections(text, "/f"):
        section.words("baseurl")
        assert not any("password" in key for key in section.options)
    repo_files.version_locks(text, "/f")


def test_an_answer_that_was_cut_off_is_not_an_absent_file():
    told = judged({name: text for name, text in WHOLE.items() if name != "config_end"})
    for code in ("base-repositories", "repositories-disabled", "excluded-packages", "version-lock"):
        assert told[code].severity.value == "unknown"


@pytest.mark.parametrize(
    ("identifier", "address", "part"),
    [
        ("base", "", "base"), ("BaseOS", "", "base"), ("AppStream", "", "appstream"), ("extras", "", "extras"),
        ("extras-common", "", "extras"), ("ol8_baseos_latest", "", "base"), ("ol8_appstream", "", "appstream"),
        ("rhel-7-server-rpms", "", "base"), ("rhel-7-server-extras-rpms", "", "extras"), ("updates", "", "updates"),
        ("x", "http://m/centos/7/os/$basearch/", "base"), ("x", "http://m/8/BaseOS/$basearch/os/", "base"),
        ("x", "http://m/8/AppStream/$basearch/os/", "appstream"), ("x", "http://m/?repo=os&a=b", "base"),
        ("x", "https://m/metalink?repo=centos-appstream-$stream&arch=x", "appstream"),
        ("x", "http://m/7/extras/x86_64/", "extras"), ("x", "http://m/8/extras/x86_64/os", "extras"),
        ("powertools", "http://m/8/PowerTools/$basearch/os/", None), ("epel", "http://m/epel/7/x86_64", None),
        ("baseos-source", "http://m/8/BaseOS/Source/", None), ("c7-media", "file:///media/os/x86_64", None),
        ("C7.8.2003-base", "http://vault.centos.org/7.8.2003/os/$basearch/", None),
        ("base-debuginfo", "http://m/7/x86_64/", None), ("docker-ce-stable", "https://m/linux/centos/7/x86_64/stable", None),
    ],
)  # fmt: skip
def test_a_part_of_a_distribution_is_recognised(identifier, address, part):
    assert repo_files.part(identifier, [address]) == part


def test_files_are_read_as_yum_reads_them():
    text = "\r\n# c\r\n[a b]\r\nName : A = B\r\nbaseurl=http://a/\r\n\t http://b/,http://c/\r\n;x=1\r\nenabled=FALSE\r\nproxy=_none_\r\npassword=p\r\n q\r\n"
    (found,) = repo_files.configuration("/m", {"/m": "[main]\nproxy=http://p/\ngpgcheck=1\n", "/r": text}, []).repositories
    assert (found.id, found.name, found.enabled, found.proxy, found.gpgcheck) == ("ab", "A = B", False, None, True)
    assert found.baseurls == ("http://a/", "http://b/", "http://c/")


@pytest.mark.parametrize(
    ("line", "lock"),
    [
        ("3:docker-ce-20.10.23-3.el7.*", ("docker-ce", "20.10.23", False)),
        ("docker-ce-3:26.1.3-1.el8.*", ("docker-ce", "26.1.3", False)),
        ("1:docker-ce-cli-26.1.4-1.el7.x86_64", ("docker-ce-cli", "26.1.4", False)),
        ("docker-ce-cli-1:26.1.*", ("docker-ce-cli", "26.1.*", False)),
        ("!containerd.io-0:1.6.33-3.1.el9.*", ("containerd.io", "1.6.33", True)),
        ("docker-ce-rootless-extras-0:26.1.3-1.el8.*", None),
        ("# docker-ce-3:26.1.3-1.el8.*", None),
        ("0:docker-compose-1.18.0-4.el7.*", None),
    ],
)
def test_version_locks_of_both_plugins_are_read(line, lock):
    expected = (VersionLock(*lock, "/f", 1),) if lock else ()
    assert repo_files.version_locks(f"{line}\n", "/f") == expected


@pytest.mark.parametrize(
    ("locked", "wanted", "agrees"),
    [("26.1.4", "26", True), ("26.1.4", "26.1", True), ("26.1.*", "26.1.4", True), ("26.1.4", "26.1.3", False),
     ("20.10.23", "20.1", False), ("*", "26", True)],
)  # fmt: skip
def test_a_lock_agrees_with_what_it_lets_in(locked, wanted, agrees):
    assert VersionLock("docker-ce", locked, False, "/f", 1).agrees(wanted) is agrees


@pytest.mark.parametrize("name", ["mirrorlist-gone-7", "mirrorlist-gone-7-aarch64", "no-urls-8", "stream-8"])
def test_the_remedy_for_switched_off_mirrors_does_what_it_says(name, tmp_path):
    """The sed of the remedy is run on the files of the case: each enabled repository ends in the archive."""
    case = yaml.safe_load((CASES / f"{name}.yml").read_text())
    remedy = next(finding.remedy for finding in findings(case) if finding.code == "base-repositories")
    command = re.search("`(sed [^`]*)`", remedy)[1].replace("/etc/yum.repos.d/", f"{tmp_path}/")
    for path, text in case["answers"].items():
        if path.startswith("config:/etc/yum.repos.d/"):
            (tmp_path / path.rpartition("/")[2]).write_text(text)
    subprocess.run(["sh", "-c", command], check=True)
    files = {f"/etc/yum.repos.d/{path.name}": path.read_text() for path in tmp_path.iterdir()}
    enabled = repo_files.configuration("/etc/yum.conf", files, []).enabled
    assert {entry.part for entry in enabled} >= {"base", "extras"}
    for entry in enabled:
        assert entry.lists == ()
        assert re.match(r"http://vault\.centos\.org/(altarch/7\.9\.2009|7\.9\.2009|8\.5\.2111|centos/8-stream)/\w", entry.baseurls[0])


# -- the section itself, on a made-up /etc


def script():
    """The sections packages and web, and as much of the probe as they need."""
    read = resources.files("pydock_installer.probe").joinpath
    probe = read("probe.sh").read_text(encoding="utf-8")
    functions = probe[: probe.index("case $privilege in")]
    asked = probe[probe.index("# rpm is asked once") : probe.index("# systemd is asked once")]
    sections = (read(f"sections/{name}.sh").read_text(encoding="utf-8") for name in ("packages", "web"))
    none = "thorough=no mirrors= registries= repository_path= proxy_words="
    return functions + "major=$1\nset --\n" + asked, f"{none}\n" + "\n".join(sections)


CURL = r"""#!/bin/sh
{ echo "argv $*"; cat; echo; } >"$LOG.$$"
awk '/^next/ { quiet = 0 }
    /^output/ { quiet = 1 }
    /^write-out/ {
        if (!quiet) printf "<url protocol=\"https\">https://m/</url>\nhttp://m/1\n"
        gsub(/^write-out = "|"$/, "")
        gsub(/\\n/, "\n")
        sub(/%{http_code}/, "200")
        sub(/%{exitcode}/, "0")
        gsub(/%{[a-z_]*}/, "0.1")
        printf "%s", $0
    }' "$LOG.$$"
"""
FALSE_RPM = """#!/bin/sh
case $* in
*whatprovides*) printf 'system-release 7\\nsystem-release(releasever) 7Server\\nversion 7.9\\n' ;;
*) printf 'rpm\\t4.11\\npackage moby is not installed\\n'; exit 1 ;;
esac
"""
SHELLS = [
    [path, *more]
    for name, *more in (["dash"], ["bash", "--posix"], ["busybox", "sh"])
    if (path := shutil.which(name))
]


@pytest.fixture
def host(tmp_path):
    """Runs the section on files below a directory that stands for the root; answers, and what curl was told."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, text in {"curl": CURL, "rpm": FALSE_RPM}.items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)

    def run(shell, files, major="9"):
        for path, text in files.items():
            target = tmp_path / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        functions, sections = script()
        sections = re.sub("/(etc|usr/share|var|usr/lib)/", rf"{tmp_path}/\1/", sections)
        places = {"PATH": f"{tools}:{os.environ['PATH']}", "LOG": str(tmp_path / "log"), "HOME": str(tmp_path)}
        done = subprocess.run(
            [*shell, "-c", functions + sections, "pydock-probe", NONCE, "root", major],
            capture_output=True, timeout=60, env=places,
        )  # fmt: skip
        assert done.stderr == b""
        asked = "".join(sorted(path.read_text() for path in tmp_path.glob("log.*")))
        return split(done.stdout.replace(f"{tmp_path}/".encode(), b"/"), NONCE), asked

    return run


@pytest.mark.parametrize("major", ["7", "9"], ids=["one by one", "together"])
@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0].rpartition("/")[2])
def test_the_section_asks_as_yum_would(shell, major, host):
    answers, asked = host(shell, {
        "/etc/yum.conf": "[main]\nproxy=http://proxy.example.com:3128\nproxy_username=joe\nproxy_password=p\"a\\s:s\n",
        "/usr/share/yum-cli/x": "",
        "/etc/yum/vars/contentdir": "altarch\n",
        "/etc/yum.repos.d/a.repo": "[base]\r\nmirrorlist=http://l.example.com/?r=$releasever&a=$basearch&i=$infra\r\n#baseurl=x\r\n\r\n"
        "[extras]\r\nenabled = 1\r\nbaseurl = http://u:p@a.example.com/$contentdir/${releasever}/x/\r\n  https://b.example.com/y\r\n"
        "proxy=_none_\r\nsslverify=0\r\n",
        "/etc/yum.repos.d/b.repo": "[off]\nenabled=No\nbaseurl=http://off.example.com/\n[odd]x]\nbaseurl=http://c.example.com/\"\\$(id)\n"
        "username=me\npassword = secret\nname=x",
        "/etc/yum.repos.d/docker-ce.repo": "[docker-ce-stable]\nbaseurl=https://download.docker.com/linux/centos/7/x86_64/stable\n",
        "/etc/ssl/certs/1.0": "x",
    }, major)  # fmt: skip
    machine = os.uname().machine
    assert asked.count("argv ") == {"7": 4, "9": 2}[major]
    assert asked.count("capath = ") == {"7": 0, "9": 4}[major]
    urls = set(re.findall('(?m)^url = "(.*)"$', asked))
    assert urls == {
        f"http://l.example.com/?r=7Server&a={machine}&i=$infra",
        "http://u:p@a.example.com/altarch/7Server/x/repodata/repomd.xml",
        "https://b.example.com/y/repodata/repomd.xml",
        r"http://c.example.com/\"\\$(id)/repodata/repomd.xml",
    }
    for line in asked.splitlines():
        if line.startswith("argv "):
            assert "example.com" not in line
            assert "secret" not in line
    assert asked.count('proxy-user = "joe:p\\"a\\\\s:s"') == 2
    assert (asked.count('proxy = ""'), asked.count("insecure")) == (2, 2)
    assert 'user = "me:secret"' in asked
    facts = packages(answers)
    assert {(a.repository, a.kind, a.good) for a in facts.answers.value} == {
        ("base", "list", True), ("extras", "base", True), ("odd", "base", True),
    }  # fmt: skip
    assert [r.id for r in facts.configuration.value.repositories] == ["base", "extras", "off", "odd", "docker-ce-stable"]
    assert facts.configuration.value.file == "/etc/yum.conf"
    assert facts.configuration.value.unread == ()
    assert facts.variables.value["releasever"] == "7Server"
    assert facts.locks == Known(())
    assert facts.database_errors == Known(())
    texts = "".join(section.text for section in answers.sections.values())
    assert "secret" not in texts
    assert "p\"a" not in texts
    assert "u:p@" not in texts


def test_the_section_keeps_within_bounds(host):
    """Many files and long ones: what is left out is told, and nobody waits for more than 30 addresses."""
    files = {f"/etc/yum.repos.d/{n:02}.repo": f"[r{n}]\nbaseurl=http://m.example.com/{n}/\n" for n in range(70)}
    answers, asked = host(SHELLS[0], {"/etc/dnf/dnf.conf": "[main]\n", "/etc/yum.repos.d/00.repo": "#" * 70000, **files})
    facts = packages(answers)
    assert asked.count("url = ") == 30
    assert "there are too many" in facts.configuration.value.unread[-1]
    long = {f"/etc/yum.repos.d/{n:02}.repo": "[r]\n" + "#" * 70000 for n in range(70)}
    answers, _ = host(SHELLS[0], long)
    assert sum(len(section.text) for section in answers.sections.values()) < 500_000
    assert "/etc/yum.repos.d/00.repo: it is too long" in packages(answers).configuration.value.unread


def test_the_section_names_the_living_holder_of_a_lock(host):
    answers, _ = host(SHELLS[0], {
        "/etc/dnf/dnf.conf": "[main]\n", "/etc/yum.repos.d/a.repo": "",
        "/var/run/yum.pid": f"{os.getpid()}\n", "/var/lib/dnf/rpmdb_lock.pid": "999999999",
    })  # fmt: skip
    (lock,) = packages(answers).locks.value
    assert (lock.pid, lock.file) == (os.getpid(), "/var/run/yum.pid")
    assert "py" in lock.command


def test_a_host_without_yum_has_nothing_to_say(host):
    answers, asked = host(SHELLS[0], {})
    assert packages(answers).configuration is None
    assert asked == ""
