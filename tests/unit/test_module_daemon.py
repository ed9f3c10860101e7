"""docker_daemon: what is told of daemon.json, and what the engine's journal says, without a host."""

import os
from types import SimpleNamespace

import pytest

from tests.unit.modules import library

daemon, engine, host = library("pydock_daemon"), library("pydock_daemon_engine"), library("pydock_host")


def test_an_address_keeps_its_host_and_loses_its_password():
    told = daemon.without_passwords(
        {
            "proxies": {"http-proxy": "http://ops:pa55@p:3128"},
            "registry-mirrors": ["https://u:pa55@m/"],
            "debug": True,
        }
    )
    assert told == {
        "proxies": {"http-proxy": "http://***@p:3128"},
        "registry-mirrors": ["https://***@m/"],
        "debug": True,
    }
    assert "pa55" not in daemon.without_passwords('{"http-proxy": "http://ops:pa55@p:3128", "debug": true}')
    assert daemon.without_passwords("user@example.com https://m/a@b") == "user@example.com https://m/a@b"


def test_a_key_named_for_a_secret_loses_its_value():
    """Splunk's, Loki's and others' tokens stand in log-opts."""
    text = '{"log-opts": {"splunk-token": "a\\"b", "tag": "x"}, "debug": true}'
    assert daemon.without_passwords(text) == '{"log-opts": {"splunk-token": "***", "tag": "x"}, "debug": true}'
    told = daemon.without_passwords({"log-opts": {"Splunk-Token": "ab", "tag": "x"}, "tokens": ["https://u:p@h"]})
    assert told == {"log-opts": {"Splunk-Token": "***", "tag": "x"}, "tokens": ["https://***@h"]}


SIGNAL = 'level=info msg="Got signal to reload configuration, reloading from: /etc/docker/daemon.json"\n'
TAKEN = 'level=info msg="Reloaded configuration: {}"\n'
REFUSED = 'level=error msg="Error reconfiguring the daemon: invalid mirror"\n'
OLD_TROUBLE = 'level=error msg="Handler for POST /v1.41/images/create returned error: not found"\n'


@pytest.mark.parametrize(
    ("journal", "verdict"),
    [
        (SIGNAL + TAKEN, True),
        (SIGNAL + REFUSED, False),
        (SIGNAL + "level=error msg=\"invalid character '}' looking for beginning of object key string\"\n", False),
        (SIGNAL, None),
        ("", None),
        (OLD_TROUBLE + SIGNAL + TAKEN, True),
        (SIGNAL + OLD_TROUBLE + TAKEN, True),
        (SIGNAL + REFUSED + SIGNAL + TAKEN, True),
        (SIGNAL + TAKEN + SIGNAL, None),
    ],
)
def test_the_journal_tells_whether_a_reload_was_taken(journal, verdict):
    assert engine.reload_verdict(journal) is verdict


def test_an_engine_that_hangs_gives_no_answer_and_does_not_end_the_module():
    """What follows is the putting back of its settings."""
    asked = []
    assert engine.Engine(lambda *words: asked.append(words) or (124, "", ""), 120).ask() is None
    assert asked[0][:5] == ("timeout", "-k", "5", "60", "docker")


def test_trouble_from_before_the_reload_is_no_verdict_on_it():
    """The journal lags behind the signal, and an engine with log-level warn never logs it."""
    assert engine.reload_verdict(OLD_TROUBLE) is None


def test_a_file_that_is_put_back_is_told_to_the_journal(tmp_path, monkeypatch):
    """Otherwise `restore` would take the engine's old settings for pydock's new ones."""
    entries = []
    monkeypatch.setattr(daemon, "note", lambda action, **facts: entries.append({"action": action, **facts}))
    path = tmp_path / "daemon.json"
    path.write_text("new")
    backup = tmp_path / "daemon.json.pydock-1.bak"
    backup.write_text("old")
    entries.append({"action": "replaced", "file": str(path), "backup": str(backup), "sha256": host.sha256(str(path))})
    module = SimpleNamespace(params={"path": str(path), "start_timeout": 1}, atomic_move=os.replace)
    made = daemon.Daemon(module, {}, {})
    made.changed, made.backup, made.before = ["debug"], str(backup), b"old"
    made.put_back()
    assert path.read_text() == "old"
    assert entries[-1] == {
        "action": "restored", "file": str(path), "backup": str(backup), "sha256": host.sha256(str(path)),
    }  # fmt: skip
    assert host.restorable(entries, {str(path): host.sha256(str(path))}) == []
    made.backup = made.before = None
    made.put_back()
    assert not path.exists()
    assert entries[-1]["sha256"] is None
