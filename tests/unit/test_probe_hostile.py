"""A host may say what it likes: it changes what is known of itself, and breaks nothing."""

import dataclasses
import os
import shutil
import subprocess
from importlib import resources

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pydock_installer import platforms
from pydock_installer.model import Facts, Host, Known, Unknown
from pydock_installer.planner import Wishes, plan_host
from pydock_installer.probe import Questions, parse, probe_for
from pydock_installer.probe.answers import split
from pydock_installer.repository_choice import choices
from pydock_installer.settings import Settings
from tests.unit.test_probe import NONCE, answers

modest = settings(max_examples=60, deadline=None)
FILES = ("repository_file", "repository_key", "daemon_json")
OS_RELEASE = 'NAME="CentOS Linux"\nVERSION="7 (Core)"\nID="centos"\nID_LIKE="rhel fedora"\nVERSION_ID="7"\n'
WHOLE = {
    "user": "root",
    "privilege": "root",
    "kernel": "3.10.0-1160.119.1.el7.x86_64",
    "architecture": "x86_64",
    "word_size": "64",
    "os__release": OS_RELEASE,
    "redhat__release": "CentOS Linux release 7.9.2009 (Core)\n",
    "repository_file": (44, ""),
    "daemon_json": '{"debug": true}\n',
    "proof_record": '{"server": "26.1.4", "client": "26.1.4", "image": "hello-world", "registry_mirrors": []}\n',
    "packages": "gcc\t(none)\t4.8.5\t44.el7\tx86_64\ngpg-pubkey\t(none)\t621e9f35\t58adea78\t(none)\n",
    "service": "LoadState=loaded\nActiveState=active\nUnitFileState=enabled\n",
    "engine": '26.1.4\n26.1.4\n["https://m.example/"]\n2\n',
    "repository_answers": "official 200 0.2\naliyun 200 0.1\n",
}


def facts_of(facts):
    return {field.name: getattr(facts, field.name) for field in dataclasses.fields(facts)}


@modest
@given(st.binary(max_size=400))
def test_no_bytes_break_the_parser_even_between_true_markers(noise):
    """The host is told the nonce: whoever owns the host can write markers."""
    marker = NONCE.encode()
    noise = noise.replace(b"~", b"\n" + marker + b" ").replace(b"|", b"\n" + marker + b"/ ")
    assert isinstance(parse(noise, NONCE), Facts)
    assert isinstance(parse(marker + b" os-release\n" + noise + b"\n" + marker + b"/ 0\n", NONCE), Facts)


words = st.sampled_from(
    [
        "ID=",
        "ID=centos",
        "VERSION_ID=",
        '"',
        "'",
        "\\",
        "$(id)",
        "`id`",
        "\0",
        "\x1b[2J",
        "release ",
        "7.9",
        "CentOS",
        " (",
        ")",
        "\n",
        "é",
        "=",
        "#",
    ]
)


@modest
@given(st.lists(words, max_size=14).map("".join), st.lists(words, max_size=14).map("".join))
def test_no_release_file_breaks_the_parser(first, second):
    found = parse(answers(os__release=first, redhat__release=second, centos__release=second), NONCE).release
    assert isinstance(found, Known | Unknown)
    if isinstance(found, Known):
        assert len(found.value.pretty) <= 100


@modest
@given(
    st.lists(
        st.sampled_from(
            ["pydock-0123456789abcdef01234568 privilege", "pydock- privilege", "pydock-/ 0", "/ 0", " privilege",
             "root", "pydock-0123456789abcdef0123456 kernel", "\n", "NONCE/ 0", "\r", ""]
        )
        | st.text(max_size=20),
        max_size=12,
    ).map("\n".join),
    st.sampled_from(FILES),
)  # fmt: skip
def test_what_stands_in_a_file_changes_no_other_fact(text, name):
    """The nonce is random, so no file holds it; whatever looks like a marker is content."""
    quiet = facts_of(parse(answers(**{**WHOLE, name: ""}), NONCE))
    loud = facts_of(parse(answers(**{**WHOLE, name: text}), NONCE))
    assert {key for key in quiet if quiet[key] != loud[key]} <= {name}
    assert loud[name] == Known(text)


@modest
@given(st.integers(0, len(answers(**WHOLE))))
@example(0)
def test_what_is_cut_off_is_unknown_and_never_something_else(length):
    """A connection may break anywhere, a host may say more than is read."""
    whole, cut = facts_of(parse(answers(**WHOLE), NONCE)), facts_of(parse(answers(**WHOLE)[:length], NONCE))
    for name, fact in cut.items():
        if name == "release" and isinstance(fact, Known):
            assert fact.value.major == whole[name].value.major
        else:
            assert isinstance(fact, Unknown) or fact == whole[name], name


def test_what_a_host_says_twice_or_out_of_turn_is_not_an_error():
    twice = answers(kernel="3.10.0") + answers(kernel="5.14.0") + f"\n{NONCE}/ 0\n{NONCE} \n{NONCE}/ 0\n".encode()
    assert parse(twice, NONCE).kernel == Known("5.14.0")
    assert parse(b"Welcome!\n" + answers(**WHOLE), NONCE).user == Known("root")


@pytest.mark.parametrize("status", ["", "-1", "x", "0x0", "0 0", "1e3"])
def test_a_status_that_is_no_number_makes_the_answer_unknown(status):
    assert isinstance(parse(answers(kernel=(status, "3.10.0")), NONCE).kernel, Unknown)


@pytest.mark.parametrize("status", ["²", "9" * 5000], ids=["superscript", "5000 digits"])
def test_a_status_that_python_does_not_take_for_a_number_makes_the_answer_unknown(status):
    assert isinstance(parse(answers(kernel=(status, "3.10.0")), NONCE).kernel, Unknown)


@pytest.mark.parametrize("text", ["", "a b", "\x1b[31m", "x" * 129, "$(id)", "<b>", "a\nb"])
def test_a_word_is_a_word(text):
    facts = parse(answers(kernel=text, architecture=text, user=text, privilege=text), NONCE)
    assert all(isinstance(fact, Unknown) for fact in (facts.kernel, facts.architecture, facts.user, facts.privilege))


@pytest.mark.parametrize(
    "text",
    ["null", "[]", "1", '"a"', "{", "{}", '{"server": 1}', "[" * 20_000,
     '{"server": "a", "client": "a", "image": "i", "registry_mirrors": {}}',
     '{"server": "a", "client": "a", "image": "i", "registry_mirrors": [1]}'],
)  # fmt: skip
def test_a_record_that_proves_nothing_is_no_proof(text):
    assert isinstance(parse(answers(proof_record=text), NONCE).proof_record, Unknown)


@modest
@given(
    st.lists(
        st.tuples(st.sampled_from([*platforms.mirrors()]), st.sampled_from([0, 200, 404]), st.floats(0, 60)),
        max_size=5,
    )
)
def test_a_mirror_is_found_whatever_answers(rows):
    text = "".join(f"{name} {status} {seconds:.6f}\n" for name, status, seconds in rows)
    facts = parse(answers(repository_answers=text), NONCE)
    assert choices({"h": facts}, Settings())["h"].name in platforms.mirrors()


@pytest.mark.parametrize("text", ["official 200 nan\n", "elsewhere 200 0.1\n", "official 200 -1\n"])
def test_an_answer_of_a_mirror_that_makes_no_sense_does_not_end_everybodys_plan(text):
    """The plan is made for all hosts in turn: an error in one would end the command."""
    said = parse(answers(**{**WHOLE, "repository_answers": text}), NONCE)
    plan_host(Host("h", "h"), said, Settings(), Wishes())


@modest
@given(st.sampled_from(sorted(WHOLE)), st.text(max_size=40), st.sampled_from(["0", "1", "44", "77", "124", ""]))
def test_a_plan_can_be_made_of_whatever_a_host_says(name, text, status):
    said = parse(answers(**{**WHOLE, name: (status, text)}), NONCE)
    made = plan_host(Host("h", "h"), said, Settings(registry_mirrors=["https://m.example"]), Wishes())
    assert made.facts == said


# -- the script itself


SHELLS = [
    [path, *more]
    for name, *more in (["sh"], ["dash"], ["bash", "--posix"], ["busybox", "sh"])
    if (path := shutil.which(name))
]


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: " ".join([shell[0].rpartition("/")[2], *shell[1:]]))
def test_the_script_runs_in_every_shell_and_leaves_nothing_behind(shell, tmp_path):
    """Under the shell itself: the command line of a probe would start ``sh`` for it."""
    script = resources.files("pydock_installer.probe").joinpath("probe.sh").read_text(encoding="utf-8")
    places = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [*shell, "-c", script, "pydock-probe", NONCE, "root", "--", "gcc", "docker-ce"],
        capture_output=True, timeout=60, cwd=tmp_path, env=places, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    facts = parse(done.stdout, NONCE)
    assert isinstance(facts.kernel, Known)
    assert isinstance(facts.architecture, Known)
    assert facts.privilege == Known("root")
    assert facts.word_size in (Known(64), Known(32))
    # Debian's rpm, where tests run, makes a database in the home directory; CentOS's does not.
    assert {path.name for path in tmp_path.iterdir()} <= {".rpmdb"}


def test_every_question_has_an_answer():
    """None is lost on the way: each is known, absent, or unknown for a reason of its own."""
    probe = probe_for(Host("h", "h"), Questions(["gcc"]))
    done = subprocess.run(["sh", "-c", probe.command], capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
    assert set(split(done.stdout, probe.nonce).sections) >= {name.replace("__", "-") for name in WHOLE} | {
        "centos-release",
        "repository_key",
    }
    assert Unknown("the host did not answer") not in facts_of(parse(done.stdout, probe.nonce)).values()


@pytest.mark.parametrize("name", ["; touch owned", "$(touch owned)", "`touch owned`", "'", "-q", "a b", "*"])
def test_an_argument_is_never_a_command(name, tmp_path):
    probe = probe_for(Host("h", "h"), Questions([name]))
    done = subprocess.run(
        ["sh", "-c", probe.command], capture_output=True, timeout=60, cwd=tmp_path, stdin=subprocess.DEVNULL
    )
    assert isinstance(parse(done.stdout, probe.nonce).kernel, Known)
    assert list(tmp_path.iterdir()) == []
