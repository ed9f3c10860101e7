"""Which trouble of a connection is worth another try."""

import pytest

from pydock_installer import ssh
from pydock_installer.errors import UnreachableError
from pydock_installer.model import Host


@pytest.mark.parametrize(
    ("code", "tries"), [("ssh-refused", 3), ("ssh-banner", 3), ("ssh-lost", 3), ("auth", 1), ("changed-host-key", 1), ("ssh-name", 1)]
)
def test_only_trouble_that_may_pass_is_worth_another_try(monkeypatch, code, tries):
    seen, waits = [], []

    def refuse(*_):
        seen.append(1)
        raise UnreachableError(code, "no")

    monkeypatch.setattr(ssh, "_run_once", refuse)
    monkeypatch.setattr(ssh.time, "sleep", waits.append)
    with pytest.raises(UnreachableError) as end:
        ssh.run_script(Host("web1", "192.0.2.1"), ssh.SshOptions(retries=2), "true")
    assert (len(seen), len(waits)) == (tries, tries - 1)
    assert end.value.message == ("no (tried 3 times)" if tries > 1 else "no")


def test_a_host_that_was_silent_for_long_is_not_asked_again(monkeypatch):
    clock = iter((0.0, 10.0))
    monkeypatch.setattr(ssh.time, "monotonic", lambda: next(clock))

    def silent(*_):
        raise UnreachableError("ssh-no-answer", "silence")

    monkeypatch.setattr(ssh, "_run_once", silent)
    with pytest.raises(UnreachableError, match=r"^silence$"):
        ssh.run_script(Host("web1", "192.0.2.1"), ssh.SshOptions(timeout=10, retries=2), "true")
