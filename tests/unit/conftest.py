"""Property tests try the same examples in every run; ``HYPOTHESIS_PROFILE=search`` looks for new ones."""

import os
import socket

import pytest
from hypothesis import settings

settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture
def directory(tmp_path, monkeypatch):
    """An empty working directory without a network: whoever connects fails the test."""

    def connect(*_, **__):
        raise AssertionError("something was contacted")

    for name in [name for name in os.environ if name.startswith(("PYDOCK_", "TTY_"))]:
        monkeypatch.delenv(name)
    for name in ("FORCE_COLOR", "NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", connect)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"
