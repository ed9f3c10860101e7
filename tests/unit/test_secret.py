"""A secret does not get out of the process: not printed, pickled, copied or dumped."""

import copy
import json
import logging
import pickle
from dataclasses import asdict

import pytest
import yaml

from pydock_installer.model import Host, Secret


def test_a_secret_is_not_printed_in_any_form():
    secret = Secret("pa55")
    shown = (
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret!r}",
        f"{secret:>20}",
        f"{[secret]}",
        logging.LogRecord("pydock", 10, "", 0, "%s %r", (secret, secret), None).getMessage(),
    )
    assert not [text for text in shown if "pa55" in text]
    assert secret.reveal() == "pa55"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_is_not_pickled(protocol):
    with pytest.raises(TypeError, match="a Secret is never written"):
        pickle.dumps(Secret("pa55"), protocol)


@pytest.mark.parametrize(
    "write", [json.dumps, yaml.safe_dump, yaml.dump, copy.copy, copy.deepcopy, vars, bytes]
)
def test_a_secret_is_not_written_or_copied(write):
    with pytest.raises((TypeError, yaml.YAMLError)) as caught:
        write(Secret("pa55"))
    assert "pa55" not in str(caught.value)


def test_a_host_with_a_password_is_not_dumped():
    host = Host("web1", "192.0.2.1", password=Secret("pa55"), become_password=Secret("pa55"))
    assert "pa55" not in repr(host)
    with pytest.raises(TypeError, match="a Secret is never written"):
        asdict(host)


def test_secrets_are_not_compared_by_accident():
    assert Secret("pa55") != Secret("pa55")
    assert Secret("pa55") != "pa55"
