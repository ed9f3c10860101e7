"""What pydock prints: nothing that paints the terminal, with one and without."""

import io
import json
import re

import pytest
from hypothesis import example, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from rich.console import Console as RichConsole

from pydock_installer.cli.console import Console
from pydock_installer.cli.tables import plan_text
from pydock_installer.cli.text import clean
from pydock_installer.errors import PydockError, RefusedError
from pydock_installer.model import (
    Finding,
    Host,
    HostPlan,
    HostStatus,
    Plan,
    Severity,
    Step,
    StepResult,
    StepStatus,
)
from pydock_installer.report import to_json
from tests.unit.command_line import EVIL, HOST, has_controls, hostile_report
from tests.unit.facts import bare

pytestmark = pytest.mark.usefixtures("directory")

# -- what hosts say


@effort(max_examples=100, deadline=None)
@given(
    st.lists(
        st.text(st.characters())
        | st.sampled_from(["\x1b", "\x1b[", "\x1b]0;", "\x9b", "31m", "\x07", "\r\n"])
    ).map("".join)
)
@example("\x1b")
@example("\x1b\x1b[31m")
@example("\ud800\udfff")
def test_cleaned_text_holds_no_control_character_but_newline(text):
    cleaned = clean(text)
    assert not has_controls(cleaned)
    assert "\u202e" not in cleaned
    cleaned.encode("utf-8")
    assert clean(cleaned) == cleaned


@given(st.text(st.characters(exclude_categories=("Cc", "Cf", "Cs", "Co", "Cn")), max_size=500))
def test_ordinary_text_of_any_script_is_left_as_it_is(text):
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;https://a.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b(Btext", "Btext"),
        ("a\nb\tc\rd", "a\nb c d"),
        ("\u202eabc", " abc"),
    ],
)
def test_escape_sequences_go_as_a_whole(text, wanted):
    assert clean(text) == wanted


def test_cleaned_text_is_cut():
    assert clean("x" * 5000) == "x" * 2000
    assert clean("\x1b[31mred\x1b[0m", 2) == "re"


def speaking(**how):
    out, err = io.StringIO(), io.StringIO()
    return Console(stdout=out, stderr=err, stdin=io.StringIO("yes\n"), **how), out, err


@pytest.mark.parametrize("command", ["check", "plan", "install", "verify", "status"])
@pytest.mark.parametrize("status", [HostStatus.FAILED, HostStatus.PLANNED])
def test_a_report_paints_nothing_that_a_host_says(command, status):
    talk, out, err = speaking(verbose=1)
    report = hostile_report(command, status)
    talk.report(report)
    talk.plan(Plan(tuple(host.plan for host in report.hosts)))
    talk.note(EVIL)
    talk.out(EVIL)
    talk.error(PydockError(EVIL, EVIL))
    assert "web" in out.getvalue()
    assert not has_controls(out.getvalue())
    assert not has_controls(err.getvalue())
    assert "\u202e" not in out.getvalue() + err.getvalue()


def test_with_json_stdout_is_one_document_and_nothing_else():
    talk, out, err = speaking(json=True)
    report = hostile_report("install")
    talk.plan(Plan(tuple(host.plan for host in report.hosts)))
    talk.note("beside")
    talk.report(report)
    assert json.loads(out.getvalue()) == to_json(report)
    assert "\x1b" not in out.getvalue()
    assert err.getvalue() == "beside\n"


def test_a_document_paints_nothing_either():
    talk, out, _ = speaking(json=True)
    talk.report(hostile_report("install"))
    assert not has_controls(out.getvalue())
    assert "\u202e" not in out.getvalue()


# -- without a terminal


def test_without_a_terminal_nothing_is_asked():
    talk, out, err = speaking()
    assert not talk.interactive
    with pytest.raises(RefusedError, match=r"there is no terminal to ask on: Do this on 2 hosts\?") as caught:
        talk.ask("Do this on 2 hosts?")
    assert caught.value.exit_code == 5
    assert "--yes" in caught.value.hint
    with pytest.raises(RefusedError, match="there is no terminal to ask for the sudo password on"):
        talk.password("sudo password: ")
    assert (out.getvalue(), err.getvalue()) == ("", "")


def go_through(talk, name="engine", detail="3 packages", text="done"):
    with talk.progress(["web1"]) as progress:
        progress.stage("Working on 1 host")
        progress.step("web1", "packages")
        progress.step_done("web1", StepResult(name, StepStatus.CHANGED, 1.0, detail))
        progress.host_done("web1", True, text)
        progress.host_done("web2", False, text)


def test_plain_progress_is_a_line_for_each_event_with_its_time():
    talk, out, err = speaking()
    go_through(talk)
    assert out.getvalue() == ""
    assert err.getvalue().splitlines() == [
        "[00:00] Working on 1 host ...",
        "[00:00] web1: engine changed: 3 packages",
        "[00:00] web1: done",
        "[00:00] web2: FAILED: done",
    ]


def test_plain_progress_says_more_when_asked():
    talk, _, err = speaking(verbose=1)
    go_through(talk)
    assert "[00:00] web1: packages begins\n" in err.getvalue()


@pytest.mark.parametrize(
    "said",
    [
        {"detail": EVIL},
        {"text": EVIL},
        pytest.param(
            {"name": EVIL},
        ),
    ],
    ids=str,
)
def test_plain_progress_has_no_escapes_and_no_carriage_returns(said):
    talk, _, err = speaking()
    go_through(talk, **said)
    assert not has_controls(err.getvalue())


@pytest.mark.parametrize(
    "said", [{"detail": "a\n[00:00] web9: done"}, {"text": "a\n[00:00] web9: done"}], ids=str
)
def test_a_host_cannot_write_lines_of_its_own_into_the_progress(said):
    talk, _, err = speaking()
    go_through(talk, **said)
    assert not [line for line in err.getvalue().splitlines() if line.startswith("[00:00] web9")]


# -- at a terminal


class Terminal(io.StringIO):
    """A stream with a person at it."""

    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("typed", "agreed"),
    [
        ("y\n", True),
        ("YES\n", True),
        (" yes \n", True),
        ("\n", False),
        ("", False),
        ("n\n", False),
        ("yeah\n", False),
    ],
)
def test_only_yes_is_yes(typed, agreed):
    out, err = io.StringIO(), Terminal()
    talk = Console(stdin=Terminal(typed), stdout=out, stderr=err, no_color=True)
    assert talk.interactive
    assert talk.ask("Do this on 2 hosts?") is agreed
    assert "Do this on 2 hosts? [y/N] " in err.getvalue()
    assert out.getvalue() == "", "a question is no result"


def at_a_terminal(**how):
    """A report as a person sees it."""
    out = Terminal()
    Console(stdin=Terminal(), stdout=out, stderr=Terminal(), **how).report(hostile_report("install"))
    assert "failed" in out.getvalue()
    return out.getvalue()


def test_a_terminal_gets_colours_but_not_those_of_a_host(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    seen = at_a_terminal()
    assert "\x1b[31mfailed" in seen
    assert "\x1b[2J" not in seen


@pytest.mark.parametrize("way", ["NO_COLOR", "--no-color"])
def test_colours_can_be_refused_at_a_terminal(monkeypatch, way):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1" if way == "NO_COLOR" else "")
    assert not re.search(r"\x1b\[[0-9;]*[34][0-7]", at_a_terminal(no_color=way == "--no-color"))


@pytest.mark.parametrize(
    ("terminal", "flag"),
    [
        ("dumb", False),
        pytest.param(
            "xterm",
            True,
        ),
    ],
)
def test_plain_text_has_no_escapes_at_all(monkeypatch, terminal, flag):
    monkeypatch.setenv("TERM", terminal)
    assert "\x1b" not in at_a_terminal(no_color=flag)


def test_a_plan_fits_a_narrow_terminal_and_leaves_the_rules_warnings_to_check():
    findings = (
        Finding("memory", Severity.WARNING, "there is little of it", "Add some.", group="system"),
        Finding("podman", Severity.BLOCKER, "it is in the way", "word " * 30),
    )
    steps = (Step("engine", "install " + "docker-ce " * 10, "not installed"),)
    plans = (HostPlan(Host("a", HOST), bare(), findings[:1], steps), HostPlan(Host("b", HOST), bare(), findings))
    stream = io.StringIO()
    RichConsole(file=stream, width=60).print(plan_text(Plan(plans)))
    lines = stream.getvalue().splitlines()
    assert [line for line in lines if line and not line.startswith((" ", "a ", "b ", "Plan: "))] == []
    assert {line.find("docker-ce") for line in lines if "docker-ce" in line} == {len("  1. "), len("  1. install ")}
    assert "little" not in stream.getvalue()


def test_what_a_person_agrees_to_is_shown_whole():
    err, lines = io.StringIO(), [f"line {number} of a difference" for number in range(400)]
    Console(stderr=err, stdout=io.StringIO(), stdin=io.StringIO()).note("\n".join(lines))
    assert err.getvalue().splitlines() == lines


def test_whoever_read_along_may_go_and_the_work_goes_on():
    class Gone(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    talk = Console(stderr=Gone(), stdout=io.StringIO(), stdin=io.StringIO())
    with talk.progress(["a"]) as progress:
        progress.stage("Looking at 1 host")
        progress.host_done("a", True, "done")
    talk.note("more")
