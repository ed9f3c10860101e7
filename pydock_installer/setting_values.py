"""Values of settings that are addresses, or about package repositories: normal, or a ValueError that says why not."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from pydock_installer import platforms
from pydock_installer.model import Secret
from pydock_installer.suggest import hint


def address(text: str, what: str) -> str:
    """An http or https address, without the slash at its end. A text with an @ in it is never repeated."""
    if "@" in text:
        raise ValueError(f"{what} must not carry a user name or password")
    if "://" not in text:
        raise ValueError(f"{text} has no scheme: write https://{text}")
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not text.isprintable() or re.search(r"\s", text):
        raise ValueError(f"{text} is not an http or https address")
    if parts.query or parts.fragment:
        raise ValueError(f"{text} must end before its ? or #")
    return text.rstrip("/")


def repository(text: str) -> str:
    """auto, the name of a mirror, or an address."""
    names = ("auto", *platforms.mirrors())
    if text in names:
        return text
    if "://" not in text and "." not in text:
        raise ValueError(f"{text} is none of {', '.join(names)}, and no address{hint(text, names)}")
    return address(text, "the address of a repository")


def epel(text: str) -> str:
    """auto, the name of a mirror that has EPEL's archive, or an address: the part before /6/."""
    names = ("auto", *platforms.data("archives.yml")["epel"])
    if text in names:
        return text
    if "://" not in text and "." not in text:
        raise ValueError(f"{text} is none of {', '.join(names)}, and no address{hint(text, names)}")
    return address(text, "the address of an archive")


def proxy(text: str) -> str:
    """The address of an HTTP proxy, without user and password: a repository file is read by everybody."""
    if "@" in text:
        raise ValueError(
            "a proxy's user and password are not kept here, nor in a repository file that everybody reads: write "
            "proxy, proxy_username and proxy_password into [main] of the host's /etc/yum.conf, which pydock goes by"
        )
    place = address(text, "the address of a proxy")
    if urlsplit(place).path:
        raise ValueError(f"{text} must end after its port: http://HOST:PORT")
    return place


def engine_proxy(text: Any) -> str | Secret | None:
    """The address of the engine's proxy; one with a password is a secret. Nothing of it is repeated in a message."""
    if text is None or text == "" or isinstance(text, Secret):
        return text or None
    if not isinstance(text, str) or not re.fullmatch(r"[!-~]{1,2000}", text) or re.search(r'["\\]', text):
        raise ValueError("the address of a proxy is a text without blanks: http://HOST:PORT")
    scheme, separator, rest = text.partition("://")
    login, at, place = rest.rpartition("@")
    if not separator:
        raise ValueError("the address of a proxy begins with http://, also where it is used for https")
    try:
        proxy(f"{scheme}://{place}")
    except ValueError:
        raise ValueError(
            "the address of a proxy is http://HOST:PORT, or http://USER:PASSWORD@HOST:PORT"
        ) from None
    if not at:
        return text.rstrip("/")
    if not re.fullmatch(r"(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})+", login):
        raise ValueError(
            "other letters than . _ - ~ in a proxy's user and password are written as %XX (@ is %40)"
        )
    return Secret(text.rstrip("/"))


def no_proxy(value: Any) -> str | None:
    """Names and networks that are reached without the proxy, with commas between them; a list will do."""
    parts = [str(part) for part in value] if isinstance(value, list | tuple) else str(value or "").split(",")
    names = [part.strip() for part in parts if part.strip()]
    for name in names:
        if not re.fullmatch(r"[A-Za-z0-9.*:/_\[\]-]{1,255}", name):
            raise ValueError(f"{name[:80]} is no name, address or network like 10.0.0.0/8")
    return ",".join(names) or None


def fingerprint(text: Any) -> str:
    """Forty hexadecimal digits, as people write them."""
    digits = re.sub(r"\s|^0x", "", str(text)).upper()
    if not re.fullmatch(r"[0-9A-F]{40}", digits):
        raise ValueError(f"{text} is not a fingerprint of 40 hexadecimal digits")
    return digits
