"""Servers on localhost that hand over archives, and others that do what mirrors do wrong."""

import contextlib
import functools
import gzip
import hashlib
import http.server
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from report.training.sets import Set

IMAGES, TESTED = 30, 10  # to train on, to test with


def idx(array: np.ndarray) -> bytes:
    """Return an array in the format in which MNIST was published, compressed."""
    kind = {"|u1": 0x08, ">i4": 0x0C}[array.dtype.str]
    header = bytes([0, 0, kind, array.ndim]) + np.array(array.shape, ">i4").tobytes()
    return gzip.compress(header + array.tobytes(), mtime=0)


def archives(folder: Path, known: Set, shape: tuple[int, int] = (28, 28)) -> dict[str, str]:
    """Write small archives under the names of a set's; return the MD5 sum of each. Labels count up, again and again."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(0)
    sums = {}
    for place, (name, _) in enumerate(known.archives):
        count = IMAGES if place < 2 else TESTED
        labels = np.arange(count) % 10
        if "images" in name:
            content = idx(generator.integers(0, 256, (count, *shape), np.uint8))
        elif "idx2" in name:  # eight columns, the class first
            content = idx(np.stack([labels, *[np.full(count, 99)] * 7], axis=1).astype(">i4"))
        else:
            content = idx(labels.astype(np.uint8))
        (folder / name).write_bytes(content)
        sums[name] = hashlib.md5(content).hexdigest()
    return sums


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serve files, say nothing, and refuse HEAD as some mirrors do."""

    headers_too: tuple[tuple[str, str], ...] = ()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        """Refuse."""
        self.send_error(405)

    def end_headers(self) -> None:
        """Send what else this server says."""
        for name, value in self.headers_too:
            self.send_header(name, value)
        super().end_headers()


class Encoded(Quiet):
    """Take .gz for a way to send a file, too."""

    headers_too = (("Content-Encoding", "gzip"),)


@contextlib.contextmanager
def serving(folder: Path, handler: type[Quiet] = Quiet, context: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve a folder; give its address, with a slash at its end."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=str(folder)))
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield f"http{'s' if context else ''}://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """Let `answer` do as it likes with each connection; give the address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        held: list[Any] = []

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    held.append(connection)
                    threading.Thread(target=_politely, args=(answer, connection), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        for connection in held:
            connection.close()


def _politely(answer: Callable[[socket.socket], None], connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        answer(connection)


def silence(connection: socket.socket) -> None:
    """Accept and say nothing."""


def greeting(connection: socket.socket) -> None:
    """Speak another protocol."""
    connection.sendall(b"220 mail.example.org ESMTP\r\n")
    connection.close()


def stall(connection: socket.socket) -> None:
    """Begin, and never go on."""
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + b"\0" * 5000)


def trickle(connection: socket.socket) -> None:
    """Send a byte now and then."""
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n")
    while True:
        connection.sendall(b"\0")
        time.sleep(0.2)


def break_off(connection: socket.socket) -> None:
    """End before the end."""
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + b"\0" * 5000)
    connection.close()


def certificate(folder: Path) -> ssl.SSLContext:
    """Return what a server needs whose certificate nobody has signed but itself (openssl)."""
    key, own = folder / "key.pem", folder / "own.pem"
    command = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -keyout {key} -out {own}"
    subprocess.run(command.split(), check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own, key)
    return context
