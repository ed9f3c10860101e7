"""From what a host and a mirror said to each other to how the mirror stands: one state, one sentence, one remedy."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from pydock_installer.model.mirror import Exchange, MirrorAnswer, MirrorState, MirrorTalk

#: Seconds until an answer begins, from which on a mirror is slow. Each of pydock's questions is a new connection with
#: its own TLS handshake, four round trips: a quarter of a second each would be a mirror on the other side of the world.
SLOW_SECONDS = 2.0
#: Bytes of a layer from which on its rate says something about the line, not about the time to the first byte.
MEANINGFUL = 65536
#: Bytes per second below which a mirror is slow: an image of 100 MiB would take more than a quarter of an hour.
SLOW_RATE = 100_000.0

#: curl's exit status (curl(1)) in words.
CURL = {
    5: "the name of the engine's proxy does not resolve",
    6: "its name does not resolve",
    7: "nothing listens there: the connection fails",
    28: "no answer in time",
    18: "it breaks off half way",
    35: "no TLS is spoken there, or none that both know",
    51: "its certificate is for another name",
    52: "it hangs up without an answer",
    56: "the connection breaks, or the engine's proxy refuses it",
    58: "the host cannot read the CA's certificate",
    60: "the host does not trust its certificate",
    77: "the host cannot read its CA certificates",
    97: "the engine's proxy does not let it through",
}
#: What each part of the talk is in a sentence.
PARTS = {
    "index": "the manifest of library/hello-world",
    "manifest": "the manifest for this machine",
    "config": "the image's configuration",
    "layer": "the image's layer",
}
ANOTHER = "Take another one: `pydock mirror test` ranks those that pydock knows."


def judged(talk: MirrorTalk, platform: str) -> MirrorAnswer:
    """How a mirror stands for a host of this platform (``linux/amd64``)."""
    exchanges, notes = talk.exchanges, talk.notes
    v2 = exchanges.get("v2")
    found = _trouble(talk, platform) or _well(talk)
    return replace(
        found,
        seconds=round(sum(e.total for e in exchanges.values()), 3) if exchanges else None,
        latency=round(v2.first, 3) if v2 and v2.status else None,
        rate=_rate(exchanges.get("layer")) if found.usable else None,
        image=(notes.get("index") or notes.get("image")) if found.usable else None,
        proxy=notes.get("proxy"),
    )


def _rate(layer: Exchange | None) -> float | None:
    if layer is None or layer.size < MEANINGFUL or layer.total <= 0:
        return None
    return round(layer.size / layer.total)


def _well(talk: MirrorTalk) -> MirrorAnswer:
    rate = _rate(talk.exchanges["layer"])
    latest = max(talk.exchanges.values(), key=lambda exchange: exchange.first)
    if latest.first >= SLOW_SECONDS or (rate is not None and rate < SLOW_RATE):
        why = (
            f"an answer took {latest.first:.1f} s to begin"
            if latest.first >= SLOW_SECONDS
            else f"it sends {(rate or 0) / 1000:.0f} kB/s"
        )
        return MirrorAnswer(
            talk.url,
            MirrorState.SLOW,
            detail=f"serves hello-world, but {why}",
            remedy="Put a faster one before it, if there is one: mirrors are tried in their order.",
        )
    return MirrorAnswer(talk.url, MirrorState.ALIVE, detail="serves hello-world, every digest right")


def _trouble(talk: MirrorTalk, platform: str) -> MirrorAnswer | None:
    """What keeps an engine from pulling through the mirror: the first thing that goes wrong."""
    exchanges = talk.exchanges
    v2 = exchanges.get("v2")
    if v2 is None:
        return _answer(talk, MirrorState.UNKNOWN, "the host did not say", "Run the command again.")
    if trouble := _transport(talk, v2, "") or _door(talk, v2):
        return trouble
    for step, what in PARTS.items():
        if step in exchanges:
            if trouble := _transport(talk, exchanges[step], f"answers, but {what} does not come: "):
                return trouble
            if trouble := _refusal(talk, step, what) or _content(talk, step, platform):
                return trouble
    if "layer" not in exchanges or not talk.notes.get("layer-digest", "-").startswith("sha256:"):
        return _answer(talk, MirrorState.UNKNOWN, "the host did not ask to the end", "Run the command again.")
    return None


def _answer(talk: MirrorTalk, state: MirrorState, detail: str, remedy: str | None) -> MirrorAnswer:
    return MirrorAnswer(talk.url, state, detail=detail, remedy=remedy)


def _transport(talk: MirrorTalk, exchange: Exchange, prefix: str) -> MirrorAnswer | None:
    if exchange.curl == 0:
        return None
    why = CURL.get(exchange.curl, f"curl ends with status {exchange.curl}")
    if exchange.curl == 28:
        why += f" ({exchange.total:.0f} s)"
    if proxy := talk.notes.get("proxy"):
        why += f" (through the engine's proxy {proxy})"
    place = urlsplit(talk.url).netloc
    remedy = {
        6: f"Mind its spelling; else see /etc/resolv.conf on the host and `getent hosts {place.partition(':')[0]}`.",
        60: f"Put its CA's certificate into /etc/docker/certs.d/{place}/ca.crt on the host.",
        51: "See that the address has the name for which the certificate was made.",
        35: f"If it speaks plain HTTP, write http://{place}.",
    }.get(exchange.curl, f"Try `curl -v {talk.url}/v2/` on the host. {ANOTHER}")
    return _answer(talk, MirrorState.DEAD, prefix + why, remedy)


def _door(talk: MirrorTalk, v2: Exchange) -> MirrorAnswer | None:
    """What /v2/ says, and the token server if it names one."""
    if v2.status == 200:
        return None
    if v2.status == 403:
        return _answer(
            talk,
            MirrorState.RESTRICTED,
            "refuses this host (403 at /v2/): it serves only some networks or customers",
            f"Ask who runs it for access. {ANOTHER}",
        )
    if v2.status == 429:
        return _limit(talk)
    if v2.status != 401:
        return _answer(
            talk,
            MirrorState.DEAD,
            f"answers {v2.status} at /v2/, where a registry says 200 or 401",
            f"See that the address is that of a registry. {ANOTHER}",
        )
    token = talk.exchanges.get("token")
    if token is not None:
        return _token(talk, token)
    scheme = talk.notes.get("scheme", "-")
    return _login(talk, "wants a login" + (f" ({scheme})" if scheme != "-" else ", and does not say how"))


def _token(talk: MirrorTalk, token: Exchange) -> MirrorAnswer | None:
    """What the token server says to somebody without an account."""
    asks = f"sends engines for a token to {talk.notes.get('realm', 'a server')}"
    if trouble := _transport(talk, token, f"{asks}: "):
        return trouble
    if token.status in (400, 401):
        return _login(talk, f"{asks}, which gives none without a login")
    if token.status == 403:
        return _answer(
            talk,
            MirrorState.RESTRICTED,
            f"{asks}, which refuses this host (403)",
            f"Ask who runs it for access. {ANOTHER}",
        )
    if token.status == 429:
        return _limit(talk)
    if "token" not in talk.notes:
        return _answer(
            talk, MirrorState.DEAD, f"{asks}, which answers {token.status} and gives none", ANOTHER
        )
    return None


def _login(talk: MirrorTalk, detail: str) -> MirrorAnswer:
    return _answer(
        talk,
        MirrorState.LOGIN,
        detail,
        f"Use one that serves this network without an account. {ANOTHER}",
    )


def _limit(talk: MirrorTalk) -> MirrorAnswer:
    return _answer(
        talk,
        MirrorState.RESTRICTED,
        "has had too many requests from this network (429)",
        "Try again later, not at once; a pull-through cache of your own has no limit.",
    )


def _refusal(talk: MirrorTalk, step: str, what: str) -> MirrorAnswer | None:
    status = talk.exchanges[step].status
    if status == 200:
        return None
    says = talk.notes.get("says")
    said = f": {says}" if says else ""
    if status == 401:
        return _login(talk, f"lets everybody in, but {what} only with a login{said}")
    if status == 403:
        return _answer(
            talk,
            MirrorState.RESTRICTED,
            f"refuses {what} (403), as with an allow-list{said}",
            f"Only images on its list can be had there. {ANOTHER}",
        )
    if status == 429:
        return _limit(talk)
    if status in (400, 404):
        return _wrong(talk, f"is a registry, but {what} is not there ({status}){said}")
    return _answer(talk, MirrorState.DEAD, f"answers {status} for {what}{said}", ANOTHER)


def _wrong(talk: MirrorTalk, detail: str) -> MirrorAnswer:
    return _answer(
        talk, MirrorState.WRONG, detail, f"Do not use it: it does not serve what Docker Hub has. {ANOTHER}"
    )


def _content(talk: MirrorTalk, step: str, platform: str) -> MirrorAnswer | None:
    """Whether what came is what was asked for."""
    notes = talk.notes
    if step == "config":
        wrong = _config(talk, platform)
    elif step == "layer":
        wrong = _layer(talk)
    elif step == "manifest" and notes.get("manifest-digest") != notes.get("index"):
        wrong = f"{PARTS[step]} is not what its digest says"
    elif step == "index" and "index" in notes:
        wrong = f"has library/hello-world, but none for {platform}" if notes["index"] == "-" else None
    elif "schema1" in notes:
        wrong = "serves the manifest in its oldest form (schema 1), which engines from 26 on refuse"
    else:
        parts = _parts(talk)
        wrong = f"{PARTS[step]} is no image's manifest" if "-" in parts[:2] else None
    return _wrong(talk, wrong) if wrong else None


def _parts(talk: MirrorTalk) -> list[str]:
    """Of the manifest: digests of layer and configuration (``-``: none), how many layers, and the layer's type."""
    words = talk.notes.get("parts", "").split(" ")
    return words if len(words) == 4 else ["-", "-", "0", ""]


def _config(talk: MirrorTalk, platform: str) -> str | None:
    if talk.notes.get("config-digest") != _parts(talk)[1]:
        return f"{PARTS['config']} is not what its digest says"
    found = talk.notes.get("platform", "/")
    return None if found == platform else f"its library/hello-world is for {found}, not for {platform}"


def _layer(talk: MirrorTalk) -> str | None:
    digest, _, number, kind = _parts(talk)
    if talk.notes.get("layer-digest", "-").startswith("sha256:") and talk.notes["layer-digest"] != digest:
        return f"{PARTS['layer']} is not what its digest says"
    # In an image with one layer in gzip, as hello-world is, the greeting can be looked for.
    if talk.notes.get("greeting") == "0" and number == "1" and kind.endswith("gzip"):
        return "serves another image as library/hello-world: its greeting is not in it"
    return None
