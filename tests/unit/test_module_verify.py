"""docker_verify: what proves an engine, and what is said if it does not, without a host."""

import json

import pytest

from tests.unit.modules import load

daemon, verify = load("docker_daemon"), load("docker_verify")


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("26.1.4 26.1.4\n", ("26.1.4", "26.1.4")),
        ("26.1.4 \n", ("26.1.4", None)),
        ("26.1.4 <no value>", ("26.1.4", None)),
        ("", (None, None)),
    ],
)
def test_a_silent_server_has_no_version(said, found):
    assert verify.versions(said) == found


def test_an_image_that_was_there_is_not_called_pulled():
    assert verify.was_pulled("Unable to find image 'hello-world:latest' locally\n")
    assert not verify.was_pulled("")


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (
            "Unable to find image 'hello-world:latest' locally\n"
            'docker: Error response from daemon: Get "https://registry-1.docker.io/v2/": net/http: request canceled.\n'
            "See 'docker run --help'.\n",
            'Get "https://registry-1.docker.io/v2/": net/http: request canceled',
        ),
        (
            "docker: Error response from daemon: toomanyrequests.\n\nRun 'docker run --help' for more information\n",
            "toomanyrequests",
        ),
        ("docker: permission denied\n", "permission denied"),
        ("something odd\n", "something odd"),
        ("", "it said nothing"),
    ],
)
def test_the_cause_is_the_line_that_says_most(said, cause):
    assert verify.cause(said) == cause
    assert len(verify.cause(said * 50 + "x" * 1000)) <= 300


def test_the_evidence_is_what_the_engine_complains_about():
    journal = (
        'level=info msg="API listen on /run/docker.sock"\n'
        'level=warning msg="Error getting v2 registry: x509: certificate signed by unknown authority"\n'
        'level=info msg="Attempting next endpoint for pull after error: 403"\n'
        'level=info msg="trying next host" error="timeout"\n'
    )
    assert verify.telling_lines(journal).splitlines() == journal.splitlines()[1:]
    assert len(verify.telling_lines("level=error\n" * 500).splitlines()) == 20


RECORD = {"server": "26.1.4", "client": "26.1.4", "image": "hello-world", "registry_mirrors": [], "time": "now"}


@pytest.mark.parametrize(
    ("old", "differs"),
    [
        (json.dumps({**RECORD, "time": "long ago"}), False),
        (json.dumps({**RECORD, "server": "20.10.24"}), True),
        (json.dumps({**RECORD, "registry_mirrors": ["https://m/"]}), True),
        ("", True),
        ("{", True),
        ("[]", True),
    ],
)
def test_a_record_is_written_only_if_it_says_something_new(old, differs):
    assert verify.record_differs(old, RECORD) is differs


def test_mirrors_are_compared_the_same_way_by_both_modules():
    given_ones = ["https://a", "https://a/", "https://b//"]
    assert verify.normal_mirrors(given_ones) == daemon.normal_mirrors(given_ones) == ["https://a/", "https://b/"]
    assert verify.normal_mirrors(None) == daemon.normal_mirrors(None) == []
