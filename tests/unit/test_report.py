"""What a command says at its end: exit code, sentence, document."""

import json
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pydock_installer.errors import ExitCode
from pydock_installer.model import (
    Finding,
    HostStatus,
    Known,
    Proof,
    Report,
    Service,
    Severity,
    StepResult,
    StepStatus,
    Unknown,
)
from pydock_installer.report import (
    change_summary,
    engine_version,
    exit_code,
    grouped,
    proof_summary,
    release,
    summary,
    to_json,
)
from tests.unit.facts import bare, installed
from tests.unit.reports import PROOF, host_report, report

# -- exit codes


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (HostStatus.OK, 0),
        (HostStatus.UNCHANGED, 0),
        (HostStatus.PLANNED, 0),
        (HostStatus.FAILED, 1),
        (HostStatus.BLOCKED, 3),
        (HostStatus.UNREACHABLE, 4),
        (HostStatus.REFUSED, 5),
    ],
)
def test_each_status_has_its_exit_code(status, code):
    assert exit_code([status]) == code
    assert exit_code([HostStatus.OK, status, HostStatus.UNCHANGED]) == code, (
        "good hosts do not hide a bad one"
    )


def test_without_hosts_all_is_well():
    assert exit_code([]) == 0


def test_a_failure_goes_before_hosts_that_were_not_reached_before_those_that_were_blocked():
    worst_first = [HostStatus.FAILED, HostStatus.UNREACHABLE, HostStatus.BLOCKED, HostStatus.REFUSED]
    for left, status in enumerate(worst_first):
        for order in permutations(worst_first[left:]):
            assert exit_code(order) == exit_code([status])


def test_exit_codes_are_those_that_scripts_rely_on():
    assert {code.name: int(code) for code in ExitCode} == {
        "OK": 0, "HOST_FAILED": 1, "USAGE": 2, "BLOCKED": 3, "UNREACHABLE": 4, "REFUSED": 5, "INTERRUPTED": 130,
    }  # fmt: skip


# -- sentences


@pytest.mark.parametrize(
    ("statuses", "command", "wanted"),
    [
        ([HostStatus.OK], "install", "1 host: 1 done and proven."),
        ([HostStatus.OK], "mirror set", "1 host: 1 done, with the mirrors in effect."),
        (
            [HostStatus.FAILED, HostStatus.OK, HostStatus.OK],
            "install",
            "3 hosts: 2 done and proven, 1 failed.",
        ),
        ([HostStatus.UNCHANGED] * 2, "plan", "2 hosts: 2 with nothing to do."),
        ([HostStatus.UNCHANGED, HostStatus.BLOCKED], "check", "1 host ready, 1 blocked."),
        ([HostStatus.UNREACHABLE, HostStatus.PLANNED], "plan", "2 hosts: 1 to change, 1 unreachable."),
        ([HostStatus.REFUSED], "install", "1 host: 1 left alone."),
    ],
)
def test_the_closing_sentence_counts_hosts_by_how_they_ended(statuses, command, wanted):
    assert summary(report(*statuses, command=command)) == wanted


@given(st.lists(st.sampled_from(HostStatus), min_size=1, max_size=30))
def test_the_closing_sentence_leaves_no_host_out(statuses):
    head, _, rest = summary(report(*statuses)).partition(": ")
    assert int(head.split()[0]) == len(statuses)
    assert sum(int(part.split()[0]) for part in rest.split(", ")) == len(statuses)


def test_what_was_done_fits_into_a_table():
    done = (StepResult("engine", StepStatus.CHANGED, 1.0), StepResult("tools", StepStatus.OK, 0.1))
    assert change_summary(host_report(HostStatus.OK, steps=(), proof=PROOF)) == "nothing to do"
    assert change_summary(host_report(HostStatus.PLANNED)) == "engine"
    assert change_summary(host_report(HostStatus.UNCHANGED, steps=())) == "nothing to do"
    assert change_summary(host_report(HostStatus.OK, done=done)) == "engine"
    assert change_summary(host_report(HostStatus.FAILED)) == "-"


@pytest.mark.parametrize(
    ("proof", "proven", "version"),
    [
        (None, "-", "-"),
        (PROOF, "hello-world ok mirror.example", "20.10.24"),
        (Proof("26.1", "26.0", (), True, "busybox"), "busybox ok", "26.0 (client 26.1)"),
        (Proof("26.1", "26.1", ("https://mirror.example",)), "not proven", "26.1"),
        (Proof("26.1", None), "not proven", "-"),
    ],
)
def test_what_is_proven_is_told_in_a_word(proof, proven, version):
    assert [word for word in proven.split() if word not in proof_summary(proof)] == []
    assert (" ok" in proof_summary(proof)) is bool(proof and proof.hello_world)
    assert engine_version(proof) == version


def test_a_release_that_was_not_seen_is_a_dash():
    assert release(bare("9")) == "CentOS Stream 9"
    assert release(None) == release(bare(release=None)) == release(bare(release=Unknown("no"))) == "-"


def test_names_of_many_hosts_stay_on_a_line():
    assert grouped(["a", "b"]) == "a, b"
    assert grouped(list("abcdefgh")) == "a, b, c, d, e, f and 2 more"


# -- the document


def test_the_document_has_every_key_of_a_host_that_is_done():
    facts = bare("7", service=Known(Service("active", "enabled")))
    entry = host_report(
        HostStatus.OK,
        facts=facts,
        findings=[Finding("memory", Severity.WARNING, "little memory", "Add some.")],
        done=[StepResult("engine", StepStatus.CHANGED, 1.2, "3 packages")],
        proof=PROOF,
        seconds=31.04,
    )
    document = to_json(
        Report("install", (entry,), 0, run="20260101-000000-install-ab12", run_directory="/runs/x")
    )
    json.dumps(document, allow_nan=False)
    facts = document["hosts"][0].pop("facts")
    assert facts["release"] == "CentOS Linux 7.9.2009"
    assert facts["kernel"] == "3.10.0-1160.119.1.el7.x86_64"
    assert facts["architecture"] == "x86_64"
    assert facts["service"] == {"active": "active", "enabled": "enabled"}
    assert document == {
        "command": "install",
        "run": "20260101-000000-install-ab12",
        "run_directory": "/runs/x",
        "exit_code": 0,
        "summary": "1 host: 1 done and proven.",
        "hosts": [
            {
                "name": "web1",
                "status": "ok",
                "findings": [
                    {
                        "code": "memory",
                        "group": "",
                        "severity": "warning",
                        "message": "little memory",
                        "remedy": "Add some.",
                    }
                ],
                "steps": [
                    {
                        "name": "engine",
                        "status": "changed",
                        "seconds": 1.2,
                        "detail": "3 packages",
                        "reason": "not installed",
                    }
                ],
                "diff": None,
                "proof": {
                    "client": "20.10.24",
                    "server": "20.10.24",
                    "registry_mirrors": ["https://mirror.example"],
                    "hello_world": True,
                    "image": "hello-world",
                    "failed": None,
                },
                "cause": None,
                "remedy": None,
                "code": None,
                "evidence": [],
                "seconds": 31.0,
            }
        ],
    }


@pytest.mark.parametrize("status", HostStatus)
def test_the_document_has_the_same_keys_however_a_host_ended(status):
    entry = host_report(status, cause="because", remedy="do this", code="locked")
    document = to_json(Report("install", (entry,), exit_code([status])))
    keys = {"name", "status", "facts", "findings", "steps", "diff", "proof", "cause", "remedy", "code", "evidence", "seconds"}
    assert set(document) == {"command", "run", "run_directory", "exit_code", "summary", "hosts"}
    assert set(document["hosts"][0]) == keys
    assert document["hosts"][0]["cause"] == "because"
    assert "pa55" not in json.dumps(document)


def test_steps_of_a_plan_are_told_as_they_would_go():
    (host,) = to_json(report(HostStatus.PLANNED))["hosts"]
    assert host["steps"] == [
        {
            "name": "engine",
            "status": "planned",
            "seconds": None,
            "detail": "install docker-ce",
            "reason": "not installed",
        }
    ]
    (host,) = to_json(report(HostStatus.BLOCKED))["hosts"]
    assert host["steps"] == []


def test_the_document_tells_which_compilers_are_there():
    facts = bare(packages=installed("gcc", "docker", version="4.8.5"))
    (host,) = to_json(Report("check", (host_report(HostStatus.UNCHANGED, facts=facts),), 0))["hosts"]
    assert host["facts"]["compilers"] == {"gcc": "4.8.5"}


def test_what_was_not_seen_is_null_in_the_document():
    facts = bare(kernel=Unknown("no answer"), architecture=None, release=Unknown("no answer"))
    (host,) = to_json(Report("plan", (host_report(HostStatus.UNCHANGED, facts=facts),), 0))["hosts"]
    seen = {key: host["facts"][key] for key in ("release", "kernel", "architecture", "service")}
    assert seen == {"release": None, "kernel": None, "architecture": None, "service": None}
