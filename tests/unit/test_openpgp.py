"""Fingerprints from a key's text: those that gpg prints, and none for what is broken."""

import base64
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pydock_installer.openpgp import fingerprints

# Made with gpg for this test, with a subkey; the fingerprint is the one that gpg tells.
EXPORTED = """-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawYtqRYJKwYBBAHaRw8BAQdAnRJmzVXS+4oNVpRgqBxHY2It8i4yw5YMkPvm
qLwefoa0GUV4YW1wbGUgPGtleUBleGFtcGxlLmNvbT6IkAQTFggAOBYhBPTPfAiz
S+yar1OhhFxfynSn8klnBQJrBi2pAhsDBQsJCAcCBhUKCQgLAgQWAgMBAh4BAheA
AAoJEFxfynSn8klnvsgBAK6g8bJqDChCWasnExabm7mXo4R8SmCPQrT0iGKkAojt
AP9tf/CQoyfgPZyPiVGguNytQtoUpw4Ds/t1lobVoNnWBLg4BGsGLakSCisGAQQB
l1UBBQEBB0AguCUT5KafqIksAPtrfcLJNw7qgK9Wx80IXwcDE01ZewMBCAeIeAQY
FggAIBYhBPTPfAizS+yar1OhhFxfynSn8klnBQJrBi2pAhsMAAoJEFxfynSn8kln
avwA/3HI+LKCDtc6RnQY9oUp4FESvoHYL60pElbXYgLkN1f8AP95bW5tDfogDjpV
DaQqJxWLCpfu0H9dtQBHmWWfYLLHDw==
=2wie
-----END PGP PUBLIC KEY BLOCK-----
"""
EXPORTED_FINGERPRINT = "F4CF7C08B34BEC9AAF53A1845C5FCA74A7F24967"


def packet(tag, body, new):
    if new:
        size = len(body)
        length = bytes([size]) if size < 192 else bytes([((size - 192) >> 8) + 192, (size - 192) & 255])
        return bytes([0xC0 | tag]) + (length if size < 8384 else b"\xff" + size.to_bytes(4, "big")) + body
    return bytes([0x80 | tag << 2 | 1]) + len(body).to_bytes(2, "big") + body


def armoured(data, header="Version: any\n"):
    text = base64.b64encode(data).decode()
    lines = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return f"-----BEGIN PGP PUBLIC KEY BLOCK-----\n{header}\n{lines}\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n"


def expected(body):
    return hashlib.sha1(b"\x99" + len(body).to_bytes(2, "big") + body).hexdigest().upper()


KEY = st.binary(max_size=9000).map(lambda rest: b"\x04" + rest)
OTHER = st.tuples(st.sampled_from([2, 13, 14]), st.binary(max_size=300))


@given(KEY, st.lists(OTHER, max_size=4), st.booleans(), st.sampled_from(["", "Version: any\n", "Comment: a\nHash: b\n"]))
@settings(max_examples=60, deadline=None)
def test_the_primary_key_is_told_whatever_packets_follow(body, others, new, header):
    """User IDs, signatures and subkeys (tag 14) have no say."""
    data = packet(6, body, new) + b"".join(packet(tag, rest, new) for tag, rest in others)
    assert fingerprints(armoured(data, header)) == (expected(body),)


@given(KEY, st.data())
@settings(max_examples=40, deadline=None)
def test_a_key_that_is_cut_off_has_no_fingerprint(body, data):
    whole = packet(6, body, new=False)
    assert fingerprints(armoured(whole[: data.draw(st.integers(1, len(whole) - 1))])) == ()


def test_a_key_that_gpg_exported():
    assert fingerprints(EXPORTED) == (EXPORTED_FINGERPRINT,)
    assert fingerprints("<html>\r\n" + EXPORTED.replace("\n", "\r\n")) == (EXPORTED_FINGERPRINT,)
    assert fingerprints(EXPORTED * 2) == (EXPORTED_FINGERPRINT,) * 2


@given(st.text(max_size=400))
@settings(max_examples=60, deadline=None)
def test_what_is_no_key_has_no_fingerprint(text):
    assert fingerprints(text) == ()
    assert fingerprints(f"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n\u00e9{text}\n-----END PGP PUBLIC KEY BLOCK-----\n") == ()


@pytest.mark.parametrize("version", [3, 5, 6])
def test_only_keys_of_version_4_are_read(version):
    assert fingerprints(armoured(packet(6, bytes([version, 1, 2]), new=False))) == ()
