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


def run(monkeypatch, capsys, parts, workers, **how):
    """What Ansible reads of a run of the module, whose parts are done by ``workers``."""
    told = {"parts": parts, **{f"_ansible_{name}": value for name, value in how.items()}}
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
    assert task["docker_apply"] == {"parts": "{{ docker_apply_parts }}", "turn": TURN}


URLS = [f"https://{name}.example/linux/centos/9/x86_64/stable" for name in ("one", "two", "three")]
DAMAGED = "Package docker-ce-3:26.1.4-1.el9.x86_64.rpm is not correct: checksum doesn't match"


@pytest.mark.parametrize(("broken", "tries"), [(1, 2), (2, 3), (3, 3), (0, 1)])
def test_packages_that_a_mirror_does_not_serve_whole_come_from_the_next(monkeypatch, capsys, broken, tries):
    seen = []

    def settle(part):
        seen.append((part.params["baseurl"], part.params["key_url"]))
        step = {"name": "repository", "status": "changed", "detail": "replaced"}
        part.exit_json(changed=True, baseurl=part.params["baseurl"], steps=[step])

    def transact(part):
        if URLS.index(seen[-1][0]) < broken:
            part.fail_json(msg="no", code="transaction-failed", evidence=DAMAGED, steps=[])
        part.exit_json(changed=True, steps=[])

    text = {"type": "str", "default": ""}
    spec = {"baseurl": text, "key_url": text, "alternatives": {"type": "list", "elements": "str", "default": []}}
    workers = {
        "docker_repositories": SimpleNamespace(ARGUMENTS=spec, work=settle),
        "docker_packages": worker(transact),
        "docker_daemon": well([]),
    }
    parts = {**dict.fromkeys(workers, {}), "docker_repositories": {"baseurl": URLS[0], "key_url": "k", "alternatives": URLS[1:]}}
    told = run(monkeypatch, capsys, parts, workers)
    assert [url for url, _key in seen] == URLS[:tries]
    assert all(key == "https://two.example/linux/centos/gpg" for url, key in seen if url == URLS[1])
    details = [part["steps"][0]["detail"] for part in told["parts"] if part["role"] == "docker_repositories"]
    assert details[1:2] == ([f"{URLS[0]} did not serve the packages whole; replaced"] if broken else [])
    assert told.get("failed", False) is (broken == 3)
    assert [part["role"] for part in told["parts"]][-1] == ("docker_packages" if broken == 3 else "docker_daemon")


def test_what_is_not_the_mirrors_fault_is_not_tried_elsewhere():
    options = {"baseurl": URLS[0], "alternatives": URLS[1:]}
    assert module.elsewhere(options, {"baseurl": URLS[0]}, {"failed": True, "evidence": "No space left on device"}) is None
    assert module.elsewhere(options, {"baseurl": URLS[2]}, {"failed": True, "evidence": DAMAGED}) is None
