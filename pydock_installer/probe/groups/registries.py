"""From the answers of sections/registries.sh to what was said by each mirror."""

from __future__ import annotations

import re

from pydock_installer.model import Fact
from pydock_installer.model.mirror import Exchange, MirrorTalk, MirrorTalks
from pydock_installer.probe.answers import split

STEPS = ("v2", "token", "index", "manifest", "config", "layer")
NOTES = (
    "scheme", "realm", "token", "proxy", "says", "index", "image", "manifest-digest", "schema1", "parts",
    "config-digest", "platform", "layer-digest", "greeting",
)  # fmt: skip
ASKED = re.compile(
    r"(?P<step>[a-z0-9]{1,10}) (?P<curl>[0-9]{1,3}) (?P<status>[0-9]{3}) "
    r"(?P<first>[0-9]{1,4}(?:[.,][0-9]{1,9})?) (?P<total>[0-9]{1,4}(?:[.,][0-9]{1,9})?) (?P<size>[0-9]{1,12})(?:\.0*)?",
    re.ASCII,
)
URL = re.compile(r"https?://[!-~]{1,300}", re.ASCII)


def registries(output: bytes, nonce: str) -> Fact[MirrorTalks]:
    """What a host asked; ``None``: it has no curl. Lines that make no sense are none."""
    return split(output, nonce).fact("registries", _talks)


def _talks(text: str) -> MirrorTalks:
    lines = text.splitlines()
    platform = re.fullmatch(r"platform (linux/[a-z0-9_]{1,20})", lines[0])
    if not platform or lines[-1] != "end":
        raise ValueError("cut off")
    urls: dict[str, str] = {}
    exchanges: dict[str, dict[str, Exchange]] = {}
    notes: dict[str, dict[str, str]] = {}
    for line in lines[1:-1]:
        number, kind, rest = (*line.split(" ", 2), "", "")[:3]
        if not re.fullmatch("[0-9]{1,2}", number):
            continue
        if kind == "url" and URL.fullmatch(rest):
            urls.setdefault(number, rest)
        elif kind == "ask" and (found := ASKED.fullmatch(rest)) and found["step"] in STEPS:
            steps = exchanges.setdefault(number, {})
            steps[found["step"]] = _added(steps.get(found["step"]), found)
        elif kind == "note":
            name, _, value = rest.partition(" ")
            if name in NOTES:
                notes.setdefault(number, {}).setdefault(name, value[:400])
    talks = (MirrorTalk(url, exchanges.get(n, {}), notes.get(n, {})) for n, url in urls.items())
    return MirrorTalks(platform[1], {talk.url: talk for talk in talks})


def _added(before: Exchange | None, found: re.Match[str]) -> Exchange:
    """Redirections are one exchange: the last answer, and the time of all."""
    first, total = (float(found[name].replace(",", ".")) for name in ("first", "total"))
    earlier = before.total if before else 0.0
    return Exchange(
        int(found["curl"]), int(found["status"]), earlier + first, earlier + total, int(found["size"])
    )
