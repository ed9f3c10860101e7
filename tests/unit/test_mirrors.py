"""Registry mirrors: what is asked, what that makes of them, which are chosen, what hosts are set to."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import ExitStack
from importlib import resources
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pydock_installer import registries
from pydock_installer.cli.mirror import split_words
from pydock_installer.errors import UnreachableError, UsageError
from pydock_installer.model import Engine, EngineFacts, Host, Known, Service, Unknown
from pydock_installer.model.groups.engine import UnitFile, Word
from pydock_installer.model.mirror import MirrorAnswer, MirrorState, MirrorTalk
from pydock_installer.probe import Questions, probe_for
from pydock_installer.probe import registries as said
from pydock_installer.registries import judge
from pydock_installer.registries.configured import FILE, Configured, mirror_settings
from pydock_installer.registries.judge import judged
from pydock_installer.settings import address
from tests.lab.registries import KINDS, Image, mirror
from tests.unit.facts import bare
from tests.unit.test_probe import NONCE, answers
from tests.unit.test_probe_hostile import SHELLS

TOP = Path(__file__).resolve().parents[2]
CASES = sorted((TOP / "tests/data/mirrors").glob("*.yml"))
#: How each kind of stand-in is to be told; those that only time tells are in tests/e2e.
STATES = {
    "403": "restricted", "allow-list": "restricted", "limit": "restricted", "500": "dead", "basic": "login",
    "login": "login", "no-token": "dead", "no-image": "wrong-content", "no-platform": "wrong-content",
    "other-platform": "wrong-content", "other-image": "wrong-content", "wrong-layer": "wrong-content",
    "wrong-manifest": "wrong-content", "no-layer": "wrong-content", "schema1": "wrong-content",
    "html": "wrong-content", "cut": "dead", "good": "alive", "plain": "alive", "bearer": "alive", "redirect": "alive",
}  # fmt: skip
#: The machine on which tests run, as an image names it.
MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine)
here = pytest.mark.skipif(
    MACHINE != "amd64" or not shutil.which("curl"), reason="the stand-ins' images are for x86_64, and curl asks them"
)


# -- states


def read(text):
    """What the parser makes of a section's text."""
    return said(answers(registries=f"platform linux/amd64\n{text}end"), NONCE)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_what_is_said_makes_a_state_a_sentence_and_a_remedy(path):
    case = yaml.safe_load(path.read_text(encoding="utf-8"))
    (talk,) = read(case["said"]).value.talks.values()
    answer = judged(talk, "linux/amd64")
    assert answer.state.value == case["state"], answer
    assert case["says"] in answer.detail
    assert case.get("remedy", "") in (answer.remedy or "")
    assert bool(answer.remedy) == (answer.state is not MirrorState.ALIVE)
    for figure in ("seconds", "latency", "rate"):
        if figure in case:
            assert getattr(answer, figure) == pytest.approx(case[figure])
    assert (answer.image is not None) == answer.usable


def test_every_state_has_a_case():
    assert {yaml.safe_load(path.read_text(encoding="utf-8"))["state"] for path in CASES} == {s.value for s in MirrorState}


# -- the answers of a host are hostile

WHOLE = yaml.safe_load((TOP / "tests/data/mirrors/alive.yml").read_text(encoding="utf-8"))["said"]
words = st.sampled_from(
    [*WHOLE.split(), "\n", " ", "url", "ask", "note", "2", "100", "-", "end", "platform", "999999999999", "1e9", "\x1b[2J",
     "https://", "http://x", "parts", "²", "0.1.2", "nan"]
)  # fmt: skip


@given(st.lists(words, max_size=60).map(" ".join) | st.text(max_size=200))
def test_no_answer_breaks_the_parser_or_the_judge(text):
    found = read(f"1 url https://m.example\n{text}\n")
    assert isinstance(found, Known | Unknown)
    if isinstance(found, Known):
        for talk in found.value.talks.values():
            judged(talk, found.value.platform)


@given(st.binary(max_size=300))
def test_no_output_breaks_the_parser(noise):
    assert isinstance(said(noise, NONCE), Unknown)


@given(st.integers(0, len(WHOLE) - 1))
def test_an_answer_that_is_cut_off_never_makes_a_mirror_usable(length):
    whole = answers(registries=f"platform linux/amd64\n{WHOLE}end")
    cut = whole[: whole.index(WHOLE.encode()) + length]
    assert isinstance(said(cut, NONCE), Unknown)
    short = read(WHOLE[:length].rpartition("\n")[0] + "\n")
    talks = short.value.talks if isinstance(short, Known) else {}
    assert not any(judged(talk, "linux/amd64").usable for talk in talks.values()) or length > WHOLE.index("note layer-digest")


def test_what_one_mirror_says_is_not_taken_for_anothers():
    """Text that a mirror chose stands behind the host's own words, in one line."""
    talks = read("1 url https://a\n1 ask v2 0 403 0.1 0.1 2\n1 note says 2 url https://b\n2 url https://b\n").value.talks
    assert set(talks) == {"https://a", "https://b"}
    assert judged(talks["https://b"], "linux/amd64").state is MirrorState.UNKNOWN


# -- the question itself


@pytest.fixture
def patient(monkeypatch):
    """On a busy machine a good mirror is slow; what is slow is decided by the cases."""
    monkeypatch.setattr(judge, "SLOW_SECONDS", 1e9)
    monkeypatch.setattr(judge, "SLOW_RATE", 0.0)


def ask(shell, urls, environment=None):
    """What a machine says that is asked by this shell."""
    package = resources.files("pydock_installer.probe")
    names = ("probe.sh", "sections/unit.sh", "sections/registries.sh")
    script = "\n".join(package.joinpath(name).read_text(encoding="utf-8") for name in names)
    done = subprocess.run(
        [*shell, "-c", script, "pydock-probe", NONCE, "root", "preflight=always", *(f"registry={u}" for u in urls), "--"],
        capture_output=True, timeout=120, stdin=subprocess.DEVNULL, env={**os.environ, **(environment or {})},
    )  # fmt: skip
    assert done.stderr == b""
    found = said(done.stdout, NONCE)
    return {url: judged(found.value.talks.get(url, MirrorTalk(url)), found.value.platform) for url in urls}


@here
@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: " ".join([shell[0].rpartition("/")[2], *shell[1:]]))
def test_every_kind_of_mirror_is_told_for_what_it_is(shell, patient):
    with ExitStack() as stack:
        standing = {kind: stack.enter_context(mirror(kind)).url for kind in STATES}
        found = ask(shell, list(standing.values()))
    assert {kind: found[url].state.value for kind, url in standing.items()} == STATES


def test_every_stand_in_is_tried_here_or_on_hosts():
    """Those that take their time are for tests/e2e."""
    assert set(KINDS) - set(STATES) == {"hang", "slow"}


@here
def test_the_engine_asks_so_and_no_proxy_of_the_login_counts(patient):
    """A path belongs to the address; a token goes to its own host alone; proxies of the shell are not the engine's."""
    with mirror("bearer", path="/hub") as one, mirror("redirect", image=Image(padding=100_000)) as other:
        lost = {"http_proxy": "http://127.0.0.1:1", "ALL_PROXY": "http://127.0.0.1:1"}
        found = ask(["sh"], [one.url, other.url], lost)
    assert all(answer.state is MirrorState.ALIVE for answer in found.values()), found
    assert found[other.url].rate
    paths = [path for path, _ in one.requests]
    assert paths[0] == "/hub/v2/"
    token = urlsplit(paths[1])
    assert token.path == "/hub/token"
    assert parse_qs(token.query) == {"service": ["the registry"], "scope": ["repository:library/hello-world:pull"]}
    assert all(headers.get("Authorization") == "Bearer let.me-in_1" for _, headers in one.requests[2:])
    assert not any("Authorization" in headers for _, headers in other.requests)
    (manifests, *_) = [headers for path, headers in one.requests if path.endswith("/latest")]
    assert "application/vnd.oci.image.index.v1+json" in manifests["Accept"]
    assert "application/vnd.docker.distribution.manifest.v2+json" in manifests["Accept"]


@here
def test_more_mirrors_than_are_asked_at_once_are_all_asked():
    with mirror("403") as one:
        urls = [f"{one.url}/{n}" for n in range(20)]
        found = ask(["sh"], urls)
    assert {answer.state for answer in found.values()} == {MirrorState.RESTRICTED}
    assert len(found) == 20


@pytest.mark.parametrize("word", ["$(touch owned)", "`touch owned`", "https://a;touch", "-K/etc/passwd", "https://*"])
def test_an_address_is_never_a_command(word, tmp_path):
    probe = probe_for(Host("h", "h"), Questions(registries=[word], preflight=True, sections=("unit", "registries")))
    done = subprocess.run(
        ["sh", "-c", probe.command], capture_output=True, timeout=60, cwd=tmp_path, stdin=subprocess.DEVNULL
    )
    assert isinstance(said(done.stdout, probe.nonce), Known)
    assert list(tmp_path.iterdir()) == []


def test_a_host_without_curl_says_so():
    assert said(answers(registries=(44, "")), NONCE) is None


# -- what is chosen


def answer(url, state=MirrorState.ALIVE, seconds=1.0):
    return MirrorAnswer(url, state, seconds)


some_answers = st.lists(
    st.builds(
        answer, st.sampled_from(["https://a", "https://b", "https://c"]), st.sampled_from(MirrorState), st.floats(0, 30)
    ),
    max_size=6,
    unique_by=lambda a: a.url,
)


@given(some_answers)
def test_ranking_loses_nothing_and_puts_what_can_be_used_first(given_answers):
    order = registries.ranked(given_answers)
    assert sorted(order, key=repr) == sorted(given_answers, key=repr)
    usable = [entry.usable for entry in order]
    assert usable == sorted(usable, reverse=True)
    alive = [entry.seconds for entry in order if entry.state is MirrorState.ALIVE]
    assert alive == sorted(alive)


@given(st.dictionaries(st.sampled_from(["h1", "h2", "h3"]), some_answers), st.integers(0, 4))
def test_what_is_best_for_a_fleet_can_be_used_on_every_host(by_host, number):
    chosen = registries.best(by_host, number)
    assert len(chosen) <= number
    assert len(set(chosen)) == len(chosen)
    for url in chosen:
        assert by_host
        for host_answers in by_host.values():
            assert any(entry.url == url and entry.usable for entry in host_answers)


def test_what_is_fast_for_most_comes_before_what_is_fast_for_one_and_slow_somewhere_comes_last():
    a, b, c = "https://a", "https://b", "https://c"
    by_host = {
        "h1": [answer(a, seconds=0.1), answer(b, seconds=1), answer(c, seconds=0.01)],
        "h2": [answer(a, seconds=9), answer(b, seconds=1), answer(c, MirrorState.SLOW, 2)],
        "h3": [answer(a, seconds=9), answer(b, seconds=1), answer(c, seconds=0.01)],
        "gone": UnreachableError("ssh-name", "no"),
    }
    assert registries.best(by_host, 3) == (b, a, c)
    assert registries.best(by_host, 1) == (b,)
    assert registries.best_of_host(by_host["h1"], 2) == (c, a)


# -- the shipped list


def test_the_shipped_list_is_sound():
    known = registries.known()
    assert len({entry.name for entry in known}) == len({entry.url for entry in known}) == len(known)
    for entry in known:
        if "*" not in entry.url:
            assert address(entry.url, "the address") == entry.url
        assert entry.source.startswith("https://")
        assert entry.who and entry.note and entry.since
        # What serves only some, or is dead, is never chosen without being named.
        assert entry.public or not entry.offered
        assert "*" not in entry.url or not entry.offered
    assert registries.offered()


def test_an_accelerator_is_known_whatever_the_account():
    assert registries.lookup("https://abc123.mirror.aliyuncs.com/").name == "aliyun"
    assert registries.lookup("https://mirror.example") is None


def test_the_page_tells_every_entry_of_the_list():
    text = (TOP / "docs/mirrors.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `https://")]
    assert rows == [
        f"| `{e.url}` | {e.who} | {e.note} | {e.since} | [source]({e.source}) | {'yes' if e.offered else 'no'} |"
        for e in registries.known()
    ]
    for state in MirrorState:
        assert f"| {state.value} |" in text


# -- arguments


def test_addresses_are_told_from_hosts():
    words = ["https://m.example/", "web1", "root@192.0.2.1:22", "http://10.0.0.1:5000", "https://m.example", "web*"]
    assert split_words(words) == (
        ("https://m.example", "http://10.0.0.1:5000"),
        ("web1", "root@192.0.2.1:22", "web*"),
    )


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("docker.m.daocloud.io", "https://docker.m.daocloud.io"),
        ("docker.m.daocloud.io/", "https://docker.m.daocloud.io"),
        ("docker.m.daocloud.io:443", "https://docker.m.daocloud.io:443"),
        ("abc123.mirror.aliyuncs.com", "https://abc123.mirror.aliyuncs.com"),
        ("mirror.example/path", "https://mirror.example/path"),
        ("mirror.example:5000/", "https://mirror.example:5000/"),
        ("https://user:s3cret@m.example", "user name or password"),
        ("ftp://m.example", "http"),
        ("https://m.example?x=1", "?"),
        ("https://", "http"),
    ],
)
def test_an_address_that_is_wrong_is_told_with_the_right_one(word, said):
    with pytest.raises(UsageError) as error:
        split_words([word])
    assert said in f"{error.value.message} {error.value.hint}"
    assert "s3cret" not in f"{error.value.message} {error.value.hint}"


@given(st.text(max_size=40))
def test_no_word_breaks_the_split(word):
    try:
        urls, hosts = split_words([word])
    except UsageError:
        return
    assert len(urls) + len(hosts) == 1
    assert all(urlsplit(url).hostname for url in urls)


# -- what hosts are set to


def facts(daemon_json=None, mirrors=None, units=()):
    running = {"engine": Known(Engine("26.1.4", "26.1.4", mirrors)), "service": Known(Service("active", "enabled"))}
    return bare(
        "9",
        daemon_json=None if daemon_json is None else Known(daemon_json),
        engine_facts=EngineFacts(unit_files=Known(units)),
        **(running if mirrors is not None else {}),
    )


def start(path, *words):
    return UnitFile(path, tuple(Word(word, path) for word in words))


def test_a_host_is_told_with_places_and_effect():
    text = '{"registry-mirrors": ["https://a/", "https://b"]}'
    found = mirror_settings(facts(text, ("https://c/", "https://a/")))
    assert found.mirrors == (
        Configured("https://c", (), True),
        Configured("https://a", (FILE,), True),
        Configured("https://b", (FILE,), False),
    )
    assert (found.engine, found.docker, found.problems) == ("26.1.4", True, ())
    assert [entry.standing.partition(":")[0] for entry in found.mirrors] == [
        "in effect, but written nowhere", "in effect", "not in effect",
    ]  # fmt: skip


def test_flags_are_found_in_both_forms_and_the_last_exec_start_counts():
    units = (
        start("/usr/lib/systemd/system/docker.service", "/usr/bin/dockerd", "--registry-mirror=https://old"),
        UnitFile("/etc/systemd/system/docker.service.d/a.conf", None),
        start("/etc/systemd/system/docker.service.d/b.conf", "dockerd", "--registry-mirror", "https://a/", "--registry-mirror=https://b"),
    )  # fmt: skip
    found = mirror_settings(facts(None, None, units))
    assert {entry.url for entry in found.mirrors} == {"https://a", "https://b"}
    assert {entry.places for entry in found.mirrors} == {("/etc/systemd/system/docker.service.d/b.conf",)}
    assert {entry.standing for entry in found.mirrors} == {"no engine runs"}


def test_a_flag_beside_the_file_is_a_problem():
    found = mirror_settings(facts('{"registry-mirrors": ["https://a"]}', None, (start("/u", "--registry-mirror=https://b"),)))
    assert "does not start with both" in found.problems[0]


@given(st.text(max_size=60) | st.sampled_from(["[]", "1", '{"registry-mirrors": 1}', '{"registry-mirrors": [1]}', "[" * 9999]))
def test_no_file_breaks_the_reading(text):
    found = mirror_settings(facts(text))
    assert found.mirrors == () or not found.problems


def test_what_could_not_be_seen_is_a_problem_and_never_no_mirror():
    blind = bare("9", daemon_json=Unknown("not permitted"), engine_facts=EngineFacts(unit_files=Unknown("not permitted")))
    assert len(mirror_settings(blind).problems) == 2
