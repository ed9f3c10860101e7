"""Every way in that operations people have: key, sudo, passwords, odd ports, jump hosts. And who is kept out."""

import os
import pty
import subprocess
import sys
import time

import pytest

from tests.e2e.conftest import TOP


@pytest.fixture(scope="module")
def host(lab):
    made = lab.host("lo9", release=9, users={"ops": "nopasswd", "asks": "password", "plain": "none"})
    yield made
    made.remove()


def typed(pydock, arguments, *answers, timeout=600):
    """Run pydock on a terminal and type the answers when it asks; everything that was on the screen."""
    (pydock.directory / "pydock.yml").write_text(__import__("yaml").safe_dump(pydock.settings))
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "pydock_installer", *arguments],
        cwd=pydock.directory,
        env={**os.environ, "PYTHONPATH": str(TOP), "XDG_STATE_HOME": str(pydock.state), "TERM": "xterm"},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
        preexec_fn=lambda: __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0),
    )
    os.close(terminal)
    screen, waiting, deadline = b"", list(answers), time.monotonic() + timeout
    while time.monotonic() < deadline:
        try:
            piece = os.read(controller, 65536)
        except OSError:
            break
        screen += piece
        if waiting and waiting[0][0].encode() in screen:
            os.write(controller, waiting.pop(0)[1].encode() + b"\n")
    code = process.wait(timeout=30)
    os.close(controller)
    return code, screen.decode(errors="replace")


def state(pydock):
    """Everything that pydock wrote down, as one text."""
    return "".join(p.read_text(errors="replace") for p in pydock.state.rglob("*") if p.is_file())


def test_passwordless_sudo(host, pydock):
    done = pydock("install", "--json", "--yes", "--no-compilers", "-u", "ops", "lo9", check=0)
    assert done.host("lo9")["proof"]["hello_world"] is True


def test_sudo_that_asks_gets_its_password_once_and_keeps_it_nowhere(host, lab, pydock):
    blocked = pydock("plan", "--json", "-u", "asks", "lo9", check=3).host("lo9")
    assert "-K" in blocked["remedy"]
    host.run("systemctl stop docker.socket docker")
    code, screen = typed(
        pydock,
        ["install", "--yes", "--no-compilers", "-u", "asks", "-K", "lo9"],
        ("sudo password", lab.password),
    )
    assert code == 0, screen
    assert lab.password not in screen
    assert lab.password not in state(pydock)


def test_a_wrong_sudo_password_is_said_before_anything_changes(host, pydock):
    code, screen = typed(pydock, ["install", "--yes", "-u", "asks", "-K", "lo9"], ("sudo password", "not it"))
    assert code == 3
    assert "does not accept the password" in " ".join(screen.split())


def test_password_login(host, lab, pydock):
    host.run("systemctl stop docker.socket docker")
    config = pydock.directory / "no-keys"
    text = lab.ssh_config.read_text()
    config.write_text("\n".join(line for line in text.splitlines() if "Identit" not in line))
    pydock.settings["ssh"]["config"] = str(config)
    code, screen = typed(
        pydock, ["install", "--yes", "--no-compilers", "-u", "root", "-k", "lo9"], ("SSH password", lab.password)
    )
    assert code == 0, screen
    assert lab.password not in screen + state(pydock)


def test_a_user_without_sudo_is_told_so(host, pydock):
    assert "sudo" in pydock("plan", "--json", "-u", "plain", "lo9", check=3).host("lo9")["cause"]


def test_a_port_of_its_own(lab, pydock):
    host = lab.host("lp9", release=9, port=2222)
    try:
        assert pydock("plan", "--json", f"root@{host.address}:2222", check=0).document["hosts"][0]["status"] == "planned"
        done = pydock("install", "--json", "--yes", "--no-compilers", f"root@{host.address}:2222", check=0)
        assert done.document["hosts"][0]["proof"]["hello_world"] is True
        planned = pydock("plan", "--json", "lp9", check=0)
        assert planned.host("lp9")["status"] == "planned"
    finally:
        host.remove()


def test_a_host_behind_a_jump_host(host, lab, pydock):
    hidden = lab.host("lj9", release=9, address_only_via=host)
    try:
        done = pydock("install", "--json", "--yes", "--no-compilers", "lj9", check=0)
        assert done.host("lj9")["proof"]["hello_world"] is True
    finally:
        hidden.remove()


def test_an_unknown_host_key_is_refused_until_it_is_trusted_and_a_changed_one_always(lab, pydock):
    host = lab.host("lk9", release=9)
    try:
        known = pydock.directory / "known_hosts"
        config = pydock.directory / "ssh_config"
        config.write_text(lab.ssh_config.read_text().replace(str(lab.known_hosts), str(known)))
        pydock.settings["ssh"]["config"] = str(config)
        refused = pydock("plan", "--json", "lk9", check=4).host("lk9")
        assert "pydock trust" in refused["remedy"]
        assert "SHA256:" in refused["cause"]
        pydock("trust", "lk9", check=5)
        assert not known.exists() or not known.read_text()
        pydock("trust", "--yes", "lk9", check=0)
        pydock("plan", "lk9", check=0)
        host.rekey()
        for policy in ("strict", "accept-new"):
            changed = pydock("install", "--json", "--yes", "--host-key-policy", policy, "lk9", check=4).host("lk9")
            assert "changed" in changed["cause"].lower() or "another" in changed["cause"].lower()
        pydock("trust", "--yes", "lk9", check=4)
    finally:
        host.remove()
