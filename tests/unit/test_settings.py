"""Settings: flags before environment before file before defaults, and every mistake named where it stands."""

import json
import string

import pytest
from hypothesis import example, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from pydock_installer import settings
from pydock_installer.cli.options import FLAG_NAMES
from pydock_installer.errors import ExitCode, SettingsError
from pydock_installer.settings import DOCKER_KEY, Settings

#: Every setting by its path, as flags and variables name it.
PATHS = [
    "repository", "repository_key", "docker_version", "compilers", "registry_mirrors", "daemon", "verify.image",
    "ssh.host_key_policy", "ssh.timeout", "ssh.config", "inventory", "forks",
]  # fmt: skip
PATHS_TO_FILES = {"ssh.config", "inventory"}
SPACED_KEY = "060A 61C5 1B55 8A7F 742B  77AA C52F EB6B 621E 9F35"


def load(directory, text="", flags=(), environment=()):
    (directory / "pydock.yml").write_text(text, encoding="utf-8")
    return settings.load(None, dict(flags), dict(environment), directory, FLAG_NAMES)


def refusal(directory, text="", flags=(), environment=()):
    """What a user reads, with the file's name shortened."""
    with pytest.raises(SettingsError) as caught:
        load(directory, text, flags, environment)
    assert caught.value.exit_code == ExitCode.USAGE
    assert caught.value.hint
    return caught.value.message.replace(f"{directory}/", "")


def variable(path):
    return "PYDOCK_" + path.upper().replace(".", "__")


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


# -- mistakes, and where they stand


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
