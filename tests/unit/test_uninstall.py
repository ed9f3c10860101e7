"""``pydock uninstall`` without a host: what it asks, what it refuses, what it shows, what it says at its end."""

import io
import json
import socket
from contextlib import nullcontext
from dataclasses import replace

import pytest
from rich.console import Console as RichConsole

from pydock_installer.absence import Consents, plan_absence
from pydock_installer.cli import main
from pydock_installer.cli.tables import plan_text, report_text
from pydock_installer.errors import ExitCode, RefusedError, UnreachableError
from pydock_installer.model import (
    Host,
    HostReport,
    HostStatus,
    Known,
    Left,
    Plan,
    Report,
    StepResult,
    StepStatus,
)
from pydock_installer.model.traces import Container, Filter, Firewall, Volume
from pydock_installer.report import to_json
from pydock_installer.settings import Settings
from pydock_installer.workflows import uninstall as workflow
from pydock_installer.workflows.request import Request
from tests.unit.facts import bare, installed
from tests.unit.traces import root, running, seen

EVIL = "\x1b[2J\x1b]0;owned\x07\r\u202e"
HOST = Host("web1", "192.0.2.1")
ALL = Consents(purge_data=True, purge_config=True)
FACTS = bare("9", packages=installed("docker-ce", "docker-ce-cli", "containerd.io"))
TRACES = seen(
    units=running("docker.service"),
    roots=Known((root(),)),
    volumes=Known((Volume("web", "/var/lib/docker", 2048), Volume("db", "/var/lib/docker"))),
    containers=Known((Container("web", "nginx", "Up 3 hours"), Container(f"a{EVIL}b", "", "Exited (0)"))),
    images=Known(3),
    firewall=Known(Firewall((Filter("iptables", ("filter DOCKER",), (), ("-A DOCKER-USER -s 192.0.2.9 -j DROP",), "DROP"),))),
)


# -- the command line


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """No network, no settings."""

    def connect(*_, **__):
        raise AssertionError("something was contacted")

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("flags", "code", "word"),
    [
        ([], 5, "--yes"),
        (["--purge-data", "--yes"], 5, "--yes-delete-data"),
        (["--all", "--yes"], 5, "--yes-delete-data"),
        (["--yes", "--yes-delete-data"], 2, "--purge-data"),
        (["--yes", "--keep", "compilers", "--with-tools"], 2, "contradict"),
        (["--yes", "--keep", "nothing"], 2, "compilers"),
    ],
)
def test_what_is_not_meant_is_refused_before_any_contact(alone, capsys, flags, code, word):
    assert main(["uninstall", "192.0.2.1", *flags]) == code
    assert word in capsys.readouterr().err


# -- the workflow


class Talk:
    """A person who answers what they were told to answer."""

    def __init__(self, yes=True, line=""):
        self.yes, self.line, self.asked, self.shown = yes, line, [], []

    def progress(self, hosts):
        return nullcontext(self)

    def plan(self, plan):
        self.shown.append(plan)

    def ask(self, question):
        self.asked.append(question)
        return self.yes

    def typed(self, question, otherwise):
        self.asked.append(question)
        if self.line is None:
            raise RefusedError(question, otherwise)
        return self.line

    def stage(self, text):
        pass

    note = host_done = step = step_done = lambda self, *_: None


@pytest.fixture
def fleet(monkeypatch):
    """Hosts that are looked at without a network: the first sight, the second, and whether anything was done."""
    state = {"sights": [{"web1": (FACTS, TRACES)}, {"web1": (bare("9"), seen())}], "applied": [], "status": HostStatus.OK}

    def look(request, hosts, progress, packages=None):
        return state["sights"].pop(0)

    def apply(plan, request, talk, command, judged):
        state["applied"].append(plan)
        hosts = tuple(
            HostReport(e, state["status"], (StepResult("stop", StepStatus.CHANGED, 1.0),), cause="why" if state["status"] is HostStatus.FAILED else None)
            for e in plan.hosts
        )
        return judged(Report(command, hosts, 0 if state["status"] is HostStatus.OK else 1))

    import pydock_installer.workflows.apply as module

    monkeypatch.setattr(workflow, "look_for_traces", look)
    monkeypatch.setattr(module, "apply", apply)
    return state


def uninstall(talk, consents=Consents(), hosts=(HOST,), yes=False, **more):  # noqa: B008 - it is frozen
    return workflow.uninstall(Request(hosts, Settings(), yes=yes), talk, consents, **more)


def test_what_is_there_is_shown_and_asked_about(fleet):
    talk = Talk()
    report = uninstall(talk)
    assert len(talk.shown) == len(talk.asked) == len(fleet["applied"]) == 1
    assert (report.exit_code, report.hosts[0].left) == (0, ())


def test_who_says_no_keeps_everything(fleet):
    report = uninstall(Talk(yes=False))
    assert (fleet["applied"], report.exit_code, report.hosts[0].status) == ([], ExitCode.REFUSED, HostStatus.REFUSED)


@pytest.mark.parametrize(("line", "done"), [("2 2", True), (" 2  2 ", True), ("2", False), ("y", False), ("3 2", False), ("", False)])
def test_data_goes_for_the_number_of_volumes_and_containers_alone(fleet, line, done):
    """Also with --yes: it is no answer to that question."""
    report = uninstall(Talk(line=line), ALL, yes=True)
    assert bool(fleet["applied"]) is done
    assert report.exit_code == (0 if done else ExitCode.REFUSED)


def test_without_a_terminal_data_stays(fleet):
    with pytest.raises(RefusedError):
        uninstall(Talk(line=None), ALL, yes=True)
    assert fleet["applied"] == []
    fleet["sights"].insert(0, {"web1": (FACTS, TRACES)})
    assert uninstall(Talk(line=None), ALL, yes=True, delete_data=True).exit_code == 0


def test_nothing_to_do_costs_one_look(fleet):
    fleet["sights"] = [{"web1": (bare("9"), seen())}]
    talk = Talk()
    report = uninstall(talk)
    assert (report.hosts[0].status, talk.asked, fleet["applied"]) == (HostStatus.UNCHANGED, [], [])


def test_a_dry_run_shows_and_does_nothing(fleet):
    report = uninstall(Talk(), ALL, dry_run=True)
    assert (report.hosts[0].status, fleet["applied"]) == (HostStatus.PLANNED, [])


def test_the_second_look_counts_not_the_run(fleet):
    fleet["sights"][1] = {"web1": (bare("9"), seen(units=running("docker.service")))}
    report = uninstall(Talk())
    assert (report.exit_code, report.hosts[0].status, report.hosts[0].code) == (1, HostStatus.FAILED, "still-there")
    assert "docker.service" in report.hosts[0].cause


def test_a_failure_keeps_its_cause_and_is_looked_at_all_the_same(fleet):
    fleet["status"] = HostStatus.FAILED
    fleet["sights"][1] = {"web1": (FACTS, TRACES)}
    report = uninstall(Talk())
    assert (report.exit_code, report.hosts[0].cause) == (1, "why")
    assert any("/var/lib/docker" in entry.what for entry in report.hosts[0].left)


def test_a_host_that_is_gone_afterwards_has_not_been_proven(fleet):
    fleet["sights"][1] = {"web1": UnreachableError("ssh-refused", "refused", "start sshd")}
    report = uninstall(Talk())
    assert (report.exit_code, report.hosts[0].status, report.hosts[0].left) == (1, HostStatus.FAILED, None)


def test_an_interrupted_second_look_proves_nothing(fleet, monkeypatch):
    first = [workflow.look_for_traces]

    def look(*arguments):
        if not first:
            raise KeyboardInterrupt
        return first.pop()(*arguments)

    monkeypatch.setattr(workflow, "look_for_traces", look)
    report = uninstall(Talk())
    assert (report.exit_code, report.hosts[0].status, report.hosts[0].left) == (ExitCode.INTERRUPTED, HostStatus.FAILED, None)
    assert "before it was looked at again" in report.hosts[0].cause


def test_hosts_fail_alone(fleet):
    """One cannot be reached, one is refused, one goes."""
    hosts = (HOST, Host("web2", "192.0.2.2"), Host("web3", "192.0.2.3"))
    bad = replace(TRACES, roots=Known((root("/home", ("volumes",)),)))
    fleet["sights"][0] = {"web1": (FACTS, TRACES), "web2": (FACTS, bad), "web3": UnreachableError("ssh-refused", "no", None)}
    report = uninstall(Talk(), ALL, hosts, delete_data=True)
    assert [h.status for h in report.hosts] == [HostStatus.OK, HostStatus.REFUSED, HostStatus.UNREACHABLE]
    assert report.hosts[1].code == "data-root-foreign"
    assert report.exit_code == ExitCode.UNREACHABLE


# -- what a person reads


def text(renderable):
    stream = io.StringIO()
    RichConsole(file=stream, width=160, no_color=True).print(renderable)
    return stream.getvalue()


def test_all_that_can_be_lost_is_shown_and_paints_no_terminal():
    shown = text(plan_text(Plan((plan_absence(HOST, FACTS, TRACES, Consents()),))))
    for word in ("containers: 2, 1 of them running", "web (nginx, runs)", "images: 3", "volumes: 2: web (2.0 MiB), db (size unknown)",
                 "data of docker: /var/lib/docker", "yours in DOCKER-USER, goes with it: -A DOCKER-USER -s 192.0.2.9 -j DROP"):  # fmt: skip
        assert word in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_what_is_left_is_told_with_its_reason():
    plan = plan_absence(HOST, FACTS, TRACES, Consents())
    left = (Left("/var/lib/docker (2 volumes)", "data goes with --purge-data alone"), Left("gcc", "it stays"))
    told = text(report_text(Report("uninstall", (HostReport(plan, HostStatus.OK, left=left),), 0)))
    assert "/var/lib/docker (2 volumes)  (data goes with --purge-data alone)" in told
    assert "1 host: 1 without Docker now." in told
    assert "nothing of Docker is left" in text(report_text(Report("uninstall", (HostReport(plan, HostStatus.OK, left=()),), 0)))


def test_the_document_has_what_was_there_and_what_is_left():
    plan = plan_absence(HOST, FACTS, TRACES, Consents())
    document = to_json(Report("uninstall", (HostReport(plan, HostStatus.OK, left=(Left("a", "b"),)),), 0))
    (entry,) = json.loads(json.dumps(document))["hosts"]
    assert entry["left"] == [{"what": "a", "why": "b"}]
    assert entry["traces"]["volumes"][0] == {"name": "web", "root": "/var/lib/docker", "kib": 2048}
    assert entry["traces"]["firewall"][0]["user_rules"] == ["-A DOCKER-USER -s 192.0.2.9 -j DROP"]
    assert "traces" not in to_json(Report("plan", (HostReport(plan, HostStatus.PLANNED),), 0))["hosts"][0]
