"""The next package mirror: whose fault a failure is, and what becomes of the repository file."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from pydock_installer.repository import repository
from tests.unit.modules import library

mirrors, host = library("pydock_package_mirror"), library("pydock_host")
CASES = Path(__file__).resolve().parents[1] / "data" / "diagnosis"
NAMES = ["docker-ce", "docker-ce-cli", "containerd.io"]
A, B, C = (repository(name, "centos/9").baseurl for name in ("official", "aliyun", "tuna"))


def message(case):
    return yaml.safe_load((CASES / f"{case}.yml").read_text())["message"]


GIVEN_UP = "\nError downloading packages:\n  3:docker-ce-26.1.4-1.el7.x86_64: [Errno 256] No more mirrors to try.\n"


@pytest.mark.parametrize(
    ("said", "lost", "why"),
    [
        (message("package-404-dnf"), ["docker-ce"], "answered 404 for docker-ce"),
        (message("package-404-yum3"), ["docker-ce"], "answered 404 for docker-ce"),
        (message("package-damaged-yum3") + GIVEN_UP, ["docker-ce"], "sent docker-ce damaged"),
        ("Curl error (18): Transferred a partial file for https://m/x.rpm\n  Cannot download Packages/containerd.io-1.6.33-1.rpm: "
         "All mirrors were tried", ["containerd.io"], "cut docker-ce short"),
        ("  Cannot download Packages/docker-ce-cli-26.1.3-1.el9.x86_64.rpm: All mirrors were tried", ["docker-ce-cli"], "did not hand out docker-ce"),
        ("[MIRROR] docker-ce-20.10.24-3.el9.x86_64.rpm: Interrupted by header callback: Inconsistent server data\n"
         "[FAILED] docker-ce-20.10.24-3.el9.x86_64.rpm: No more mirrors to try - All mirrors were already tried without success",
         ["docker-ce"], "cut docker-ce short"),
        # Not the mirror of Docker's packages.
        (GIVEN_UP.replace("docker-ce", "gcc"), [], "did not hand out docker-ce"),
        ("  Cannot download gcc-docker-ce-1.rpm: All mirrors were tried", [], "did not hand out docker-ce"),
        # Another one gave it after all.
        ("[MIRROR] docker-ce-26.1.3-1.el8.x86_64.rpm: Status code: 404 for https://m/docker-ce-26.1.3-1.rpm", [], "answered 404 for docker-ce"),
        # Whoever signed it: no other mirror mends that.
        (message("package-key-dnf") + GIVEN_UP, [], "did not hand out docker-ce"),
        (message("package-key-yum3") + GIVEN_UP, [], "did not hand out docker-ce"),
    ],
)  # fmt: skip
def test_what_a_failure_says_of_the_mirror(said, lost, why):
    assert mirrors.not_served(said, NAMES) == lost
    assert mirrors.reason(said, NAMES[:1]) == why


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Mirrors of a host with pydock's file, of which A is in it; ``dead`` do not answer."""
    path = tmp_path / "docker-ce.repo"
    path.write_text(repository("official", "centos/9").content)
    entries, dead = [], set()
    monkeypatch.setattr(mirrors, "note", lambda action, **facts: entries.append({"action": action, **facts}))
    monkeypatch.setattr(
        mirrors, "note_file",
        lambda file, backup: entries.append({"action": "replaced", "file": file, "backup": backup, "sha256": host.sha256(file)}),
    )  # fmt: skip
    monkeypatch.setattr(mirrors, "fetch", lambda _m, url, *_: (22 if any(url.startswith(d[:25]) for d in dead) else 0, ""))
    module = SimpleNamespace(tmpdir=str(tmp_path), atomic_move=lambda new, old: Path(new).replace(old))
    return SimpleNamespace(
        mirrors=mirrors.Mirrors(module, str(path), [A, B, C]), path=path, entries=entries, dead=dead, module=module
    )


def test_the_file_goes_from_mirror_to_mirror_and_the_journal_can_take_it_back(made):
    first = {"action": "created", "file": str(made.path), "sha256": host.sha256(str(made.path))}
    assert made.mirrors.next(message("package-404-dnf"), NAMES)
    assert made.path.read_text() == repository("aliyun", "centos/9").content, "as a plan that keeps it would write it"
    assert made.mirrors.told() == "; from mirrors.aliyun.com, because download.docker.com answered 404 for docker-ce"
    assert made.mirrors.next(message("package-404-dnf"), NAMES)
    assert made.path.read_text() == repository("tuna", "centos/9").content
    backups = [entry.get("backup") for entry in made.entries]
    sums = {p: host.sha256(p) for p in [str(made.path), *backups] if p and host.sha256(p)}
    assert [one["backup"] for one in host.restorable([first, *made.entries], sums)] == [None], "pydock's own file is nothing to give back"
    assert not made.mirrors.next(message("package-404-dnf"), NAMES)
    assert made.path.read_text() == repository("official", "centos/9").content
    assert "mirrors.tuna.tsinghua.edu.cn answered 404 for docker-ce" in made.mirrors.tried()
    assert [p.name for p in made.path.parent.iterdir()] == ["docker-ce.repo"]


def test_one_that_does_not_answer_is_passed_over(made):
    made.dead.add(B)
    assert made.mirrors.next(message("package-404-dnf"), NAMES)
    assert C in made.path.read_text()
    assert "mirrors.aliyun.com did not answer" in made.mirrors.tried()


def test_a_file_of_somebody_elses_is_left_alone(made):
    made.path.write_text(made.path.read_text().partition("\n")[2])
    before = made.path.read_text()
    assert not made.mirrors.next(message("package-404-dnf"), NAMES)
    assert made.path.read_text() == before
    assert mirrors.renamed("# Managed by pydock.\nbaseurl=a\nbaseurl=b\n", "x") is None
    assert not mirrors.Mirrors(made.module, "/none", [A]).next(message("package-404-dnf"), NAMES)
