"""docker_daemon: what is told of daemon.json, and what the engine's journal says, without a host."""

import pytest

from tests.unit.modules import library, shared

daemon, engine = library("pydock_daemon"), shared("pydock_daemon_engine")


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
        (SIGNAL + REFUSED + SIGNAL + TAKEN, True),
        (SIGNAL + TAKEN + SIGNAL, None),
    ],
)
def test_the_journal_tells_whether_a_reload_was_taken(journal, verdict):
    assert engine.reload_verdict(journal) is verdict


def test_trouble_from_before_the_reload_is_no_verdict_on_it():
    """The journal lags behind the signal, and an engine with log-level warn never logs it."""
    assert engine.reload_verdict(OLD_TROUBLE) is None
