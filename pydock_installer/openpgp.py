"""The fingerprint of a public key, from its text alone: what ``gpg --show-keys`` would print. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

#: A v4 public-key packet (RFC 4880, 4.3, 5.5.2).
PUBLIC_KEY = 6
_BLOCK = re.compile(
    r"-----BEGIN PGP PUBLIC KEY BLOCK-----[ \t]*\r?\n(.*?)-----END PGP PUBLIC KEY BLOCK-----", re.DOTALL
)


def fingerprints(text: str) -> tuple[str, ...]:
    """The fingerprints of the primary keys in ASCII armour, forty capital hexadecimal digits each.

    Empty if there is no such key, or if the text is broken: like gpg, this trusts no key that it cannot read whole.
    """
    found: list[str] = []
    for block in _BLOCK.findall(text):
        try:
            for tag, body in _packets(_unarmoured(block)):
                if tag == PUBLIC_KEY:
                    found.append(_fingerprint(body))
        except ValueError:
            return ()
    return tuple(found)


def _unarmoured(block: str) -> bytes:
    """Headers end with an empty line; the checksum begins with ``=`` (RFC 4880, 6.2)."""
    lines = [line.strip() for line in block.splitlines()]
    if "" in lines:
        lines = lines[lines.index("") + 1 :]
    digits = "".join(line for line in lines if line and not line.startswith("="))
    try:
        return base64.b64decode(digits, validate=True)
    except binascii.Error as problem:
        raise ValueError(str(problem)) from None


def _packets(data: bytes) -> list[tuple[int, bytes]]:
    """Tag and body of each packet; raises ValueError where one does not end."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(data):
        head = data[at]
        if not head & 0x80:
            raise ValueError("no packet begins here")
        if head & 0x40:
            tag = head & 0x3F
            length, at = _new_length(data, at + 1)
        else:
            tag, width = (head & 0x3C) >> 2, (1, 2, 4, 0)[head & 3]
            if not width:
                raise ValueError("a packet without a length")
            length, at = int.from_bytes(data[at + 1 : at + 1 + width], "big"), at + 1 + width
        if at + length > len(data):
            raise ValueError("a packet is cut off")
        found.append((tag, data[at : at + length]))
        at += length
    return found


def _new_length(data: bytes, at: int) -> tuple[int, int]:
    """RFC 4880, 4.2.2; partial lengths are for data packets alone."""
    first = data[at : at + 1]
    if not first:
        raise ValueError("a packet is cut off")
    if first[0] < 192:
        return first[0], at + 1
    if first[0] < 224 and at + 1 < len(data):
        return ((first[0] - 192) << 8) + data[at + 1] + 192, at + 2
    if first[0] == 255:
        return int.from_bytes(data[at + 1 : at + 5], "big"), at + 5
    raise ValueError("a key in parts")


def _fingerprint(body: bytes) -> str:
    """RFC 4880, 12.2: SHA-1 over 0x99, two octets of length, and the packet."""
    if body[:1] != b"\x04" or len(body) > 0xFFFF:
        raise ValueError("not a v4 key")
    return (
        hashlib.sha1(b"\x99" + len(body).to_bytes(2, "big") + body, usedforsecurity=False).hexdigest().upper()
    )
