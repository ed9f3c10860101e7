"""What repositories say of their files: names, sums and sizes. Pure; the text is hostile."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.sax.saxutils import unescape

#: Sums that nobody can forge; createrepo writes sha256 since release 6.
STRONG = {"sha256": 64, "sha384": 96, "sha512": 128}
#: What a list of packages may be packed with.
PACKED = (".gz", ".xz", ".bz2", ".xml")
#: No repository has more; the primary of Fedora, the largest there is, has 70,000.
MOST_PACKAGES = 500_000

_CHECKSUM = re.compile(rb"<checksum\b[^>]*\btype=[\"'](\w+)[\"'][^>]*>\s*([0-9a-fA-F]+)\s*</checksum>")
_LOCATION = re.compile(rb"<location\b[^>]*\bhref=[\"']([^\"'<>]+)[\"'][^>]*>")
_SIZE = re.compile(rb"<size>\s*(\d{1,15})\s*</size>|<size\b[^>]*\bpackage=[\"'](\d{1,15})[\"']")
_DATA = re.compile(rb"<data\b[^>]*\btype=[\"'](\w+)[\"'][^>]*>(.*?)</data>", re.DOTALL)
_METALINK = re.compile(r"<url\b[^>]*>\s*(https?://[^\s<]+)/repodata/repomd\.xml\s*</url>")


class BadMetadataError(Exception):
    """A repository that cannot be checked; the message says why."""


@dataclass(frozen=True)
class Item:
    """A file as its repository describes it: ``sum`` in the form ``sha256-0f...``, ``size`` in bytes."""

    sum: str
    size: int | None = None


def index(repomd: bytes) -> tuple[dict[str, Item], str]:
    """The files of repodata/ by their path, and which of them lists the packages. Raises BadMetadataError."""
    found: dict[str, Item] = {}
    primary = ""
    for kind, block in _DATA.findall(repomd):
        if entry := _entry(block):
            found[entry[0]] = entry[1]
            if kind == b"primary":
                primary = entry[0]
    if not primary:
        raise BadMetadataError("it has no metadata with sums that can be trusted (sha256)")
    if not primary.endswith(PACKED):
        raise BadMetadataError(f"its metadata is packed in a way that pydock cannot read ({primary[-12:]})")
    return found, primary


def packages(chunks: Iterable[bytes]) -> dict[str, Item]:
    """The packages of an unpacked primary.xml by their path. Those without a strong sum are left out."""
    found: dict[str, Item] = {}
    for block in _blocks(chunks):
        if entry := _entry(block):
            found[entry[0]] = entry[1]
        if len(found) > MOST_PACKAGES:
            raise BadMetadataError("it lists more packages than there can be")
    return found


def mirrors(text: str) -> tuple[str, ...]:
    """The base addresses that a mirrorlist or a metalink names, in their order."""
    if "<metalink" in text:
        found = [unescape(address) for address in _METALINK.findall(text)]
    else:
        found = [line.strip() for line in text.splitlines() if re.match(r"\s*https?://[^\s<>]+\s*$", line)]
    return tuple(dict.fromkeys(address.rstrip("/") for address in found))


def _blocks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Each package's part of the file, however it was cut."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"</package>")
        yield from whole
        if len(rest) > 1 << 26:
            raise BadMetadataError("its list of packages is no list of packages")


def _entry(block: bytes) -> tuple[str, Item] | None:
    checksum, location, size = _CHECKSUM.search(block), _LOCATION.search(block), _SIZE.search(block)
    if not checksum or not location:
        return None
    kind, digits = checksum[1].decode().lower(), checksum[2].decode().lower()
    if STRONG.get(kind) != len(digits):
        return None
    path = unescape(location[1].decode("utf-8", "replace")).removeprefix("./")
    return path, Item(f"{kind}-{digits}", int(size[1] or size[2]) if size else None)
