"""Whose turn it is on a host: the lock, who reads what of it, and when nothing new may begin."""

import json
import os
import select
import threading

import pytest
from ansible.module_utils import basic

from tests.unit.modules import library

turn = library("pydock_turn")
OPS = {"run": "20261126-064028-install-0af7", "owner": "ops@control", "command": "pydock install web1", "time_limit": 60}
OTHER = {**OPS, "run": "20261126-070000-install-1111", "owner": "eve@laptop"}


@pytest.fixture
def lock(monkeypatch, tmp_path):
    monkeypatch.setattr(turn, "LOCK", str(tmp_path / "lock"))
    monkeypatch.setattr(turn, "STOP", str(tmp_path / "stop-%s"))
    monkeypatch.setattr(turn, "note", lambda *_words, **_facts: None)
    return tmp_path / "lock"


@pytest.fixture
def held(lock):
    """A turn that is taken, as by another process: the lock is the file's, not the process's."""
    taken = turn.Turn(OPS)
    taken.take()
    yield taken
    taken.leave()


def test_one_at_a_time_and_the_second_reads_who_is_first(lock, held):
    with pytest.raises(turn.Held) as refused:
        turn.Turn(OTHER).take()
    said = str(refused.value)
    assert said.startswith("ops@control has been at work on this host since 20")
    assert f"(`pydock install web1`, process {os.getpid()} there)" in said


def test_the_lock_leaves_nothing_behind_and_the_next_one_has_its_turn(lock):
    for told in (OPS, OTHER, {}):
        one = turn.Turn(told)
        one.take()
        assert one.stop() is None
        one.leave()
        assert not lock.exists()


def test_what_a_dead_process_wrote_keeps_nobody_away(lock):
    lock.write_text(json.dumps({**OPS, "pid": 1}))
    turn.Turn(OTHER).take()
    assert json.loads(lock.read_text())["owner"] == "eve@laptop"


@pytest.mark.parametrize("why", ["the same run", "nobody hears it"])
def test_what_ends_by_itself_is_waited_for(lock, held, why):
    later = turn.Turn(OPS if why == "the same run" else OTHER)
    if why != "the same run":
        held._write(unheard=True)
    waiting = threading.Thread(target=later.take, args=(0.01,))
    waiting.start()
    held.leave()
    waiting.join(10)
    assert later.stop() is None
    later.leave()


def test_but_not_beyond_the_limit(lock, held):
    late = turn.Turn({**OPS, "time_limit": 1})
    late.ends = 0
    with pytest.raises(turn.Held):
        late.take()


def test_a_lock_that_is_broken_stops_its_owner_and_not_who_broke_it(lock, held):
    eve = turn.Turn({**OTHER, "break_lock": True})
    eve.take()
    assert eve.stop() is None
    code, said = held.stop()
    assert code == "lock-broken"
    assert "eve@laptop" in said
    held.leave()
    assert json.loads(lock.read_text())["owner"] == "eve@laptop", "only its own lock is removed"


@pytest.mark.parametrize(("reason", "code"), [("stop file", "interrupted"), ("time", "time-limit"), ("nobody", "unheard")])
def test_nothing_new_begins(lock, held, tmp_path, reason, code):
    if reason == "stop file":
        (tmp_path / f"stop-{OPS['run']}").touch()
    elif reason == "time":
        held.ends = 0
    else:
        reader, writer = os.pipe()
        held.listen(writer)
        assert held.stop() is None
        os.close(reader)
        while not json.loads(lock.read_text() or "{}").get("unheard"):
            select.select([], [], [], 0.01)
    assert held.stop()[0] == code
    held.leave()
    assert not list(tmp_path.glob("stop-*"))


def test_what_a_host_wrote_is_told_without_harm():
    said = turn.described({"owner": "\x1b[31mé" * 300, "command": None, "pid": [], "since": {}})
    assert "\x1b" not in said
    assert len(said) < 700


def test_the_package_manager_has_all_the_time_there_is_and_others_have_not():
    one = turn.Turn({"time_limit": 5000})
    assert one.seconds_for("/usr/bin/yum") in (4999, 5000)
    assert one.seconds_for("rpm") == turn.QUICK
    one.ends = 0
    assert one.seconds_for("/usr/bin/yum") == 1


def module(monkeypatch, lock, **told):
    asked = {"ANSIBLE_MODULE_ARGS": {"turn": OPS, **told}}
    monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps(asked).encode())
    return turn.HostModule(argument_spec={}, supports_check_mode=True)


def test_a_module_that_is_kept_away_changes_nothing(monkeypatch, lock, held, capsys):
    with pytest.raises(SystemExit):
        module(monkeypatch, lock, turn=OTHER)
    told = json.loads(capsys.readouterr().out)
    assert (told["failed"], told["code"]) == (True, "host-locked")
    assert told["steps"][0]["name"] == "lock"


def test_check_mode_needs_no_turn(monkeypatch, lock, held):
    assert module(monkeypatch, lock, turn=OTHER, _ansible_check_mode=True).turn.stop() is None


def test_a_command_that_hangs_is_ended(monkeypatch, lock, capsys):
    one = module(monkeypatch, lock)
    monkeypatch.setattr(turn, "QUICK", 0.1)
    with pytest.raises(SystemExit):
        one.run_command(["sleep", "60"])
    told = json.loads(capsys.readouterr().out)
    assert told["code"] == "hung"
    assert told["msg"].startswith("sleep 60 did not end within")


def test_of_a_package_manager_that_hangs_its_caller_tells(monkeypatch, lock):
    one = module(monkeypatch, lock)
    monkeypatch.setattr(one.turn, "seconds_for", lambda _program: 0.1)
    code, _out, err = one.run_command(["sleep", "60"])
    assert code == 124
    assert "pydock: sleep 60 did not end within 0 s, its limit, and was ended" in err
