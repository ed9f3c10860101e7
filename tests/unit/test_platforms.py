"""Releases are recognised by what their release files say, here and on the host; data and page are one."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pydock_installer import platforms
from pydock_installer.cli import main
from pydock_installer.model import Known
from pydock_installer.platforms.versions import at_least, version_key
from pydock_installer.probe import parse
from tests.unit.test_rules import NONCE, output

SAMPLES = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).resolve().parents[1] / "data/platforms").glob("*.yml"))
}
PROBE = Path(platforms.__file__).parents[1] / "probe/probe.sh"
KNOWN = [name for name, sample in SAMPLES.items() if "name" in sample["expect"]]


def release_of(sample):
    fact = parse(output(sample["answers"]), NONCE).release
    assert isinstance(fact, Known), fact
    return fact.value


@pytest.mark.parametrize("name", KNOWN)
def test_a_release_is_recognised_by_its_files(name):
    expect = SAMPLES[name]["expect"]
    found = platforms.lookup(release_of(SAMPLES[name]))
    assert found is not None
    assert (found.name, found.path, found.interpreter) == (expect["name"], expect["path"], expect["interpreter"])


@pytest.mark.parametrize("name", [name for name in KNOWN if "os-release" in SAMPLES[name]["answers"]])
def test_the_probe_finds_the_same_path_in_shell(name, tmp_path):
    """Its words for ID and number select the row of ``paths()``."""
    (tmp_path / "os-release").write_text(SAMPLES[name]["answers"]["os-release"])
    (lines,) = re.findall(r"^release_id=\n.*?^done </etc/os-release$", PROBE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    script = lines.replace("/etc/os-release", "os-release") + '\necho "$release_id" "$major"'
    told = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    identifier, major = told.stdout.split()
    assert [p for i, m, p in platforms.paths() if (i, m) == (identifier, major)] == [SAMPLES[name]["expect"]["path"]]


@pytest.mark.parametrize("name", [name for name in SAMPLES if name not in KNOWN])
def test_other_systems_are_refused_with_their_reason_or_unknown(name):
    found, expect = release_of(SAMPLES[name]), SAMPLES[name]["expect"]
    assert platforms.lookup(found) is None
    refused = platforms.refusal(found)
    assert (refused.name if refused else None) == expect.get("refused")


def test_every_row_has_a_sample():
    assert {row.name for row in platforms.known()} == {SAMPLES[name]["expect"]["name"] for name in KNOWN}
    assert {row.name for row in platforms.refused()} == {
        sample["expect"]["refused"] for sample in SAMPLES.values() if "refused" in sample["expect"]
    }


@pytest.mark.parametrize("row", platforms.known(), ids=lambda row: row.name)
def test_a_row_is_complete(row):
    assert re.fullmatch(r"(centos|rhel|fedora|epel)/[0-9]+", row.path) or not row.path
    assert row.manager in ("yum", "dnf")
    assert row.service in ("systemd", "sysvinit")
    assert row.support in ("lab", "documented", "known")
    assert row.interpreter.startswith("/usr/")
    assert row.major.isdigit()
    assert row.newest is None or re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", row.newest)
    assert row.end_of_life is None or isinstance(row.end_of_life, date)


def test_where_builds_have_ended_all_rows_say_so():
    ends = {path: {row.newest for row in platforms.known() if row.path == path} for path in {r.path for r in platforms.known()}}
    assert {path: newest for path, newest in ends.items() if newest != {None}} == {
        "centos/7": {"26.1.4"},
        "centos/8": {"26.1.3"},
        "epel/6": {"1.7.1"},
    }


def test_platforms_are_listed_for_people_and_programs(capsys):
    assert main(["platforms"]) == 0
    said = capsys.readouterr().out
    assert all(row.name in said for row in (*platforms.known(), *platforms.refused()))
    assert main(["platforms", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["command"], document["exit_code"]) == ("platforms", 0)
    rows = {row["name"]: row for row in document["platforms"]}
    assert (rows["CentOS 6"]["path"], rows["CentOS 6"]["kernel"]) == ("epel/6", "2.6.32-431")
    assert rows["CentOS Linux 7"] == {
        "name": "CentOS Linux 7",
        "ids": ["centos"],
        "major": "7",
        "path": "centos/7",
        "newest": "26.1.4",
        "package_manager": "yum",
        "service_manager": "systemd",
        "interpreter": "/usr/bin/python",
        "kernel": "3.10",
        "end_of_life": "2024-06-30",
        "support": "lab",
    }
    assert {"name", "why", "instead"} == set(document["refused"][0])


# -- versions in rpm's order


@pytest.mark.parametrize(
    "ascending",
    [
        ["1.0~rc1", "1.0~rc2", "1.0", "1.0^git1", "1.0.1", "1.1"],
        ["2.6.32", "2.6.39", "2.18", "2.50", "3.1", "3.10", "3.10.0", "4.18.0"],
        ["a", "b", "1", "1a", "1.a", "1.1"],
        ["358.6.1.el6", "431", "431.el6", "431.1.2.el6", "754.el6"],
    ],
)
def test_versions_are_in_the_order_of_rpm(ascending):
    keys = [version_key(version) for version in ascending]
    assert keys == sorted(keys)


def test_separators_and_leading_zeros_do_not_count():
    assert version_key("1.02") == version_key("1_2") == version_key("1.2.")


PARTS = st.lists(st.integers(0, 10**30), min_size=1, max_size=4)


@given(PARTS, PARTS)
def test_numbers_are_compared_by_value_one_by_one(one, other):
    keys = [version_key(".".join(map(str, parts))) for parts in (one, other)]
    assert (keys[0] < keys[1]) == (one < other)
    assert (keys[0] == keys[1]) == (one == other)


@given(st.text("019abZ.~^-", max_size=12), st.text("019abZ.~^-", max_size=12))
def test_what_is_appended_decides_the_order(version, more):
    longer = version_key(f"{version}.{more}")
    pieces = re.findall(r"[0-9]+|[A-Za-z]+|[~^]", more)
    if not pieces:
        assert longer == version_key(version)
    else:
        assert (longer < version_key(version)) == (pieces[0] == "~")


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_two_texts_can_be_compared(found, floor):
    assert at_least(found, found)
    assert at_least(found, floor) in (True, False)


@pytest.mark.parametrize(
    ("found", "floor", "enough"),
    [
        ("3.10.0-1160.el7.x86_64", "3.10", True),
        ("3.9.9-1", "3.10", False),
        ("3.2.1", "3.10", False),
        ("2.6.32-431.el6.x86_64", "2.6.32-431", True),
        ("2.6.32-358.23.2.el6.x86_64", "2.6.32-431", False),
        ("2.6.32-754.35.1.el6.x86_64", "2.6.32-431", True),
        ("2.6.39-400.el6uek.x86_64", "2.6.32-431", True),
        ("2.6.18-417.el5", "2.6.32-431", False),
        ("6.12.0-55.el10.x86_64", "3.10", True),
    ],
)
def test_a_kernel_is_compared_with_the_floor_of_its_release(found, floor, enough):
    assert at_least(found, floor) is enough
