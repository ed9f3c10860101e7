"""The command line: help that shows how, and one clear sentence for a mistake."""

import json
import os
import subprocess
import sys

import click
import pytest

from pydock_installer import fleet, settings
from pydock_installer.cli.app import app
from tests.unit.command_line import HOST, TOP, has_controls, run

pytestmark = pytest.mark.usefixtures("directory")


def commands(command=app, path=()):
    """Every command and group, with the words that call it."""
    yield path, command
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from commands(child, (*path, name))


COMMANDS = dict(commands())
TAKES_HOSTS = [path for path, command in COMMANDS.items() if any(p.name == "hosts" for p in command.params)]


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


def test_each_command_is_told_in_a_whole_sentence(capsys):
    """In the list, which 80 columns cut short."""
    _, out, _ = run(capsys, "--help")
    assert "..." not in out.partition("Commands:")[2]


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
