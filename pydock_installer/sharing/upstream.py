"""How the controller itself fetches: through its proxy and with its certificates."""

from __future__ import annotations

import http.client
import random
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import IO
from urllib.parse import urlsplit

from pydock_installer import __version__

CHUNK = 1 << 18
#: Bytes a second below which a mirror is given up, as yum does it, and seconds before that is judged.
SLOWEST, PATIENCE = 1000, 60.0
#: Answers after which the same question may have another one (RFC 9110).
PASSING = (408, 425, 429, 500, 502, 503, 504)


class FetchError(Exception):
    """Why an address was not fetched. ``passing``: whether it may be well in a moment."""

    def __init__(self, reason: str, passing: bool) -> None:
        super().__init__(reason)
        self.passing = passing


class _Redirects(urllib.request.HTTPRedirectHandler):
    """To other servers, but never from https to less."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        schemes = ("https",) if req.full_url.startswith("https:") else ("http", "https")
        if urlsplit(newurl).scheme not in schemes:
            raise FetchError(f"it leads to {newurl[:100]}, which is no {' or '.join(schemes)}", False)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def fetch(address: str, proxy: str, limit: int, stall: float) -> Iterator[bytes]:
    """The bytes of an address, through ``proxy`` or else as the environment says. Raises FetchError.

    ``limit``: after so many bytes it cannot be what was asked for; ``stall``: seconds in which something must come.
    """
    handlers: list[urllib.request.BaseHandler] = [_Redirects()]
    if proxy:
        handlers.append(urllib.request.ProxyHandler({"http": proxy, "https": proxy}))
    opener = urllib.request.build_opener(*handlers)
    headers = {"User-Agent": f"pydock/{__version__}", "Accept-Encoding": "identity"}
    try:
        request = urllib.request.Request(address, headers=headers)  # noqa: S310 - sources.py lets http and https pass alone
        with opener.open(request, timeout=stall) as answer:
            length, size, began = answer.headers.get("Content-Length"), 0, time.monotonic()
            while chunk := answer.read1(CHUNK):
                size += len(chunk)
                seconds = time.monotonic() - began
                if seconds > PATIENCE and size < SLOWEST * seconds:
                    raise FetchError(f"it gives less than {SLOWEST} bytes a second", True)
                if size > limit:
                    raise FetchError("it is longer than it can be", False)
                yield chunk
            if length and length.isdigit() and size != int(length):
                raise FetchError(f"it ended after {size} of {length} bytes", True)
    except urllib.error.HTTPError as error:
        error.close()
        raise FetchError(f"it answers {error.code} {error.reason}", error.code in PASSING) from None
    except http.client.IncompleteRead as error:
        raise FetchError(f"it ended after {len(error.partial)} bytes of its last part", True) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        # urllib wraps the reason of a connection that never was.
        raise FetchError(str(getattr(error, "reason", None) or error or type(error).__name__), True) from None


def pause(attempt: int) -> float:
    """Seconds before the next attempt: twice as long each time, and never the same for two."""
    return random.uniform(0.5, 1.5) * 2.0**attempt  # noqa: S311 - no secret
