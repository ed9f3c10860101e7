"""The one server that stands in for every public name: package mirrors, Docker Hub and an accelerator.

Runs as a process of its own: ``python -m tests.lab.server ADDRESS REPOSITORIES IDENTITY REGISTRY_PORT RUN``.
"""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.lab import faults, trees

REGISTRIES = (*faults.HUB, "docker.m.daocloud.io")
OLD_ENGINE = "docker/1.7."
NO_SCHEMA_1 = '{"errors": [{"code": "MANIFEST_INVALID", "message": "missing signature key"}]}\n'
HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host", "date", "server"}


class Server(ThreadingHTTPServer):
    """One listener; connections are wrapped in TLS in their own thread, so that a slow one holds up nobody."""

    daemon_threads = True
    request_queue_size = 256
    repositories: Path
    registry: int
    run: Path
    context: ssl.SSLContext | None = None

    def finish_request(self, request: object, client_address: object) -> None:
        if self.context is not None and isinstance(request, socket.socket):
            request.settimeout(30)
            try:
                request = self.context.wrap_socket(request, server_side=True)
            except OSError:
                return
        self.RequestHandlerClass(request, client_address, self)  # type: ignore[arg-type]

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away are no news."""


class Handler(BaseHTTPRequestHandler):
    """Files, the registry behind them, and the faults that are switched on."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        host = (self.headers.get("Host") or "").partition(":")[0]
        path = unquote(urlsplit(self.path).path)
        fault = faults.effect(faults.read(self.server.run / "faults.json"), self.client_address[0], host, path)
        status = self._answer(host, path, fault)
        entry = {"time": time.time(), "client": self.client_address[0], "host": host, "method": self.command,
                 "path": path, "status": status}
        with (self.server.run / "access.log").open("a", encoding="utf-8") as log:
            log.write(json.dumps(entry) + "\n")

    do_HEAD = do_GET

    def _answer(self, host: str, path: str, fault: str | None) -> int:
        if fault == "hub-hang":
            time.sleep(90)
            self.close_connection = True
            return 0
        if fault in ("403", "404", "500", "mirror-403"):
            return self._plain(int(fault[-3:]), f"{fault}\n")
        if fault == "slow":
            time.sleep(3)
        if host in REGISTRIES:
            # Nobody serves schema 1 any more, which is all that an engine of release 6 knows; a mirror that does is a switch.
            if "/manifests/" in path and fault != "schema-1" and OLD_ENGINE in self.headers.get("User-Agent", ""):
                return self._plain(404, NO_SCHEMA_1)
            return self._registry()
        name = trees.file_for(host, path)
        if fault == "wrong-key":
            name = "keys/wrong.asc"
        file = self.server.repositories / name if name else None
        if file is None or not file.is_file():
            return self._plain(404, "not here\n")
        if fault == "corrupt-rpm":
            return self._plain(200, "x" * file.stat().st_size)
        return self._file(file, truncated=fault == "truncated-rpm")

    def _file(self, file: Path, truncated: bool) -> int:
        size = file.stat().st_size
        start = 0
        asked = self.headers.get("Range", "")
        if asked.startswith("bytes=") and asked[6:].partition("-")[0].isdigit() and not truncated:
            start = min(int(asked[6:].partition("-")[0]), size)
        self.send_response(206 if start else 200)
        # A mirror whose copy is broken serves as many bytes as it says.
        length = size // 2 if truncated else size - start
        self.send_header("Content-Length", str(length))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        self.end_headers()
        if self.command == "GET":
            with file.open("rb") as stream:
                stream.seek(start)
                if truncated:
                    self.wfile.write(stream.read(length))
                else:
                    shutil.copyfileobj(stream, self.wfile, 1 << 20)
        return 206 if start else 200

    def _registry(self) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.registry, timeout=60)
        try:
            connection.putrequest(self.command, self.path, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in HOP:
                    connection.putheader(name, value)
            connection.endheaders()
            answer = connection.getresponse()
            body = answer.read()
        except OSError:
            return self._plain(502, "no registry\n")
        finally:
            connection.close()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in HOP:
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(body))
        self.send_header("Content-Length", length or "0")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)
        return answer.status

    def _plain(self, status: int, text: str) -> int:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)
        return status

    def log_message(self, format: str, *arguments: object) -> None:
        """The access log is ours."""


def main(address: str, repositories: str, identity: str, registry: str, run: str) -> None:
    """Serve HTTP and HTTPS until killed."""
    servers = []
    for port in (80, 443):
        server = Server((address, port), Handler)
        server.repositories, server.registry, server.run = Path(repositories), int(registry), Path(run)
        if port == 443:
            server.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            server.context.load_cert_chain(f"{identity}/server.crt", f"{identity}/server.key")
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    (Path(run) / "ready").touch()
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
