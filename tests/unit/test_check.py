"""``pydock check``: hosts among each other, what settings make of findings, and the forms of the answer."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from pydock_installer import checks, explanations
from pydock_installer.checks.fleet import fleet_findings
from pydock_installer.checks.rule import Context
from pydock_installer.cli.console import Console
from pydock_installer.model import Finding, Host, HostPlan, HostReport, HostStatus, Known, Report, Severity
from pydock_installer.planner import Wishes, plan_host
from pydock_installer.report import summary, to_junit
from pydock_installer.settings import Settings
from tests.unit.facts import bare


def machine(machine_id, boot_id, hostname="web"):
    return bare("9", machine_id=Known(machine_id), boot_id=Known(boot_id), hostname=Known(hostname))


def test_one_machine_under_two_names_is_blocked_under_both():
    found = fleet_findings({"a": machine("1", "x"), "b": machine("1", "x"), "c": machine("2", "x")})
    assert {name: [f.code for f in entries] for name, entries in found.items()} == {
        "a": ["same-machine"], "b": ["same-machine"],
    }  # fmt: skip
    assert "b" in found["a"][0].message


def test_a_thousand_names_are_not_told_a_thousand_times():
    found = fleet_findings({f"h{number}": machine("1", "x") for number in range(1000)})
    assert len({id(entries[0]) for entries in found.values()}) == 1
    assert "h19 and 980 more are one" in found["h999"][0].message


def test_a_clone_is_a_warning():
    found = fleet_findings({"a": machine("1", "x"), "b": machine("1", "y")})
    assert {f.severity for entries in found.values() for f in entries} == {Severity.WARNING}


def test_containers_of_one_machine_are_no_double():
    assert not {
        f.code
        for entries in fleet_findings({"a": machine("1", "x", "a"), "b": machine("1", "x", "b")}).values()
        for f in entries
    } & {"same-machine"}


def test_hosts_that_tell_nothing_are_not_the_same():
    assert fleet_findings({"a": bare(), "b": bare()}) == {}


def test_a_finding_of_the_fleet_blocks_a_host_like_any_other():
    beside = fleet_findings({"a": machine("1", "x"), "b": machine("1", "x")})["a"]
    plan = plan_host(Host("a", "192.0.2.1"), bare("9"), Settings(), Wishes(), beside)
    assert plan.steps == ()
    assert [f.code for f in plan.blockers] == ["same-machine"]
    skipped = Settings.model_validate({"checks": {"skip": ["same-machine"]}})
    assert plan_host(Host("a", "192.0.2.1"), bare("9"), skipped, Wishes(), beside).steps


@pytest.mark.parametrize("weight", ["warning", "ok"])
def test_settings_weigh_and_pass_over(weight):
    facts = bare("9", kernel=Known("2.6.32-754.el6"))
    lighter = Settings.model_validate({"checks": {"severity": {"kernel": weight}}})
    assert {f.code: f.severity.value for f in checks.findings(facts, Context(lighter))}["kernel"] == weight
    skipping = Settings.model_validate({"checks": {"skip": "kernel,rpm"}})
    assert not {"kernel", "rpm"} & {f.code for f in checks.findings(facts, Context(skipping))}


def test_what_is_all_right_is_not_made_worse():
    heavier = Settings.model_validate({"checks": {"severity": {"kernel": "blocker"}}})
    assert {f.code: f.severity for f in checks.findings(bare("9"), Context(heavier))}["kernel"] is Severity.OK


def report():
    def host(name, status, *findings):
        return HostReport(HostPlan(Host(name, name), None, findings), status)

    heavy = Finding("kernel", Severity.BLOCKER, "kernel 2.6 is older than 3.10", "Update it.", "host")
    light = Finding("clock", Severity.WARNING, "90 s \x1b[31m behind \x00", "Set it.", "system")
    dark = Finding("disk-space", Severity.UNKNOWN, "could not be seen", None, "storage")
    return Report(
        "check",
        (
            host("good", HostStatus.UNCHANGED),
            host("old", HostStatus.BLOCKED, heavy),
            host("slow", HostStatus.UNCHANGED, light, dark),
            host("gone", HostStatus.UNREACHABLE, Finding("ssh-refused", Severity.BLOCKER, "refused", "x", "reach")),
        ),
        3,
    )


def test_one_sentence_closes_it():
    assert summary(report()) == "1 host ready, 1 with warnings, 1 blocked, 1 unreachable."


def test_junit_has_a_suite_per_host_and_is_valid_whatever_a_host_says():
    tree = ElementTree.fromstring(to_junit(report()))
    suites = {suite.get("name"): suite for suite in tree}
    assert suites["old"].get("failures") == "1"
    assert suites["old"].find("testcase/failure").get("message").startswith("kernel 2.6")
    assert suites["slow"].get("skipped") == "1"


def test_the_matrix_has_blocked_hosts_first_and_each_finding_with_its_remedy(capsys):
    Console().report(report())
    shown = capsys.readouterr().out
    lines = shown.splitlines()
    rows = [line.split()[0] for line in lines[2:6]]
    assert rows == ["gone", "old", "slow", "good"]
    assert shown.index("kernel 2.6 is older") < shown.index("90 s")
    assert "Update it." in shown
    assert "blocker  kernel  old" in shown
    assert "pydock explain CODE" in shown
    assert "\x1b" not in shown
    assert lines[-1] == summary(report())


def test_a_thousand_ready_hosts_do_not_fill_the_screen(capsys):
    hosts = tuple(HostReport(HostPlan(Host(f"h{n}", f"h{n}"), None, ()), HostStatus.UNCHANGED) for n in range(1000))
    Console().report(Report("check", hosts, 0))
    shown = capsys.readouterr().out
    assert len(shown.splitlines()) < 30
    assert "1000 hosts ready." in shown


def test_every_code_is_explained_once():
    codes = explanations.codes()
    assert len(set(codes)) == len(codes)
    for entry in explanations.explanations():
        assert entry.why and entry.source and entry.remedy
