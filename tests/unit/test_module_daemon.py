"""docker_daemon: daemon.json read, merged and told, and what the engine answers, without a host."""

from collections import OrderedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.modules import load, modest

daemon = load("docker_daemon")


@pytest.mark.parametrize("text", ["", " \n", "\ufeff", "{}"])
def test_an_empty_file_is_no_settings(text):
    assert daemon.parse(text) == {}


def test_a_file_with_a_byte_order_mark_is_read():
    assert daemon.parse('\ufeff{"debug": true}') == {"debug": True}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{\n  "debug": true,\n}', "line 3, column 1: "),
        ('{\n  "registry-mirrors": ["https://a",\n  ]\n}', "line 3, column 3: "),
        ("{} x", "line 1, column 4: "),
        ("[]", "line 1, column 1: it is no object"),
        ('"text"', "line 1, column 1: it is no object"),
        ("{'debug': true}", "line 1, column 2: "),
    ],
)
def test_a_broken_file_is_refused_with_the_place(text, place):
    """On Python 3.13 a comma too many stands one place earlier than before."""
    with pytest.raises(daemon.NotSettings) as problem:
        daemon.parse(text)
    assert str(problem.value).startswith(place)
    assert "(char" not in str(problem.value)


def test_the_place_is_read_from_the_message_alone():
    """Python 2.7's error has no other."""
    old = ValueError("Expecting property name: line 3 column 1 (char 20)")
    assert daemon.where(old) == "line 3, column 1: Expecting property name"
    old = ValueError("Extra data: line 2 column 1 - line 2 column 4 (char 3 - 6)")
    assert daemon.where(old) == "line 2, column 1: Extra data"


def test_no_place_is_made_up():
    """What Python 2.7 says of a comma too many in a list, wherever it stands."""
    assert "line 1, column 1" not in daemon.where(ValueError("No JSON object could be decoded"))


@modest
@given(
    st.text(
        alphabet=st.sampled_from('{}[]",:0129eE.-\\unatrlsf \n\ufeff') | st.characters(codec="utf-8"), max_size=60
    )
)
def test_whatever_stands_in_the_file_it_is_settings_or_refused(text):
    try:
        assert isinstance(daemon.parse(text), dict)
    except daemon.NotSettings as problem:
        assert str(problem).startswith("line ")


def test_a_file_of_brackets_is_refused_too():
    with pytest.raises(daemon.NotSettings):
        daemon.parse("[" * 100_000)


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(["debug", "registry-mirrors", "log-opts", "labels", "data-root"]) | st.text(max_size=4)
files = st.dictionaries(names, values, max_size=5)


@modest
@given(files, files)
def test_all_other_keys_keep_their_value_and_place_and_merging_twice_changes_nothing(present, wanted):
    before = OrderedDict(present)
    merged, changed = daemon.merge(before, wanted)
    assert list(merged)[: len(present)] == list(present)
    assert all(merged[key] == value for key, value in present.items() if key not in wanted)
    assert all(daemon.same(key, merged[key], value) for key, value in wanted.items())
    assert set(changed) <= set(wanted)
    assert daemon.merge(merged, wanted) == (merged, [])
    assert before == OrderedDict(present), "the old settings are still there to be put back"


@modest
@given(files)
def test_what_is_written_is_read_back(present):
    assert daemon.parse(daemon.render(present)) == present


@pytest.mark.parametrize(
    ("key", "left", "right", "same"),
    [
        ("registry-mirrors", ["https://a"], ["https://a/"], True),
        ("registry-mirrors", ["https://a", "https://b"], ["https://b", "https://a"], False),
        ("registry-mirrors", [], ["https://a"], False),
        ("registry-mirrors", None, [], False),
        ("insecure-registries", ["a"], ["a/"], False),
        ("debug", True, 1, False),
        ("log-opts", {"max-size": "10m", "max-file": "3"}, {"max-file": "3", "max-size": "10m"}, True),
        ("log-opts", {"max-file": "3"}, {"max-file": 3}, False),
    ],
)
def test_settings_are_compared_as_the_engine_would(key, left, right, same):
    assert daemon.same(key, left, right) is same


@pytest.mark.parametrize(
    ("like", "indent"), [("", 2), ('{\n  "a": 1\n}', 2), ('{\n    "a": 1\n}', 4), ('{"a": 1}', 2)]
)
def test_the_file_keeps_its_indentation(like, indent):
    lines = daemon.render({"debug": True, "labels": ["区"]}, like).splitlines()
    assert lines[1] == " " * indent + '"debug": true,'
    assert lines[3] == " " * 2 * indent + '"区"'
    assert daemon.render({}, like).endswith("}\n")


def test_a_reload_is_enough_for_mirrors_but_not_for_the_log_driver():
    assert daemon.reload_is_enough([])
    assert daemon.reload_is_enough(["registry-mirrors", "debug", "insecure-registries"])
    assert not daemon.reload_is_enough(["registry-mirrors", "log-driver"])
    assert not daemon.reload_is_enough(["a-key-of-tomorrow"])


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


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ('26.1.4 ["https://a/","https://b"]\n', ("26.1.4", ["https://a/", "https://b/"])),
        ("20.10.24 null\n", ("20.10.24", [])),
        ("20.10.24 []", ("20.10.24", [])),
        (" null\n", None),
        ("Cannot connect to the Docker daemon", None),
        ("", None),
    ],
)
def test_an_engine_answers_or_it_does_not(said, answer):
    assert daemon.engine_answer(said) == answer


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
    assert daemon.reload_verdict(journal) is verdict


def test_trouble_from_before_the_reload_is_no_verdict_on_it():
    """The journal lags behind the signal, and an engine with log-level warn never logs it."""
    assert daemon.reload_verdict(OLD_TROUBLE) is None
