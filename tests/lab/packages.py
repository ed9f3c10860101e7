"""Package mirrors and proxies that a test has for itself, and the ways of one host that lead there.

The lab's own server has every public name for every host; these are for one mirror that fails while others serve.
"""

from __future__ import annotations

import http.client
import select
import shutil
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.lab import rpms, trees
from tests.lab.engine import GATEWAY
from tests.lab.host import Host
from tests.lab.identity import identity

#: What a mirror does: like the lab's own, or wrong in one way.
KINDS = ("good", "404", "500", "slow", "wrong-key", "no-key", "hang", "no-rpm", "cut-rpm", "other-rpm")
#: Where a name leads on a host that is to be diverted: an address for documentation, that nobody has (RFC 5737).
NOWHERE = "192.0.2.80"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    kind = "good"
    context: ssl.SSLContext | None = None

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__((GATEWAY, 0), handler)
        self.paths: list[str] = []
        self.released = threading.Event()

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self.context is not None:
            request.settimeout(30)
            try:
                request = self.context.wrap_socket(request, server_side=True)
            except OSError:
                return
        self.RequestHandlerClass(request, client_address, self)  # type: ignore[arg-type]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are no news."""


class _Mirror(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        path, kind = unquote(urlsplit(self.path).path), self.server.kind
        self.server.paths.append(path)
        if kind == "hang":
            self.server.released.wait(60)
            self.close_connection = True
            return
        if kind == "slow":
            time.sleep(1.5)
        name = trees.file_for("mirror.example.com", path)
        if path.endswith("/gpg") and kind in ("wrong-key", "no-key"):
            name = "keys/wrong.asc" if kind == "wrong-key" else None
        if "/docker-ce-2" in path and kind == "no-rpm":
            name = None
        file = rpms.repositories() / name if name and not kind.isdigit() else None
        if file is None or not file.is_file():
            self._head(int(kind) if kind.isdigit() else 404, 0)
            return
        self._head(200, file.stat().st_size)
        if self.command != "GET":
            return
        if "/docker-ce-2" in path and kind in ("cut-rpm", "other-rpm"):
            data = file.read_bytes()
            self.wfile.write(data[: len(data) // 2] if kind == "cut-rpm" else data[:-9] + bytes(9))
            self.close_connection = True
            return
        with file.open("rb") as stream:
            shutil.copyfileobj(stream, self.wfile)

    do_HEAD = do_GET

    def _head(self, status: int, size: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(size))
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """The list of paths is ours."""


class _Proxy(BaseHTTPRequestHandler):
    """Knows no names: whatever is asked for is at the lab's server."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def do_CONNECT(self) -> None:
        self.server.paths.append(self.path)
        with socket.create_connection((GATEWAY, int(self.path.rpartition(":")[2])), 10) as upstream:
            self.send_response(200)
            self.end_headers()
            self._pass_on(upstream)
        self.close_connection = True

    def _pass_on(self, upstream: socket.socket) -> None:
        pairs = {self.connection: upstream, upstream: self.connection}
        with suppress(OSError):
            while ready := select.select(list(pairs), [], [], 60)[0]:
                for source in ready:
                    if not (data := source.recv(65536)):
                        return
                    pairs[source].sendall(data)

    def do_GET(self) -> None:
        self.server.paths.append(self.path)
        whole = urlsplit(self.path)
        connection = http.client.HTTPConnection(GATEWAY, whole.port or 80, timeout=30)
        connection.request(self.command, whole.path, headers={"Host": whole.netloc, "Accept-Encoding": "identity"})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """The list of paths is ours."""


@contextmanager
def _listening(server: _Server) -> Iterator[_Server]:
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()


@contextmanager
def forward_proxy() -> Iterator[_Server]:
    """An HTTP proxy for the hosts of the lab; ``paths`` are what it was asked for, ``server_port`` is its port."""
    with _listening(_Server(_Proxy)) as server:
        yield server


@contextmanager
def package_mirror(kind: str, name: str, hosts: list[Host]) -> Iterator[_Server]:
    """While the block lasts, a public name of the lab (``mirrors.aliyun.com``) is a mirror of this kind for these hosts."""
    if kind not in KINDS:
        raise ValueError(f"no such mirror: {kind}; there are {', '.join(KINDS)}")
    server = _Server(_Mirror)
    server.kind = kind
    server.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    keys: Path = identity()
    server.context.load_cert_chain(keys / "server.crt", keys / "server.key")
    rule = f"OUTPUT -t nat -d {NOWHERE} -p tcp --dport 443 -j DNAT --to-destination {GATEWAY}:{server.server_port}"
    with _listening(server):
        for host in hosts:
            point(host, name, NOWHERE)
            host.run(f"iptables -I {rule}")
        try:
            yield server
        finally:
            for host in hosts:
                host.run(f"iptables -D {rule}", check=False)
                point(host, name, GATEWAY)


def point(host: Host, name: str, address: str) -> None:
    """What a host takes a name for; its /etc/hosts is a mount, and is written in place."""
    lines = f"sed 's/^[0-9.]*\\([[:space:]]*{name}\\)$/{address}\\1/' /etc/hosts"
    host.run(f'text=$({lines}) && printf "%s\\n" "$text" > /etc/hosts && grep -q "^{address}[[:space:]]*{name}$" /etc/hosts')
