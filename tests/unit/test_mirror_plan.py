"""A change of mirrors is decided host by host, from facts alone; a restart needs a word where containers run."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pydock_installer.errors import RefusedError
from pydock_installer.mirror_plan import (
    MirrorWish,
    judged,
    line_for_settings,
    nowhere,
    plan_mirrors,
    untested,
    wanted_mirrors,
)
from pydock_installer.model import Engine, Host, Known, Plan, Service, Unknown
from pydock_installer.model.groups.engine import Running, UnitFile, Word
from pydock_installer.model.mirror import MirrorAnswer, MirrorState
from pydock_installer.planner import Wishes, plan_host
from pydock_installer.repository import repository
from pydock_installer.settings import Settings
from pydock_installer.workflows.plan import unapplied
from pydock_installer.workflows.restarts import with_word_for_restarts
from tests.unit.facts import bare, converged

A, B, C = (f"https://{name}.example" for name in "abc")
HOST = Host("web", "192.0.2.1")
CONTENT = repository("official", "centos/7").content
urls = st.lists(st.sampled_from([A, B, C, "https://d.example/"]), unique=True, max_size=4)


def plan(facts, action="set", *given_urls, every=False, restart=False):
    return plan_mirrors(HOST, facts, MirrorWish(action, given_urls, every), Settings(), restart)


def codes(entry):
    return [finding.code for finding in entry.blockers]


# -- the list


@given(urls, urls)
def test_remove_undoes_add(present, more):
    fresh = tuple(url for url in more if url.rstrip("/") not in {p.rstrip("/") for p in present})
    grown = MirrorWish("add", fresh).applied(present)
    assert MirrorWish("remove", fresh).applied(grown) == MirrorWish("add", ()).applied(present)


@given(urls, urls, st.sampled_from(["set", "add", "remove"]))
def test_twice_is_once(present, given_urls, action):
    wish = MirrorWish(action, tuple(given_urls))
    once = wish.applied(present)
    assert wish.applied(once) == once


@pytest.mark.parametrize(
    ("action", "given_urls", "wanted"),
    [
        ("set", [B, A], [B, A]),
        ("add", [C], [A, B, C]),
        ("add", [f"{A}/", C], [A, B, C]),
        ("remove", [f"{A}/"], [B]),
        ("remove", [C], [A, B]),
    ],
)
def test_order_is_kept(action, given_urls, wanted):
    assert MirrorWish(action, tuple(given_urls)).applied((A, B)) == tuple(wanted)


# -- a host


def test_a_host_that_has_it_has_nothing_to_do():
    assert plan(converged(CONTENT, (A,)), "set", A).steps == ()
    assert plan(converged(CONTENT, (A,)), "add", f"{A}/").steps == ()
    assert plan(converged(CONTENT, (A,)), "remove", B).steps == ()


def test_a_change_is_told_with_its_diff_and_its_reason():
    entry = plan(converged(CONTENT, (A,)), "add", B)
    assert [step.name for step in entry.steps] == ["settings", "service"]
    assert entry.variables["docker_daemon_settings"] == {"registry-mirrors": [A, B]}
    assert entry.variables["docker_daemon_enable"] is False, "whether it starts at boot is none of its business"
    assert f'+{{"registry-mirrors": ["{A}", "{B}"]}}' in entry.diff
    assert untested(entry) == (B,)
    assert wanted_mirrors(entry) == (A, B)


def test_what_the_file_says_and_the_engine_does_not_know_is_reloaded():
    facts = replace(converged(CONTENT, (A,)), engine=Known(Engine("26.1.4", "26.1.4", ())))
    assert [step.name for step in plan(facts, "set", A).steps] == ["service"]


def test_none_is_written_as_an_empty_list():
    entry = plan(converged(CONTENT, (A,)), "remove", every=True)
    assert entry.variables["docker_daemon_settings"] == {"registry-mirrors": []}
    nothing = replace(converged(CONTENT, ()), daemon_json=None)
    assert plan(nothing, "remove", every=True).steps == (), "a host that has none needs no file"
    stale = replace(nothing, engine=Known(Engine("26.1.4", "26.1.4", (A,))))
    assert plan(stale, "remove", every=True).steps, "the key is gone from the file, but not from the engine"


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"engine": None, "service": None}, "no-engine", "no Docker is installed"),
        ({"engine": None, "service": Known(Service("inactive", "enabled"))}, "no-engine", "it is inactive"),
        ({"engine": Unknown("no answer in time")}, "no-engine", "no answer in time"),
        ({"daemon_json": Known('{\n"icc": tru}')}, "daemon-json", "line 2, column 8"),
        ({"privilege": Known("password-needed")}, "privilege", "password"),
    ],
)
def test_what_is_in_the_way_is_told_and_nothing_planned(changes, code, said):
    entry = plan(replace(converged(CONTENT, (A,)), **changes), "set", B)
    assert entry.steps == ()
    assert code in codes(entry)
    assert said in " ".join(finding.message for finding in entry.blockers)


def test_a_flag_in_a_drop_in_is_named_with_its_file():
    facts = converged(CONTENT, ())
    word = Word(f"--registry-mirror={A}", "/etc/systemd/system/docker.service.d/m.conf")
    unit = UnitFile("/etc/systemd/system/docker.service.d/m.conf", (Word("dockerd", "/x"), word))
    facts = replace(facts, engine_facts=replace(facts.engine_facts, unit_files=Known((unit,))))
    entry = plan(facts, "remove", every=True)
    assert "docker.service.d/m.conf" in entry.blockers[0].message


@pytest.mark.parametrize(("version", "blocked"), [("24.0.9", True), ("25.0.0", False)])
def test_a_path_is_for_engines_from_25_on(version, blocked):
    entry = plan(converged(CONTENT, (A,), version=version), "set", f"{A}/hub")
    assert bool(entry.blockers) is blocked


def test_a_mirror_that_does_not_serve_a_host_blocks_it_alone():
    entry = plan(converged(CONTENT, (A,)), "add", B, C)
    good, bad = MirrorAnswer(B, MirrorState.SLOW), MirrorAnswer(C, MirrorState.DEAD, detail="connection refused")
    assert judged(entry, [good]).steps
    blocked = judged(entry, [good, bad])
    assert blocked.steps == ()
    assert blocked.blockers[0].message == f"{C} cannot be used from here, it is dead: connection refused"
    assert judged(plan(converged(CONTENT, (A,)), "set", A), [bad]).blockers == ()


def test_an_address_that_no_host_has_is_told_of():
    made = Plan((plan(converged(CONTENT, (A,)), "remove", A, B), plan(replace(bare(), daemon_json=Known("{")), "remove", A, B)))
    assert nowhere(made, MirrorWish("remove", (A, B))) == (B,)
    assert nowhere(made, MirrorWish("add", (B,))) == ()


def test_settings_that_say_otherwise_are_told_of():
    settings = Settings(registry_mirrors=[A])
    assert line_for_settings({"web": (f"{A}/",)}, settings) is None
    assert line_for_settings({"web": (B,)}, Settings()) is None
    assert line_for_settings({"web": (f"{B}/", C)}, settings).endswith(f"registry_mirrors: [{B}, {C}]")
    assert "Take registry_mirrors out" in line_for_settings({"web": (B,), "db": (C,)}, settings)


# -- restarts


def running(facts, number, *names, live_restore=False):
    engine = replace(facts.engine.value, containers_running=number)
    state = replace(facts.engine_facts, running=Known(Running(live_restore, names)) if names else None)
    return replace(facts, engine=Known(engine), engine_facts=state)


def installation(facts, restart=False, **settings):
    wanted = Settings(registry_mirrors=[A], **settings)
    return plan_host(HOST, facts, wanted, Wishes(restart=restart))


LOCAL = {"log-driver": "local"}


def test_a_restart_that_stops_containers_is_planned_with_their_names():
    entry = installation(running(converged(CONTENT, (A,)), 2, "db", "web"), daemon=LOCAL)
    assert [step.name for step in entry.steps] == ["settings", "service", "proof"]
    assert entry.steps[1].sentence == "restart docker"
    assert entry.stops == "db, web would stop: the engine has to restart for log-driver"
    assert entry.variables["docker_daemon_restart"] is False
    agreed = installation(running(converged(CONTENT, (A,)), 2, "db", "web"), restart=True, daemon=LOCAL)
    assert agreed.stops == ""
    assert agreed.variables["docker_daemon_restart"] is True


@pytest.mark.parametrize(
    ("facts", "settings", "stops"),
    [
        (running(converged(CONTENT, (A,)), 0), {"daemon": LOCAL}, False),
        (running(converged(CONTENT, (A,)), 1, "web"), {"daemon": {"debug": True}}, False),
        (running(converged(CONTENT, (A,)), 1, "web", live_restore=True), {"daemon": LOCAL}, False),
        (running(converged(CONTENT, (A,)), 1, "web", live_restore=True), {"daemon": {"bip": "10.1.0.1/24"}}, True),
        (running(converged(CONTENT, (A,)), 1, "web"), {"docker_version": "20.10.23"}, True),
        (running(converged(CONTENT, (A,)), 1, "web", live_restore=True), {"docker_version": "20.10.23"}, False),
        (running(converged(CONTENT, (A,)), 1, "web", live_restore=True), {"docker_version": "26.1"}, True),
        (running(converged(CONTENT, (A,)), 3), {"daemon": LOCAL}, True),
        (bare(), {"daemon": LOCAL}, False),
    ],
)
def test_a_word_is_needed_where_containers_would_stop_and_nowhere_else(facts, settings, stops):
    assert bool(installation(facts, **settings).stops) is stops


def test_live_restore_is_told_as_the_reason_why_nobody_is_asked():
    entry = installation(running(converged(CONTENT, (A,)), 1, "web", live_restore=True), daemon=LOCAL)
    assert entry.steps[1].reason.endswith("containers go on meanwhile (live-restore)")


def test_containers_without_names_are_counted():
    assert installation(running(converged(CONTENT, (A,)), 3), daemon=LOCAL).stops.startswith("3 containers would stop")


def test_mirrors_of_an_engine_that_cannot_reload_them_need_a_restart():
    facts = running(converged(CONTENT, (A,), version="17.03.2"), 1, "web")
    entry = plan(facts, "set", B)
    assert entry.stops == "web would stop: the engine has to restart for registry-mirrors"
    assert plan(facts, "set", B, restart=True).stops == ""
    assert plan(running(converged(CONTENT, (A,)), 1, "web"), "set", B).stops == ""


class Person:
    """Somebody who answers, or nobody."""

    def __init__(self, answer):
        self.answer, self.questions = answer, []

    def ask(self, question):
        self.questions.append(question)
        if self.answer is None:
            raise RefusedError("nobody there")
        return self.answer


@pytest.mark.parametrize(("answer", "yes", "done"), [(True, False, True), (False, False, False), (None, False, False), (None, True, False)])
def test_without_a_word_such_hosts_alone_are_left_as_they_are(answer, yes, done):
    """``--yes`` is no word for this."""
    waiting = installation(running(converged(CONTENT, (A,)), 1, "web"), daemon=LOCAL)
    other = installation(converged(CONTENT, (A,)), daemon={"debug": True})
    person = Person(answer)
    made = with_word_for_restarts(Plan((waiting, other)), yes, person)
    assert bool(made.hosts[0].steps) is done
    assert made.hosts[1] == other
    if done:
        assert made.hosts[0].variables["docker_daemon_restart"] is True
        assert person.questions == [
            "On web, web would stop: the engine has to restart for log-driver. Restart Docker all the same?"
        ]
    else:
        report = unapplied(made.hosts[0])
        assert (report.status.value, report.code) == ("refused", "restart-needed")
        assert "--restart" in report.remedy


# -- bad input, before any host


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["set", "192.0.2.1"], "which mirror?"),
        (["add", "192.0.2.1"], "which mirror?"),
        (["remove", "192.0.2.1"], "which mirror?"),
        (["set", "https://u:pa55@m.example", "192.0.2.1"], "must not carry a user name or password"),
        (["set", "docker.m.daocloud.io", "192.0.2.1"], "without its scheme it would be a host"),
        (["set", "m.example.com/hub", "192.0.2.1"], "lacks its scheme"),
        (["set", "ftp://m.example", "192.0.2.1"], "not an http or https address"),
        (["set", "https://m.example?x=1", "192.0.2.1"], "must end before its ? or #"),
        (["set", "--best", "2", A, "192.0.2.1"], "--best chooses by itself"),
        (["set", "--per-host", A, "192.0.2.1"], "--per-host goes with --best"),
        (["remove", "--all", A, "192.0.2.1"], "--all leaves none"),
    ],
)
def test_bad_input_is_refused_before_a_host_is_touched(words, said, capsys, monkeypatch, tmp_path):
    from pydock_installer import ssh
    from pydock_installer.cli import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ssh, "run_everywhere", lambda *_: pytest.fail("a host was asked"))
    assert main(["mirror", *words]) == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert "pa55" not in printed
