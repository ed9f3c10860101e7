"""Settings: flags before environment before file before defaults, and whatever is typed is taken or refused."""

import string

import pytest
from hypothesis import example, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from pydock_installer import settings
from pydock_installer.errors import SettingsError
from pydock_installer.settings import DOCKER_KEY, Settings
from tests.unit.settings_file import PATHS, load, variable

# -- where a value comes from


def test_without_a_file_everything_is_as_documented(tmp_path):
    made = settings.load(None, {}, {}, tmp_path)
    assert made == Settings()
    assert (made.repository, made.docker_version, made.compilers, made.forks) == ("auto", "latest", True, 32)
    assert (made.ssh.host_key_policy, made.ssh.timeout, made.verify.image) == ("strict", 10, "hello-world")
    assert made.repository_key == DOCKER_KEY
    assert made.daemon_settings() == {}


@pytest.mark.parametrize("text", ["", "---\n", "# nothing yet\n", "{}\n"])
def test_an_empty_file_says_nothing(tmp_path, text):
    assert load(tmp_path, text) == Settings()


@pytest.mark.parametrize(
    ("file", "environment", "flags", "wanted"),
    [
        ("", {}, {}, 32),
        ("forks: 2", {}, {}, 2),
        ("forks: 2", {"PYDOCK_FORKS": "3"}, {}, 3),
        ("forks: 2", {"PYDOCK_FORKS": "3"}, {"forks": "4"}, 4),
        ("forks: 2", {}, {"forks": "4"}, 4),
    ],
)
def test_flags_go_before_the_environment_before_the_file_before_defaults(
    tmp_path, file, environment, flags, wanted
):
    assert load(tmp_path, file, flags, environment).forks == wanted


def test_a_variable_reaches_a_nested_setting_and_leaves_its_neighbours(tmp_path):
    made = load(
        tmp_path,
        "ssh: {host_key_policy: accept-new, timeout: 5}",
        flags={"ssh.config": "/etc/ssh/fleet"},
        environment={"PYDOCK_SSH__TIMEOUT": "20"},
    )
    assert (made.ssh.host_key_policy, made.ssh.timeout, str(made.ssh.config)) == (
        "accept-new",
        20,
        "/etc/ssh/fleet",
    )


def test_a_list_replaces_a_list(tmp_path):
    made = load(
        tmp_path,
        "registry_mirrors: [https://a.example]",
        {},
        {"PYDOCK_REGISTRY_MIRRORS": "[https://b.example]"},
    )
    assert made.registry_mirrors == ("https://b.example",)


def test_a_variable_stays_as_it_was_typed(tmp_path):
    """20.10 is a version there, not a number."""
    made = load(tmp_path, environment={"PYDOCK_DOCKER_VERSION": "20.10", "PYDOCK_DAEMON": "{debug: true}"})
    assert made.docker_version == "20.10"
    assert made.daemon == {"debug": True}


def test_other_programs_variables_are_none_of_ours(tmp_path):
    environment = {
        "HOME": "/x",
        "PYDOCKER": "1",
        "DOCKER_HOST": "x",
        "PYDOCK_LAB_PORT": "1",
        "PYDOCK_GOLDEN": "write",
    }
    assert load(tmp_path, environment=environment) == Settings()


layer = st.fixed_dictionaries(
    {},
    optional={
        "ssh.timeout": st.integers(1, 600),
        "ssh.config": st.sampled_from(["/a", "/b"]),
        "forks": st.integers(1, 512),
    },
)


@effort(max_examples=40, deadline=None)
@given(file=layer, environment=layer, flags=layer)
def test_each_setting_comes_from_the_highest_layer_that_names_it(tmp_path_factory, file, environment, flags):
    lines = [f"forks: {file['forks']}"] if "forks" in file else []
    nested = [f"  {path[4:]}: {value}" for path, value in file.items() if path.startswith("ssh.")]
    text = "\n".join([*lines, *(["ssh:", *nested] if nested else [])])
    variables = {variable(path): str(value) for path, value in environment.items()}
    made = load(tmp_path_factory.mktemp("layers"), text, flags, variables)
    wanted = {"ssh.timeout": 10, "ssh.config": None, "forks": 32} | file | environment | flags
    config = None if made.ssh.config is None else str(made.ssh.config)
    assert {"ssh.timeout": made.ssh.timeout, "ssh.config": config, "forks": made.forks} == wanted


# -- paths


def test_paths_in_a_file_are_relative_to_that_file(tmp_path):
    place = tmp_path / "etc"
    place.mkdir()
    (place / "fleet.yml").write_text("inventory: hosts\nssh: {config: keys/ssh_config}\n")
    made = settings.load(place / "fleet.yml", {}, {}, tmp_path)
    assert (made.inventory, made.ssh.config) == (place / "hosts", place / "keys" / "ssh_config")


def test_absolute_paths_stay_and_a_flag_is_relative_to_where_the_user_is(tmp_path):
    made = load(tmp_path, "inventory: /srv/hosts\nssh: {config: /etc/x}", flags={"ssh.config": "mine"})
    assert (str(made.inventory), str(made.ssh.config)) == ("/srv/hosts", "mine")


@pytest.mark.parametrize(
    "text",
    [
        "ssh: {config: ~/fleet}",
        pytest.param(
            "inventory: ~/fleet",
        ),
    ],
)
def test_a_tilde_is_the_users_home(tmp_path, monkeypatch, text):
    monkeypatch.setenv("HOME", "/home/ops")
    made = load(tmp_path, text)
    assert str(made.ssh.config or made.inventory) == "/home/ops/fleet"


# -- anything at all


def taken_or_refused(directory, **given):
    """Settings, or one SettingsError: nothing else is ever raised."""
    try:
        assert isinstance(load(directory, **given), Settings)
    except SettingsError as error:
        assert error.message
        assert error.hint


@effort(max_examples=120, deadline=None)
@given(path=st.sampled_from(PATHS), text=st.text() | st.text(string.printable))
@example(path="registry_mirrors", text="https://[")
@example(path="inventory", text="\0")
def test_any_text_as_a_flag_is_taken_or_refused(tmp_path_factory, path, text):
    directory = tmp_path_factory.getbasetemp()
    taken_or_refused(directory, flags={path: text})
    taken_or_refused(directory, flags={path: [text]})


@effort(max_examples=120, deadline=None)
@given(path=st.sampled_from(PATHS), text=st.text() | st.text(string.printable))
def test_any_text_as_a_variable_is_taken_or_refused(tmp_path_factory, path, text):
    taken_or_refused(tmp_path_factory.getbasetemp(), environment={variable(path): text})


@effort(max_examples=100, deadline=None)
@given(path=st.sampled_from(PATHS), text=st.text("abz019.:-,#'\"[]{}&*!|>%@`?\\ \n\t~\u00e9\u4e2d"))
@example(path="ssh.timeout", text="]")
def test_any_text_in_the_file_is_taken_or_refused(tmp_path_factory, path, text):
    *parents, key = path.split(".")
    before = "".join(f"{parent}:\n  " for parent in parents)
    taken_or_refused(tmp_path_factory.getbasetemp(), text=f"{before}{key}: {text}\n")


def test_the_json_schema_describes_every_setting():
    schema = settings.json_schema()
    assert set(schema["properties"]) == set(Settings.model_fields)
    assert schema["additionalProperties"] is False
