"""What ships: built from the source distribution, installed outside the checkout, and used there."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from tests.lab import Lab

TOP = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
SHIPPED = {"pydock_installer": "pydock_installer", **{
    name: f"pydock_installer/_content/{name}" for name in ("playbooks", "roles", "templates")
}}  # fmt: skip


def run(*command, cwd, **environment):
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**{k: v for k, v in os.environ.items() if k != "PYTHONPATH"}, "LC_ALL": "C.UTF-8", **environment},
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """By way of the source distribution, as on an index."""
    out = tmp_path_factory.mktemp("dist")
    done = run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, TOP, cwd=out)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(out.glob("*.whl"))


@pytest.fixture(scope="session")
def installed(wheel, tmp_path_factory):
    """The wheel alone in a directory of its own; what it depends on comes from the test environment."""
    target = tmp_path_factory.mktemp("site")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps", "--no-index")
    done = run(*pip, "--target", target, wheel, cwd=target)
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture
def pydock(installed, tmp_path):
    def call(*arguments):
        program = [sys.executable, installed / "bin" / "pydock"]
        return run(*program, *arguments, cwd=tmp_path, PYTHONPATH=str(installed), XDG_STATE_HOME=str(tmp_path / "state"))

    return call


def tracked(name):
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", name, cwd=TOP).stdout
    return {path for path in listed.split("\0") if path and (TOP / path).exists()}


def test_the_wheel_holds_the_repository_s_files_and_nothing_else(wheel):
    wanted = {
        path.replace(source, target, 1) for source, target in SHIPPED.items() for path in tracked(source)
    }
    found = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert found == wanted


def test_the_command_works_outside_the_checkout(pydock, tmp_path):
    assert pydock("--version").stdout.startswith("pydock ")
    done = pydock("init")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "inventory" / "hosts.yml").exists()
    again = pydock("init")
    assert again.returncode == 2
    assert "already" in again.stderr


def test_the_shipped_playbooks_are_valid(installed, tmp_path):
    content = installed / "pydock_installer" / "_content"
    for playbook in sorted((content / "playbooks").glob("*.yml")):
        done = run(
            BIN / "ansible-playbook", "--syntax-check", "-i", "localhost,", playbook,
            cwd=tmp_path, ANSIBLE_ROLES_PATH=str(content / "roles"),
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_wheel_installs_a_host(pydock, tmp_path):
    """The whole job with nothing of the checkout in reach."""
    lab = Lab.up("wheel")
    try:
        lab.host("wh9", release=9)
        settings = {"repository_key": lab.key_fingerprint, "ssh": {"config": str(lab.ssh_config)}}
        (tmp_path / "pydock.yml").write_text(yaml.safe_dump(settings))
        done = pydock("install", "--yes", "--no-compilers", "wh9")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "hello-world ok" in done.stdout
    finally:
        lab.down()
