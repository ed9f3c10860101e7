"""A small HTTP server on this machine's loopback, which hosts reach through their own SSH connections."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from pydock_installer.sharing.library import Library, NotThereError, ProblemError

#: Seconds for which a connection may say nothing.
IDLE = 60


class Server(ThreadingHTTPServer):
    """Hands out what its library has to those who know its secret; others on this machine or the host learn nothing."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, library: Library, most: int) -> None:
        """``most``: connections at a time; more wait. Raises OSError if there is no loopback to listen on."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.library = library
        self.secret = secrets.token_hex(32)
        self.handed = [0, 0]
        """Files and bytes that hosts took."""
        self._lock = threading.Lock()
        self._room = threading.BoundedSemaphore(most)
        self._ending = threading.Event()

    def process_request(self, request: Any, client_address: Any) -> None:
        """In a thread of its own, once there is room."""
        while not self._room.acquire(timeout=0.2):
            if self._ending.is_set():
                self.shutdown_request(request)
                return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """What that thread does."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are no news."""

    def end(self) -> None:
        """Listen no more."""
        self._ending.set()
        self.shutdown()
        self.server_close()

    def count(self, size: int) -> None:
        """A host took a file."""
        with self._lock:
            self.handed[0] += 1
            self.handed[1] += size


def proof(secret: str, nonce: str) -> str:
    """What only somebody says to this nonce who knows the secret."""
    return hmac.new(secret.encode(), f"hello {nonce}".encode(), hashlib.sha256).hexdigest()


def word(secret: str) -> str:
    """The part of addresses that stands for the secret."""
    return hmac.new(secret.encode(), b"path", hashlib.sha256).hexdigest()[:40]


@contextmanager
def serving(library: Library, most: int) -> Iterator[Server]:
    """A server for the length of the block. Raises OSError if it cannot listen."""
    server = Server(library, most)
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        library.stop()
        server.end()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE
    server: Server

    def do_GET(self) -> None:
        """``/hello/NONCE``, ``/WORD/problems``, ``/WORD/NUMBER/PATH``; nothing else is there."""
        path = self.path.partition("?")[0]
        if greeting := re.fullmatch(r"/hello/([0-9a-f]{32,128})", path):
            self._say(200, proof(self.server.secret, greeting[1]))
            return
        _, given, rest = (*path.split("/", 2), "", "")[:3]
        if not hmac.compare_digest(given.encode(), word(self.server.secret).encode()):
            self._say(404, "")
        elif rest == "problems":
            problems = [[*place, why] for place, why in list(self.server.library.problems.items())[-200:]]
            self._say(200, json.dumps(problems))
        elif found := re.fullmatch(r"([0-9]{1,6})/(.+)", rest):
            self._hand_out(int(found[1]), unquote(found[2]))
        else:
            self._say(404, "")

    do_HEAD = do_GET  # noqa: N815 - the name that http.server looks for

    def _hand_out(self, number: int, path: str) -> None:
        try:
            stream = self.server.library.file(number, path).open("rb")
        except NotThereError:
            self._say(404, "")
            return
        except (ProblemError, OSError) as problem:
            self._say(502, str(problem))
            return
        with stream:
            size = stream.seek(0, 2)
            start, end = _range(self.headers.get("Range", ""), size)
            self.send_response(206 if (start, end) != (0, size) else 200)
            if (start, end) != (0, size):
                self.send_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(end - start))
            self.end_headers()
            if self.command == "GET":
                self.wfile.flush()
                if (start, end) == (0, size):
                    self.connection.sendfile(stream)
                else:
                    stream.seek(start)
                    self.connection.sendfile(stream, start, end - start)
                self.server.count(end - start)

    def _say(self, status: int, text: str) -> None:
        body = text.encode("utf-8", "replace")
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """The terminal is pydock's."""


def _range(asked: str, size: int) -> tuple[int, int]:
    """From where to where; what is not one part of the file is all of it, as RFC 9110 allows."""
    found = re.fullmatch(r"bytes=(\d{1,18})-(\d{0,18})", asked)
    if not found:
        return 0, size
    start = int(found[1])
    end = min(int(found[2]) + 1, size) if found[2] else size
    return (start, end) if start < end else (0, size)
