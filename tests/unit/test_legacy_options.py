"""Options of engine 1.7.1: settings as flags, other_args read as the shell reads it, merged without a loss."""

import re
import shlex
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pydock_installer.legacy_options import (
    ComputedError,
    assigned,
    differing,
    flags,
    merged,
    parsed,
    proxies,
    to_change,
)

SHIPPED = 'other_args=""\nDOCKER_CERT_PATH=/etc/docker\n\n# Resolves: rhbz#1176302 (docker issue #407)\nDOCKER_NOWARN_KERNEL_VERSION=1\n'
modest = settings(max_examples=150, deadline=None)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (SHIPPED, ""),
        ("", None),
        ("# other_args=no\n", None),
        ("other_args='-g /srv/docker'\n", "-g /srv/docker"),
        ('export other_args="--label a=b" # why\n', "--label a=b"),
        ('other_args="-D"\nother_args="-D -g /x"\n', "-D -g /x"),
        ('other_args="-g /x \\\n  --icc=false"\n', "-g /x   --icc=false"),
        ("other_args=-D; HTTP_PROXY=http://p:3128\n", "-D"),
        ('other_args="--label=\'a b\'"', "--label='a b'"),
        ("A='other_args=no'\nother_args=yes", "yes"),
        ('other_args="\\$HOME"', "$HOME"),
        ("if [ -e /x ]; then A=1; fi\nother_args=-D\n", "-D"),
    ],
)
def test_a_file_is_read_as_the_shell_reads_it(text, value, tmp_path):
    assert assigned(text) == value
    told = subprocess.run(
        ["sh", "-c", 'unset other_args; . "$1" >/dev/null 2>&1; printf "%s" "${other_args-none}"', "sh", str(_file(tmp_path, text))],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert told == ("none" if value is None else value)


def _file(directory, text):
    path = directory / "docker"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "text",
    [
        'other_args="$other_args -D"', "other_args=`cat /x`", "other_args+=-D", "if [ -e /x ]; then\n other_args=-D\nfi",
        ". /etc/other", "eval other_args=-D", 'other_args="-D', "other_args=-D command", "cat <<A\nother_args=x\nA\n",
        "unset other_args",
    ],
)  # fmt: skip
def test_what_only_a_shell_can_tell_is_not_guessed(text):
    with pytest.raises(ComputedError):
        assigned(text)


plain = st.text("abc /=-.:'\"\\$`# ", max_size=30)


@modest
@given(plain)
def test_whatever_a_value_is_its_quoted_form_is_read_back(value):
    assert assigned(f"A=1\nother_args={shlex.quote(value)}\n") == value


@modest
@given(st.text(max_size=200))
def test_no_file_breaks_the_reader(text):
    try:
        assert assigned(text) is None or isinstance(assigned(text), str)
    except ComputedError as problem:
        assert "/etc/sysconfig/docker" in str(problem)


WORDS = st.sampled_from(
    ["-D", "-g /x", "-g=/x", "--graph=/y", "--registry-mirror=https://a", "--registry-mirror https://b/", "--label=z",
     "--label y", "--icc=false", "-s overlay", "--exec-driver=lxc", "stray"]
)  # fmt: skip
WANTED = st.fixed_dictionaries(
    {},
    optional={
        "registry-mirror": st.lists(st.sampled_from(["https://c", "https://d"]), unique=True, max_size=2).map(tuple),
        "graph": st.just(("/srv/docker",)),
        "icc": st.sampled_from([("true",), ("false",)]),
    },
)


@modest
@given(st.lists(WORDS, max_size=6), WANTED)
def test_a_merge_brings_what_is_wanted_and_keeps_the_rest(words, wanted):
    present = " ".join(words)
    result = merged(present, wanted)
    assert not differing(result.split(), wanted)
    others = [flag.words for flag in parsed(present.split()) if flag.name not in wanted]
    assert [flag.words for flag in parsed(result.split()) if flag.name not in wanted] == others
    assert merged(result, wanted) == result, "a second time there is nothing to do"
    if not differing(present.split(), wanted):
        assert result == present


def test_short_and_long_flags_are_one():
    assert merged("-g /x --label=a", {"graph": ("/y",)}) == "--graph=/y --label=a"
    assert merged("--registry-mirror https://a/ -D", {"registry-mirror": ("https://a",)}) == "--registry-mirror https://a/ -D"
    assert merged("--registry-mirror=https://a -D --registry-mirror=https://b", {"registry-mirror": ()}) == "-D"


def test_settings_become_flags():
    assert flags(
        {"registry-mirrors": ["https://m"], "data-root": "/srv", "icc": False, "mtu": 1400, "log-driver": "syslog",
         "log-opts": {"syslog-facility": "daemon"}, "insecure-registries": ["r:5000"]}
    ) == {
        "registry-mirror": ("https://m",), "graph": ("/srv",), "icc": ("false",), "mtu": ("1400",),
        "log-driver": ("syslog",), "log-opt": ("syslog-facility=daemon",), "insecure-registry": ("r:5000",),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("daemon", "said"),
    [
        ({"live-restore": True}, "no flag for live-restore"),
        ({"storage-driver": "overlay2"}, "knows no storage-driver overlay2, only aufs"),
        ({"log-opts": {"max-size": "10m"}}, "does not rotate logs"),
        ({"data-root": "/srv/my docker"}, "blanks part the words"),
        ({"labels": ["a=*"]}, "cannot be written into other_args"),
        ({"icc": "no"}, "icc must be true or false"),
        ({"registry-mirrors": "https://m"}, "must be a list"),
    ],
)
def test_what_the_engine_cannot_do_is_refused_in_a_sentence(daemon, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        flags(daemon)


def test_proxies_are_variables_and_carry_no_password():
    given = {"proxies": {"http-proxy": "http://p:3128", "no-proxy": "localhost,.corp"}}
    assert proxies(given) == {"HTTP_PROXY": "http://p:3128", "NO_PROXY": "localhost,.corp"}
    assert to_change('export HTTP_PROXY="http://p:3128"\n', given) == {"NO_PROXY": "localhost,.corp"}
    secret = {"proxies": {"https-proxy": "http://me:geheim@p:3128"}}
    with pytest.raises(ValueError, match="password") as refused:
        to_change("", secret)
    assert "geheim" not in str(refused.value)
    (line,) = re.findall("`(.*)`", str(refused.value))
    assert to_change(line, secret) == {}, "where somebody wrote it by hand, it counts"
