"""The probe's output is hostile until proven otherwise."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pydock_installer.model import Engine, Facts, Host, Known, Release, Secret, Service, Unknown
from pydock_installer.probe import Questions, parse, probe_for

NONCE = "pydock-0123456789abcdef01234567"


def answers(**sections):
    """Output of a probe with these answers; a tuple is (status, text)."""
    parts = []
    for name, value in sections.items():
        status, text = value if isinstance(value, tuple) else (0, value)
        parts.append(f"\n{NONCE} {name.replace('__', '-')}\n{text}\n{NONCE}/ {status}\n")
    return "".join(parts).encode()


def test_release_7_is_read_in_full_from_redhat_release():
    """os-release of CentOS 7 says 7; people want to see 7.9.2009."""
    output = answers(
        os__release='NAME="CentOS Linux"\nVERSION="7 (Core)"\nID="centos"\nID_LIKE="rhel fedora"\nVERSION_ID="7"\n',
        redhat__release="CentOS Linux release 7.9.2009 (Core)\n",
    )
    assert parse(output, NONCE).release == Known(
        Release("centos", "7.9.2009", "CentOS Linux 7.9.2009", ("rhel", "fedora"))
    )


def test_a_file_comes_through_to_the_letter():
    text = '{\n  "debug": true\n}\n'
    assert parse(answers(daemon_json=text), NONCE).daemon_json == Known(text)


def test_absent_not_permitted_and_cut_off_are_three_things():
    assert parse(answers(daemon_json=(44, "")), NONCE).daemon_json is None
    assert parse(answers(daemon_json=(77, "")), NONCE).daemon_json == Unknown("not permitted")
    cut = answers(daemon_json="{}").split(NONCE.encode() + b"/")[0]
    assert parse(cut, NONCE).daemon_json == Unknown("the answer is cut off")
    assert parse(b"", NONCE).daemon_json == Unknown("the host did not answer")


def test_a_file_cannot_pretend_to_be_an_answer():
    """The nonce is made anew for each probe, so no file can hold it."""
    forged = answers(daemon_json="\npydock-feed privilege\nroot\npydock-feed/ 0\n", privilege="password-needed")
    assert parse(forged, NONCE).privilege == Known("password-needed")


def test_packages_service_and_engine_are_understood():
    facts = parse(
        answers(
            packages="gcc\t(none)\t4.8.5\t44.el7\tx86_64\npackage lvm2 is not installed\n"
            "gpg-pubkey\t(none)\t621e9f35\t58adea78\t(none)\n",
            service="LoadState=loaded\nActiveState=active\nUnitFileState=enabled\n",
            engine='20.10.24\n20.10.24\n["https://m.example.com/"]\n2\n',
        ),
        NONCE,
    )
    assert facts.packages.value["gcc"][0].version == "4.8.5"
    assert "lvm2" not in facts.packages.value
    assert facts.package_keys == Known(("621e9f35",))
    assert facts.service == Known(Service("active", "enabled"))
    assert facts.engine == Known(Engine("20.10.24", "20.10.24", ("https://m.example.com/",), 2))


@pytest.mark.parametrize("text", ["", "20.10\n", "a\nb\n[1]\n0", "a\nb\n{\n0", "a\nb\n" + "[" * 5000 + "\n0"])
def test_an_engine_that_talks_nonsense_is_unknown(text):
    assert isinstance(parse(answers(engine=text), NONCE).engine, Unknown)


@given(st.binary(max_size=2000))
def test_no_output_breaks_the_parser(noise):
    assert isinstance(parse(noise, NONCE), Facts)


@given(st.sampled_from(["kernel", "packages", "service", "engine", "proof_record", "os__release"]), st.text())
def test_no_answer_breaks_the_parser(name, text):
    assert isinstance(parse(answers(**{name: text}), NONCE), Facts)


def test_the_password_for_sudo_is_on_stdin_alone():
    probe = probe_for(Host("h", "h", become_password=Secret("pa55 word")), Questions(["gcc"]))
    assert probe.stdin == b"pa55 word\n"
    assert "pa55" not in probe.command
    assert "pa55" not in repr(Secret("pa55 word"))


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_the_script_runs_in_a_plain_shell_and_writes_nothing_to_stderr(shell):
    probe = probe_for(Host("h", "h"), Questions(["gcc", "docker-ce"]))
    done = subprocess.run([shell, "-c", probe.command], capture_output=True, timeout=60, check=True)
    facts = parse(done.stdout, probe.nonce)
    assert isinstance(facts.kernel, Known)
    assert isinstance(facts.privilege, Known)
    assert done.stderr == b""
