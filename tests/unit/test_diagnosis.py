"""From messages to causes: one file per message under tests/data/diagnosis."""

import re
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pydock_installer import diagnosis, explanations
from pydock_installer.diagnosis import diagnose, explain

CASES = sorted((Path(__file__).resolve().parents[1] / "data" / "diagnosis").glob("*.yml"))
WHERE = {"ssh", "repository", "packages", "daemon", "pull", "any"}


def unbounded(pattern):
    """Repetitions without an end: outside of classes and escapes."""
    return re.search(r"[*+]|,\}", re.sub(r"\\.|\[(?:\\.|[^\]])*\]", "", pattern))


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_message_finds_its_cause(path):
    case = load(path)
    found = diagnose(case["message"], where=case.get("where"))
    assert found is not None
    assert found.code == case["expect"]
    assert not re.search(r"\{[a-z]+\}|\[[^\]]*[A-Z]{3,}\)?\]", found.cause), "a place was left open"
    assert found.cause.endswith(".")
    assert found.remedy.endswith(".")


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_message_is_found_among_other_output_in_colour_and_capitals(path):
    case = load(path)
    if explain(case["message"].partition("\n")[0]):
        return
    noise = "Loaded plugins: fastestmirror\nDetermining fastest mirrors\n"
    found = diagnose(f"{noise}\x1b[31m{case['message']}\x1b[0m\n")
    assert found is not None
    assert found.code == case["expect"]


def test_every_row_has_a_case():
    rows = {row.code for row in diagnosis.rows()}
    assert rows == {load(path)["expect"] for path in CASES}


def test_rows_are_well_formed():
    codes = diagnosis.codes()
    assert len(set(codes)) == len(codes)
    for row in diagnosis.rows():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", row.code)
        assert row.where in WHERE
        assert not row.pattern or not unbounded(row.pattern.pattern), row.code
        general = row.in_general()
        for sentence in (general.cause, general.remedy):
            assert sentence.endswith("."), row.code
            assert not re.search(r"\{[a-z]+\}", sentence)


def test_every_code_of_a_module_and_of_the_ssh_door_can_be_explained():
    top = Path(__file__).resolve().parents[2]
    for module in (top / "roles").glob("*/library/*.py"):
        for code in re.findall(r'(?:fail|refuse)\(\s*(?:"(?:settings|service)",\s*)?"([a-z-]+)"', module.read_text()):
            assert explain(code), f"{module.name} fails with {code}"
    doors = [*(top / "pydock_installer/ssh").glob("*.py"), *(top / "pydock_installer/workflows").glob("*.py")]
    for door in doors:
        for code in re.findall(r'UnreachableError\(\s*"([a-z-]+)"', door.read_text()):
            assert code in explanations.codes(), f"{door.name}: {code}"


def test_unknown_words_have_no_diagnosis():
    assert diagnose("") is None
    assert diagnose("all is well") is None
    assert diagnose("release") is None, "a finding is no diagnosis"
    assert explain("no-such-code") is None


def test_the_phase_decides_between_alike_messages():
    message = "read: connection reset by peer"
    assert diagnose(message, where="pull").code == "connection-reset"
    assert diagnose(message, where="packages") is None
    assert diagnose(f"run-failed\n{message}").code == "connection-reset"
    assert diagnose(f"transaction-failed\n{message}").code == "transaction-failed"


def test_a_sentence_holds_at_most_a_little_of_what_the_host_said():
    found = diagnose(f"{'x' * 5000} docker-ce conflicts with {'y' * 5000}")
    assert len(found.cause) < 500
    assert found.code == "package-conflict"


def test_without_a_word_from_the_host_a_sentence_stays_whole():
    assert diagnose("locked\nno more").cause == "Another package manager is at work on the host and holds the lock."
    assert "(process PID)" in explain("locked").in_general().cause


@given(st.text())
def test_any_text_is_taken(text):
    diagnose(text)


@pytest.mark.parametrize(
    "piece",
    [
        " ", "a", "\n", "lookup ", "proxyconnect tcp: dial tcp ", "conflicts with ", "x509: certificate is valid for ",
        "https://a/linux/centos/7Server/", "404 for https://", "curl#6 ", "nothing provides a", "Error: Package: a ",
        "toomanyrequests", "error pulling image configuration: ", "Package ", "rpmdb: ", "\x1b[1", ": EOF", "manifests ",
        "podman", "GPG key retrieval failed: ",
    ],
)  # fmt: skip
def test_a_hostile_text_costs_no_time(piece):
    began = time.perf_counter()
    diagnose(piece * (10_000_000 // len(piece)))
    assert time.perf_counter() - began < 1.5
