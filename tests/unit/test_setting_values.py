"""What the values of settings may be: versions, mirrors, repositories, the engine's own keys."""

import json

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from pydock_installer.settings import DOCKER_KEY, Settings
from tests.unit.settings_file import load, refusal

SPACED_KEY = "060A 61C5 1B55 8A7F 742B  77AA C52F EB6B 621E 9F35"


# -- versions


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("latest", "latest"),
        ("26", "26"),
        ("'26.1'", "26.1"),
        ("'20.10'", "20.10"),
        ("20.10.23", "20.10.23"),
        ("v26.1.4", "26.1.4"),
        ("' 26 '", "26"),
    ],
)
def test_versions_that_are_taken(tmp_path, text, wanted):
    assert load(tmp_path, f"docker_version: {text}").docker_version == wanted


@pytest.mark.parametrize(
    "text",
    [
        "newest",
        "26.1.4.1",
        "26.1.4-1.el9",
        "'3:26.1.4'",
        "26.x",
        "'26.'",
        "''",
        "'>=26'",
        "true",
        "[26]",
        "-1",
    ],
)
def test_versions_that_are_refused(tmp_path, text):
    said = refusal(tmp_path, f"docker_version: {text}")
    assert said.startswith("pydock.yml:1: docker_version: ")
    assert "write latest, 26, 26.1 or 20.10.23" in said


def test_a_version_is_written_in_ascii_digits(tmp_path):
    assert "is not a version" in refusal(tmp_path, "docker_version: '\uff12\uff16'")


@pytest.mark.parametrize("text", ["20.10", "26.1", "19.03"])
def test_a_version_that_yaml_takes_for_a_number_is_refused_with_advice(tmp_path, text):
    said = refusal(tmp_path, f"docker_version: {text}")
    assert said.startswith("pydock.yml:1: docker_version: ")
    assert "write it in quotes" in said


def test_the_advice_about_quotes_does_not_offer_another_version(tmp_path):
    assert '"20.1"' not in refusal(tmp_path, "docker_version: 20.10")


# -- registry mirrors


def test_mirrors_are_normalised_and_kept_in_order_once_each(tmp_path):
    made = load(
        tmp_path,
        "registry_mirrors: [https://b.example/, http://a.example:5000, https://b.example, https://b.example//]",
    )
    assert made.registry_mirrors == ("https://b.example", "http://a.example:5000")
    assert made.daemon_settings() == {"registry-mirrors": ["https://b.example", "http://a.example:5000"]}


@pytest.mark.parametrize(
    ("mirror", "wanted"),
    [
        ("mirror.example", "mirror.example has no scheme: write https://mirror.example"),
        ("ftp://mirror.example", "is not an http or https address"),
        ("https://", "is not an http or https address"),
        ("https://mirror.example/a b", "is not an http or https address"),
        ("https://mirror.example/\nx", "is not an http or https address"),
        ("https://ops:pa55@mirror.example", "must not carry a user name or password"),
        ("https://ops@mirror.example", "must not carry a user name or password"),
        ("https://mirror.example/?token=1", "must end before its ? or #"),
        ("https://mirror.example/#here", "must end before its ? or #"),
        ("https://[::1", "registry_mirrors: "),
        pytest.param(
            "https://mirror.example:99999",
            "address",
        ),
        pytest.param(
            "https://mirror.example:https",
            "address",
        ),
        pytest.param(
            "https://mirror.example/\x1b[31m",
            "address",
        ),
    ],
)
def test_a_mirror_that_dockerd_could_not_use_is_refused(tmp_path, mirror, wanted):
    assert wanted in refusal(tmp_path, environment={"PYDOCK_REGISTRY_MIRRORS": json.dumps([mirror])})


@pytest.mark.parametrize(
    "mirror",
    [
        "https://ops:pa55@mirror.example",
        pytest.param(
            "ops:pa55@mirror.example",
        ),
        pytest.param(
            "ftp://ops:pa55@mirror.example",
        ),
    ],
)
def test_a_password_in_an_address_is_not_repeated(tmp_path, mirror):
    assert "pa55" not in refusal(tmp_path, f"registry_mirrors: ['{mirror}']")


def test_one_mirror_without_brackets_is_refused_with_the_list_it_should_be(tmp_path):
    said = refusal(tmp_path, "registry_mirrors: https://a.example")
    assert said == "pydock.yml:1: registry_mirrors: wants a list: [https://a.example]"


@pytest.mark.parametrize("more", ["", "registry_mirrors: [https://b.example]\n"])
def test_mirrors_have_one_place(tmp_path, more):
    """Two lists in two places could contradict each other: the one under daemon is sent to its own setting."""
    said = refusal(tmp_path, f"daemon: {{registry-mirrors: [https://a.example]}}\n{more}")
    assert said.startswith("pydock.yml:1: daemon: registry-mirrors ")
    assert said.endswith("registry_mirrors")


# -- package repositories and their key


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("auto", "auto"),
        ("official", "official"),
        ("huawei", "huawei"),
        ("https://repo.example/docker/", "https://repo.example/docker"),
        ("http://192.0.2.7:8081/docker", "http://192.0.2.7:8081/docker"),
    ],
)
def test_repositories_that_are_taken(tmp_path, text, wanted):
    assert load(tmp_path, f"repository: {text}").repository == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("tunna", "no address; did you mean tuna?"),
        ("Aliyun", "no address; did you mean aliyun?"),
        ("zzzzzz", "zzzzzz is none of auto, official, aliyun, tuna, ustc, tencent, huawei, and no address"),
        ("repo.example/docker", "has no scheme: write https://repo.example/docker"),
        (
            "https://ops:pa55@repo.example",
            "the address of a repository must not carry a user name or password",
        ),
        ("ftp://repo.example", "is not an http or https address"),
        ("7", "not 7"),
    ],
)
def test_repositories_that_are_refused(tmp_path, text, wanted):
    assert wanted in refusal(tmp_path, f"repository: {text}")


@pytest.mark.parametrize(
    "text", [DOCKER_KEY, DOCKER_KEY.lower(), SPACED_KEY, f"0x{DOCKER_KEY.lower()}", f" {SPACED_KEY}\n"]
)
def test_a_fingerprint_is_taken_in_every_form_that_gpg_prints(tmp_path, text):
    assert load(tmp_path, flags={"repository_key": text}).repository_key == DOCKER_KEY


@pytest.mark.parametrize("text", ["621E9F35", DOCKER_KEY[1:], DOCKER_KEY + "0", "G" * 40, ""])
def test_a_fingerprint_must_be_whole(tmp_path, text):
    assert "is not a fingerprint of 40 hexadecimal digits" in refusal(tmp_path, f"repository_key: '{text}'")


@effort(max_examples=50, deadline=None)
@given(
    digits=st.text("0123456789abcdefABCDEF", min_size=40, max_size=40),
    gap=st.integers(1, 20),
    prefix=st.booleans(),
)
def test_spaces_and_case_of_a_fingerprint_do_not_matter(digits, gap, prefix):
    spaced = " ".join(digits[i : i + gap] for i in range(0, 40, gap))
    made = Settings(repository_key=f"{'0x' if prefix else ''}{spaced}")
    assert made.repository_key == digits.upper()


# -- the engine's own settings


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("hosts: ['tcp://0.0.0.0:2375']", "hosts clashes with the flags of docker's own service unit"),
        ("containerd: /run/c.sock", "containerd clashes with the flags of docker's own service unit"),
        ("log-drivr: json-file", "dockerd knows no log-drivr; did you mean log-driver?"),
        ("registry-mirror: []", "dockerd knows no registry-mirror; did you mean registry-mirrors?"),
        ("log-opts: {max-file: 3}", 'log-opts.max-file must be a text: write "3" in quotes'),
        ("log-opts: {max-size: 10m, compress: true}", "log-opts.compress must be a text"),
    ],
)
def test_what_would_keep_the_engine_from_starting_is_refused(tmp_path, text, wanted):
    said = refusal(tmp_path, f"daemon: {{{text}}}")
    assert said.startswith("pydock.yml:1: daemon: ")
    assert wanted in said


def test_keys_of_the_engine_pass_and_so_do_those_of_an_engine_to_come(tmp_path):
    text = "daemon: {log-opts: {max-file: '3'}, data-root: /srv/docker, frobnicator-zzz: [1, {a: null}]}"
    wanted = {"log-opts": {"max-file": "3"}, "data-root": "/srv/docker", "frobnicator-zzz": [1, {"a": None}]}
    assert load(tmp_path, text).daemon_settings() == wanted


@pytest.mark.parametrize("text", [".nan", "!!binary aGk=", "!!set {a}"])
def test_what_json_cannot_hold_is_no_setting_of_the_engine(tmp_path, text):
    assert refusal(tmp_path, f"daemon: {{labels: [{text}]}}").startswith("pydock.yml:1: daemon: ")


def test_the_image_of_the_proof_is_the_name_of_an_image(tmp_path):
    assert load(tmp_path, "verify: {image: 'r.example:5000/a/b:1@sha256'}").verify.image.startswith(
        "r.example"
    )
    for text in ("-v", "a b", "a;b", "", "$(x)"):
        assert "is not the name of an image" in refusal(tmp_path, f"verify: {{image: '{text}'}}")


@pytest.mark.parametrize(
    "text",
    [
        "forks: 0",
        "forks: 513",
        "forks: 1.5",
        "ssh: {timeout: 0}",
        "ssh: {timeout: 601}",
        "ssh: {timeout: .nan}",
    ],
)
def test_numbers_have_bounds(tmp_path, text):
    assert refusal(tmp_path, text).startswith("pydock.yml:1: ")
