"""docker_verify: what proves an engine, and what is said if it does not, without a host."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.modules import library, modest

daemon, verify = library("pydock_daemon"), library("pydock_proof")


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


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("proxy http://ops:s3cret@proxy.example:3128 refused", "proxy http://***@proxy.example:3128 refused"),
        ("Authorization: Bearer eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.e30.x", "Authorization: Bearer ***"),
        ("?X-Amz-Credential=AKIA%2F2025&X-Amz-Expires=1200&X-Amz-Signature=a11d9279", "?X-Amz-Credential=***&X-Amz-Expires=1200&X-Amz-Signature=***"),
        ('{"password": "hunter22", "user": "ops"}', '{"password": "***", "user": "ops"}'),
        ('msg="login with \\"token\\": \\"abcdefgh\\""', 'msg="login with \\"token\\": \\"***\\""'),
    ],
)  # fmt: skip
def test_what_a_failure_tells_holds_no_secret(said, shown):
    assert verify.without_secrets(said) == shown


@pytest.mark.parametrize(
    "said",
    [
        'Get "https://registry.example/v2/": unauthorized: authentication required',
        "failed to authorize: failed to fetch anonymous token: unexpected status",
        'Get "https://auth.docker.io/token?scope=repository%3Alibrary%2Fhello-world%3Apull": EOF',
        "Www-Authenticate: Basic realm",
    ],
)
def test_what_is_no_secret_stays_to_be_understood(said):
    assert verify.without_secrets(said) == said


@modest
@given(st.text(alphabet=st.sampled_from("://@ \"'=\\token&\n") | st.characters(codec="utf-8"), max_size=300))
def test_no_text_breaks_what_hides_secrets(text):
    assert "@" not in verify.without_secrets(f"http://u:{''.join(c for c in text if c.isalnum())}@h").replace("***@", "")


@pytest.mark.parametrize(
    ("said", "absent"),
    [
        ("Unable to find image 'hello-world:latest' locally\ndocker: Error response from daemon: Get x.\n", True),
        ("Unable to find image 'hello-world:latest' locally\nlatest: Pulling from library/hello-world\n", True),
        (
            "Unable to find image 'hello-world:latest' locally\nStatus: Downloaded newer image for hello-world:latest\n"
            "docker: Error response from daemon: OCI runtime create failed.\n",
            False,
        ),
        ("docker: Error response from daemon: OCI runtime create failed.\n", False),
    ],
)
def test_a_pull_that_failed_is_told_from_a_run_that_failed(said, absent):
    assert verify.never_arrived(said) is absent


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("LoadState=loaded\nActiveState=failed\nResult=exit-code\n", "docker.service is failed (exit-code)"),
        ("LoadState=loaded\nActiveState=inactive\nResult=success\n", "docker.service is inactive"),
        ("LoadState=masked\nActiveState=inactive\nResult=success\n", "docker.service is masked"),
        ("LoadState=not-found\nActiveState=inactive\n", "systemd knows no docker.service"),
        ("", "systemd knows no docker.service"),
    ],
)
def test_the_state_of_the_service_is_told(said, told):
    assert verify.unit_state(said) == told


def test_a_service_that_does_not_start_is_told_by_all_but_its_chatter():
    journal = (
        "Starting Docker Application Container Engine...\n"
        'time="x" level=info msg="Starting up"\n'
        "unable to configure the Docker daemon with file /etc/docker/daemon.json: EOF\n"
        "Failed to start Docker Application Container Engine.\n"
    )
    assert verify.telling_lines(journal, chatter=False).splitlines() == journal.splitlines()[2:]
