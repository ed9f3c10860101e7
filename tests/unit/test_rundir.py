"""What is kept of a run on the disk: for its owner alone, written once, and read back as it was."""

import stat
from datetime import datetime, timezone

import pytest

from pydock_installer import rundir
from pydock_installer.errors import PydockError
from pydock_installer.model import HostStatus
from pydock_installer.report import to_json
from pydock_installer.state import private_files, state_directory
from tests.unit.reports import report


@pytest.fixture
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "pydock"


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def at(second):
    return datetime(2026, 1, 2, 3, 4, second, tzinfo=timezone.utc)


def test_a_run_is_for_its_owner_alone(state):
    run = rundir.create(rundir.new_id("install", at(5)), {"site.yml": "---\n", "roles/a/tasks/main.yml": "x"})
    rundir.save_report(run, {"command": "install"})
    assert run.parent == state / "runs"
    assert run.name.startswith("20260102-030405-install-")
    for path in [state, state / "runs", run, *run.rglob("*")]:
        assert mode(path) == (0o700 if path.is_dir() else 0o600), path
    assert (run / "roles/a/tasks/main.yml").read_text() == "x"


def test_what_is_written_meanwhile_is_for_its_owner_alone(tmp_path):
    with private_files():
        (tmp_path / "inside").write_text("x")
    (tmp_path / "after").write_text("x")
    assert mode(tmp_path / "inside") == 0o600
    assert mode(tmp_path / "after") != 0o600


@pytest.mark.parametrize("base", ["", "relative"])
def test_without_a_state_directory_the_home_is_used(monkeypatch, base):
    monkeypatch.setenv("XDG_STATE_HOME", base)
    monkeypatch.setenv("HOME", "/home/ops")
    assert str(state_directory()) == "/home/ops/.local/state/pydock"


def test_a_report_comes_back_as_it_was_saved(state):
    run = rundir.create(rundir.new_id("install", at(1)), {})
    document = to_json(report(HostStatus.OK, HostStatus.FAILED))
    rundir.save_report(run, document)
    assert rundir.load_report(run) == document


@pytest.mark.parametrize("text", [None, "", '{"hosts": [', "[]", "\udcff"])
def test_a_run_that_never_came_to_its_report_has_none(state, text):
    run = rundir.create(rundir.new_id("install", at(1)), {})
    if text is not None:
        (run / "report.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert rundir.load_report(run) is None


def test_a_run_is_written_once(tmp_path):
    rundir.write(tmp_path / "tree", {"a": "1"})
    with pytest.raises(PydockError, match="the run cannot be written to"):
        rundir.write(tmp_path / "tree", {"a": "2"})
    assert (tmp_path / "tree" / "a").read_text() == "1"


def test_a_run_that_cannot_be_written_is_told_with_a_way_out(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.raises(PydockError, match="the run cannot be written to") as caught:
        rundir.create(rundir.new_id("install"), {})
    assert "XDG_STATE_HOME" in caught.value.hint


def test_a_report_is_not_written_through_a_link(state, tmp_path):
    run = rundir.create(rundir.new_id("install", at(1)), {})
    (run / "report.json").symlink_to(tmp_path / "elsewhere")
    with pytest.raises((OSError, PydockError)):
        rundir.save_report(run, {})
    assert not (tmp_path / "elsewhere").exists()


def test_a_report_that_cannot_be_kept_is_told_in_a_sentence(tmp_path):
    with pytest.raises(PydockError):
        rundir.save_report(tmp_path / "gone", {"command": "install"})
