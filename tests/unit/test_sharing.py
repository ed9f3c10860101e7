"""Shared packages: which repositories, what their metadata says, fetched once and checked, handed to those who know."""

import gzip
import hashlib
import http.client
import json
import os
import threading
from dataclasses import replace

import pytest

from pydock_installer.model import Host, HostPlan, Known, Plan, Step
from pydock_installer.model.groups.packages import PackageConfiguration, PackageFacts, Repository
from pydock_installer.planner import Wishes, plan_host
from pydock_installer.render import render, render_sharing
from pydock_installer.settings import Settings
from pydock_installer.sharing import metadata
from pydock_installer.sharing.cache import Cache
from pydock_installer.sharing.library import Library, NotThereError, ProblemError
from pydock_installer.sharing.server import proof, serving, word
from pydock_installer.sharing.sources import Source, shares
from pydock_installer.sharing.upstream import FetchError, pause
from tests.unit.facts import bare

A, B = "https://a.example/9", "https://b.example/9"
PACKAGE = b"a package" * 1000


def tree(base, package=PACKAGE, served=None):
    """A repository as a mirror serves it: addresses and bytes. ``served`` is what the package's address gives."""
    primary = gzip.compress(
        b'<metadata><package type="rpm"><name>x</name><checksum type="sha256" pkgid="YES">%s</checksum>'
        b'<size package="%d" installed="1"/><location href="Packages/x&amp;y.rpm"/></package>'
        b'<package type="rpm"><checksum type="md5" pkgid="YES">00</checksum><location href="weak.rpm"/></package></metadata>'
        % (hashlib.sha256(package).hexdigest().encode(), len(package)),
        mtime=0,
    )
    repomd = (
        b'<repomd><data type="primary"><checksum type="sha256">%s</checksum><open-checksum type="sha256">00</open-checksum>'
        b'<location href="repodata/primary.xml.gz"/><size>%d</size></data></repomd>'
        % (hashlib.sha256(primary).hexdigest().encode(), len(primary))
    )
    return {
        f"{base}/repodata/repomd.xml": repomd,
        f"{base}/repodata/primary.xml.gz": primary,
        f"{base}/Packages/x&y.rpm": package if served is None else served,
    }


class Web:
    """Mirrors by address, and what they were asked for. An int is a status that they answer."""

    def __init__(self, *trees):
        self.files = {address: body for one in trees for address, body in one.items()}
        self.asked = []

    def fetch(self, address, proxy, limit, stall):
        self.asked.append(address)
        body = self.files.get(address, 404)
        if isinstance(body, int):
            raise FetchError(f"it answers {body}", body >= 500)
        for start in range(0, len(body), 4096):
            yield body[start : start + 4096]

    def library(self, tmp_path, *sources):
        return Library(sources, Cache(tmp_path / "packages"), self.fetch, lambda attempt: 0.0)


# -- metadata


def test_an_index_names_its_files_and_the_list_of_packages():
    files, primary = metadata.index(tree(A)[f"{A}/repodata/repomd.xml"])
    assert primary == "repodata/primary.xml.gz"
    assert files[primary].sum.startswith("sha256-")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"<html>no</html>",
        b'<data type="primary"><checksum type="sha">00</checksum><location href="repodata/p.xml.gz"/></data>',
        b'<data type="primary"><checksum type="sha256">' + b"0" * 64 + b'</checksum><location href="repodata/p.xml.zst"/></data>',
    ],
)
def test_an_index_that_cannot_be_checked_is_refused(text):
    with pytest.raises(metadata.BadMetadataError):
        metadata.index(text)


@pytest.mark.parametrize("size", [1, 7, 100, 100000])
def test_packages_are_found_however_the_list_is_cut_and_weak_sums_do_not_count(size):
    text = gzip.decompress(tree(A)[f"{A}/repodata/primary.xml.gz"])
    found = metadata.packages(text[start : start + size] for start in range(0, len(text), size))
    assert set(found) == {"Packages/x&y.rpm"}
    assert found["Packages/x&y.rpm"].size == len(PACKAGE)


def test_mirrors_of_a_list_and_of_a_metalink():
    assert metadata.mirrors("# x\nhttps://a.example/9/\nftp://no\nhttp://b.example/9\n") == (A, "http://b.example/9")
    link = f'<metalink><url protocol="https">{A}/repodata/repomd.xml</url><url>rsync://c/repodata/repomd.xml</url></metalink>'
    assert metadata.mirrors(link) == (A,)


# -- fetched once, and checked


def test_many_who_ask_at_once_cost_one_download(tmp_path):
    web = Web(tree(A))
    library = web.library(tmp_path, Source((A,)))
    library.file(0, "repodata/repomd.xml")
    got = []
    threads = [threading.Thread(target=lambda: got.append(library.file(0, "Packages/x&y.rpm"))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {path.read_bytes() for path in got} == {PACKAGE}
    assert len(web.asked) == len(set(web.asked)) == 3
    assert library.fetched[0] == 3


def test_a_later_run_fetches_the_index_alone(tmp_path):
    Web(tree(A)).library(tmp_path, Source((A,))).ready(0)
    for expected in (3, 1):
        web = Web(tree(A))
        library = web.library(tmp_path, Source((A,)))
        library.ready(0)
        assert library.file(0, "Packages/x&y.rpm").read_bytes() == PACKAGE
        assert len(web.asked) == expected


def test_what_went_bad_in_the_cache_is_fetched_again(tmp_path):
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / f"sha256-{hashlib.sha256(PACKAGE).hexdigest()}").write_bytes(b"rotten")
    library = Web(tree(A)).library(tmp_path, Source((A,)))
    library.ready(0)
    assert library.file(0, "Packages/x&y.rpm").read_bytes() == PACKAGE


@pytest.mark.parametrize("served", [b"b package" * 1000, PACKAGE[:500], PACKAGE + b"x", 404, 500])
def test_a_broken_package_is_taken_from_the_next_mirror_or_from_none(tmp_path, served):
    web = Web(tree(A, served=served), tree(B))
    library = web.library(tmp_path, Source((A, B)), Source((A,)))
    library.ready(0)
    assert library.file(0, "Packages/x&y.rpm").read_bytes() == PACKAGE
    alone = web.library(tmp_path / "other", Source((A,)))
    alone.ready(0)
    with pytest.raises(ProblemError, match=r"a\.example"):
        alone.file(0, "Packages/x&y.rpm")
    assert list(alone.problems) == [(0, "Packages/x&y.rpm")]
    asked = len(web.asked)
    with pytest.raises(ProblemError):
        alone.file(0, "Packages/x&y.rpm")
    assert len(web.asked) == asked, "a fleet does not storm a mirror that is down"
    assert len(list((tmp_path / "other/packages").glob("sha256-*"))) == 2


def test_only_what_a_repository_lists_is_there(tmp_path):
    library = Web({**tree(A), f"{A}/other": b"x"}).library(tmp_path, Source((A,)))
    library.ready(0)
    for path in ("other", "weak.rpm", "../9/Packages/x&y.rpm", "Packages//x&y.rpm", "/Packages/x&y.rpm", "sub/repodata/repomd.xml"):
        with pytest.raises(NotThereError):
            library.file(0, path)
    with pytest.raises(NotThereError):
        library.file(1, "Packages/x&y.rpm")


def test_below_an_archive_each_repository_is_found_once_its_index_was_asked_for(tmp_path):
    library = Web(tree(f"{A}/os/x86_64")).library(tmp_path, Source((A,), below=True))
    with pytest.raises(NotThereError):
        library.file(0, "os/x86_64/Packages/x&y.rpm")
    library.file(0, "os/x86_64/repodata/repomd.xml")
    assert library.file(0, "os/x86_64/Packages/x&y.rpm").read_bytes() == PACKAGE


def test_a_list_of_mirrors_is_asked_and_its_mirrors_used(tmp_path):
    web = Web(tree(B), {"https://lists.example/9": b"https://gone.example/9\n" + B.encode() + b"\n"})
    library = web.library(tmp_path, Source((), ("https://lists.example/9",)))
    library.ready(0)
    assert library.file(0, "Packages/x&y.rpm").read_bytes() == PACKAGE


def test_a_source_that_cannot_be_shared_says_why(tmp_path):
    library = Web().library(tmp_path, Source((A,)), Source((B,), spare=True))
    with pytest.raises(ProblemError, match=r"repomd\.xml: it answers 404"):
        library.ready(0)
    library.ready(1)


def test_the_cache_is_private_and_keeps_what_was_used_last(tmp_path):
    cache = Cache(tmp_path / "packages", limit=25)
    paths = [cache.keep([bytes([n]) * 10], None)[0] for n in range(3)]
    for age, path in zip((300, 100, 200), paths, strict=True):
        os.utime(path, (1e9 - age, 1e9 - age))
    assert (tmp_path / "packages").stat().st_mode & 0o777 == 0o700
    cache.close()
    assert [path.exists() for path in paths] == [False, True, True]
    assert not list((tmp_path / "packages").glob("partial-*"))


def test_pauses_grow_and_differ():
    assert len({pause(1) for _ in range(20)}) > 1
    assert all(0.5 <= pause(0) <= 1.5 and 2 <= pause(2) <= 6 for _ in range(50))


# -- handed out


def ask(server, path, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


def test_the_server_hands_out_to_those_who_know_the_secret_and_to_nobody_else(tmp_path):
    with serving(Web(tree(A)).library(tmp_path, Source((A,))), 4) as server:
        key = word(server.secret)
        assert ask(server, f"/{key}/0/repodata/repomd.xml")[0] == 200
        assert ask(server, f"/{key}/0/Packages/x%26y.rpm") == (200, PACKAGE)
        assert ask(server, f"/{key}/0/Packages/x%26y.rpm", Range="bytes=5-9") == (206, PACKAGE[5:10])
        assert ask(server, f"/{key}/0/Packages/x%26y.rpm", Range=f"bytes={len(PACKAGE)}-") == (200, PACKAGE)
        for path in ("/", f"/{'0' * 40}/0/repodata/repomd.xml", f"/{key}/0/%2e%2e/x", f"/{key}/7/repodata/repomd.xml",
                     "/repodata/repomd.xml", f"/{key}/0/", "http://elsewhere.example/"):  # fmt: skip
            assert ask(server, path)[0] == 404, path
        nonce = "ab" * 32
        assert ask(server, f"/hello/{nonce}") == (200, proof(server.secret, nonce).encode())
        assert key not in proof(server.secret, "path")


def test_what_could_not_be_handed_out_is_told_with_its_reason(tmp_path):
    with serving(Web(tree(A, served=b"x")).library(tmp_path, Source((A,))), 4) as server:
        key = word(server.secret)
        ask(server, f"/{key}/0/repodata/repomd.xml")
        status, body = ask(server, f"/{key}/0/Packages/x%26y.rpm")
        assert (status, b"bytes" in body) == (502, True)
        ((number, path, reason),) = json.loads(ask(server, f"/{key}/problems")[1])
        assert (number, path) == (0, "Packages/x&y.rpm")
        assert A in reason


# -- which repositories


def host(name="a", configuration=(), **changes):
    variables = {"basearch": "x86_64", "releasever": "9"}
    facts = PackageFacts(configuration=Known(PackageConfiguration("", tuple(configuration))), variables=Known(variables))
    return plan_host(Host(name, "192.0.2.1"), bare("9", package_facts=facts), Settings(**changes), Wishes())


def repository(identifier, *baseurls, **changes):
    return Repository(identifier, "", "/etc/yum.repos.d/x.repo", True, baseurls, **{"lists": (), **changes})


def test_the_repositories_of_a_plan_are_shared_in_the_words_of_the_host():
    parts = [
        repository("baseos", "https://c.example/$releasever/BaseOS/$basearch/"),
        repository("appstream", lists=("https://lists.example/?arch=$basearch",)),
        repository("odd", "https://c.example/$unknown/"),
        repository("template", "https://c.example/{{x}}"),
        repository("secret", "https://user:pass@c.example/x"),
        repository("unsigned", "https://c.example/x", gpgcheck=False),
        repository("local", "file:///media"),
    ]
    found = shares([host("a", parts), host("b", parts[:1])], "http://192.0.2.9:3128")
    docker = "https://download.docker.com/linux/centos/9/{}/stable"
    told = found.hosts["a"]
    first = found.sources[told[docker.format("$basearch")]]
    assert first.addresses[0] == docker.format("x86_64")
    assert first.proxy == "http://192.0.2.9:3128"
    base = found.sources[told["https://c.example/$releasever/BaseOS/$basearch"]]
    assert base == Source(("https://c.example/9/BaseOS/x86_64",))
    assert found.sources[told["https://lists.example/?arch=$basearch"]].lists == ("https://lists.example/?arch=x86_64",)
    assert found.hosts["b"].items() < told.items(), "hosts share what they have in common"
    assert {reason.partition(":")[0] for reason in found.reasons} == {"odd", "template", "secret", "unsigned", "local"}
    assert found.without([told[docker.format("$basearch")]])["b"] == {
        written: number for written, number in found.hosts["b"].items() if number != 0
    }


def test_hosts_without_packages_to_come_and_those_of_release_6_share_nothing():
    proven = replace(planned(), steps=(Step("proof", "", ""),))
    old = HostPlan(Host("old", "192.0.2.6"), bare("7"), (), (Step("engine", "", ""),), role="docker_legacy")
    found = shares([proven, old], "")
    assert found.hosts == {}
    assert found.reasons == {"release 6 downloads by itself": ["old"]}


def planned(name="a"):
    return plan_host(Host(name, "192.0.2.1"), bare("9"), Settings(), Wishes())


def test_a_tree_knows_of_it_only_if_it_is_wanted():
    made = {on: render(Plan((planned(),)), Settings(share_packages=on)).files["inventory/hosts.yml"] for on in (False, True)}
    assert "shared" not in made[False]
    assert "{{ docker_packages_shared | default({}) }}" in made[True]
    text = render_sharing({"a": {"https://c.example/$basearch": 3}}, 40000, 20001, "s3cret")
    assert "RemoteForward=127.0.0.1:20001 127.0.0.1:40000" in text
    assert "ExitOnForwardFailure=no" in text
    assert "https://c.example/$basearch: 3\n" in text


def test_a_fleet_larger_than_a_mirror_bears_waits_its_turn():
    hosts = Plan(tuple(planned(f"h{number}") for number in range(5)))
    assert "throttle" not in render(hosts, Settings()).files["site.yml"]
    assert "throttle: 2\n" in render(hosts, Settings(downloads=2)).files["site.yml"]
    assert "throttle" not in render(hosts, Settings(downloads=2, forks=2)).files["site.yml"]
