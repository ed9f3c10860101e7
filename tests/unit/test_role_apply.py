"""docker_apply: the work of several roles in one task, and what it tells of each."""

import json
from types import SimpleNamespace

import pytest
from ansible.module_utils import basic

from tests.unit.modules import library, load
from tests.unit.test_modules import run_old
from tests.unit.test_roles import TURN, read, specification

module = load("docker_apply")


@pytest.fixture(autouse=True)
def lock(monkeypatch, tmp_path):
    """Each test has a host of its own to lock."""
    monkeypatch.setattr(library("pydock_turn"), "LOCK", str(tmp_path / "lock"))
    return tmp_path / "lock"


def worker(work):
    return SimpleNamespace(ARGUMENTS={"name": {"type": "str", "default": "x"}}, work=work)


def run(monkeypatch, capsys, parts, workers, secrets=None, **how):
    """What Ansible reads of a run of the module, whose parts are done by ``workers``."""
    told = {"parts": parts, "secrets": secrets or {}, **{f"_ansible_{name}": value for name, value in how.items()}}
    monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": told}).encode())
    monkeypatch.setattr(module, "PARTS", tuple(workers.items()))
    with pytest.raises(SystemExit):
        module.main()
    return json.loads(capsys.readouterr().out)


def well(seen):
    def work(part):
        seen.append((part.params["name"], part.check_mode))
        part.exit_json(changed=True, steps=[{"name": part.params["name"], "status": "changed"}], diff={"after": "y"})

    return worker(work)


def badly(part):
    part.fail_json(msg="no", code="locked", steps=[])


def broken(part):
    raise KeyError("surprise")


def test_parts_run_in_their_order_and_each_tells_its_own(monkeypatch, capsys):
    seen = []
    workers = {"docker_packages": well(seen), "docker_daemon": well(seen), "docker_verify": worker(broken)}
    parts = {"docker_daemon": {"name": "second"}, "docker_packages": {"name": "first"}}
    told = run(monkeypatch, capsys, parts, workers, check_mode=True, diff=True)
    assert seen == [("first", True), ("second", True)]
    assert [(part["role"], part["failed"]) for part in told["parts"]] == [
        ("docker_packages", False), ("docker_daemon", False),
    ]  # fmt: skip
    assert told["changed"] is True
    assert told["diff"] == [{"after": "y"}] * 2


def test_the_first_that_fails_is_the_last(monkeypatch, capsys):
    seen = []
    workers = {"docker_packages": well(seen), "docker_daemon": worker(badly), "docker_verify": well(seen)}
    told = run(monkeypatch, capsys, dict.fromkeys(workers, {}), workers)
    assert (told["failed"], told["msg"], told["changed"]) == (True, "no", True)
    assert [part["role"] for part in told["parts"]] == ["docker_packages", "docker_daemon"]
    assert told["parts"][-1]["code"] == "locked"


def test_a_part_that_breaks_off_says_where(monkeypatch, capsys):
    told = run(monkeypatch, capsys, {"docker_daemon": {}}, {"docker_daemon": worker(broken)})
    assert told["msg"] == "docker_daemon broke off: KeyError: 'surprise'"
    assert "in broken" in told["parts"][0]["module_stderr"]


def test_a_secret_reaches_its_part_and_nothing_that_is_said(monkeypatch, capsys):
    seen = []
    parts = {"docker_packages": {}, "docker_daemon": {"name": "plain"}}
    workers = {"docker_packages": well(seen), "docker_daemon": well(seen)}
    told = run(monkeypatch, capsys, parts, workers, {"docker_packages": {"name": "pa55word"}})
    assert [name for name, _ in seen] == ["pa55word", "plain"]
    assert "pa55word" not in json.dumps(told)


def test_what_a_part_is_told_is_not_repeated(monkeypatch, capsys):
    """Options may hold passwords."""
    told = run(monkeypatch, capsys, {"docker_daemon": {"name": "pa55"}}, {"docker_daemon": worker(lambda part: None)})
    assert "pa55" not in json.dumps(told)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"docker_absent": {}}, "docker_absent is no part"),
        ({"docker_daemon": {"nme": "x"}}, "nme"),
    ],
)
def test_unknown_words_change_nothing(monkeypatch, capsys, parts, said):
    told = run(monkeypatch, capsys, parts, {"docker_daemon": worker(badly)})
    assert told["failed"] is True
    assert said in told["msg"]


def test_its_four_workers_are_there_under_python_2_7():
    assert run_old("print(json.dumps(sorted(daemon.ARGUMENTS)))") == sorted(module.PARTS[2][1].ARGUMENTS)


def test_the_role_says_the_same_everywhere():
    assert set(read("docker_apply", "defaults/main.yml")) == set(specification("docker_apply"))
    (task,) = read("docker_apply", "tasks/main.yml")
    assert task["docker_apply"] == {
        "parts": "{{ docker_apply_parts }}", "secrets": "{{ docker_apply_secrets }}", "turn": TURN,
    }  # fmt: skip
