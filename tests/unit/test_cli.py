"""The command line: help that shows how, one clear sentence for a mistake, and nothing that paints the terminal."""

import io
import json
import os
import re
import socket
import subprocess
import sys
import unicodedata
from dataclasses import replace
from pathlib import Path

import click
import pytest
from hypothesis import example, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from pydock_installer import fleet, history, rundir, settings
from pydock_installer.cli import main
from pydock_installer.cli.app import app
from pydock_installer.cli.console import Console
from pydock_installer.cli.text import clean
from pydock_installer.errors import PydockError, RefusedError
from pydock_installer.model import (
    Finding,
    Host,
    HostPlan,
    HostReport,
    HostStatus,
    Known,
    Plan,
    Proof,
    Release,
    Report,
    Secret,
    Severity,
    Step,
    StepResult,
    StepStatus,
)
from pydock_installer.report import to_json
from tests.unit.facts import bare

TOP = Path(__file__).resolve().parents[2]
HOST = "192.0.2.1"
EVIL = "\x1b[2J\x1b]0;owned\x07\r\x08\x9b31m\u202e"


def commands(command=app, path=()):
    """Every command and group, with the words that call it."""
    yield path, command
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from commands(child, (*path, name))


COMMANDS = dict(commands())
TAKES_HOSTS = [path for path, command in COMMANDS.items() if any(p.name == "hosts" for p in command.params)]


@pytest.fixture(autouse=True)
def directory(tmp_path, monkeypatch):
    """An empty working directory without a network: whoever connects fails the test."""

    def connect(*_, **__):
        raise AssertionError("something was contacted")

    for name in [name for name in os.environ if name.startswith(("PYDOCK_", "TTY_"))]:
        monkeypatch.delenv(name)
    for name in ("FORCE_COLOR", "NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", connect)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def run(capsys, *argv):
    """Exit code, stdout, stderr."""
    code = main(list(argv))
    return code, *capsys.readouterr()


def has_controls(text, but="\n"):
    return any(unicodedata.category(c) == "Cc" and c not in but for c in text)


# -- help


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(capsys, path):
    code, out, err = run(capsys, *path, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"Usage: {' '.join(['pydock', *path])} ")
    (line,) = [line for line in out.splitlines() if "Example:" in line]
    assert " ".join(["pydock", *path]).strip() in line


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_flag_has_a_word_of_help(path):
    for parameter in COMMANDS[path].params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.opts


@pytest.mark.parametrize(
    "path", [p for p, c in COMMANDS.items() if not isinstance(c, click.Group)], ids=" ".join
)
def test_every_command_speaks_json_and_goes_without_colour(path):
    flags = {flag for parameter in COMMANDS[path].params for flag in parameter.opts}
    assert {"--json", "--no-color", "-v"} <= flags


def test_every_flag_that_is_a_setting_names_a_setting():
    from pydock_installer.cli.options import SETTINGS

    known = settings.Settings.model_fields
    for path in (path for paths in SETTINGS.values() for path in paths.split()):
        *parents, key = path.split(".")
        assert key in (settings.parts()[parents[0]].model_fields if parents else known)


def test_short_help_and_the_version_answer(capsys):
    assert run(capsys, "-h")[0] == 0
    code, out, _ = run(capsys, "--version")
    assert code == 0
    assert out.startswith("pydock ")


def test_help_does_not_wait_for_what_commands_need():
    """Ansible and its friends take a second to import; help and mistakes must not."""
    slow = ["ansible", "ansible_runner", "paramiko", "pydantic", "rich", "yaml", "jinja2"]
    program = (
        "import sys, pydock_installer.cli.app\n"
        "pydock_installer.cli.app.main(['--help'])\n"
        "pydock_installer.cli.app.main(['plan', '--no-such-flag'])\n"
        f"print('slow:', sorted(set({slow}) & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(TOP), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.splitlines()[-1] == "slow: []"


# -- mistakes


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["instal"], "No such command 'instal'"),
        (["plan", "--no-such-flag"], "No such option"),
        (["install", "-oProxyCommand=reboot"], "No such option"),
        (["install", "--", "-oProxyCommand=reboot"], "'-oProxyCommand=reboot' names no host"),
        (["plan", "-f"], "requires an argument"),
        (["generate"], "Missing argument 'DIR'"),
        (["explain", "locked", "auth"], "unexpected extra argument"),
        (["plan"], "no host is named, and there is no inventory here"),
        (["plan", "-i", "absent"], "the inventory absent does not exist"),
        (["plan", "-c", "absent.yml", HOST], "absent.yml cannot be read: No such file or directory"),
        (["plan", f"{HOST}:ssh"], f"'{HOST}:ssh' names no host"),
        (["plan", f"{HOST}:0"], "0 is not a port"),
        (["plan", "a\x1b[31mb"], "names no host"),
        (["plan", "-l", "web", f"root@{HOST}"], "--limit chooses from an inventory, and there is none"),
        (["plan", "-u", "-lroot", HOST], "'-lroot' is not a user to log in with"),
        (["plan", "--forks", "many", HOST], "--forks: "),
        (["plan", "--timeout", "0", HOST], "--timeout: "),
        (["plan", "--host-key-policy", "none", HOST], "--host-key-policy: "),
        (["install", "--docker-version", "26.x", HOST], "--docker-version: 26.x is not a version"),
        (["install", "--repository", "tunna", HOST], "did you mean tuna?"),
        (["install", "--repository-key", "beef", HOST], "beef is not a fingerprint of 40 hexadecimal digits"),
        (["install", "--registry-mirror", "mirror.example", HOST], "write https://mirror.example"),
        (["generate", ".", HOST], ". is there already"),
        (["runs", "show", "2026"], "2026 names no run"),
        (["explain", "client-timout"], "there is nothing about client-timout; did you mean client-timeout?"),
        (["explain", "zzzzzz"], "there is nothing about zzzzzz"),
    ],
    ids=lambda value: " ".join(value).replace("\x1b", "ESC") if isinstance(value, list) else "",
)
def test_a_mistake_is_told_in_one_sentence_before_anything_is_contacted(capsys, argv, words):
    code, out, err = run(capsys, *argv)
    assert (code, out) == (2, "")
    assert words in err
    assert [line for line in err.splitlines() if line.startswith("Error: ")] == [
        line for line in err.splitlines() if "rror" in line
    ], "one sentence, and no traceback"
    assert not has_controls(err)


@pytest.mark.parametrize("path", TAKES_HOSTS, ids=" ".join)
def test_a_mistake_in_the_settings_stops_every_command_that_contacts_hosts(capsys, directory, path):
    (directory / "pydock.yml").write_text("forks: 3\ndockr_version: 26\n")
    arguments = ["tree"] if path == ("generate",) else []
    code, out, err = run(capsys, *path, *arguments, HOST)
    assert (code, out) == (2, "")
    assert "pydock.yml:2: unknown setting dockr_version; did you mean docker_version?" in err


def test_a_mistake_in_the_environment_is_told_too(capsys, monkeypatch):
    monkeypatch.setenv("PYDOCK_SSH__TIMOUT", "3")
    code, _, err = run(capsys, "check", HOST)
    assert code == 2
    assert "PYDOCK_SSH__TIMOUT: unknown setting ssh.timout; did you mean ssh.timeout?" in err


@pytest.mark.parametrize("path", TAKES_HOSTS, ids=" ".join)
def test_with_json_a_mistake_is_a_document(capsys, path):
    arguments = ["tree"] if path == ("generate",) else []
    code, out, err = run(capsys, *path, *arguments, "--json", "--forks", "0", HOST)
    document = json.loads(out)
    assert code == document["exit_code"] == 2
    assert document["error"].startswith("--forks: ")
    assert document["hint"]
    assert document["hosts"] == []
    assert "Error: --forks: " in err, "a person who looks on sees it as well"


def test_without_a_terminal_a_password_cannot_be_asked_for(capsys):
    code, out, err = run(capsys, "plan", "-k", HOST)
    assert (code, out) == (5, "")
    assert "there is no terminal to ask for the SSH password on" in err


def test_a_closed_stdin_is_no_terminal(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    assert run(capsys, "plan", "--forks", "0", HOST)[0] == 2


def test_an_interrupt_ends_with_130_and_a_sentence(capsys, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(fleet, "choose", interrupt)
    code, out, err = run(capsys, "plan", HOST)
    assert (code, out) == (130, "")
    assert err.strip() == "Interrupted: nothing more was done."


# -- commands that contact nobody


def test_explain_tells_cause_and_remedy(capsys):
    code, out, _ = run(capsys, "explain", "client-timeout")
    assert code == 0
    assert out.startswith("client-timeout (pull): what a failure means\nCause:  ")
    assert "\nRemedy: " in out
    code, out, _ = run(capsys, "explain", "ssh-refused")
    assert "\nSource: " in out
    assert "systemctl status sshd" in out


def test_explain_without_a_code_lists_them_all(capsys):
    code, out, _ = run(capsys, "explain", "--json")
    document = json.loads(out)
    assert (code, document["command"], document["exit_code"]) == (0, "explain", 0)
    assert {"code", "where", "cause", "remedy"} == set(document["diagnoses"][0])
    assert {"code", "group", "why", "source", "remedy"} == set(document["findings"][0])
    said = run(capsys, "explain")[1]
    for kind in ("findings", "diagnoses"):
        assert f"\n  {document[kind][-1]['code']}: " in said


def test_init_writes_files_that_pydock_understands(capsys, directory):
    code, out, err = run(capsys, "init")
    assert (code, err) == (0, "")
    assert out.startswith("Written: pydock.yml, inventory/hosts.yml.")
    assert settings.load(None, {}, {}, directory) == settings.Settings()
    assert (directory / "inventory" / "hosts.yml").is_file()


@pytest.mark.parametrize("name", ["pydock.yml", "inventory/hosts.yml"])
def test_init_leaves_alone_what_is_there(capsys, directory, name):
    (directory / "inventory").mkdir()
    (directory / name).write_text("mine")
    code, out, err = run(capsys, "init")
    assert (code, out) == (2, "")
    assert f"{name} is here already" in err
    assert [path.read_text() for path in directory.rglob("*.yml")] == ["mine"]


def a_run(command, *statuses, arguments=("install", "a")):
    """A run in the record, its hosts ended or (None) not."""
    made = hostile_report(command)
    hosts = [replace(made.hosts[0], plan=replace(made.hosts[0].plan, host=Host(n, n)), status=s)
             for n, s in zip("abc", statuses, strict=False)]
    name = rundir.new_id(command)
    history.begin(name, command, history.Invocation(arguments, str(Path.cwd())), [h.plan.host.name for h in hosts])
    for host in hosts:
        if host.status:
            history.host_done(name, host)
    if all(statuses):
        history.end(name, Report(command, tuple(hosts), 1), "the sentence")
    return name


def test_runs_are_listed_and_shown_with_the_command_that_began_them(capsys):
    assert run(capsys, "runs", "list")[1] == "No runs yet.\n"
    name = a_run("install", HostStatus.FAILED, HostStatus.OK)
    assert run(capsys, "runs", "list")[1].startswith(name)
    code, out, _ = run(capsys, "runs", "show", name[:-1])
    assert code == 0 and "the sentence" in out and "pydock install a" in out and "a: failed" in out
    assert f"pydock runs retry {name}" in out
    assert not has_controls(out)
    document = json.loads(run(capsys, "runs", "show", "last", "--json")[1])
    assert [host["status"] for host in document["hosts"]] == ["failed", "ok"]
    assert document["arguments"] == ["install", "a"]
    (entry,) = json.loads(run(capsys, "runs", "list", "--json")[1])["runs"]
    assert (entry["run"], entry["state"], entry["run_exit_code"]) == (name, "ended", 1)


def test_a_run_whose_controller_was_killed_is_told_of_truthfully(capsys, monkeypatch):
    name = a_run("install", HostStatus.OK, None, HostStatus.FAILED)
    assert history.find("last").state == "running"
    monkeypatch.setattr(history, "_process", lambda pid: "somebody else")
    found = history.find(name)
    assert (found.state, found.unfinished) == ("broken off", ("b", "c"))
    assert "broken off; 2 of 3 hosts done" in run(capsys, "runs", "list")[1]


def test_identifiers_that_fit_no_run_or_several_are_refused(capsys):
    code, _, err = run(capsys, "runs", "show")
    assert code == 2 and "last names no run" in err and "pydock runs list" in err
    a_run("install", HostStatus.OK)
    a_run("install", HostStatus.OK)
    assert "2 runs" in run(capsys, "runs", "show", "20")[2]
    for absent in ("1999", "../../etc", "%", "_"):
        assert run(capsys, "runs", "show", absent)[0] == 2


def test_a_retry_needs_something_left_to_do(capsys):
    name = a_run("install", HostStatus.OK, HostStatus.UNCHANGED)
    code, _, err = run(capsys, "runs", "retry", name)
    assert code == 2 and "left nothing to do" in err


def test_two_runs_differ_by_what_their_hosts_say(capsys):
    before = a_run("install", HostStatus.FAILED, HostStatus.OK)
    after = a_run("install", HostStatus.OK, HostStatus.OK, HostStatus.OK)
    changes = json.loads(run(capsys, "runs", "diff", before, after, "--json")[1])["changes"]
    assert {"host": "a", "what": "status", "before": "failed", "after": "ok"} in changes
    assert {"host": "c", "what": "status", "before": "not in it", "after": "ok"} in changes
    assert not [change for change in changes if change["host"] == "b"]
    assert "The same hosts" in run(capsys, "runs", "diff", before, before)[1]


def test_old_runs_are_forgotten_but_never_the_newest(capsys):
    names = [a_run("install", HostStatus.OK) for _ in range(4)]
    assert [gone.id for gone in history.forget(keep=2, days=10)] == [names[1], names[0]]
    assert [gone.id for gone in history.forget(keep=1, days=10)] == [names[2]]
    assert history.find("last").id == names[3]


def test_a_record_that_cannot_be_read_is_explained(capsys):
    a_run("install", HostStatus.OK)
    history.database().write_bytes(b"no database" * 100)
    code, _, err = run(capsys, "runs", "list")
    assert code == 1 and str(history.database()) in err and "move that file away" in err


# -- the log


def test_the_log_has_all_that_was_said_and_no_password(tmp_path, capsys):
    path = tmp_path / "pydock.log"
    talk = Console(log=str(path), no_color=True)
    talk.mask([Secret("hunter2"), None])
    with talk.progress(["a"]) as progress:
        progress.step_done("a", StepResult("engine", StepStatus.CHANGED, 1.0, "docker 26 hunter2"))
    talk.report(hostile_report("install"))
    said = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert "a: engine changed (1.0 s) docker 26 ***" in said
    assert "hunter2" not in said
    assert "cause" in said
    assert not has_controls(said)
    Console(log=str(path)).note("more")
    assert path.read_text().startswith(said) and path.read_text().endswith(" more\n")


def test_a_log_that_cannot_be_written_is_said_before_anything_is_done(tmp_path, capsys):
    code, _, err = run(capsys, "plan", "192.0.2.1", "--log", str(tmp_path / "no/where"))
    assert code == 2 and "cannot be written" in err


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


def hostile_report(command, status=HostStatus.FAILED):
    """A host that wants to paint the terminal from every field that it can fill."""
    facts = bare(
        kernel=Known(EVIL), architecture=Known(EVIL), release=Known(Release("centos", "7", f"CentOS{EVIL}"))
    )
    plan = HostPlan(
        Host(f"web{EVIL}", HOST),
        facts,
        (Finding("memory", Severity.WARNING, EVIL, EVIL),),
        (Step(f"engine{EVIL}", f"install{EVIL}", EVIL),),
    )
    entry = HostReport(
        plan,
        status,
        (StepResult(f"engine{EVIL}", StepStatus.FAILED, 1.0, EVIL),),
        Proof(EVIL, EVIL, (f"https://{EVIL}",), True, EVIL),
        f"cause{EVIL}",
        f"remedy{EVIL}",
        code=f"code{EVIL}",
    )
    return Report(command, (entry,), 1)


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
