"""From messages to causes: one file per message under tests/data/diagnosis."""

import re
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pydock_installer import diagnosis, explanations
from pydock_installer.diagnosis import Context, diagnose, explain, judge

CASES = sorted((Path(__file__).resolve().parents[1] / "data" / "diagnosis").glob("*.yml"))
WHERE = {"ssh", "repository", "packages", "daemon", "pull", "run", "any"}


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
    modules = [*(top / "roles").glob("*/library/*.py"), *(top / "roles").glob("*/module_utils/*.py")]
    for module in modules:
        for code in re.findall(r'(?:fail|refuse)\(\s*(?:"(?:settings|proxy|service)",\s*)?"([a-z-]+)"', module.read_text()):
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
    assert diagnose(f"pull-failed\n{message}").code == "connection-reset"
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


#: What hostile texts are made of, besides the patterns' own words.
PIECES = (" ", "a", "\n", "\x1b[1", "https://a/", "\"", "x: ", "dial tcp [::1]:443: ", "conflicts with ", ": EOF")


def own_words(pattern):
    """The two longest runs of plain words in a pattern."""
    return sorted(re.findall(r"[A-Za-z]{3,}(?: [a-z]{2,})*", pattern), key=len)[-2:]


@pytest.mark.parametrize("row", [row for row in diagnosis.rows() if row.pattern], ids=lambda row: row.code)
def test_no_pattern_is_led_astray_by_a_hostile_text(row):
    """As much as is ever looked at, of what it begins with again and again. The processor's time is generous: a
    pattern that backtracks without end takes hours."""
    began = time.process_time()
    for piece in (*PIECES, *(f"{word} " for word in own_words(row.pattern.pattern)), *own_words(row.pattern.pattern)):
        row.pattern.search((piece * 40_000)[: diagnosis.HEAD + diagnosis.TAIL])
    assert time.process_time() - began < 20


def test_of_megabytes_only_the_ends_are_read():
    text = f"{'x' * 5_000_000}no space left on device{'y' * 5_000_000}"
    assert diagnose(text) is None
    assert diagnose(f"{text}\nno space left on device").code == "disk-full"
    assert diagnose(f"no space left on device\n{text}").code == "disk-full"


# -- what the proof knows beside the message

HANGS = "net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)"
HUB = f'docker: Error response from daemon: Get "https://registry-1.docker.io/v2/": {HANGS}.'


@pytest.mark.parametrize(
    ("line", "context", "cause"),
    [
        (HUB, Context("hello-world", ()), "Docker Hub is not reachable from this host, no mirror is configured."),
        (
            HUB,
            Context("hello-world", ("https://docker.m.daocloud.io/",)),
            "Docker Hub is not reachable from this host, the mirror docker.m.daocloud.io is configured and did not serve either.",
        ),
        (
            HUB,
            Context("hello-world", ("https://a.example/", "http://b.example:5000/")),
            "Docker Hub is not reachable from this host, the mirrors a.example, b.example:5000 are configured and did not serve either.",
        ),
        (
            HUB.replace("registry-1.docker.io", "a.example"),
            Context("hello-world", ("https://a.example/",)),
            "The registry mirror a.example is not reachable from this host, and Docker Hub, which is asked after it, did not serve either.",
        ),
        (
            HUB.replace("registry-1.docker.io", "registry.example"),
            Context("registry.example/team/image", ("https://a.example/",)),
            "registry.example is not reachable from this host.",
        ),
        (
            HUB,
            Context("hello-world", (), "http://***@proxy.example:3128"),
            "Docker Hub is not reachable from this host through the proxy http://***@proxy.example:3128, no mirror is configured.",
        ),
        (HUB, Context(), "Docker Hub is not reachable from this host."),
        (HANGS, Context(), "The registry is not reachable from this host."),
        (HANGS, Context("quay.io/a/b", ()), "quay.io is not reachable from this host."),
    ],
)
def test_a_cause_depends_on_what_the_host_has(line, context, cause):
    found = diagnose(line, where="pull", context=context)
    assert found.code == "client-timeout"
    assert found.cause == cause
    assert "pydock mirror test HOST" in found.remedy
    assert "pydock mirror set --best 2 HOST" in found.remedy
    assert "--verify-image builtin" in found.remedy


def test_the_architecture_is_told_where_it_matters():
    found = diagnose("exec /hello: exec format error", context=Context(architecture="arm64"))
    assert "(arm64)" in found.cause


def test_in_general_nothing_is_said_about_a_host():
    assert explain("client-timeout").in_general().cause == "The registry is not reachable from this host."


def test_the_journal_tells_besides_what_the_mirrors_said():
    """Engines up to 28 answer with Docker Hub's error alone."""
    journal = 'level=info msg="Attempting next endpoint for pull after error: error parsing HTTP 403 response body: x"'
    found = judge("pull-failed", HUB, journal, context=Context("hello-world", ("https://a.example/",)))
    assert found is not None
    assert found.code == "client-timeout"
    assert found.cause.endswith(
        "Besides, the engine's journal tells: The registry or its mirror refuses this host (403)."
    )
    assert judge("pull-failed", HUB, f'level=warning msg="{HUB}"').cause.count("not reachable") == 1
    assert judge("pull-failed", HUB, "level=warning nothing of note") == diagnose(f"pull-failed\n{HUB}")


def test_of_a_run_the_journal_only_says_the_same_again():
    said = 'docker: Error response from daemon: OCI runtime create failed: exec: "runc": executable file not found in $PATH'
    journal = r'level=warning msg="failed to retrieve runc version: exec: \"runc\": executable file not found in $PATH"'
    assert judge("run-failed", said, journal) == diagnose(f"run-failed\n{said}")
    assert judge("run-failed", "no word", journal).code == "runtime-missing"


def test_what_is_said_in_general_gives_way_to_the_journal():
    down = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
    journal = "failed to load listeners: can't create unix socket /var/run/docker.sock: is a directory"
    assert judge("no-server", down).code == "daemon-down"
    assert judge("no-server", down, journal).code == "socket-path"
    assert judge("no-server", down, "docker.service: Start request repeated too quickly.").code == "start-limit"
    assert judge("pull-failed", "no word", "x509: certificate signed by unknown authority").code == "certificate-unknown"
    assert judge(None, "no word", "nothing either") is None


def test_pull_and_run_are_phases_of_their_own():
    trouble = "OCI runtime create failed: unexpected EOF"
    assert diagnose(f"run-failed\n{trouble}").code == "runtime"
    assert diagnose("run-failed\nread: connection reset by peer").code == "run-failed"


@given(st.text(), st.text(), st.lists(st.text()), st.text())
def test_any_context_is_taken(line, image, mirrors, proxy):
    context = Context(image, tuple(mirrors), proxy, proxy)
    judge("pull-failed", f"{HUB}\n{line}", line, context=context)
    assert isinstance(context.words(line), dict)
