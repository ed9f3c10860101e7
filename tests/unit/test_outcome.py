"""From Ansible's events to what happened on each host."""

import json
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from pydock_installer.model import HostStatus, Proof, Report, StepResult, StepStatus
from pydock_installer.outcome import Ledger
from pydock_installer.report import to_json
from tests.unit.test_report import host_report


def event(kind="ok", host="web1", task="docker_packages", seconds=1.5, **result):
    return SimpleNamespace(kind=kind, host=host, task=task, seconds=seconds, result=result)


def told(*events, host="web1"):
    ledger = Ledger()
    for entry in events:
        ledger.enter(entry)
    return ledger.outcome(host)


def test_steps_of_every_role_add_up_for_each_host():
    ledger = Ledger()
    engine = {"name": "engine", "status": "changed", "seconds": 1.234, "detail": "3 packages"}
    assert ledger.enter(event("started")) == ()
    assert ledger.enter(event(steps=[engine])) == (
        StepResult("engine", StepStatus.CHANGED, 1.23, "3 packages"),
    )
    ledger.enter(event(host="web2", steps=[]))
    ledger.enter(event("skipped", task="docker_daemon"))
    ledger.enter(event(task="docker_verify", proof={"client": "26.1", "server": "26.1", "hello_world": True}))
    outcome = ledger.outcome("web1")
    assert [step.name for step in outcome.steps] == ["engine"]
    assert outcome.proof == Proof("26.1", "26.1", (), True)
    assert (outcome.message, outcome.failed_step, outcome.seconds) == (None, None, 3.0)
    assert ledger.finished("web1") == {"docker_packages", "docker_verify"}
    assert ledger.finished("web2") == {"docker_packages"}
    assert (ledger.outcome("web3"), ledger.finished("web3")) == (None, set())


def test_a_failure_names_the_step_that_failed():
    steps = [{"name": "remove", "status": "ok"}, {"name": "engine", "status": "failed", "seconds": 2}]
    outcome = told(
        event("failed", msg="no space", code="disk-full", steps=steps, stderr="df says", module_stdout=" ")
    )
    assert (outcome.failed_step, outcome.message, outcome.code) == ("engine", "no space", "disk-full")
    assert outcome.evidence == "df says"
    assert not outcome.unreachable


def test_a_failure_without_steps_is_the_steps_of_its_role():
    outcome = told(event("failed", msg="MODULE FAILURE", module_stderr="Traceback"))
    assert outcome.steps == (StepResult("packages", StepStatus.FAILED, 1.5),)
    assert (outcome.failed_step, outcome.evidence) == ("packages", "Traceback")


def test_a_host_that_is_lost_on_the_way_is_unreachable():
    outcome = told(
        event(steps=[{"name": "engine", "status": "changed"}]), event("unreachable", task="", msg="timed out")
    )
    assert outcome.unreachable
    assert (outcome.failed_step, outcome.message) == ("connection", "timed out")
    assert [step.name for step in outcome.steps] == ["engine", "connection"]


def test_a_proof_stays_when_a_later_task_has_none():
    proof = {"server": "26.1", "registry_mirrors": ["https://mirror.example"]}
    assert told(event(proof=proof), event()).proof == Proof(None, "26.1", ("https://mirror.example",))


@pytest.mark.parametrize(
    "result",
    [
        {},
        pytest.param({"msg": ""}),
        pytest.param({"msg": None}),
    ],
)
def test_a_failure_always_has_a_sentence(result):
    assert told(event("failed", **result)).message == "the task failed without a word"


@pytest.mark.parametrize(
    "result",
    [
        {"steps": "engine"},
        {"steps": [None, 7, "engine", []]},
        {"steps": {"name": "engine"}},
        {"proof": "yes"},
        {"proof": ["client"]},
        {"proof": None, "steps": None},
    ],
)
def test_a_malformed_result_of_a_host_says_nothing(result):
    outcome = told(event(**result))
    assert (outcome.steps, outcome.proof, outcome.message) == ((), None, None)


def test_a_step_of_a_hostile_host_is_cut_to_size():
    (step,) = told(
        event(steps=[{"name": ["x" * 99], "status": {"a": 1}, "seconds": "soon", "detail": "y" * 9999}])
    ).steps
    assert (len(step.name), step.status, step.seconds, len(step.detail)) == (40, StepStatus.FAILED, 0.0, 500)
    (step,) = told(event(steps=[{}])).steps
    assert step == StepResult("step", StepStatus.FAILED, 0.0)


def test_only_true_is_proof():
    proof = told(
        event(proof={"hello_world": "yes", "registry_mirrors": "x", "client": 1, "server": "z" * 999})
    ).proof
    assert proof == Proof("1", "z" * 200, (), False)


@pytest.mark.parametrize("seconds", ["nan", "inf", float("nan"), 10**400])
def test_times_of_a_hostile_host_do_not_spoil_the_document(seconds):
    outcome = told(event(steps=[{"name": "engine", "status": "ok", "seconds": seconds}]))
    entry = host_report(HostStatus.OK, done=outcome.steps)
    json.dumps(to_json(Report("install", (entry,), 0)), allow_nan=False)


texts = st.text("xyz09-. \n\x1b\u4e2d", max_size=8)  # words for nan and inf have a test of their own, above
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
step_entries = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("name", "status", "seconds", "detail"), json_values)
)
results = st.fixed_dictionaries(
    {},
    optional={
        "steps": json_values | st.lists(step_entries | json_values, max_size=3),
        "proof": json_values
        | st.fixed_dictionaries({}, optional={"client": json_values, "registry_mirrors": json_values}),
        **dict.fromkeys(("msg", "code", "stderr", "evidence", "module_stdout"), json_values),
    },
)


@effort(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["ok", "failed", "unreachable", "skipped"]), results), max_size=4))
def test_whatever_a_host_answers_becomes_a_document(answers):
    outcome = told(*[event(kind, **result) for kind, result in answers])
    if outcome is None:
        return
    words = {"proof": outcome.proof, "cause": outcome.message, "code": outcome.code}
    entry = host_report(HostStatus.OK, done=outcome.steps, **words)
    json.dumps(to_json(Report("install", (entry,), 0)), allow_nan=False)


# -- one task that does the work of several roles


def whole(kind, *parts, **result):
    return event(kind, task="docker_apply", seconds=9.0, parts=list(parts), **result)


def part(role, failed=False, **result):
    return {"role": role, "failed": failed, "seconds": 2.0, "steps": [], **result}


def test_each_part_of_a_task_counts_as_its_roles():
    ledger = Ledger()
    engine = {"name": "engine", "status": "changed"}
    proof = part("docker_verify", proof={"client": "26.1", "server": "26.1", "hello_world": True})
    ledger.enter(whole("ok", part("docker_packages", steps=[engine]), proof))
    outcome = ledger.outcome("web1")
    assert [step.name for step in outcome.steps] == ["engine"]
    assert (outcome.proof, outcome.message, outcome.seconds) == (Proof("26.1", "26.1", (), True), None, 4.0)
    assert ledger.finished("web1") == {"docker_packages", "docker_verify"}


def test_the_part_that_failed_gives_the_cause():
    ledger = Ledger()
    steps = [{"name": "service", "status": "failed"}]
    broken = part("docker_daemon", failed=True, msg="no engine", code="no-engine", evidence="its words", steps=steps)
    ledger.enter(whole("failed", part("docker_packages"), broken, msg="no engine"))
    outcome = ledger.outcome("web1")
    assert (outcome.failed_step, outcome.code, outcome.evidence) == ("service", "no-engine", "its words")
    assert ledger.finished("web1") == {"docker_packages"}


@pytest.mark.parametrize("parts", [None, "x", [], [1, None], [{"role": ["x"]}]])
def test_a_task_that_failed_as_a_whole_has_failed_whatever_it_says_of_its_parts(parts):
    outcome = told(event("failed", task="docker_apply", msg="killed", parts=parts))
    assert outcome.message == "killed"


def test_a_host_that_is_lost_in_the_task_is_a_matter_of_the_connection():
    outcome = told(event("unreachable", task="docker_apply", msg="timed out"))
    assert (outcome.failed_step, outcome.unreachable) == ("connection", True)
