"""Serve a built site from localhost as a host of static files does: compressed, below a path, with its own 404 page."""

import contextlib
import functools
import gzip
import http.server
import mimetypes
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

COMPRESSED = (".css", ".csv", ".html", ".js", ".json", ".map", ".mjs", ".svg", ".txt", ".xml")
TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".csv": "text/csv", ".toml": "text/plain"}


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps connections open, as a real host does
    folder: Path
    mount: str

    def do_GET(self) -> None:
        """Answer with a file, or with the site's 404 page."""
        path = self._file()
        status = 200
        if path is None:
            path, status = self.folder / "404.html", 404
        body = path.read_bytes()
        self.send_response(status)
        if path.suffix in COMPRESSED and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = _packed(path, path.stat().st_mtime_ns)
            self.send_header("Content-Encoding", "gzip")
        kind = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        text = kind.startswith("text/") or path.suffix in COMPRESSED
        self.send_header("Content-Type", f"{kind}; charset=utf-8" if text else kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=600")
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # the browser has gone elsewhere meanwhile
            self.wfile.write(body)

    def _file(self) -> Path | None:
        """Return the file that is asked for; None when there is none below the mount."""
        path = unquote(urlsplit(self.path).path)
        if not path.startswith(self.mount):
            return None
        found = (self.folder / path[len(self.mount) :]).resolve()
        if found.is_dir():
            found = found / "index.html"
        return found if found.is_file() and found.is_relative_to(self.folder.resolve()) else None

    def handle(self) -> None:
        """Take requests until the browser hangs up, at whatever moment it does."""
        with contextlib.suppress(ConnectionError):
            super().handle()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""


@functools.lru_cache(maxsize=256)
def _packed(path: Path, changed: int) -> bytes:
    return gzip.compress(path.read_bytes(), 6, mtime=0)


@contextlib.contextmanager
def serve(folder: Path, mount: str = "/") -> Iterator[str]:
    """Serve `folder` on a free port of localhost below `mount`, which ends with a slash; give the site's address."""
    handler = type("Handler", (_Handler,), {"folder": folder, "mount": mount})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{mount}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
