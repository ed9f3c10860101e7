"""What the proof knew when it failed, put into words for causes and remedies. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: Names that a row's sentences may use without matching them in the message.
WORDS = frozenset({"registry", "mirrors", "proxy", "architecture"})
#: The hosts that are Docker Hub, and where it keeps the content of images.
HUB = re.compile(r"(?:[\w-]{1,63}\.){0,4}docker\.(?:io|com)|docker-images-prod\.[\w.-]{1,100}", re.IGNORECASE)
_URL = re.compile(r"https?://(?P<host>[\w.-]{1,255}(?::\d{1,5})?)(?=[/\"\s:])", re.IGNORECASE)
#: A registry's name is the part before the first slash if it looks like a host's.
_REGISTRY = re.compile(r"(?P<host>[^/\s]{0,200}[.:][^/\s]{0,200}|localhost)/", re.IGNORECASE)


@dataclass(frozen=True)
class Context:
    """The proof's surroundings: what stays ``None`` is not known, and nothing is said about it."""

    image: str | None = None
    mirrors: tuple[str, ...] | None = None
    """The registry mirrors in effect; they serve Docker Hub's images only (domain.md, 6)."""
    proxy: str | None = None
    """The engine's proxy, without its password."""
    architecture: str | None = None

    def words(self, line: str) -> dict[str, str]:
        """What the sentences may say, if ``line`` is what the host complained with."""
        names = [_name(mirror) for mirror in self.mirrors or ()]
        asked = _URL.search(line)
        host = asked["host"] if asked else self._home() or ""
        known = {"registry": _registry(host, names)} if host else {}
        if self.mirrors is not None and (host in names or HUB.fullmatch(host)):
            known["mirrors"] = _told(names, host)
        for name, value in (("proxy", self.proxy), ("architecture", self.architecture)):
            if value:
                known[name] = value
        return known

    def _home(self) -> str | None:
        """The registry that the image's name means."""
        if not self.image:
            return None
        named = _REGISTRY.match(self.image)
        return named["host"] if named else "docker.io"


def _name(mirror: str) -> str:
    return re.sub(r"^https?://", "", mirror).split("/")[0]


def _registry(host: str, mirrors: list[str]) -> str:
    if HUB.fullmatch(host):
        return "Docker Hub"
    return f"the registry mirror {host}" if host in mirrors else host


def _told(names: list[str], host: str) -> str:
    if not names:
        return "no mirror is configured"
    if host in names:
        return "and Docker Hub, which is asked after it, did not serve either"
    mirrors, are = ("mirrors", "are") if len(names) > 1 else ("mirror", "is")
    return f"the {mirrors} {', '.join(names)} {are} configured and did not serve either"
