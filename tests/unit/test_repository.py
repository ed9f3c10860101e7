"""Which package repository a host gets, and which evidence decided."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pydock_installer import platforms
from pydock_installer.model import Known, RepositoryAnswer, Unknown
from pydock_installer.repository import named_in, repository
from pydock_installer.repository_choice import PRESENT, Choice, choices, trouble
from pydock_installer.settings import DOCKER_KEY, Settings
from tests.unit.facts import bare
from tests.unit.test_openpgp import EXPORTED, EXPORTED_FINGERPRINT
from tests.unit.test_rules import facts_of


@pytest.mark.parametrize(
    ("choice", "path", "baseurl", "key"),
    [
        (
            "official",
            "centos/7",
            "https://download.docker.com/linux/centos/7/$basearch/stable",
            "https://download.docker.com/linux/centos/gpg",
        ),
        (
            "aliyun",
            "rhel/9",
            "https://mirrors.aliyun.com/docker-ce/linux/rhel/9/$basearch/stable",
            "https://mirrors.aliyun.com/docker-ce/linux/rhel/gpg",
        ),
        (
            "https://repo.example.com/docker/",
            "centos/8",
            "https://repo.example.com/docker/linux/centos/8/$basearch/stable",
            "https://repo.example.com/docker/linux/centos/gpg",
        ),
    ],
)
def test_addresses_name_the_release_literally(choice, path, baseurl, key):
    made = repository(choice, path)
    assert (made.baseurl, made.key_url) == (baseurl, key)
    assert "$releasever" not in made.content
    assert "gpgcheck=1" in made.content


def test_a_proxy_stands_in_the_file_of_dockers_repository_alone():
    assert "proxy=" not in repository("official", "centos/7").content
    assert repository("official", "centos/7", proxy="http://192.0.2.1:3128").content.endswith("proxy=http://192.0.2.1:3128\n")


def answers(**told):
    """Seconds, or a status, or (seconds, keys)."""
    rows = []
    for name, answer in told.items():
        seconds, keys = answer if isinstance(answer, tuple) else (answer, None)
        status = seconds if isinstance(seconds, int) else 200
        rows.append(RepositoryAnswer(name, status, 0.1 if isinstance(seconds, int) else seconds, keys))
    return Known(tuple(rows))


def host(answered=None, file=None):
    return bare(repository_answers=answered, repository_file=Known(file) if file else None)


def chosen(facts, **changes):
    return choices({"web": facts}, Settings(**changes))["web"]


@pytest.mark.parametrize(
    ("file", "answered", "name", "why"),
    [
        (None, None, "official", ""),
        (None, answers(official=0.2, aliyun=0.1), "official", "official answered in 0.2 s"),
        (None, answers(official=4.0, aliyun=0.1, tuna=0.05), "aliyun", "aliyun answered in 0.1 s; official took 4.0 s"),
        (None, answers(official=0, aliyun=404, tuna=0.5), "tuna",
         "tuna answered in 0.5 s; official did not answer; aliyun answered 404"),
        (None, answers(official=0, aliyun=0, tuna=0.5), "tuna", "tuna answered in 0.5 s; official, aliyun did not answer"),
        (None, answers(official=0), "official", "no mirror answered"),
        (None, answers(official=(0.1, ("AB" * 20,)), aliyun=(0.1, (DOCKER_KEY,)), tuna=(0.1, ())), "aliyun",
         "aliyun answered in 0.1 s; official serves another key"),
        (None, answers(official=(0.1, ()), aliyun=(0.3, (DOCKER_KEY,))), "aliyun",
         "aliyun answered in 0.3 s; official serves no key"),
        ("baseurl=https://mirrors.ustc.edu.cn/docker-ce/linux/centos/7/", None, "ustc", ""),
        ("baseurl=https://mirrors.ustc.edu.cn/docker-ce/linux/centos/7/", answers(official=0.1, ustc=7.0), "ustc", ""),
        ("baseurl=https://mirrors.ustc.edu.cn/docker-ce/linux/centos/7/", answers(official=0.1, ustc=404), "official",
         "ustc, which it had, answered 404; official answered in 0.1 s"),
        ("baseurl=https://mirrors.ustc.edu.cn/docker-ce/linux/centos/7/", answers(official=0, ustc=0), "ustc", ""),
        ("[docker-ce-stable]\nbaseurl = http://repo.example.com/d/linux/centos/$releasever/$basearch/stable", None,
         "http://repo.example.com/d", "http://repo.example.com/d, which its docker-ce.repo names, stays"),
        ("baseurl=http://repo.example.com/d/linux/centos/7/", answers(official=0.1, present=0.2),
         "http://repo.example.com/d", "http://repo.example.com/d, which its docker-ce.repo names, serves"),
        ("baseurl=http://repo.example.com/d/linux/centos/7/", answers(official=0.1, present=0), "official",
         "http://repo.example.com/d, which it had, did not answer; official answered in 0.1 s"),
        ("baseurl=https://u:p@repo.example.com/d/linux/centos/7/", answers(official=0.1), "official",
         "its docker-ce.repo names no mirror that pydock could take over; official answered in 0.1 s"),
        ("baseurl=https://elsewhere.example.com/docker7/", answers(official=0.1), "official",
         "its docker-ce.repo names no mirror that pydock could take over; official answered in 0.1 s"),
    ],
)  # fmt: skip
def test_auto_keeps_what_serves_and_else_takes_what_answers_and_says_why(file, answered, name, why):
    made = chosen(host(answered, file))
    assert (made.name, made.why) == (name, why)


def test_a_choice_of_the_user_is_never_second_guessed():
    assert chosen(host(answers(official=0.1)), repository="tuna") == Choice("tuna")


def test_a_key_of_the_users_own_is_what_mirrors_must_serve():
    own = "CD" * 20
    facts = host(answers(official=(0.1, (DOCKER_KEY,)), aliyun=(0.4, (own,))))
    assert chosen(facts, repository_key=own).name == "aliyun"


def test_the_role_is_told_what_serves_as_well():
    said = answers(official=0.1, aliyun=404, tuna=2.0, ustc=0.3, huawei=0.2)
    assert chosen(host(said)).others == ("ustc", "huawei", "tuna")


def test_what_a_host_tells_of_keys_is_judged_by_their_fingerprints():
    rows = "official 200 0.2\naliyun 200 0.2\ntuna 200 0.1\nustc 404 0.1\npresent 200 0.3\n"
    told = {"repository_answers": rows, "key:official": EXPORTED, "key:aliyun": "<html>", "key:tuna": {"text": EXPORTED, "status": 5}}
    facts = facts_of({"answers": told})
    assert {a.name: a.keys for a in facts.repository_answers.value} == {
        "official": (EXPORTED_FINGERPRINT,), "aliyun": (), "tuna": None, "ustc": None, "present": None,
    }  # fmt: skip


# -- a fleet


def fleet(number, **told):
    return {f"web{n}": host(answers(**told)) for n in range(number)}


def test_a_fleet_agrees_on_the_mirror_that_serves_most_of_it():
    hosts = {**fleet(7, official=0, aliyun=0.2, tuna=0.1), "far": host(answers(official=0.3, aliyun=0, tuna=0))}
    made = choices(hosts, Settings())
    assert {made[f"web{n}"].name for n in range(7)} == {"aliyun"}
    assert made["web0"].why == "aliyun answered in 0.2 s on 7 of 8 hosts; official did not answer on 7 of 8 hosts"
    assert made["far"].name == "official"
    assert made["far"].why == "aliyun, the other hosts' mirror, did not answer here; official answered in 0.3 s"


def test_each_host_may_choose_for_itself():
    hosts = {"a": host(answers(official=0.1, tuna=0.1)), "b": host(answers(official=0, tuna=0.1))}
    assert {n: c.name for n, c in choices(hosts, Settings()).items()} == {"a": "tuna", "b": "tuna"}
    apart = choices(hosts, Settings(repository_scope="host"))
    assert {n: c.name for n, c in apart.items()} == {"a": "official", "b": "tuna"}


def test_hosts_that_have_a_mirror_keep_it_whatever_the_others_agree_on():
    hosts = {**fleet(3, tuna=0.1), "old": host(answers(tuna=0.1, ustc=2.0), "baseurl=https://mirrors.ustc.edu.cn/docker-ce/linux/x")}
    assert choices(hosts, Settings())["old"].name == "ustc"


def test_a_host_that_could_not_be_asked_goes_with_the_fleet():
    hosts = {**fleet(2, official=0, tuna=0.1), "blind": bare(repository_answers=None), "mute": bare(repository_answers=Unknown("x"))}
    made = choices(hosts, Settings())
    assert (made["blind"].name, made["mute"].name) == ("tuna", "tuna")


ANSWER = st.builds(
    RepositoryAnswer,
    st.just(""),
    st.sampled_from([0, 200, 200, 404]),
    st.floats(0.01, 9),
    st.sampled_from([None, (DOCKER_KEY,), (), ("AB" * 20,)]),
)
HOST = st.dictionaries(st.sampled_from([*platforms.mirrors(), PRESENT]), ANSWER).map(
    lambda told: host(Known(tuple(RepositoryAnswer(n, a.status, a.seconds, a.keys) for n, a in told.items())))
)


@given(st.dictionaries(st.text("abc", min_size=1), HOST, min_size=1, max_size=6), st.sampled_from(["fleet", "host"]))
@settings(max_examples=100, deadline=None)
def test_no_host_is_given_a_mirror_that_does_not_serve_it_while_another_does(hosts, scope):
    wanted = Settings(repository_scope=scope)
    made = choices(hosts, wanted)
    assert list(made) == list(hosts)
    for name, choice in made.items():
        said = {a.name: a for a in hosts[name].repository_answers.value if a.name != PRESENT}
        serving = {n for n, a in said.items() if trouble(a, wanted) is None}
        assert not serving or choice.name in serving
        assert set(choice.others) == serving - {choice.name}


@pytest.mark.parametrize("name", list(platforms.mirrors()))
def test_what_pydock_writes_it_knows_again(name):
    assert named_in(repository(name, "centos/8").content) == name


@given(st.text(max_size=200))
@settings(max_examples=60, deadline=None)
def test_no_file_leads_to_an_address_that_must_not_be_written(text):
    name = named_in(f"baseurl=https://{text}/linux/centos/7/")
    assert name is None or (name.isprintable() and not set(name) & set("@$?#\"' \t\n"))


def test_every_platform_has_an_interpreter_and_a_literal_path():
    for name in platforms.known_releases():
        assert name.split()[1].isdigit()
