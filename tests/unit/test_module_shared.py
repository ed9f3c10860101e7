"""What a host does with an offer of shared packages: its repositories led there for one transaction, and nothing else."""

import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.unit.modules import library
from tests.unit.test_module_packages_ensure import LISTED, EndedError, StandIn, packages
from tests.unit.test_modules import run_old

shared, archive = library("pydock_shared"), library("pydock_archive")
HERE = "http://127.0.0.1:20001/word"
FILE = """# mine
[baseos]
name=Base
baseurl=https://c.example/$releasever/
        https://d.example/$releasever/
mirrorlist=https://lists.example/
gpgcheck=1
gpgkey=file:///key
proxy=http://192.0.2.1:3128
exclude=kernel*

[off]
baseurl=https://e.example/
enabled=0
"""
SOURCES = {"https://c.example/$releasever": 4, "http://vault.centos.org/7.9.2009/": 5}


def test_a_shared_repository_leads_to_the_controller_and_keeps_all_else():
    text, found = shared.redirected(FILE, SOURCES, HERE, False)
    assert found == ["baseos"]
    base, off = (section for section in archive.sections(text) if section.id)
    assert base.addresses() == [HERE + "/4/"]
    for name in ("mirrorlist", "metalink"):
        assert not base.option(name)
    assert [line.strip() for _number, line in base.option("proxy")] == ["proxy=_none_"]
    assert "exclude=kernel*\n" in base.lines
    assert "gpgcheck=1\n" in base.lines
    assert "".join(off.lines) == FILE[FILE.index("[off]") :]
    assert text.startswith("# mine\n")


def test_an_archive_stands_for_all_below_it():
    text = "[base]\nbaseurl=http://vault.centos.org/7.9.2009/os/$basearch/\ngpgcheck=1\n"
    assert HERE + "/5/os/$basearch/\n" in shared.redirected(text, SOURCES, HERE, False)[0]


@pytest.mark.parametrize(
    "more",
    ["gpgcheck=0\n", "gpgcheck=1\nusername=me\n", "gpgcheck=1\nsslclientcert=/etc/pki/x.pem\n", ""],
)
def test_what_is_not_signed_or_takes_credentials_stays_as_it_is(more):
    text = "[x]\nbaseurl=https://c.example/$releasever\n" + more
    assert shared.redirected(text, SOURCES, HERE, False) == (text, [])


def test_where_main_has_signatures_checked_a_section_need_not_say_so():
    text = "[x]\nbaseurl=https://c.example/$releasever\n"
    assert shared.redirected(text, SOURCES, HERE, True)[1] == ["x"]


class Somebody(BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.server.answer(self.path).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *arguments):
        pass


@pytest.fixture
def somebody():
    server = HTTPServer(("127.0.0.1", 0), Somebody)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_only_the_controller_is_believed(somebody):
    from pydock_installer.sharing.server import proof, word

    mine = shared.Shared(somebody.server_port, "secret", {"https://c.example/9": 4})
    seen = []

    def answer(path):
        seen.append(path)
        return proof("secret", path.rpartition("/")[2])

    somebody.answer = answer
    assert mine.answers() is True
    assert mine.word == word("secret")
    somebody.answer = lambda path: seen.append(path) or path.rpartition("/")[2]
    assert mine.answers() is False
    assert not [path for path in seen if mine.word in path or "secret" in path], "a stranger learns nothing"
    somebody.answer = lambda path: json.dumps([[4, "x", "why"], [5, "y", "not mine"]])
    assert mine.problems() == ["why"]
    somebody.answer = lambda path: "{"
    assert mine.problems() == []


def test_nobody_there_is_no_failure():
    assert shared.Shared(1, "secret", {}).answers() is False


def test_yums_words_have_the_addresses_that_people_know():
    mine = shared.Shared(20001, "secret", {"https://c.example/9": 4})
    said = mine.readable(f"Status code: 502 for {mine.address}/4/x.rpm and {mine.address}/7/y")
    assert "https://c.example/9/x.rpm" in said
    assert mine.word not in said


def test_no_proxy_stands_before_the_hosts_own_port():
    assert shared.without_proxy({"no_proxy": "a.example"}) == {"no_proxy": "a.example,127.0.0.1", "NO_PROXY": "127.0.0.1"}


def test_python_2_7_says_the_same():
    body = f"""
from ansible.module_utils import pydock_shared as shared
print(json.dumps([shared.Shared(1, u"secret", {{u"x": 4}}).word, shared.redirected({FILE!r}, {SOURCES!r}, {HERE!r}, False)]))
"""
    assert run_old(body) == [shared.Shared(1, "secret", {}).word, list(shared.redirected(FILE, SOURCES, HERE, False))]


def test_what_yum_is_told_lies_in_a_place_of_its_own(tmp_path, monkeypatch):
    (tmp_path / "repos").mkdir()
    (tmp_path / "repos/a.repo").write_text(FILE)
    (tmp_path / "main").write_text("[main]\ngpgcheck=1\n")
    monkeypatch.setattr(shared, "DIRECTORIES", (str(tmp_path / "repos"),))
    monkeypatch.setattr(shared, "MAIN", (str(tmp_path / "main"),))
    monkeypatch.setattr(shared, "PLACE", str(tmp_path))
    repos, cache = shared.Shared(20001, "secret", SOURCES).options()
    place = Path(repos.partition("=reposdir=")[2])
    assert "http://127.0.0.1:20001/" in (place / "a.repo").read_text()
    assert place.parent.stat().st_mode & 0o777 == 0o700
    assert Path(cache.partition("=cachedir=")[2]).parent == place.parent
    assert (tmp_path / "repos/a.repo").read_text() == FILE
    (tmp_path / "main").write_text("[main]\ngpgcheck=1\nreposdir=/srv/repos\n")
    assert shared.Shared(20001, "secret", SOURCES).options() is None


def test_what_a_killed_run_left_is_taken_away_once_nobody_can_need_it(tmp_path, monkeypatch):
    monkeypatch.setattr(shared, "PLACE", str(tmp_path))
    for pid in (os.getpid(), 99999999):
        (tmp_path / f"pydock-shared-{pid}-x").mkdir()
    shared.clear_up()
    assert len(list(tmp_path.iterdir())) == 2, "yum may outlive its run for a while"
    shared.clear_up(time.time() + 90000)
    assert [path.name for path in tmp_path.iterdir()] == [f"pydock-shared-{os.getpid()}-x"]


class Offer:
    """A controller as a host sees it: whether it answers each time it is asked."""

    def __init__(self, answers, problems=()):
        self.given, self.told = list(answers), list(problems)

    def __call__(self, **offer):
        return self

    def answers(self):
        return self.given.pop(0) if self.given else True

    def options(self):
        return ["--setopt=reposdir=/there"]

    def problems(self):
        return self.told

    def readable(self, text):
        return text


class Host(StandIn):
    """A bare host that is offered shared packages; ``broken``: how many transactions bring nothing."""

    def __init__(self, broken=0):
        super().__init__({}, LISTED, shared={"port": 1}, version="26")
        self.run_command_environ_update, self.broken = {}, broken

    def run_command(self, command, **how):
        if "install" in command and self.broken:
            self.broken -= 1
            self.commands.append(list(command))
            return 1, "", "Status code: 502"
        return super().run_command(command, **how)

    def exit_json(self, **result):
        raise EndedError("done", result["steps"][-1]["detail"], "")

    def last(self):
        return next(command for command in reversed(self.commands) if "install" in command)


@pytest.fixture
def offered(monkeypatch):
    def offer(*given, **told):
        monkeypatch.setattr(packages, "Shared", Offer(given, **told))
        monkeypatch.setattr(packages, "pause", lambda attempt: 0)

    return offer


def test_packages_come_through_the_controller_and_the_step_says_so(offered):
    offered(True)
    host = Host()
    assert host.outcome()[1].endswith("; through the controller")
    assert "--setopt=reposdir=/there" in host.last()
    assert host.params["shared"] == ["port"], "no secret is repeated in the result"
    assert "127.0.0.1" in host.run_command_environ_update["no_proxy"]


@pytest.mark.parametrize(("answers", "broken"), [([False], 0), ([True, False], 1)])
def test_a_host_that_does_not_get_there_fetches_by_itself(offered, answers, broken):
    """From the start, as where sshd forbids forwarding, or half-way."""
    offered(*answers)
    host = Host(broken)
    assert "; downloaded by itself: " in host.outcome()[1]
    assert "--setopt=reposdir=/there" not in host.last()


def test_what_the_controller_has_not_got_is_the_cause(offered):
    offered(problems=["https://c.example/x.rpm: its sum is not the one"])
    kind, code, message = Host(broken=9).outcome()
    assert (kind, code) == ("failed", "not-shared")
    assert "https://c.example/x.rpm: its sum" in message
