"""daemon.json: read strictly, merged, edited, judged. What the role does on a host and pydock shows is one code."""

import json
from collections import OrderedDict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pydock_installer import daemon_json
from tests.unit.modules import library
from tests.unit.test_modules import run_old

modest = settings(max_examples=150, deadline=None)
engine = library("pydock_daemon_engine")
text_module = daemon_json._json()
rules = daemon_json._rules()


# -- reading


@pytest.mark.parametrize("text", ["", " \n", "\ufeff", "{}", "{\n}\n"])
def test_an_empty_file_is_no_settings(text):
    assert daemon_json.parse(text) == {}


def test_a_file_with_a_byte_order_mark_is_read():
    assert daemon_json.parse('\ufeff{"debug": true}') == {"debug": True}


BROKEN = [
    ('{\n  "debug": true,\n}', "line 3, column 1: a name in double quotes is expected"),
    ('{\n  "registry-mirrors": ["https://a",\n  ]\n}', "line 3, column 3: a value is expected"),
    ("{} x", "line 1, column 4: something stands behind the closing }"),
    ("\n\n[]", "line 3, column 1: it is no object { ... }"),
    ('"text"', "line 1, column 1: it is no object { ... }"),
    ("{'debug': true}", "line 1, column 2: a name in double quotes is expected"),
    ('{"debug": tru}', "line 1, column 11: a value is expected"),
    ('{"debug": True}', "line 1, column 11: a value is expected"),
    ('{"debug"  true}', "line 1, column 11: a colon is expected"),
    ('{"debug": true\n "icc": false}', "line 2, column 2: a comma or } is expected"),
    ('{"dns": ["1.1.1.1" "8.8.8.8"]}', "line 1, column 20: a comma or ] is expected"),
    ('{"mtu": 01}', "line 1, column 9: a value is expected"),
    ('{"mtu": NaN}', "line 1, column 9: JSON knows no such number"),
    ('{"group": "docker}', "line 1, column 11: the text that begins here has no end"),
    ('{"group": "a\tb"}', "line 1, column 11: the text that begins here has no end, or a character in it"),
    ('{"debug": true, // by Zhang\n}', "line 1, column 17: a name in double quotes is expected"),
    ('{"debug": ', "line 1, column 10: a value is expected before the end of the file"),
    ('{"debug": true,\n', "line 1, column 16: a name in double quotes is expected before the end of the file"),
    ('{"debug": true,\n "icc": false,\n "debug": false}', 'line 3, column 2: "debug" stands in line 1 already'),
    ('{"log-opts": {"a": "1", "a": "2"}}', 'line 1, column 25: "a" stands in line 1 already'),
    ('\ufeff{"debug" true}', "line 1, column 10: a colon is expected"),
    ("{" + '"a": {' * 200, "line 1, column 613: it is nested too deeply"),
]


@pytest.mark.parametrize(("text", "message"), BROKEN)
def test_a_broken_file_is_refused_with_line_column_and_reason(text, message):
    with pytest.raises(ValueError) as problem:
        daemon_json.parse(text)
    assert str(problem.value).startswith(message)


def test_python_2_7_says_the_same_of_a_broken_file():
    body = f"""
from ansible.module_utils.pydock_daemon_json import NotSettings, parse
said = []
for text in json.loads(r'''{json.dumps([text for text, _ in BROKEN])}'''):
    try:
        parse(text)
    except NotSettings as problem:
        said.append(str(problem))
print(json.dumps(said))
"""
    for said, (_text, message) in zip(run_old(body), BROKEN, strict=True):
        assert said.startswith(message)


@modest
@given(
    st.text(
        alphabet=st.sampled_from('{}[]",:0129eE.-\\unatrlsf \n\ufeff') | st.characters(codec="utf-8"), max_size=60
    )
)
def test_whatever_stands_in_the_file_it_is_settings_or_refused(text):
    try:
        found = daemon_json.parse(text)
    except ValueError as problem:
        assert str(problem).startswith("line ")
    else:
        assert found == (json.loads(text.lstrip("\ufeff")) if text.strip("\ufeff \n") else {})


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
mirrors = st.lists(st.sampled_from([f"https://{name}.example" for name in "abcdef"]), max_size=4, unique=True)


@st.composite
def written(draw):
    """A file as somebody may have written it: any layout that JSON allows."""
    settings = draw(files)
    indent = draw(st.sampled_from([None, 1, 2, 3, 4, "\t", " \t"]))
    separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (",", ": "), (" ,", " : ")]))
    text = json.dumps(settings, indent=indent, separators=separators, ensure_ascii=draw(st.booleans()))
    text = draw(st.sampled_from(["", "\ufeff"])) + draw(st.sampled_from(["", "\n ", "\t"])) + text
    return (text + draw(st.sampled_from(["", "\n", " \n\n"]))).replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


# -- merging and editing


@modest
@given(written(), files)
def test_nothing_of_the_users_is_lost_and_twice_is_once(text, wanted):
    """Values, order, layout: what is not set stays as it was written, to the last character."""
    before = daemon_json.parse(text)
    change = daemon_json.change(text, wanted)
    after = daemon_json.parse(change.after)
    assert list(after)[: len(before)] == list(before)
    assert all(json.dumps(after[key]) == json.dumps(before[key]) for key in before if key not in change.keys)
    assert after == change.merged
    assert set(change.keys) <= set(wanted)
    for key in wanted:
        assert text_module.same(key, after[key], wanted[key])
    again = daemon_json.change(change.after, wanted)
    assert (again.keys, again.after, again.diff) == ((), change.after, "")
    assert daemon_json.parse(text) == before, "the old settings are still there to be put back"


@modest
@given(written(), st.sampled_from(["debug", "registry-mirrors", "icc"]), values)
def test_only_the_member_that_is_set_differs(text, key, value):
    """The text before and behind it is the same, so comments in spacing, numbers and escapes stay as they were typed."""
    reader = text_module.Reader(text)
    reader.settings()
    after = text_module.edit(text, {key: value})
    place = next((member for member in reader.members if member.key == key), None)
    if place:
        assert after.startswith(text[: place.start])
        assert after.endswith(text[place.end :])
    elif reader.members:
        assert after.startswith(text[: reader.members[-1].end] + ",")
        assert after.endswith(text[reader.members[-1].end :])
    assert daemon_json.parse(after)[key] == value


@modest
@given(written(), mirrors, mirrors)
def test_remove_undoes_add(text, present, more):
    """At the level of the file: a list that grew and shrank again leaves the settings that were there."""
    start = daemon_json.change(text, {"registry-mirrors": present}).after
    added = [*present, *(url for url in more if url not in present)]
    grown = daemon_json.change(start, {"registry-mirrors": added}).after
    left = [url for url in added if url not in more or url in present]
    back = daemon_json.change(grown, {"registry-mirrors": left}).after
    assert daemon_json.parse(back) == daemon_json.parse(start)


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("", '{\n  "debug": true,\n  "dns": [\n    "区"\n  ]\n}\n'),
        ("{}\n", '{\n  "debug": true,\n  "dns": [\n    "区"\n  ]\n}\n'),
        ('{"icc": 1.0}', '{"icc": 1.0, "debug": true, "dns": ["区"]}'),
        ('{"icc":1e3,"ip":"\\u0041"}', '{"icc":1e3,"ip":"\\u0041","debug":true,"dns":["区"]}'),
        ('{\n    "icc": false\n}\n', '{\n    "icc": false,\n    "debug": true,\n    "dns": [\n        "区"\n    ]\n}\n'),
        ('{\r\n\t"icc": false\r\n}', '{\r\n\t"icc": false,\r\n\t"debug": true,\r\n\t"dns": [\r\n\t\t"区"\r\n\t]\r\n}'),
        (
            '{\n  "dns": ["a"],\n\n  "debug": false\n}\n',
            '{\n  "dns": ["区"],\n\n  "debug": true\n}\n',
        ),
        ('{\n  "debug": 1,\n  "dns": [\n    "a"\n  ]\n}', '{\n  "debug": true,\n  "dns": [\n    "区"\n  ]\n}'),
    ],
)
def test_the_file_keeps_its_hand(text, after):
    assert daemon_json.change(text, {"debug": True, "dns": ["区"]}).after == after


def test_a_list_is_emptied_and_not_taken_out():
    """An engine keeps the old value of a key that is gone."""
    text = '{\n  "registry-mirrors": [\n    "https://a"\n  ]\n}\n'
    assert daemon_json.change(text, {"registry-mirrors": []}).after == '{\n  "registry-mirrors": []\n}\n'


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
    assert text_module.same(key, left, right) is same


def test_a_diff_shows_what_changes_and_no_password():
    text = '{\n  "proxies": {"http-proxy": "http://ops:pa55@p:3128"},\n  "registry-mirrors": []\n}\n'
    diff = daemon_json.change(text, {"registry-mirrors": ["https://a"]}).diff
    assert '-  "registry-mirrors": []' in diff.splitlines()
    assert "pa55" not in diff
    assert "http://***@p:3128" in diff


# -- what an engine makes of it


@pytest.mark.parametrize(
    ("changed", "version", "merged", "keys"),
    [
        ([], "20.10.24", {}, ()),
        (["registry-mirrors", "debug"], "20.10.24+dfsg1", {}, ()),
        (["registry-mirrors", "log-driver"], "26.1.4", {}, ("log-driver",)),
        (["a-key-of-tomorrow"], "26.1.4", {}, ("a-key-of-tomorrow",)),
        (["registry-mirrors"], "1.13.1", {}, ("registry-mirrors",)),
        (["registry-mirrors"], "17.03.2-ce", {}, ("registry-mirrors",)),
        (["registry-mirrors"], "17.04.0-ce", {}, ()),
        # These engines forget insecure registries when they reload mirrors (moby#45552).
        (["registry-mirrors"], "23.0.6", {"registry-mirrors": [], "insecure-registries": ["a"]}, ("registry-mirrors",)),
        (["registry-mirrors"], "23.0.7", {"registry-mirrors": [], "insecure-registries": ["a"]}, ()),
        (["registry-mirrors"], "23.0.6", {"registry-mirrors": []}, ()),
        (["registry-mirrors"], None, {}, ()),
    ],
)
def test_a_reload_is_enough_for_some_keys_of_some_engines(changed, version, merged, keys):
    assert daemon_json.needs_restart(changed, version, merged) == keys
    assert rules.reload_is_enough(changed, version, merged) is not keys or not keys


@pytest.mark.parametrize(
    ("changed", "running", "installed", "go_on"),
    [
        (["log-driver"], "26.1.3", "26.1.4", True),
        (["log-driver"], "26.1.3", None, True),
        (["log-driver"], "26.0.3", "26.1.4", False),
        (["bip"], "26.1.4", "26.1.4", False),
    ],
)
def test_live_restore_has_its_limits(changed, running, installed, go_on):
    assert daemon_json.containers_go_on(changed, running, installed) is go_on


@pytest.mark.parametrize(
    ("settings", "version", "reason"),
    [
        ({"registry-mirrors": ["https://a.example", "http://b:5000/"]}, "20.10.24", None),
        ({"registry-mirrors": ["https://a.example/hub"]}, "24.0.9", "engine 24.0.9 accepts no path in a registry mirror"),
        ({"registry-mirrors": ["https://a.example/hub"]}, "25.0.0", None),
        ({"registry-mirrors": ["https://a.example/hub"]}, "", None),
        ({"registry-mirrors": ["a.example"]}, "26.1.4", "does not begin with https:// or http://"),
        ({"registry-mirrors": ["ftp://a.example"]}, "26.1.4", "does not begin with https:// or http://"),
        ({"registry-mirrors": ["https://u:pa55@a.example"]}, "26.1.4", "has a user or password"),
        ({"registry-mirrors": ["https://a.example?x=1"]}, "26.1.4", "has something behind its path"),
        ({"registry-mirrors": "https://a.example"}, "26.1.4", "is no list"),
        ({"registry-mirrors": [1]}, "26.1.4", "is no text"),
        ({"proxies": {}}, "20.10.24", "engine 20.10.24 does not know the key proxies"),
        ({"proxies": {}}, "23.0.0", None),
        ({"features": {}}, "18.06.3-ce", "does not know the key features"),
        ({"log-opts": {"max-file": 3}}, "20.10.24", "log-opts.max-file is no text"),
        ({"log-opts": {"max-file": "3"}, "debug": True}, "20.10.24", None),
    ],
)
def test_what_an_engine_would_not_accept_is_known_before(settings, version, reason):
    said = daemon_json.refusal(settings, version)
    assert (said is None) if reason is None else reason in said
    assert "pa55" not in (said or "")


UNIT = """[Service]
Environment="OTHER=1" DOCKER_OPTS=--mtu=1400
EnvironmentFile=-/etc/sysconfig/docker
ExecStart=/usr/bin/dockerd -H fd:// \\
    --containerd=/run/containerd/containerd.sock $OPTIONS $DOCKER_OPTS
"""


def flags(*files, **others):
    return rules.flags(list(files), lambda path: others.get(path.rpartition("/")[2]))


def test_flags_are_found_where_they_stand():
    found = flags(("/usr/lib/docker.service", UNIT), docker="# old\nOPTIONS='--registry-mirror=https://a -D'\n")
    assert found == {
        "hosts": ("-H", "/usr/lib/docker.service"),
        "containerd": ("--containerd", "/usr/lib/docker.service"),
        "registry-mirrors": ("--registry-mirror", "/etc/sysconfig/docker"),
        "debug": ("-D", "/etc/sysconfig/docker"),
        "mtu": ("--mtu", "/usr/lib/docker.service"),
    }


def test_a_drop_in_replaces_the_command():
    drop_in = ("/etc/d.conf", "[Service]\nExecStart=\nExecStart=/usr/bin/dockerd --registry-mirror https://u:p@a\n")
    assert flags(("/usr/lib/docker.service", UNIT), drop_in) == {
        "registry-mirrors": ("--registry-mirror", "/etc/d.conf")
    }


def test_a_clash_names_key_flag_and_file_and_runtimes_never_clash():
    found = {"debug": ("-D", "/a"), "runtimes": ("--runtimes", "/a")}
    assert rules.clashes(OrderedDict([("debug", True), ("runtimes", {}), ("icc", 1)]), found) == [("debug", "-D", "/a")]


def test_another_settings_file_is_noticed():
    assert flags(("/u", "ExecStart=dockerd --config-file /etc/d.json"))["config-file"] == ("/etc/d.json", "/u")
    assert flags(("/u", "ExecStart=dockerd --config-file=/etc/d.json"))["config-file"] == ("/etc/d.json", "/u")


@modest
@given(st.text(max_size=200))
def test_no_unit_breaks_the_reader(text):
    assert isinstance(flags(("/u", f"ExecStart={text}"), docker=text), dict)


# -- what the engine says


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ('26.1.4 2 true ["https://a/","https://b"]\n', ("26.1.4", 2, True, ["https://a/", "https://b/"])),
        ("20.10.24 0 false null\n", ("20.10.24", 0, False, [])),
        ("20.10.24 0 false []", ("20.10.24", 0, False, [])),
        (" null\n", None),
        ("Cannot connect to the Docker daemon", None),
        ("", None),
    ],
)
def test_an_engine_answers_or_it_does_not(said, answer):
    assert engine.engine_answer(said) == answer


def test_containers_come_back_by_their_policy():
    said = "a1 /web always\nb2 /db no\nc3 /cache unless-stopped\nd4 /job on-failure\nnonsense\n"
    assert {one.name: one.comes_back for one in engine.inspected(said).values()} == {
        "web": True, "db": False, "cache": True, "job": False,
    }  # fmt: skip
    assert engine.named(["b", "a"]) == "a, b"
    assert engine.named([f"c{number}" for number in range(10)]).endswith("c7 and 2 more")


@pytest.mark.parametrize(
    ("journal", "said"),
    [
        (
            'level=info msg="Starting up"\nfailed to start daemon: error initializing graphdriver: driver not supported\n'
            "docker.service: Main process exited\n",
            "failed to start daemon: error initializing graphdriver: driver not supported",
        ),
        (
            "unable to configure the Docker daemon with file /etc/docker/daemon.json: invalid character 'x'\n",
            "unable to configure the Docker daemon with file /etc/docker/daemon.json: invalid character 'x'",
        ),
        ('level=error msg="Error reconfiguring the daemon: bad"\n', "Error reconfiguring the daemon: bad"),
        ('level=error msg="something else"\n', "something else"),
        ("docker.service: Start request repeated too quickly.\n", ""),
    ],
)
def test_the_journal_says_why(journal, said):
    assert engine.reason(journal) == said
