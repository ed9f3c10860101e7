"""Registry mirrors that a test has for itself: a real HTTP server with one small image, or one of the ways to fail.

The lab's own server has the public names and a real registry behind them; these stand on any address and port, so
that every test can have as many as it wants, with certificates of its own choice.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import ssl
import tarfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

#: What each kind of mirror does wrong; the last four are ways to be right.
KINDS = {
    "403": "refuses everything",
    "allow-list": "refuses this image, and says why",
    "limit": "has had enough requests (429)",
    "500": "breaks",
    "basic": "wants a user and a password",
    "login": "gives tokens to those alone who have an account",
    "no-token": "names a token server that is not there",
    "no-image": "has no hello-world",
    "no-platform": "has none for this machine",
    "other-platform": "has one image, for another machine",
    "other-image": "serves another image under its name, all digests right",
    "wrong-layer": "serves a layer that is not what its digest says",
    "wrong-manifest": "serves a manifest that is not what its digest says",
    "no-layer": "has the manifest alone",
    "schema1": "serves manifests of the oldest kind",
    "html": "answers everything with a page",
    "cut": "hangs up",
    "hang": "accepts, and says nothing",
    "slow": "takes its time for each answer",
    "good": "serves an index, as Docker Hub does",
    "plain": "serves one manifest, for linux/amd64",
    "bearer": "gives a token to everybody",
    "redirect": "keeps its layers elsewhere, where nobody may show a token",
}
GREETING = b"\nHello from Docker!\nThis message shows that your installation appears to be working correctly.\n"
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def digest(content: bytes) -> str:
    """As registries write it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass
class Image:
    """A small image for several machines: its parts by digest, and what the tag means."""

    text: bytes = GREETING
    machines: tuple[str, ...] = ("amd64", "arm64")
    padding: int = 0
    """Bytes of noise in the layer, so that its rate can be told."""
    parts: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    manifests: dict[str, str] = field(default_factory=dict)
    index: bytes = b""

    def __post_init__(self) -> None:
        archive = io.BytesIO()
        noise = b"".join(hashlib.sha256(b"%d" % n).digest() for n in range(self.padding // 32))
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for name, content in (("hello", b"\x7fELF\0" + self.text), ("noise", noise)):
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
        self.layer = self._add("application/octet-stream", gzip.compress(archive.getvalue(), mtime=0))
        for machine in self.machines:
            config = json.dumps({"architecture": machine, "os": "linux", "config": {"Cmd": ["/hello"]}}).encode()
            manifest = {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": self._of(self._add("application/octet-stream", config), "application/vnd.oci.image.config.v1+json"),
                "layers": [self._of(self.layer, "application/vnd.oci.image.layer.v1.tar+gzip")],
            }  # fmt: skip
            self.manifests[machine] = self._add(MANIFEST, json.dumps(manifest, indent=2).encode())
        listed: list[dict[str, Any]] = [
            {**self._of(name, MANIFEST), "platform": {"architecture": machine, "os": "linux"}}
            for machine, name in self.manifests.items()
        ]
        unknown = {"digest": digest(b"proof"), "size": 5, "platform": {"architecture": "unknown", "os": "unknown"}}
        note = {"annotations": {"a \"quoted\" {word}": "linux], \\ \u00e9"}}
        self.index = json.dumps(
            {"schemaVersion": 2, "mediaType": INDEX, "manifests": [unknown, *({**note, **e} for e in listed)]}
        ).encode()

    def _add(self, kind: str, content: bytes) -> str:
        self.parts[digest(content)] = (kind, content)
        return digest(content)

    def _of(self, name: str, kind: str) -> dict[str, Any]:
        return {"mediaType": kind, "digest": name, "size": len(self.parts[name][1])}


class Mirror(ThreadingHTTPServer):
    """One of the kinds, listening. ``requests`` are (path, headers) as they came."""

    daemon_threads = True
    request_queue_size = 64
    kind = "good"
    image: Image
    delay = 0.0
    context: ssl.SSLContext | None = None
    url = ""

    def __init__(self, address: str) -> None:
        super().__init__((address, 0), _Handler)
        self.requests: list[tuple[str, Mapping[str, str]]] = []
        self.released = threading.Event()

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self.context is not None:
            request.settimeout(30)
            try:
                request = self.context.wrap_socket(request, server_side=True)
            except OSError:
                return
        _Handler(request, client_address, self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Mirror

    def do_GET(self) -> None:
        # What stands before /v2/ is a mirror's path; a proxy is asked with the whole address.
        whole = urlsplit(self.path)
        path = whole.path
        self.server.requests.append((self.path, dict(self.headers.items())))
        kind = self.server.kind
        if kind == "hang":
            self.server.released.wait(60)
            self.close_connection = True
        elif kind == "cut":
            self.close_connection = True
        else:
            time.sleep(self.server.delay)
            self._answer(kind, path[path.find("/v2/") :] if "/v2/" in path else path, parse_qs(whole.query))

    do_HEAD = do_GET

    def _answer(self, kind: str, path: str, query: Mapping[str, list[str]]) -> None:
        allowed = self.headers.get("Authorization") == "Bearer let.me-in_1"
        if kind in ("403", "500"):
            self._say(int(kind), b"no\n")
        elif kind == "limit":
            self._error(429, "toomanyrequests: slow down")
        elif kind == "html":
            self._say(200, b"<html>Welcome!</html>", kind="text/html")
        elif path.endswith("/token"):
            fine = kind != "login" and query.get("scope") == ["repository:library/hello-world:pull"]
            self._say(200, b'{"token": "let.me-in_1"}') if fine else self._error(401, "unauthorized")
        elif kind == "basic":
            self._say(401, b"", {"WWW-Authenticate": 'Basic realm="Registry Realm"'})
        elif kind in ("bearer", "login", "no-token") and not allowed:
            realm = "http://127.0.0.1:1/token" if kind == "no-token" else f"{self.server.url}/token"
            self._say(401, b"", {"WWW-Authenticate": f'Bearer realm="{realm}",service="the registry",scope="x"'})
        elif path == "/v2/":
            self._say(200, b"{}")
        elif kind == "allow-list":
            self._error(403, "denied: this image is not in the allowlist")
        elif path.startswith("/cdn/"):
            self._say(400, b"one way to log in\n") if "Authorization" in self.headers else self._part(path[5:])
        else:
            self._content(kind, path)

    def _content(self, kind: str, path: str) -> None:
        image = self.server.image
        name = path.rpartition("/")[2]
        if path == "/v2/library/hello-world/manifests/latest" and kind != "no-image":
            if kind == "schema1":
                self._say(200, b'{"schemaVersion": 1, "fsLayers": []}')
            elif kind in ("plain", "other-platform"):
                self._part(image.manifests["amd64" if kind == "plain" else "s390x"])
            else:
                accepts = self.headers.get("Accept", "")
                self._say(200, image.index, kind=INDEX) if INDEX in accepts else self._error(404, "ask for an index")
        elif name not in image.parts:
            self._error(404, "manifest unknown")
        elif name == image.layer and kind in ("wrong-layer", "no-layer"):
            self._say(200, gzip.compress(GREETING)) if kind == "wrong-layer" else self._error(404, "blob unknown")
        elif name in image.manifests.values() and kind == "wrong-manifest":
            self._say(200, image.parts[name][1] + b"\n")
        elif name == image.layer and kind == "redirect":
            self._say(307, b"", {"Location": f"{self.server.url.replace('127.0.0.1', 'localhost')}/cdn/{name}?signature=1&x=2"})
        else:
            self._part(name)

    def _part(self, name: str) -> None:
        kind, content = self.server.image.parts[name]
        self._say(200, content, {"Docker-Content-Digest": name}, kind)

    def _error(self, status: int, message: str) -> None:
        self._say(status, json.dumps({"errors": [{"code": "X", "message": message}]}).encode())

    def _say(self, status: int, body: bytes, headers: Mapping[str, str] | None = None, kind: str = "application/json") -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """The list of requests is ours."""


@contextmanager
def mirror(
    kind: str = "good",
    address: str = "127.0.0.1",
    *,
    name: str | None = None,
    certificate: tuple[Path, Path] | None = None,
    image: Image | None = None,
    delay: float = 0.0,
    path: str = "",
) -> Iterator[Mirror]:
    """A mirror of a kind, listening while the block lasts; ``.url`` is its address.

    ``name``: what hosts call the address. ``certificate``: (certificate, key) for TLS. ``delay`` in seconds, before
    each answer (kind ``slow``: 3 without one).
    """
    if kind not in KINDS:
        raise ValueError(f"no such mirror: {kind}; there are {', '.join(KINDS)}")
    server = Mirror(address)
    server.kind = "good" if kind in ("slow", "other-image") else kind
    texts = {"other-image": b"mine your own\n"}
    machines = {"no-platform": ("s390x",), "other-platform": ("s390x",)}
    server.image = image or Image(texts.get(kind, GREETING), machines.get(kind, ("amd64", "arm64")))
    server.delay = delay or (3.0 if kind == "slow" else 0.0)
    if certificate:
        server.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        server.context.load_cert_chain(*certificate)
    server.url = f"{'https' if certificate else 'http'}://{name or address}:{server.server_port}{path}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()
