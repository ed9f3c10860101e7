"""``pydock trust``: which keys are offered, and which are an alarm. The keys that hosts show are made up."""

import base64

import pytest

from pydock_installer import ssh
from pydock_installer.model import Host
from pydock_installer.settings import Settings
from pydock_installer.workflows.trust import offers


def key(kind, letter):
    text = kind.encode()
    return ssh.HostKey(kind, base64.b64encode(len(text).to_bytes(4, "big") + text + letter * 32).decode())


ED, OTHER_ED = key("ssh-ed25519", b"a"), key("ssh-ed25519", b"b")
ECDSA, RSA = key("ecdsa-sha2-nistp256", b"c"), key("ssh-rsa", b"d")


@pytest.mark.parametrize(
    ("known", "shown", "new", "alarm"),
    [
        ([], [ED, ECDSA, RSA], [ED, ECDSA, RSA], False),
        # ssh itself keeps the one key that it saw.
        ([ED], [ED, ECDSA, RSA], [], False),
        ([ED, RSA], [ED, ECDSA, RSA], [], False),
        ([ED], [OTHER_ED, ECDSA], [], True),
        ([ED], [ECDSA, RSA], [], True),
        ([ED, RSA], [OTHER_ED, RSA], [], True),
    ],
)
def test_keys_beside_a_known_one_are_no_alarm_and_another_host_is(tmp_path, monkeypatch, known, shown, new, alarm):
    (tmp_path / "known_hosts").write_text("".join(f"192.0.2.1 {k.type} {k.base64}\n" for k in known))
    (tmp_path / "config").write_text(f"Host *\n  UserKnownHostsFile {tmp_path}/known_hosts\n  GlobalKnownHostsFile none\n")
    monkeypatch.setattr(ssh, "fetch_host_keys", lambda *_: shown)
    (offer,) = offers((Host("web", "192.0.2.1"),), Settings(ssh={"config": str(tmp_path / "config")}))
    assert (list(offer.new), bool(offer.problem)) == (new, alarm)
