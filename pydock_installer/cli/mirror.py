"""``pydock mirror``: registry mirrors, shown and tested."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from pydock_installer.errors import UsageError


def split_words(words: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Arguments as (addresses of mirrors, hosts): what has ``://`` in it is an address.

    Addresses are checked as in settings and lose the slash at their end; none comes twice. Raises UsageError for one
    that is wrong, and for a host that is a mirror's name without its scheme.
    """
    from pydock_installer import registries
    from pydock_installer.settings import address

    names = {urlsplit(entry.url).netloc: entry.url for entry in registries.known()}
    urls: dict[str, None] = {}
    hosts: list[str] = []
    for word in words:
        bare = word.rstrip("/")
        if "://" in word:
            try:
                urls[address(word, "the address of a mirror")] = None
            except ValueError as error:
                raise UsageError(str(error), "Write it as https://mirror.example.com.") from None
        elif bare in names:
            raise UsageError(
                f"{word} is a mirror, and without its scheme it would be a host",
                f"Write {names[bare]}.",
            )
        elif _like_a_mirror(word):
            raise UsageError(
                f"{word} names no host; as the address of a mirror it lacks its scheme",
                f"Write https://{word}. (A host is user@host:port.)",
            )
        else:
            hosts.append(word)
    return tuple(urls), tuple(hosts)


def _like_a_mirror(word: str) -> bool:
    """Whether a word can be no host, but an address without its scheme: a name with a slash behind it."""
    return re.fullmatch(r"[\w-]+(\.[\w-]+)+(:[0-9]+)?/\S*", word) is not None
