"""docker_repository: the file, the key and the package manager's words, without a host."""

import pytest

from pydock_installer import platforms
from pydock_installer.repository import KEY_FILE, REPOSITORY_ID, repository
from pydock_installer.settings import DOCKER_KEY
from tests.unit.modules import library

repositories = library("pydock_repository")
fetch = library("pydock_fetch")


@pytest.mark.parametrize("hold", [False, True], ids=["free", "held"])
@pytest.mark.parametrize("path", ["centos/7", "centos/8", "rhel/9"])
@pytest.mark.parametrize("mirror", [*platforms.mirrors(), "https://repo.example.com/docker"])
def test_the_module_writes_the_file_that_the_planner_expects(mirror, path, hold):
    """Else a second plan would never be empty."""
    for proxy in ("", "http://192.0.2.1:3128"):
        wanted = repository(mirror, path, hold, proxy)
        assert ("enabled=0\n" in wanted.content) is hold
        assert repositories.render(wanted.baseurl, REPOSITORY_ID, KEY_FILE, hold, proxy) == wanted.content
        addresses = [("baseurl", wanted.baseurl), ("key_url", wanted.key_url)]
        assert repositories.problem_with(addresses, REPOSITORY_ID, DOCKER_KEY, KEY_FILE, proxy) is None
    assert repositories.key_beside(wanted.baseurl) == wanted.key_url


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"baseurl": "https://m.example/x\ngpgcheck=0"}, "baseurl"),
        ({"baseurl": "https://m.example/x\n"}, "baseurl"),
        ({"baseurl": "ftp://m.example/x"}, "baseurl"),
        ({"baseurl": "https://m.example/a b"}, "baseurl"),
        ({"baseurl": "/etc"}, "baseurl"),
        ({"key_url": "file:///etc/shadow"}, "key_url"),
        ({"key_url": "-o/etc/passwd"}, "key_url"),
        ({"repository_id": "a]\n[b"}, "repository_id"),
        ({"repository_id": "*"}, "repository_id"),
        ({"repository_id": "--nogpgcheck"}, "repository_id"),
        ({"fingerprint": DOCKER_KEY[-16:]}, "fingerprint"),
        ({"fingerprint": DOCKER_KEY + "\n"}, "fingerprint"),
        ({"proxy": "http://user:secret@192.0.2.1:3128"}, "proxy"),
        ({"proxy": "http://192.0.2.1:3128\ngpgcheck=0"}, "proxy"),
        ({"proxy": "socks5://192.0.2.1"}, "proxy"),
        ({"local_key": "key"}, "local_key"),
        ({"local_key": "/etc/a\ngpgcheck=0"}, "local_key"),
    ],
)
def test_a_value_that_would_smuggle_an_option_into_the_file_is_refused(changes, named):
    values = {
        "baseurl": "https://m.example/7",
        "key_url": "https://m.example/gpg",
        "repository_id": "docker-ce-stable",
        "fingerprint": DOCKER_KEY,
        "local_key": KEY_FILE,
    }

    def problem(baseurl, key_url, **rest):
        return repositories.problem_with([("baseurl", baseurl), ("key_url", key_url)], **rest)

    assert problem(**values) is None
    assert problem(**{**values, **changes}).startswith(named)


def test_a_fingerprint_is_taken_as_people_write_it():
    assert repositories.normal_fingerprint("060a 61c5 1b55 8a7f 742b  77aa c52f eb6b 621e 9f35") == DOCKER_KEY


GPG_NEW = f"""pub:-:4096:1:C52FEB6B621E9F35:1487788586:::-:::scSC::::::23::0:
fpr:::::::::{DOCKER_KEY}:
uid:-::::1487792064::D4::Docker Release (CE rpm) <docker@docker.com>::::::::::0:
sub:-:4096:1:94B36C0A9D07D3D7:1487788586::::::s::::::23:
fpr:::::::::{"A" * 40}:
"""
GPG_OLD = f"""pub:-:4096:1:C52FEB6B621E9F35:2017-02-22:::-:::
fpr:::::::::{DOCKER_KEY.lower()}:
uid:::::::::Docker Release::
"""


@pytest.mark.parametrize("listing", [GPG_NEW, GPG_OLD], ids=["gpg 2.3", "gpg 2.0"])
def test_the_fingerprint_of_the_primary_key_is_read_not_that_of_a_subkey(listing):
    assert repositories.primary_fingerprints(listing) == [DOCKER_KEY]


def test_a_file_with_two_keys_shows_both():
    """So that a second key beside the pinned one is not trusted with it."""
    two = GPG_NEW + GPG_OLD.replace(DOCKER_KEY.lower(), "B" * 40)
    assert repositories.primary_fingerprints(two) == [DOCKER_KEY, "B" * 40]
    assert repositories.primary_fingerprints("gpg: no valid OpenPGP data found.\n") == []


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ("f4a80eb5\n621e9f35\n", True),
        (DOCKER_KEY.lower() + "\n", True),
        ("f4a80eb5\n", False),
        ("package gpg-pubkey is not installed\n", False),
        ("35\n", False),
        ("", False),
    ],
)
def test_a_key_in_rpms_database_is_recognised_by_its_short_and_its_long_name(said, known):
    assert repositories.imported(said, DOCKER_KEY) is known


YUM3_PROGRAM = b"#!/usr/bin/python\nimport sys\nsys.path.insert(0, '/usr/share/yum-cli')\nimport yummain\n"


def test_yum_3_is_told_from_dnf_under_its_name():
    assert repositories.is_yum3("/usr/bin/yum", YUM3_PROGRAM)
    assert not repositories.is_yum3("/usr/bin/dnf-3", b"#!/usr/libexec/platform-python\nfrom dnf.cli import main\n")
    assert not repositories.is_yum3("/usr/bin/yum", b"\x7fELF")


def test_the_word_fast_is_for_yum_3_alone():
    """dnf refuses it; neither gets an option that one of them does not know."""
    old, new = (repositories.makecache_words("docker-ce-stable", yum3) for yum3 in (True, False))
    assert old == [*new, "fast"]
    assert new[-1] == "makecache"
    assert {"--disablerepo=*", "--enablerepo=docker-ce-stable"} <= set(new)
    assert all(option.startswith(("-q", "--setopt=", "--disablerepo=", "--enablerepo=")) for option in new[:-1])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[main]\ngpgcheck=1\n", ""),
        ("[main]\nproxy=_none_\n", ""),
        ("[main]\n#proxy=http://p:3128\n", ""),
        ("[main]\nproxy =  http://p:3128  \n", 'proxy = "http://p:3128"\n'),
        (
            '[main]\nproxy=http://p:3128\nproxy_username=ops\nproxy_password=a"b\\c\n',
            'proxy = "http://p:3128"\nproxy-user = "ops:a\\"b\\\\c"\n',
        ),
    ],
)
def test_curl_goes_through_the_proxy_that_yum_uses(text, wanted):
    assert fetch.curl_settings(text) == wanted


def test_the_proxy_of_one_repository_is_not_yums_proxy():
    """yum.conf may hold repositories of its own below [main]."""
    text = "[main]\nproxy=http://p:3128\n[internal]\nbaseurl=http://i/\nproxy=_none_\n"
    assert fetch.curl_settings(text) == 'proxy = "http://p:3128"\n'
