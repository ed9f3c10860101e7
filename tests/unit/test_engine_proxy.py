"""The engine's proxy: from the settings to a drop-in, and no password on the way."""

import hashlib
import pickle
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pydock_installer.drift import differences
from pydock_installer.model import EngineFacts, Host, Known, Plan, Release, Unknown
from pydock_installer.model.groups.engine import OwnProxy
from pydock_installer.planner import Wishes, plan_host
from pydock_installer.render import render
from pydock_installer.repository import repository
from pydock_installer.settings import Settings
from tests.unit.facts import bare, converged
from tests.unit.modules import library, modest

rules, units = library("pydock_daemon_proxy"), library("pydock_daemon_rules")
drop_in, host = library("pydock_daemon_dropin"), library("pydock_host")

PLAIN = {"http_proxy": "http://192.0.2.1:3128", "https_proxy": "http://192.0.2.1:3128", "no_proxy": "localhost,.corp"}
SECRET = {"https_proxy": "http://ops:pa55%40word@192.0.2.1:3128", "http_proxy": "http://ops:pa55%40word@192.0.2.1:3128"}
OTHERS = "/etc/systemd/system/docker.service.d/http-proxy.conf"


def content(proxy):
    return rules.content(rules.variables(proxy))


def settled(proxy=PLAIN, running=True, **more):
    """The facts of a host that has a drop-in with this proxy."""
    sums = {name: digest(f"{name}={value}") for name, value in rules.variables(proxy)} if running else None
    own = OwnProxy(digest(content(proxy)), sums)
    return facts(own_proxy=Known(own), **more)


def facts(**engine):
    made = converged(repository("official", "centos/7").content, mirrors=())
    return replace(made, daemon_json=None, engine_facts=replace(EngineFacts(), **engine))


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def plan(seen, proxy=PLAIN, **wishes):
    return plan_host(Host("h", "h"), seen, Settings(engine_proxy=proxy), Wishes(**wishes))


def steps(*arguments, **wishes):
    return [step.name for step in plan(*arguments, **wishes).steps]


def test_the_percent_sign_is_doubled_and_systemd_reads_it_back():
    text = content(SECRET)
    assert 'Environment="HTTP_PROXY=http://ops:pa55%%40word@192.0.2.1:3128"\n' in text
    assert "NO_PROXY" not in text
    assert content({"http_proxy": "", "no_proxy": ""}) is None


@modest
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='"\\'), min_size=1, max_size=60))
def test_what_is_written_is_what_a_unit_is_read_as(value):
    proxy = {"no_proxy": value}
    assert rules.problem_with(proxy) is None
    rows = units.environment([("x", content(proxy))], lambda _: None)
    assert [(name, given.replace("%%", "%")) for name, given, *_ in rows] == [("NO_PROXY", value)]


@pytest.mark.parametrize("bad", ["a b", 'a"b', "a\nExecStart=/bin/sh", "a\\", "ftp://p", 7, "ä"])
def test_nothing_that_would_leave_its_quotes_is_written(bad):
    assert rules.problem_with({"http_proxy": bad})
    assert rules.problem_with({"proxy": "http://p"})


def test_steps_until_all_is_as_wanted():
    assert steps(facts()) == ["proxy", "service", "proof"]
    assert steps(settled()) == []
    assert steps(settled({**PLAIN, "no_proxy": "other"})) == ["proxy", "service", "proof"]
    # Written, but the run ended before the engine restarted.
    early = OwnProxy(digest(content(PLAIN)), {})
    assert steps(facts(own_proxy=Known(early))) == ["service", "proof"]
    assert steps(facts(own_proxy=Unknown("not permitted"))) == ["proxy", "service", "proof"]
    assert "proxy" in steps(bare())
    for nothing in ({}, None):
        assert steps(facts(), nothing) == []
    assert steps(settled(), None) == []
    assert steps(settled(), {}) == ["proxy", "service", "proof"]


def test_what_others_set_just_so_will_do_and_anything_else_blocks():
    rows = tuple((name, value, OTHERS) for name, value in rules.variables(PLAIN))
    assert steps(facts(proxies=Known(rows))) == []
    made = plan(facts(proxies=Known((("https_proxy", "***@", OTHERS),))))
    assert [finding.code for finding in made.blockers] == ["engine-proxy"]
    assert OTHERS in made.blockers[0].message
    assert steps(facts(proxies=Known((("FTP_PROXY", "x", OTHERS),)))) == ["proxy", "service", "proof"]


def test_running_containers_wait_for_a_word():
    seen = facts()
    seen = replace(seen, engine=Known(replace(seen.engine.value, containers_running=2)))
    assert "2 containers would stop: the engine has to restart for HTTP_PROXY" in plan(seen).stops
    assert plan(seen, restart=True).stops == ""


def test_a_password_is_in_no_plan_and_no_run_tree_but_asked_for_once():
    made = plan(facts(), SECRET)
    assert "pa55" not in f"{made}{made.diff}{Settings(engine_proxy=SECRET)!r}"
    assert "***@192.0.2.1" in made.diff
    tree = render(Plan((made,)), Settings(engine_proxy=SECRET))
    assert "pa55" not in "".join(tree.files.values())
    (prompt,) = tree.prompts
    assert prompt.secret.reveal() == SECRET["http_proxy"]
    inventory = tree.files["inventory/hosts.yml"]
    assert inventory.count("{{ " + prompt.variable + " }}") == 2
    assert f"prompt: \"{prompt.text}\"" in tree.files["site.yml"]
    with pytest.raises(TypeError):
        pickle.dumps(made.variables)


def test_one_host_with_another_proxy_is_drift():
    same, other = settled(), settled({**PLAIN, "no_proxy": "x"})
    (found,) = differences({"a": same, "b": same, "c": other, "d": facts()})
    assert found.what == ("engine proxy",)
    assert [text for text, _ in found.values] == ["pydock's (1)", "pydock's (2)", "none"]


def test_release_6_has_it_in_its_file_and_no_password():
    assert Settings(engine_proxy=PLAIN).legacy_settings()["proxies"]["no-proxy"] == "localhost,.corp"
    old = bare(release=Known(Release("centos", "6.10", "CentOS 6.10")))
    assert any("password" in f.message for f in plan(old, SECRET).blockers)


# -- on the host


@pytest.fixture
def journal(monkeypatch):
    """What is noted of the host, in memory."""
    entries = []
    monkeypatch.setattr(drop_in, "note", lambda action, **facts: entries.append({"action": action, **facts}))
    monkeypatch.setattr(
        drop_in, "note_file",
        lambda path, backup: entries.append(
            {"action": "replaced" if backup else "created", "file": path, "sha256": host.sha256(path)}
            | ({"backup": backup} if backup else {})
        ),
    )  # fmt: skip
    monkeypatch.setattr(drop_in, "journal", lambda: entries)
    return entries


def on_host(path, proxy, files=(), settings=()):
    made = drop_in.DropIn(proxy, str(path))
    assert made.plan([*files], lambda _: None, dict(settings)) is None
    return made


def restorable(entries):
    paths = {entry.get(key) for entry in entries for key in ("file", "backup")} - {None}
    return host.restorable(entries, {p: host.sha256(p) for p in paths if host.sha256(p)})


def test_a_drop_in_is_written_replaced_put_back_and_taken_away(tmp_path, journal):
    path = tmp_path / "docker.service.d" / "pydock-proxy.conf"
    first = on_host(path, SECRET)
    first.write()
    assert (path.stat().st_mode & 0o777, path.read_text()) == (0o600, content(SECRET))
    assert not on_host(path, SECRET).changed
    second = on_host(path, PLAIN)
    second.write()
    assert path.stat().st_mode & 0o777 == 0o644
    second.put_back()
    assert (path.stat().st_mode & 0o777, path.read_text()) == (0o600, content(SECRET))
    assert [one["backup"] for one in restorable(journal)] == [None], "made by pydock, so it goes in the end"
    gone = on_host(path, {"http_proxy": ""})
    gone.write()
    assert list(path.parent.iterdir()) == []
    gone.put_back()
    assert path.read_text() == content(SECRET)
    on_host(path, {"http_proxy": ""}).write()
    assert list(path.parent.iterdir()) == [], "no copy of a password stays"
    assert restorable(journal) == []


def test_what_somebody_wrote_into_pydocks_file_is_kept(tmp_path, journal):
    path = tmp_path / "pydock-proxy.conf"
    on_host(path, PLAIN).write()
    path.write_text("[Service]\nEnvironment=MINE=1\n")
    on_host(path, {"no_proxy": ""}).write()
    (kept,) = tmp_path.iterdir()
    assert "MINE" in kept.read_text()
    assert kept.suffix != ".conf"


def test_the_module_refuses_what_the_plan_refuses(tmp_path):
    path = tmp_path / "pydock-proxy.conf"
    unit = (OTHERS, '[Service]\nEnvironment="HTTPS_PROXY=http://ops:pa%%41@192.0.2.9"\n')
    made = drop_in.DropIn(PLAIN, str(path))
    reason = made.plan([unit], lambda _: None, {})
    assert OTHERS in reason
    assert "ops" not in reason
    assert "daemon.json" in made.plan([], lambda _: None, {"proxies": {"http-proxy": "x"}})


def test_an_engine_that_was_started_without_it_has_to_restart(tmp_path):
    made = on_host(tmp_path / "none", {"no_proxy": ""})
    assert not made.is_due("self")
    wanted = drop_in.DropIn({"no_proxy": "never-set"}, str(tmp_path / "none"))
    assert wanted.is_due("self")
    assert wanted.due == ["NO_PROXY"]
    assert not drop_in.DropIn(PLAIN, "/none").is_due("no-such-process")
