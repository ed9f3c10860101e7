"""The record of runs as a user sees it, and the log."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pydock_installer import history, rundir
from pydock_installer.cli.console import Console
from pydock_installer.cli.options import spoken
from pydock_installer.model import (
    Host,
    HostStatus,
    Report,
    Secret,
    StepResult,
    StepStatus,
)
from tests.unit.command_line import has_controls, hostile_report, run

pytestmark = pytest.mark.usefixtures("directory")


def a_run(command, *statuses, arguments=("install", "a")):
    """A run in the record, its hosts ended or (None) not."""
    made = hostile_report(command)
    hosts = [replace(made.hosts[0], plan=replace(made.hosts[0].plan, host=Host(n, n)), status=s)
             for n, s in zip("abc", statuses, strict=False)]
    name = rundir.new_id(command)
    history.begin(name, command, history.Invocation(arguments, str(Path.cwd())), [h.plan.host.name for h in hosts])
    for host in hosts:
        if host.status:
            history.host_done(name, host)
    if all(statuses):
        history.end(name, Report(command, tuple(hosts), 1), "the sentence")
    return name


def test_runs_are_listed_and_shown_with_the_command_that_began_them(capsys):
    assert run(capsys, "runs", "list")[1] == "No runs yet.\n"
    name = a_run("install", HostStatus.FAILED, HostStatus.OK)
    assert run(capsys, "runs", "list")[1].startswith(name)
    code, out, _ = run(capsys, "runs", "show", name[:-1])
    assert code == 0 and "the sentence" in out and "pydock install a" in out and "a: failed" in out
    assert f"pydock runs retry {name}" in out
    assert not has_controls(out)
    document = json.loads(run(capsys, "runs", "show", "last", "--json")[1])
    assert [host["status"] for host in document["hosts"]] == ["failed", "ok"]
    assert document["arguments"] == ["install", "a"]
    (entry,) = json.loads(run(capsys, "runs", "list", "--json")[1])["runs"]
    assert (entry["run"], entry["state"], entry["run_exit_code"]) == (name, "ended", 1)


def test_a_run_whose_controller_was_killed_is_told_of_truthfully(capsys, monkeypatch):
    name = a_run("install", HostStatus.OK, None, HostStatus.FAILED)
    assert history.find("last").state == "running"
    monkeypatch.setattr(history, "_process", lambda pid: "somebody else")
    found = history.find(name)
    assert (found.state, found.unfinished) == ("broken off", ("b", "c"))
    assert "broken off; 2 of 3 hosts done" in run(capsys, "runs", "list")[1]


def test_identifiers_that_fit_no_run_or_several_are_refused(capsys):
    code, _, err = run(capsys, "runs", "show")
    assert code == 2 and "last names no run" in err and "pydock runs list" in err
    a_run("install", HostStatus.OK)
    a_run("install", HostStatus.OK)
    assert "2 runs" in run(capsys, "runs", "show", "20")[2]
    for absent in ("1999", "../../etc", "%", "_"):
        assert run(capsys, "runs", "show", absent)[0] == 2


def test_a_retry_needs_something_left_to_do(capsys):
    name = a_run("install", HostStatus.OK, HostStatus.UNCHANGED)
    code, _, err = run(capsys, "runs", "retry", name)
    assert code == 2 and "left nothing to do" in err


def test_two_runs_differ_by_what_their_hosts_say(capsys):
    before = a_run("install", HostStatus.FAILED, HostStatus.OK)
    after = a_run("install", HostStatus.OK, HostStatus.OK, HostStatus.OK)
    changes = json.loads(run(capsys, "runs", "diff", before, after, "--json")[1])["changes"]
    assert {"host": "a", "what": "status", "before": "failed", "after": "ok"} in changes
    assert {"host": "c", "what": "status", "before": "not in it", "after": "ok"} in changes
    assert not [change for change in changes if change["host"] == "b"]
    assert "The same hosts" in run(capsys, "runs", "diff", before, before)[1]


def test_old_runs_are_forgotten_but_never_the_newest(capsys):
    names = [a_run("install", HostStatus.OK) for _ in range(4)]
    assert [gone.id for gone in history.forget(keep=2, days=10)] == [names[1], names[0]]
    assert [gone.id for gone in history.forget(keep=1, days=10)] == [names[2]]
    assert history.find("last").id == names[3]


def test_a_record_that_cannot_be_read_is_explained(capsys):
    a_run("install", HostStatus.OK)
    history.database().write_bytes(b"no database" * 100)
    code, _, err = run(capsys, "runs", "list")
    assert code == 1 and str(history.database()) in err and "move that file away" in err


# -- the log


def test_the_log_has_all_that_was_said_and_no_password(tmp_path, capsys):
    path = tmp_path / "pydock.log"
    talk = Console(log=str(path), no_color=True)
    talk.mask([Secret("hunter2"), None])
    with talk.progress(["a"]) as progress:
        progress.step_done("a", StepResult("engine", StepStatus.CHANGED, 1.0, "docker 26 hunter2"))
    talk.report(hostile_report("install"))
    said = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert "a: engine changed (1.0 s) docker 26 ***" in said
    assert "hunter2" not in said
    assert "cause" in said
    assert not has_controls(said)
    Console(log=str(path)).note("more")
    assert path.read_text().startswith(said) and path.read_text().endswith(" more\n")


def test_a_log_that_cannot_be_written_is_said_before_anything_is_done(tmp_path, capsys):
    code, _, err = run(capsys, "plan", "192.0.2.1", "--log", str(tmp_path / "no/where"))
    assert code == 2 and "cannot be written" in err


def test_the_log_keeps_the_end_of_what_is_long(tmp_path):
    path = tmp_path / "pydock.log"
    lines = [f"ansible: line {number}" for number in range(1500)]
    Console(log=str(path)).note("\n".join(lines))
    assert [line.partition(" ")[2] for line in path.read_text().splitlines()] == lines


def test_a_retry_speaks_as_it_is_asked_to():
    options = {"as_json": True, "no_color": False, "log": "a b.log", "verbose": 2}
    assert spoken(("install", "--", "web1"), options) == ["install", "--json", "--log", "a b.log", "-v", "-v", "--", "web1"]
    assert spoken(("verify",), {**options, "as_json": False, "log": None, "verbose": 0}) == ["verify"]
