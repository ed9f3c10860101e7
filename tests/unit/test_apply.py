"""A run on hosts, with Ansible and the hosts made up: who is tried again, and what an interruption leaves."""

import os
import signal
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from pydock_installer import ansible, history, ssh
from pydock_installer.model import Host, HostStatus, Plan, Secret
from pydock_installer.planner import Wishes, plan_host
from pydock_installer.settings import Settings
from pydock_installer.workflows import apply as work
from pydock_installer.workflows.request import Request
from tests.unit.facts import bare

ROLE = "docker_apply"
LOST = {"unreachable": True, "msg": "Failed to connect to the host via ssh: Shared connection to 192.0.2.1 closed."}
AUTH = {"unreachable": True, "msg": "root@192.0.2.1: Permission denied (publickey,password)."}
WELL = {"parts": [{"role": f"docker_{role}", "failed": False, "steps": []} for role in
        ("repositories", "packages", "daemon", "verify")]}  # fmt: skip

DONE = [{"role": f"docker_{role}", "steps": [{"name": step, "status": "changed"}]} for role, step in
        (("repositories", "repository"), ("packages", "engine"))]  # fmt: skip


class Talk:
    """Somebody who listens."""

    interactive = False

    def __init__(self):
        self.stages = []

    def progress(self, _hosts):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def stage(self, text):
        self.stages.append(text)

    def note(self, text):
        raise AssertionError(text)

    def step(self, *_):
        pass

    step_done = host_done = step


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Apply a plan for hosts whose tasks end as ``answers`` say, one answer a try."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(ansible, "require_programs", lambda _password: None)
    seen = SimpleNamespace(tries=[], waits=[], asked=[], talk=Talk(), files=[])
    monkeypatch.setattr(work.Interruption, "wait", lambda self, seconds: seen.waits.append(seconds) or self.asked)
    monkeypatch.setattr(ssh, "run_everywhere", lambda hosts, *_rest: seen.asked.extend(host.name for host in hosts))

    def apply(answers, during=lambda *_: None, **changes):
        left = {name: list(tries) for name, tries in answers.items()}

        def run_tree(tree, _answers, on_event, cancelled, _verbosity, part, only):
            names = only or tuple(answers)
            seen.tries.append((part, tuple(names)))
            for name in names:
                on_event(ansible.TaskEvent(name, ROLE, "started", {}, 0.0))
                if (tree / ansible.STOP).exists():
                    on_event(ansible.TaskEvent(name, ROLE, "skipped", {}, 0.0))
                    continue
                if during(name, cancelled):
                    return ansible.RunEnd("canceled", "")
                result = left[name].pop(0)
                kind = "unreachable" if "unreachable" in result else "failed" if "msg" in result else "ok"
                on_event(ansible.TaskEvent(name, ROLE, kind, result, 1.0))
            return ansible.RunEnd("successful", "")

        monkeypatch.setattr(ansible, "run", run_tree)
        hosts = tuple(Host(name, "192.0.2.1", password=Secret("x")) for name in answers)
        settings = Settings(**changes)
        plan = Plan(tuple(plan_host(host, bare("9"), settings, Wishes()) for host in hosts))
        request = Request(hosts, settings, invocation=history.Invocation(("install", "-i", "https://ops:pa55@x/"), "/"))
        seen.report = work.apply(plan, replace(request, yes=True), seen.talk, "install")
        seen.files = list((tmp_path / "pydock/runs").rglob(ansible.STOP))
        return {host.plan.host.name: host for host in seen.report.hosts}

    apply.seen = seen
    return apply


def test_a_host_that_gets_lost_is_tried_again_alone(run):
    hosts = run({"web1": [WELL], "web2": [LOST, LOST, WELL]})
    assert {name: host.status for name, host in hosts.items()} == {"web1": HostStatus.UNCHANGED, "web2": HostStatus.UNCHANGED}
    assert run.seen.tries == [("run", ("web1", "web2")), ("run-again-1", ("web2",)), ("run-again-2", ("web2",))]
    assert run.seen.waits == [5.0, 15.0]
    assert "Waiting 5 s for web2, out of reach (try 1 of 2 more)" in run.seen.talk.stages
    assert run.seen.report.exit_code == 0


def test_and_left_out_with_a_true_report_in_the_end(run):
    hosts = run({"web1": [WELL], "web2": [LOST, LOST]}, ssh={"retries": 1})
    assert hosts["web1"].status is HostStatus.UNCHANGED
    assert (hosts["web2"].status, hosts["web2"].code) == (HostStatus.UNREACHABLE, "ssh-lost")
    assert hosts["web2"].cause.endswith("That was the try number 2.")
    assert run.seen.report.exit_code == 4


def test_a_login_that_is_refused_is_never_tried_again(run):
    hosts = run({"web1": [AUTH]})
    assert hosts["web1"].code == "auth"
    assert len(run.seen.tries) == 1


def interrupt(times):
    def during(_name, cancelled):
        for _ in range(times):
            os.kill(os.getpid(), signal.SIGINT)
        return cancelled()

    return during


def test_the_first_interruption_lets_running_work_finish(run):
    stopped = {"msg": "Nothing more was begun here: the run was interrupted.", "code": "interrupted", "parts": DONE}
    hosts = run({"web1": [stopped], "web2": [WELL]}, interrupt(1))
    assert run.seen.asked == ["web1"], "only a host at work is asked to begin nothing new"
    assert (hosts["web1"].status, hosts["web1"].code) == (HostStatus.FAILED, "interrupted")
    assert hosts["web1"].cause == "interrupted before it was done; what was begun was finished (repository, engine)"
    assert (hosts["web2"].status, hosts["web2"].code) == (HostStatus.REFUSED, "not-begun")
    assert run.seen.report.exit_code == 130
    assert run.seen.files == [], "the tree can be run again by hand"
    assert history.find("last").unfinished == ("web1", "web2")


def test_the_second_stops_at_once_and_says_what_nobody_knows(run):
    hosts = run({"web1": [WELL], "web2": [WELL]}, interrupt(2))
    assert "the host ends the step that it is at by itself" in hosts["web1"].cause
    assert hosts["web2"].code == "not-begun"
    assert run.seen.report.exit_code == 130


def test_a_host_that_ended_before_keeps_its_result(run):
    hosts = run({"web1": [WELL]}, interrupt(1))
    assert hosts["web1"].status is HostStatus.UNCHANGED


def test_others_read_the_command_without_its_passwords(run):
    run({"web1": [WELL]})
    site = (Path(run.seen.report.run_directory) / "site.yml").read_text()
    assert "pydock install -i https://***@x/" in site
    assert "pa55" not in site


def test_what_is_kept_is_what_is_told(run, monkeypatch):
    """A command may judge a host otherwise than its steps alone do: `runs show` and report.json say the same."""
    plain = work.apply
    said = lambda report: replace(report, exit_code=5)  # noqa: E731
    monkeypatch.setattr(work, "apply", lambda *words: plain(*words, said))
    run({"web1": [WELL]})
    assert run.seen.report.exit_code == 5
    assert history.find(run.seen.report.run).exit_code == 5
    assert '"exit_code": 5' in (Path(run.seen.report.run_directory) / "report.json").read_text()
