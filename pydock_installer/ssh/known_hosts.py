"""Host keys: which are known, which are new, which have changed. Entries are OpenSSH's."""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydock_installer.errors import PydockError


@dataclass(frozen=True)
class HostKey:
    """A key that a host shows, or that a file knows: type, base64 of the blob."""

    type: str
    base64: str

    @property
    def fingerprint(self) -> str:
        """As ssh-keygen -l prints it."""
        digest = hashlib.sha256(base64.b64decode(self.base64)).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


@dataclass(frozen=True)
class Entry:
    """A known key of a host, and where it stands."""

    key: HostKey
    place: str
    revoked: bool = False


@dataclass(frozen=True)
class _File:
    """A file's entries: by plain name, and those that must be tried; each with its place in the order."""

    named: dict[str, list[tuple[int, Entry]]]
    tried: list[tuple[int, str, Entry]]


def entries(name: str, files: tuple[Path, ...]) -> Iterator[Entry]:
    """The keys that ``files`` know under ``name`` (``host`` or ``[host]:port``), in their order."""
    for file in files:
        try:
            state = file.stat()
            read = _read(file, (state.st_mtime_ns, state.st_size, state.st_ino))
        except OSError:
            continue
        found = [*read.named.get(name.lower(), ())]
        found += [(number, entry) for number, pattern, entry in read.tried if _matches(name, pattern)]
        yield from (entry for _, entry in sorted(found, key=lambda pair: pair[0]))


# A fleet's file has a line for each of its hosts: read for each of them, it would cost the square of that.
@lru_cache(maxsize=8)
def _read(file: Path, _stamp: tuple[int, int, int]) -> _File:
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    read = _File({}, [])
    for number, line in enumerate(lines, start=1):
        words = line.split()
        marker = words.pop(0) if words and words[0].startswith("@") else ""
        # A certificate authority vouches for certificates, which are not asked for here; a marker that
        # ssh does not know makes it skip the line.
        if len(words) < 3 or words[0].startswith("#") or marker not in ("", "@revoked"):
            continue
        if not _is_key(words[1], words[2]):
            continue
        entry = Entry(HostKey(words[1], words[2]), f"{file}:{number}", marker == "@revoked")
        if words[0].startswith("|") or any(sign in words[0] for sign in "*?!"):
            read.tried.append((number, words[0], entry))
        else:
            for one in dict.fromkeys(words[0].lower().split(",")):
                read.named.setdefault(one, []).append((number, entry))
    return read


def state(key: HostKey, known: tuple[Entry, ...]) -> str:
    """``known``, ``unknown`` or ``changed``: a host that is known must show a key that is known."""
    if any(entry.revoked and entry.key == key for entry in known):
        return "changed"
    trusted = [entry.key for entry in known if not entry.revoked]
    if key in trusted:
        return "known"
    return "changed" if trusted else "unknown"


def add(name: str, keys: tuple[HostKey, ...], file: Path) -> Path:
    """Append keys under ``name``; nothing that stands there is touched. Raises PydockError if it cannot be written."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = not file.exists()
        before = "" if new else file.read_text(encoding="utf-8", errors="replace")
        with file.open("a", encoding="utf-8") as stream:
            if new:
                file.chmod(0o600)
            if before and not before.endswith("\n"):
                stream.write("\n")
            stream.writelines(f"{name} {key.type} {key.base64}\n" for key in keys)
    except OSError as error:
        raise PydockError(f"{file} cannot be written: {error.strerror}") from error
    return file


def _is_key(kind: str, text: str) -> bool:
    """A key's blob begins with its own type; lines of SSH 1, and damaged ones, hold none."""
    try:
        blob = base64.b64decode(text, validate=True)
    except ValueError:
        return False
    return blob[4 : 4 + len(kind)] == kind.encode() and int.from_bytes(blob[:4], "big") == len(kind)


def _matches(name: str, pattern: str) -> bool:
    if pattern.startswith("|1|"):
        try:
            salt, digest = (base64.b64decode(part) for part in pattern[3:].split("|"))
        except ValueError:
            return False
        return hmac.compare_digest(hmac.new(salt, name.lower().encode(), "sha1").digest(), digest)
    matched = False
    for one in pattern.split(","):
        if one.startswith("!"):
            if fnmatch.fnmatchcase(name.lower(), _literal(one[1:])):
                return False
        elif fnmatch.fnmatchcase(name.lower(), _literal(one)):
            matched = True
    return matched


def _literal(pattern: str) -> str:
    """OpenSSH knows * and ? alone; brackets belong to ``[host]:port``."""
    return pattern.lower().replace("[", "[[]")
