"""Repository files of ended releases: what changes, what stays byte for byte, and where their packages went."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pydock_installer import archive
from pydock_installer.model import Host, Known, Release
from pydock_installer.planner import Wishes, plan_host
from pydock_installer.settings import Settings
from tests.unit.facts import bare
from tests.unit.modules import library
from tests.unit.test_rules import CASES, answered

pydock_archive = library("pydock_archive")

modest = settings(max_examples=80, deadline=None)
VAULT = "http://vault.centos.org/7.9.2009"
VARIANTS = Path(__file__).resolve().parents[1] / "lab/data/variants"
DEAD = sorted(VARIANTS.glob("dead-*/etc/yum.repos.d/*.repo"))
ROOTS = {"dead-6": "http://vault.centos.org/6.10", "dead-7": VAULT, "dead-8": "http://vault.centos.org/8.5.2111",
         "dead-8-stream": "http://vault.centos.org/centos/8-stream"}  # fmt: skip

SEVEN = """# CentOS-Base.repo
[base]
name=CentOS-$releasever - Base
mirrorlist=http://mirrorlist.centos.org/?release=$releasever&arch=$basearch&repo=os&infra=$infra
#baseurl=http://mirror.centos.org/centos/$releasever/os/$basearch/
gpgcheck=1

[sclo]
mirrorlist=http://mirrorlist.centos.org?arch=$basearch&release=7&repo=sclo-rh
#baseurl=http://mirror.centos.org/centos/7/sclo/$basearch/rh/
"""


def repaired(text, root=VAULT, flat=True):
    return pydock_archive.repaired(text, root, flat)[0]


def test_the_dead_list_is_commented_and_the_address_set():
    assert repaired(SEVEN) == SEVEN.replace("mirrorlist=http://mirrorlist.centos.org/?rel", "#mirrorlist=http://mirrorlist.centos.org/?rel").replace(
        "#baseurl=http://mirror.centos.org/centos/$releasever/os/", f"baseurl={VAULT}/os/"
    )


@pytest.mark.parametrize(
    ("lines", "flat", "wanted"),
    [
        # A file of the release 8, whose addresses have variables.
        (["baseurl=http://mirror.centos.org/$contentdir/$releasever/BaseOS/$basearch/os/"], False, [f"baseurl={VAULT}/BaseOS/$basearch/os/"]),
        # Without an address at all, the list tells the part.
        (["mirrorlist = http://mirrorlist.centos.org/?repo=updates&release=7"], True,
         ["#mirrorlist = http://mirrorlist.centos.org/?repo=updates&release=7", f"baseurl={VAULT}/updates/$basearch/"]),
        (["mirrorlist=http://mirrorlist.centos.org/?release=8&repo=AppStream"], False,
         ["#mirrorlist=http://mirrorlist.centos.org/?release=8&repo=AppStream", f"baseurl={VAULT}/AppStream/$basearch/os/"]),
        # Somebody's own address stays, and stays the only one.
        (["mirrorlist=http://mirrorlist.centos.org/?repo=os", "baseurl=http://repo.example.com/7/os/"], True,
         ["#mirrorlist=http://mirrorlist.centos.org/?repo=os", "baseurl=http://repo.example.com/7/os/"]),
        # An address on the next line goes with the key above it.
        (["baseurl=http://mirror.centos.org/centos/7/os/$basearch/", "  http://repo.example.com/os/"], True,
         [f"baseurl={VAULT}/os/$basearch/", "  http://repo.example.com/os/"]),
        # Not dead, or not the archive's.
        (["mirrorlist=http://mirrors.example.com/?repo=os"], True, None),
        (["baseurl=http://vault.centos.org/7.8.2003/os/$basearch/"], True, None),
        (["#mirrorlist=http://mirrorlist.centos.org/?repo=os", "baseurl=file:///media/"], True, None),
        (["metalink=https://mirrors.fedoraproject.org/metalink?repo=epel-7&arch=$basearch"], True, None),
    ],
)  # fmt: skip
def test_a_section(lines, flat, wanted):
    text = "[base]\r\nname=x\r\n" + "".join(f"{line}\r\n" for line in lines) + "enabled=1\r\n"
    expected = "[base]\r\nname=x\r\n" + "".join(f"{line}\r\n" for line in wanted or lines) + "enabled=1\r\n"
    assert repaired(text, flat=flat) == expected


@pytest.mark.parametrize("path", DEAD, ids=lambda path: f"{path.parts[-4]}/{path.name}")
def test_the_files_that_releases_came_with(path):
    root = ROOTS[path.parts[-4]]
    text = path.read_bytes().decode("latin-1")
    new, changed = pydock_archive.repaired(text, root, "8" not in path.parts[-4])
    old_lines, new_lines = text.splitlines(), new.splitlines()
    assert len(old_lines) == len(new_lines)
    for old, now in zip(old_lines, new_lines, strict=True):
        assert now in (old, f"#{old}") or (now.startswith(f"baseurl={root}/") and "baseurl=http://mirror.centos.org/" in old)
    assert {s.id for s in changed} == {s.id for s in pydock_archive.sections(text) if s.option("mirrorlist") or "mirror.centos.org" in "".join(s.addresses())}


LINE = st.one_of(
    st.sampled_from([
        "[base]", "[sclo]", "[my-repo]", "enabled=0", "gpgcheck = 1", "# a comment", "", " http://mirror.centos.org/centos/7/os/x/",
        "mirrorlist=http://mirrorlist.centos.org/?repo=os&x", "mirrorlist=http://mirrors.example.com/list", "#baseurl=file:///x",
        "#baseurl=http://mirror.centos.org/centos/$releasever/os/$basearch/", "baseurl=http://mirror.centos.org/centos/7/extras/x/",
        "baseurl=http://mirror.centos.org/centos/7/sclo/x/", "baseurl=http://repo.example.com/os/", "mirrorlist=http://mirrorlist.centos.org?repo=sclo-rh",
        "exclude=docker*", "baseurl: http://mirror.centos.org/$contentdir/$stream/BaseOS/$basearch/os/",
    ]),
    st.text(st.characters(codec="latin-1", exclude_characters="\n"), max_size=30),
)  # fmt: skip
FILE = st.lists(st.tuples(LINE, st.sampled_from(["\n", "\n", "\r\n"])), max_size=14).map(lambda rows: "".join(a + b for a, b in rows))


@given(FILE, st.booleans())
@modest
def test_repairing_twice_is_repairing_once(text, flat):
    once = repaired(text, flat=flat)
    assert repaired(once, flat=flat) == once


@given(FILE, st.booleans())
@modest
def test_what_is_not_about_the_dead_servers_stays_byte_for_byte(text, flat):
    new, changed = pydock_archive.repaired(text, VAULT, flat)
    assert bool(changed) == (new != text)
    rest = iter(new.split("\n"))
    for line in text.split("\n"):
        if not any(word in line for word in ("mirror.centos.org", "mirrorlist")) and not line[:1].isspace():
            assert line in rest, line


@given(st.lists(LINE.filter(lambda line: "centos.org" not in line), max_size=10).map("\n".join))
@modest
def test_a_file_without_them_is_left_alone(text):
    assert pydock_archive.repaired(text, VAULT, True) == (text, [])


def test_an_archive_is_taken_only_if_it_serves_all_that_is_on():
    texts = {"/etc/yum.repos.d/CentOS-Base.repo": SEVEN}
    asked = []

    def unserved(address):
        asked.append(address)
        return f"{address}: 404" if "near" in address else None

    near = "https://near.example.com/7.9.2009"
    root, changes, problems = pydock_archive.chosen_archive(texts, [near, VAULT], unserved)
    assert (root, list(changes), problems) == (VAULT, list(texts), [])
    assert [address.partition("/os/")[0] for address in asked] == [near, VAULT]
    assert asked[0].endswith("/repodata/repomd.xml")
    assert "$" not in asked[0]
    root, changes, problems = pydock_archive.chosen_archive(texts, [near], unserved)
    assert (root, changes) == ("", {})
    assert problems == [f"{asked[0]}: 404"]


# -- where a release went, and what the plan says


@pytest.mark.parametrize(
    ("release", "machine", "mirror", "first"),
    [
        (("centos", "7.9.2009", "CentOS Linux 7.9.2009"), "x86_64", "official", "http://vault.centos.org/7.9.2009"),
        (("centos", "7.9.2009", "CentOS Linux 7.9.2009"), "aarch64", "official", "http://vault.centos.org/altarch/7.9.2009"),
        (("centos", "7.9.2009", "CentOS Linux 7.9.2009"), "aarch64", "aliyun", "https://mirrors.aliyun.com/centos-altarch/7.9.2009"),
        (("centos", "8.5.2111", "CentOS Linux 8.5.2111"), "x86_64", "tuna", "https://mirrors.tuna.tsinghua.edu.cn/centos-vault/8.5.2111"),
        (("centos", "8", "CentOS Stream 8"), "x86_64", "https://repo.example.com", "http://vault.centos.org/centos/8-stream"),
        (("centos", "6.10", "CentOS release 6.10 (Final)"), "x86_64", "aliyun", "http://mirrors.aliyun.com/centos-vault/6.10"),
        (("centos", "9", "CentOS Stream 9"), "x86_64", "official", None),
    ],
)  # fmt: skip
def test_where_the_packages_of_a_release_went(release, machine, mirror, first):
    facts = replace(bare(), release=Known(Release(*release)), architecture=Known(machine))
    found = archive.archives(facts, mirror)
    assert (found[0] if found else None) == first
    if found:
        assert any(root.startswith("http://vault.centos.org") for root in found[:2]), "CentOS's own comes next"


def test_rules_and_module_know_the_same_parts():
    assert tuple(archive.data()["parts"]) == pydock_archive.PARTS
    assert set(archive.data()["archives"]) <= set(archive.platforms.mirrors())


def case(name):
    return answered(next(path for path in CASES if path.stem == name))


def test_the_plan_repairs_only_where_it_was_asked_to_and_names_the_files():
    facts = case("mirrorlist-gone-7")
    blocked = plan_host(Host("web", "192.0.2.1"), facts, Settings(), Wishes())
    assert [f.code for f in blocked.blockers] == ["base-repositories"]
    assert "--repair-base-repositories" in blocked.blockers[0].remedy
    made = plan_host(Host("web", "192.0.2.1"), facts, Settings(repair_base_repositories=True, repository="aliyun"), Wishes())
    assert not made.blockers
    assert made.steps[0].name == "base-repositories"
    assert "CentOS-Base.repo in /etc/yum.repos.d" in made.steps[0].sentence
    assert made.variables["docker_repositories_archives"][:2] == ["https://mirrors.aliyun.com/centos-vault/7.9.2009", VAULT]


def test_a_host_whose_repositories_answer_is_left_alone():
    made = plan_host(Host("web", "192.0.2.1"), case("all-well-7"), Settings(repair_base_repositories=True), Wishes())
    assert "base-repositories" not in [step.name for step in made.steps]
    assert made.variables["docker_repositories_archives"] == []
