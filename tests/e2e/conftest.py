"""Real hosts. One lab for all workers; each test module has hosts of its own name."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from tests.lab import Lab

TOP = Path(__file__).resolve().parents[2]


@dataclass
class Result:
    """What a user would have: exit code, result, progress."""

    code: int
    stdout: str
    stderr: str

    @property
    def document(self):
        return json.loads(self.stdout)

    def host(self, name):
        return next(host for host in self.document["hosts"] if host["name"] == name)


@dataclass
class Pydock:
    """The command, run in a directory that holds a user's pydock.yml."""

    directory: Path
    settings: dict
    state: Path
    environment: dict = field(default_factory=dict)

    def __call__(self, *arguments, check=None, timeout=900, stdin=subprocess.DEVNULL):
        (self.directory / "pydock.yml").write_text(yaml.safe_dump(self.settings))
        done = subprocess.run(
            [sys.executable, "-m", "pydock_installer", *arguments],
            cwd=self.directory,
            env={**os.environ, "PYTHONPATH": str(TOP), "XDG_STATE_HOME": str(self.state), **self.environment},
            capture_output=True,
            text=True,
            timeout=timeout,
            stdin=stdin,
        )
        if check is not None:
            assert done.returncode == check, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr + done.stdout
        return Result(done.returncode, done.stdout, done.stderr)


@contextmanager
def running(pydock, *arguments):
    """An installation under way, as a user has it in another window."""
    (pydock.directory / "pydock.yml").write_text(yaml.safe_dump(pydock.settings))
    process = subprocess.Popen(
        [sys.executable, "-m", "pydock_installer", *arguments],
        cwd=pydock.directory,
        env={**os.environ, "PYTHONPATH": str(TOP), "XDG_STATE_HOME": str(pydock.state)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A test run in the background ignores Ctrl-C, and its children would inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def stranger(request, tmp_path_factory):
    """A certificate for the right name, the module's NAME, that nobody knows."""
    place, name = tmp_path_factory.mktemp("stranger"), request.module.NAME
    files = place / "ca.crt", place / "ca.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext",
         f"subjectAltName=DNS:{name}", "-out", files[0], "-keyout", files[1]], check=True, capture_output=True,
    )  # fmt: skip
    return files


@pytest.fixture(scope="session")
def lab():
    return Lab.up(os.environ.get("PYDOCK_LAB_NAME", "e2e"))


@pytest.fixture
def pydock(lab, tmp_path):
    directory = tmp_path / "work"
    directory.mkdir()
    settings = {
        "repository_key": lab.key_fingerprint,
        "registry_mirrors": [lab.registry_mirror],
        "ssh": {"config": str(lab.ssh_config)},
    }
    return Pydock(directory, settings, tmp_path / "state")
