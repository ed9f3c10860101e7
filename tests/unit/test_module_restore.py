"""docker_restore and docker_daemon's undo: what they do to a stand-in for a host, and what they leave."""

import json
import re
from functools import partial
from pathlib import Path

import pytest

from tests.unit.modules import library, load

former, pydock_host = library("pydock_daemon_former"), library("pydock_host")
restore = load("docker_restore")


class EndedError(Exception):
    """A module's end; its result."""


class Host:
    """A host as the modules see it: programs that answer, files below a directory, a journal."""

    def __init__(self, path, monkeypatch):
        self.path, self.files, self.tmpdir = path, path / "files", str(path)
        self.files.mkdir()
        self.book = str(path / "lib/journal.jsonl")
        self.programs, self.said, self.check_mode, self._diff = {}, [], False, False
        monkeypatch.setattr(former, "note", partial(pydock_host.note, path=self.book))
        monkeypatch.setattr(former, "journal", partial(pydock_host.journal, self.book))
        monkeypatch.setattr(former, "note_file", self.note_file)
        monkeypatch.setattr("time.sleep", lambda _seconds: None)

    def note_file(self, path, backup):
        action, more = ("replaced", {"backup": backup}) if backup else ("created", {})
        pydock_host.note(action, self.book, file=path, sha256=pydock_host.sha256(path), **more)

    def write(self, name, text):
        """As pydock writes a file: with a backup, and a line in the journal."""
        path = self.files / name
        backup = pydock_host.back_up(str(path)) if path.exists() else None
        path.write_text(text)
        self.note_file(str(path), backup)
        return path

    def run_command(self, command, **_):
        words = command[4:] if list(command[4:5]) == ["docker"] else command  # timeout -k 5 SECONDS docker ...
        self.said.append(" ".join(words))
        for pattern, answer in self.programs.items():
            if re.match(pattern, self.said[-1]):
                return answer(self.said[-1]) if callable(answer) else answer
        return 0, "", ""

    def atomic_move(self, source, target):
        Path(source).replace(target)

    def exit_json(self, **result):
        raise EndedError(result)

    fail_json = exit_json

    def ends(self, work):
        with pytest.raises(EndedError) as end:
            work()
        (result,) = end.value.args
        return result

    def entries(self, action):
        return [entry for entry in pydock_host.journal(self.book) if entry["action"] == action]


@pytest.fixture
def host(tmp_path, monkeypatch):
    return Host(tmp_path, monkeypatch)


# -- the engine's settings

ANSWER = '20.10.24 {} false {}'
UNIT = "LoadState=loaded\nActiveState=active\nUnitFileState=enabled\nMainPID=0\nFragmentPath=\nDropInPaths=\n"


def engine(host, monkeypatch, containers=0, unit=UNIT):
    """An engine that takes its mirrors from the file at a reload, as long as they are named there, or at a restart."""
    path, seen = host.files / "daemon.json", []
    state = {"mirrors": []}

    def load_file(_command, restart=False):
        settings = json.loads(path.read_text()) if path.exists() else {}
        seen.append(settings)
        if restart or "registry-mirrors" in settings:
            state["mirrors"] = settings.get("registry-mirrors", [])
        state["broken"] = settings.get("log-driver") == "nonsense"
        return 0, "", ""

    def info(_command):
        mirrors = json.dumps([f"{mirror}/" for mirror in state["mirrors"]])
        return (1, "", "") if state["broken"] else (0, ANSWER.format(containers, mirrors), "")

    host.programs = {
        "systemctl show": lambda _: (0, unit.replace("=active", "=failed") if state["broken"] else unit, ""),
        "docker info": info,
        "dockerd --version": (0, "Docker version 20.10.24, build x", ""),
        "docker ps": (0, "abc\n" * containers, ""),
        "docker inspect": (0, "abc /web no\n" * containers, ""),
        "timeout .* reload docker": load_file,
        "timeout .* (re)?start docker": partial(load_file, restart=True),
    }
    load_file("", restart=True)
    monkeypatch.setattr(former, "DROPINS", str(host.files / "docker.service.d"))
    return seen


def undo(host, **options):
    host.params = {"path": str(host.files / "daemon.json"), "start_timeout": 1, "restart": False, "force": False, **options}
    return host.ends(former.Former(host, {}).ensure)


MIRRORS = '{"registry-mirrors": ["https://m.example"]}'


def test_a_file_that_pydock_made_goes_and_the_running_engine_forgets_its_mirrors(host, monkeypatch):
    path = host.write("daemon.json", MIRRORS)
    seen = engine(host, monkeypatch, containers=1)
    done = undo(host)
    assert [(s["name"], s["status"], s["detail"]) for s in done["steps"]] == [
        ("settings", "changed", "daemon.json removed"), ("service", "changed", "reloaded, docker 20.10.24"),
    ]  # fmt: skip
    assert not path.exists()
    assert seen[-1] == {"registry-mirrors": []}, "a key that is gone would keep its value"
    assert not [said for said in host.said if "restart" in said]
    (kept,) = [entry["kept"] for entry in host.entries("restored")]
    assert Path(kept).read_text() == MIRRORS
    assert undo(host)["changed"] is False


def test_a_file_comes_back_to_the_byte_and_its_backup_goes(host, monkeypatch):
    (host.files / "daemon.json").write_text('{ "debug" : true}')
    path = host.write("daemon.json", '{"debug": true, "log-level": "warn"}')
    engine(host, monkeypatch)
    done = undo(host)
    assert path.read_text() == '{ "debug" : true}'
    assert [step["detail"] for step in done["steps"]] == ["daemon.json put back", "restarted, docker 20.10.24"]
    assert not Path(host.entries("replaced")[0]["backup"]).exists()


def test_containers_stop_only_with_a_word(host, monkeypatch):
    path = host.write("daemon.json", '{"log-level": "warn"}')
    engine(host, monkeypatch, containers=1)
    refused = undo(host)
    assert refused["code"] == "restart-needed"
    assert "for log-level, and web would stop" in refused["msg"]
    assert path.read_text() == '{"log-level": "warn"}'
    assert undo(host, restart=True)["changed"] is True
    assert not path.exists()


@pytest.mark.parametrize("ours", ['{"log-level": "warn"}', MIRRORS])
def test_an_engine_that_does_not_come_up_keeps_what_it_has(host, monkeypatch, ours):
    """By a restart, and by a reload on the way."""
    (host.files / "daemon.json").write_text('{"log-driver": "nonsense"}' if "log-level" in ours else '{"debug": true}')
    path = host.write("daemon.json", ours if "log-level" in ours else '{"debug": true, ' + MIRRORS[1:])
    before = path.read_text()
    engine(host, monkeypatch)
    if "mirrors" in ours:
        host.programs["timeout .* reload docker"] = (1, "", "")
    failed = undo(host)
    assert failed["code"] == "settings-rolled-back"
    assert "did not accept the former" in failed["msg"]
    assert path.read_text() == before
    entries = pydock_host.journal(host.book)
    (still,) = pydock_host.restorable(entries, pydock_host.sums_of(entries))
    assert (still["problem"], still["backup"]) == ("", host.entries("replaced")[0]["backup"])


def test_what_somebody_changed_since_is_left_and_told(host, monkeypatch):
    path = host.write("daemon.json", "{}")
    path.write_text('{"labels": ["mine"]}')
    engine(host, monkeypatch)
    done = undo(host)
    assert (done["changed"], done["left"]) == (False, [f"{path} (it was changed since)"])
    assert undo(host, force=True)["changed"] is True
    assert "mine" in Path(host.entries("restored")[-1]["kept"]).read_text()


def test_a_drop_in_goes_with_a_restart_and_an_engine_that_is_down_stays_down(host, monkeypatch):
    (host.files / "docker.service.d").mkdir()
    path = host.write("docker.service.d/pydock-proxy.conf", "[Service]\n")
    engine(host, monkeypatch)
    done = undo(host)
    assert done["steps"][-1]["detail"] == "restarted, docker 20.10.24"
    assert not path.exists()
    assert host.said.index("systemctl daemon-reload") < next(i for i, said in enumerate(host.said) if "restart" in said)

    host.write("daemon.json", MIRRORS)
    host.said.clear()
    engine(host, monkeypatch, unit=UNIT.replace("=active", "=inactive"))
    assert [step["name"] for step in undo(host)["steps"]] == ["settings"]
    assert not [said for said in host.said if said.startswith("timeout")]


# -- packages and repository files

LISTED = "Available Packages\npodman.x86_64 2:4.6.1-3.el8 base\nrunc.x86_64 1:1.1.13-1.el8 base\n"


def packages(host, listed=(0, LISTED, ""), there=(), refused=()):
    """rpm and yum of a host; ``refused``: names that yum does not install."""
    present = set(there)

    def rpm(command):
        return 0, "".join(f"{name}\n" for name in sorted(present) if name in command.split()), ""

    def everything(_command):
        return 0, "".join(f"{name}-1-1.x\n" for name in sorted(present)), ""

    def install(command):
        names = [re.sub(r"-[^-]+-[^-]+$", "", word) for word in command.partition(" install ")[2].split()]
        if set(names) & set(refused):
            return 1, "", "conflicts with something"
        present.update(names)
        return 0, "", ""

    host.programs = {"rpm -qa": everything, "rpm -q": rpm, ".*yum .*list": listed, ".*yum .*install": install}


def bring_back(host, **options):
    host.params = {
        "only": ["packages", "repositories"], "files": [], "packages": [], "force": False, "journal": host.book,
        "directory": str(host.files), "lock_timeout": 0, **options,
    }  # fmt: skip
    return host.ends(restore.Restore(host).ensure)


def removed(host, *names):
    pydock_host.note("removed", host.book, packages=list(names))


@pytest.fixture
def without_podman(host):
    removed(host, "podman-4.6.1-3.el8.x86_64", "runc-1.1.12-1.el8.x86_64", "docker-1.13.1-1.el7.x86_64")
    return host


def test_packages_come_back_and_what_cannot_is_told(without_podman):
    host = without_podman
    packages(host)
    done = bring_back(host)
    assert done["steps"][0]["detail"] == "podman 4.6.1, runc 1.1.13 (was 1.1.12); docker: no repository has it"
    assert done["left"] == ["docker: no repository has it"]
    assert next(said for said in host.said if " install " in said).endswith("install podman-4.6.1-3.el8 runc-1.1.13-1.el8")
    assert host.entries("restored")[0]["packages"] == ["podman-1-1.x", "runc-1-1.x"]
    again = bring_back(host)
    assert (again["changed"], again["left"]) == (False, ["docker: no repository has it"])


def test_packages_wait_for_docker_to_go(without_podman):
    packages(without_podman, there=("containerd.io",))
    done = bring_back(without_podman)
    assert (done["changed"], done["left"]) == (False, ["docker, podman, runc: in the way is containerd.io"])


def test_one_that_yum_refuses_does_not_keep_back_the_others(without_podman):
    host = without_podman
    packages(host, refused=("runc",))
    failed = bring_back(host)
    assert (failed["code"], failed["evidence"]) == ("restore-failed", "conflicts with something")
    assert "did not install runc;" in failed["msg"]
    assert host.entries("restored")[-1]["packages"] == ["podman-1-1.x"]


def test_dead_repositories_are_told_and_files_come_back_all_the_same(without_podman):
    host = without_podman
    packages(host, listed=(1, "", "Could not resolve host: mirrorlist.centos.org"))
    (host.files / "CentOS-Base.repo").write_text("old")
    path = host.write("CentOS-Base.repo", "new")
    failed = bring_back(host)
    assert (failed["code"], failed["changed"]) == ("no-metadata", True)
    assert path.read_text() == "old"


def test_a_repository_file_that_was_changed_fails_and_one_that_pydock_made_stays(host):
    packages(host)
    made = host.write("docker-ce.repo", "ours")
    assert bring_back(host)["changed"] is False
    assert made.read_text() == "ours"
    made.write_text("mine")
    host.write("docker-ce.repo", "ours again").write_text("mine again")
    failed = bring_back(host)
    assert failed["code"] == "restore-failed"
    assert "it was changed since" in failed["msg"]
    assert bring_back(host, force=True)["changed"] is True
    assert made.read_text() == "mine"
