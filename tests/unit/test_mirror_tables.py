"""``pydock mirror`` on the terminal: what is alike is told once, hostile text is harmless, the exit code is true."""

import io
import json

import pytest

from pydock_installer.cli import main, mirror_tables
from pydock_installer.cli.console import Console
from pydock_installer.errors import UnreachableError
from pydock_installer.model.mirror import MirrorAnswer, MirrorState
from pydock_installer.registries.configured import Configured, MirrorSettings
from pydock_installer.workflows import mirror_test
from pydock_installer.workflows.mirror_test import HostMirrors
from tests.unit.command_line import EVIL, has_controls
from tests.unit.facts import bare

A, B = "https://a.example", "https://b.example"
GONE = UnreachableError("ssh-refused", "it refuses", "See that sshd runs.")


def seen(*answers, mirrors=(), engine="26.1.4", docker=True, problems=()):
    return HostMirrors(MirrorSettings(tuple(mirrors), engine, docker, tuple(problems)), answers, bare("9"))


def alive(url, seconds=0.5):
    return MirrorAnswer(url, MirrorState.ALIVE, seconds, "serves", latency=0.1)


def dead(url, detail="no answer in time (10 s)"):
    return MirrorAnswer(url, MirrorState.DEAD, 10.0, detail, "Take another one.")


def printed(text):
    out = io.StringIO()
    Console(no_color=True, stdout=out, stderr=io.StringIO()).result(text)
    return out.getvalue()


def test_hosts_that_are_served_alike_share_a_line():
    found = {f"h{n}": seen(alive(A, n / 10), dead(B, f"no answer in time ({n} s)")) for n in range(1, 10)}
    said = printed(mirror_tables.test_text(found))
    assert len([line for line in said.splitlines() if line.startswith(A)]) == 1
    assert len([line for line in said.splitlines() if line.startswith(f"dead  {B}  (all)")]) == 1
    assert "0.50 s" in said
    assert said.endswith(f"9 hosts: the best that can be used on all of them is {A}.\n")


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"h": seen(alive(A))}, f"1 host: the best that can be used is {A}."),
        ({"h": seen(alive(A), alive(B, 1))}, f"1 host: the best that can be used is {A}, then {B}."),
        ({"h": seen(dead(A))}, "1 host: no mirror can be used on h."),
        ({"h": seen(alive(A)), "i": seen(alive(B))}, "2 hosts: each can use some mirror, but there is none for all of them."),
        ({"h": GONE}, "1 host: none was reached."),
        ({"h": GONE, "i": seen(alive(B))}, f"2 hosts, 1 unreachable: the best that can be used is {B}."),
    ],
)  # fmt: skip
def test_one_sentence_closes_a_test(found, said):
    assert mirror_tables.summary(found) == said


def test_what_hosts_are_set_to_is_shown_with_where_and_whether_it_serves():
    has = [Configured(A, ("/etc/docker/daemon.json",), True), Configured(B, ("/etc/x.conf",), False)]
    found = {
        "h1": seen(alive(A), dead(B), mirrors=has),
        "h2": seen(alive(A), dead(B), mirrors=has),
        "bare": seen(engine=None, docker=False),
        "off": seen(engine=None),
        "gone": GONE,
    }
    said = printed(mirror_tables.show_text(found, tested=True))
    assert "h1, h2" in said
    assert "alive, 0.50 s" in said
    assert "not in effect" in said
    assert "no Docker" in said
    assert "not running" in said
    assert "gone unreachable: it refuses" in said


def test_hostile_text_paints_nothing():
    url = f"https://a.example/{EVIL}"
    answer = MirrorAnswer(url, MirrorState.DEAD, 1.0, f"evil {EVIL}\nh2 alive", f"do {EVIL}", proxy=EVIL)
    found = {
        f"h{EVIL}": seen(
            answer, MirrorAnswer(url + "2", MirrorState.ALIVE, 1.0), engine=EVIL, problems=(EVIL,),
            mirrors=[Configured(url, (EVIL,), True)],
        ),
        "gone": UnreachableError("x", EVIL, EVIL),
    }  # fmt: skip
    for text in (mirror_tables.test_text(found), mirror_tables.show_text(found, tested=True)):
        said = printed(text)
        assert not has_controls(said)
        assert "\u202e" not in said
        assert "\nh2 alive" not in said
    assert not has_controls(json.dumps(mirror_tables.document("mirror test", found, 1)))


@pytest.mark.parametrize(
    ("command", "found", "code"),
    [
        (("test", A), {"h": seen(alive(A)), "i": seen(dead(B), alive(A))}, 0),
        (("test", A), {"h": seen(alive(A)), "i": seen(dead(A))}, 1),
        (("test", A), {"h": seen(alive(A)), "i": GONE}, 4),
        (("test", A), {"h": seen(dead(A)), "i": GONE}, 1),
        (("show",), {"h": seen(dead(A), mirrors=[Configured(A, (), True)]), "i": seen(docker=False)}, 0),
        (("show",), {"h": seen(), "i": GONE}, 4),
    ],
)
def test_the_exit_code_tells_whether_each_host_is_served(command, found, code, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(mirror_test, "ask_mirrors", lambda *_, **__: found)
    assert main(["mirror", *command, "h", "i", "--json"]) == code
    made = json.loads(capsys.readouterr().out)
    assert (made["exit_code"], made["command"]) == (code, f"mirror {command[0]}")
    if command[0] == "show":
        assert [entry["url"] for entry in made["hosts"][0]["mirrors"]] == [m.url for m in found["h"].settings.mirrors]


def test_without_an_address_settings_and_the_shipped_list_are_asked(monkeypatch, tmp_path):
    from pydock_installer import registries

    asked = []
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pydock.yml").write_text(f"registry_mirrors: [{A}]\n")
    monkeypatch.setattr(
        mirror_test, "ask_mirrors", lambda _, urls, __, configured: asked.append((urls, configured)) or {"h": seen(alive(A))}
    )
    assert main(["mirror", "test", "h"]) == 0
    assert main(["mirror", "test", "h", B]) == 0
    assert asked == [((A, *registries.offered()), True), ((B,), False)]


def test_show_wants_hosts_and_test_at_most_as_many_addresses_as_it_asks(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["mirror", "show", A]) == 2
    assert f"pydock mirror test {A}" in capsys.readouterr().err
    assert main(["mirror", "test", "h", *(f"https://m{n}.example" for n in range(65))]) == 2
    assert "64 at a time" in capsys.readouterr().err
