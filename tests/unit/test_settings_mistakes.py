"""Mistakes in settings, each named where it stands."""


import pytest

from pydock_installer import settings
from pydock_installer.errors import SettingsError
from tests.unit.settings_file import load, refusal


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "forks: 3\ndockr_version: 26\n",
            "pydock.yml:2: unknown setting dockr_version; did you mean docker_version?",
        ),
        ("ssh:\n  timout: 3\n", "pydock.yml:2: unknown setting ssh.timout; did you mean ssh.timeout?"),
        ("timeout: 3\n", "pydock.yml:1: unknown setting timeout; did you mean ssh.timeout?"),
        (
            "verify:\n\n  imgae: busybox\n",
            "pydock.yml:3: unknown setting verify.imgae; did you mean verify.image?",
        ),
        ("zzzzzz: 3\n", "pydock.yml:1: unknown setting zzzzzz"),
    ],
)
def test_an_unknown_setting_is_named_with_its_line_and_the_nearest_known_one(tmp_path, text, wanted):
    assert refusal(tmp_path, text) == wanted


def test_an_unknown_variable_is_named_as_it_was_set(tmp_path):
    said = refusal(tmp_path, environment={"PYDOCK_SSH__TIMOUT": "20"})
    assert said == "PYDOCK_SSH__TIMOUT: unknown setting ssh.timout; did you mean ssh.timeout?"


def test_every_problem_is_told_at_once(tmp_path):
    said = refusal(
        tmp_path, "forks: 0\nrepository: tunna\nssh:\n  timeout: soon\n", flags={"docker_version": "new"}
    )
    lines = said.splitlines()
    assert [line.partition(": ")[0] for line in sorted(lines)] == [
        "--docker-version",
        "pydock.yml:1",
        "pydock.yml:2",
        "pydock.yml:4",
    ]
    assert "ssh.timeout" in said
    assert "'soon'" in said


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "forks: 1\nrepository: auto\nforks: 2\n",
            "pydock.yml:3: forks stands here for the second time (first in line 1)",
        ),
        (
            "ssh:\n  timeout: 1\n  timeout: 2\n",
            "pydock.yml:3: ssh.timeout stands here for the second time (first in line 2)",
        ),
    ],
)
def test_a_setting_that_stands_twice_is_refused(tmp_path, text, wanted):
    assert refusal(tmp_path, text) == wanted


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("forks: 3\nssh: [\n", "pydock.yml:3:1"),
        ("repository: a: b\n", "pydock.yml:1:14"),
        ("ssh:\n\ttimeout: 3\n", "pydock.yml:2:1"),
        ('repository: "x\n', "pydock.yml:2:1"),
    ],
)
def test_broken_yaml_is_refused_with_line_and_column(tmp_path, text, place):
    said = refusal(tmp_path, text)
    assert said.startswith(f"{place}: this is not YAML: ")
    assert "\n" not in said


@pytest.mark.parametrize(("text", "kind"), [("- forks\n", "list"), ("forks\n", "str"), ("42\n", "int")])
def test_a_file_of_something_else_is_refused(tmp_path, text, kind):
    assert refusal(tmp_path, text) == f"pydock.yml: wants settings as `name: value`, not a {kind}"


def test_a_file_that_is_not_utf_8_is_refused(tmp_path):
    (tmp_path / "pydock.yml").write_bytes("repository: \u963f\u91cc".encode("gb18030"))
    with pytest.raises(SettingsError, match=r"is not UTF-8 text: byte 12"):
        settings.load(None, {}, {}, tmp_path)


def test_a_file_that_was_named_must_be_there(tmp_path):
    with pytest.raises(SettingsError, match=r"absent\.yml cannot be read: No such file"):
        settings.load(tmp_path / "absent.yml", {}, {}, tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            "forks: 2026-13-45\n",
        ),
        pytest.param(
            "daemon: &all {labels: *all}\n",
        ),
        pytest.param(
            "inventory: ~no-such-user-here/fleet\n",
        ),
    ],
)
def test_odd_yaml_is_refused_like_any_mistake(tmp_path, text):
    assert refusal(tmp_path, text).startswith("pydock.yml:1")


@pytest.mark.parametrize(
    "environment",
    [
        pytest.param(
            {"PYDOCK_REGISTRY_MIRRORS": "[https://a.example"},
        ),
        pytest.param(
            {"PYDOCK_SSH": "x", "PYDOCK_SSH__TIMEOUT": "20"},
        ),
        pytest.param(
            {"PYDOCK_SSH": "{timout: 20}"},
        ),
        {"PYDOCK_SSH": "x"},
        {"PYDOCK_FORKS": "many"},
        {"PYDOCK_COMPILERS": ""},
        {"PYDOCK_REGISTRY_MIRRORS": "https://a.example"},
    ],
)
def test_a_bad_variable_is_named(tmp_path, environment):
    assert refusal(tmp_path, environment=environment).startswith(next(iter(environment)))


def test_a_variable_for_a_part_and_one_for_the_whole_are_joined_in_any_order(tmp_path):
    environment = {"PYDOCK_SSH__TIMEOUT": "20", "PYDOCK_SSH": "{host_key_policy: accept-new}"}
    backwards = dict(reversed(environment.items()))
    assert load(tmp_path, environment=environment).ssh == load(tmp_path, environment=backwards).ssh


@pytest.mark.parametrize(
    ("path", "value", "flag"),
    [
        ("forks", "many", "--forks"),
        ("ssh.timeout", "0", "--timeout"),
        ("ssh.host_key_policy", "none", "--host-key-policy"),
        ("repository_key", "beef", "--repository-key"),
        pytest.param(
            "registry_mirrors",
            ["mirror.example"],
            "--registry-mirror",
        ),
        pytest.param(
            "verify.image",
            "-x",
            "--verify-image",
        ),
    ],
)
def test_a_bad_flag_is_named_as_it_was_typed(tmp_path, path, value, flag):
    assert refusal(tmp_path, flags={path: value}).startswith(f"{flag}: ")
