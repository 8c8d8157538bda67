"""A server on the loopback that answers as the Hugging Face Hub does, and misbehaves where it is told to."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPOSITORY = "maker/model-GGUF"
FILE = "folder/tiny.gguf"


@dataclass
class SmallHub:
    """One repository with one file. ``etag`` is its hash unless a test says otherwise.

    ``cut_after`` bytes of an answer the connection ends, as often as ``cuts``. ``ranges`` are those asked for.
    """

    content: bytes
    url: str = ""
    etag: str = ""
    cuts: int = 0
    cut_after: int = 0
    status: int = 200
    token: str = ""
    ranges: list[str] = field(default_factory=list)

    def reference(self, file: str = FILE, revision: str = "") -> str:
        return f"hf:{REPOSITORY}/{file}" + (f"@{revision}" if revision else "")


class _Handler(BaseHTTPRequestHandler):
    hub: SmallHub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        if self._refuse():
            return
        self._answer(200, self.hub.content)

    def do_GET(self) -> None:
        if self._refuse():
            return
        asked = self.headers.get("Range", "")
        self.hub.ranges.append(asked)
        first = int(asked.removeprefix("bytes=").rstrip("-") or 0)
        body = self.hub.content[first:]
        self._answer(206 if asked else 200, body, first)
        if self.hub.cuts:
            self.hub.cuts -= 1
            self.wfile.write(body[: self.hub.cut_after])
            self.close_connection = True
            return
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass

    def _refuse(self) -> bool:
        parts = self.path.strip("/").split("/")
        status, code = self.hub.status, ""
        if "/".join(parts[:2]) != REPOSITORY:
            status, code = 401, "RepoNotFound"
        elif parts[3] not in ("main", COMMIT):
            status, code = 404, "RevisionNotFound"
        elif "/".join(parts[4:]) != FILE:
            status, code = 404, "EntryNotFound"
        elif self.hub.token and self.headers.get("Authorization") != f"Bearer {self.hub.token}":
            status, code = 403, "GatedRepo"
        if status == 200:
            return False
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()
        return True

    def _answer(self, status: int, body: bytes, first: int = 0) -> None:
        self.send_response(status)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{self.hub.etag}"')
        self.send_header("Content-Length", str(len(body)))
        if status == 206:
            total = len(self.hub.content)
            self.send_header("Content-Range", f"bytes {first}-{total - 1}/{total}")
        self.end_headers()


@contextmanager
def serve(content: bytes) -> Iterator[SmallHub]:
    hub = SmallHub(content, etag=hashlib.sha256(content).hexdigest())

    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
