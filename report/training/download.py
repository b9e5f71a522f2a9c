"""Bring published archives onto this machine: from the first mirror that hands over the right bytes."""

import contextlib
import logging
import ssl
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from report import files
from report.errors import ReportError

PATIENCE = 8.0  # seconds to hear anything from a mirror …
ALTOGETHER = 16.0  # … and from all of them, where they are many
STALL = 10.0  # seconds without another CHUNK from a mirror that had begun
CHUNK = 1024  # bytes


class UnavailableError(ReportError):
    """No mirror has the archives; the message says of each why."""


def fetch(folder: Path, checksums: Mapping[str, str], mirrors: Sequence[str]) -> None:
    """Download archives into `folder`, each whole and right or not at all.

    Args:
        folder: made if it is not there.
        checksums: MD5 sum of each archive that is wanted, by its name.
        mirrors: addresses of folders that have them, the first choice first.

    Raises:
        UnavailableError: when an archive cannot be had from any of them.
        ReportError: when the disk refuses.
    """
    with files.person_readable(folder):
        folder.mkdir(parents=True, exist_ok=True)
    patience = min(PATIENCE, ALTOGETHER / max(1, len(mirrors)))
    reasons: dict[str, str] = {}  # why a mirror did not serve; those that did come first
    silent: set[str] = set()
    for name, checksum in checksums.items():
        for mirror in sorted(mirrors, key=lambda each: each in reasons):
            if mirror in silent:
                continue
            attempt = _Attempt(f"{mirror.rstrip('/')}/{name}", folder / name, checksum, patience)
            reason = attempt.outcome()
            if reason is None:
                break
            reasons[mirror] = reason
            if not attempt.has_begun:
                silent.add(mirror)
        else:
            told = "; ".join(f"{mirror}: {reason}" for mirror, reason in reasons.items())
            raise UnavailableError(told or "no mirror is named")


class _Attempt(threading.Thread):
    """Download one archive from one mirror, in a thread that can be left alone: a name server may never answer."""

    def __init__(self, address: str, target: Path, checksum: str, patience: float) -> None:
        """Begin."""
        super().__init__(daemon=True)
        self.has_begun = False
        self._address, self._target, self._checksum, self._patience = address, target, checksum, patience
        self._received = 0
        self._error: Exception | None = None
        self.start()

    def outcome(self) -> str | None:
        """Wait for the end; return what went wrong, if anything did.

        Raises:
            ReportError: when the disk refuses.
        """
        received, since = 0, time.monotonic()
        while self.is_alive():
            self.join(0.05)
            limit = STALL if self._received else self._patience
            if self._received != received:
                received, since = self._received, time.monotonic()
            elif time.monotonic() - since > limit:
                return f"nothing came for {limit:.0f} seconds"
        if isinstance(self._error, ReportError):
            raise self._error
        return None if self._error is None else _reason(self._error, self._patience)

    def run(self) -> None:
        """Download, check and put in place (pooch)."""
        import pooch
        import requests

        pooch.get_logger().setLevel(logging.CRITICAL)  # what matters is said in our own line
        target = self._target
        try:
            pooch.retrieve(self._address, f"md5:{self._checksum}", target.name, target.parent, downloader=self._receive)
        except requests.RequestException as error:
            self._error = error
        except OSError as error:
            self._error = ReportError(files.REFUSED.format(error.filename or target, error.strerror or error))
        except Exception as error:  # of four libraries; the thread that waits says what it was
            self._error = error

    def _receive(self, address: str, target: Any, _: object) -> None:
        """Write what `address` sends, as it is: a server that takes .gz for a way to send, too, hands over archives."""
        import requests

        limits = (self._patience, STALL)
        with requests.get(address, stream=True, timeout=limits, headers={"Accept-Encoding": "identity"}) as answer:
            self.has_begun = True
            answer.raise_for_status()
            with open(target, "wb") as file:
                while chunk := _next(answer):
                    self._received += len(chunk)
                    file.write(chunk)


def _next(answer: Any) -> bytes:
    """Return the next part of an answer; what breaks off there is the mirror's doing, and not the disk's."""
    import requests

    try:
        chunk: bytes = answer.raw.read(CHUNK)
    except Exception as error:
        raise requests.ConnectionError(error) from error
    return chunk


def _reason(error: Exception, patience: float) -> str:
    """Return in a few words why a mirror did not serve."""
    import requests

    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not accepted ({cause.verify_message.rstrip('.')})"
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            return f"no secure connection ({cause.reason or cause})"
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP status {error.response.status_code}"
    if isinstance(error, requests.Timeout) or any(isinstance(cause, TimeoutError) for cause in causes):
        return f"no answer within {patience:.0f} seconds"
    if isinstance(error, requests.RequestException):
        system = [cause for cause in causes if isinstance(cause, OSError) and cause.strerror]
        return str(system[-1].strerror) if system else _short(causes[-1])
    return "what it sends has another checksum" if type(error) is ValueError else _short(error)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that led to it, the first cause last; requests and urllib3 put causes into arguments."""
    seen: list[BaseException] = []
    waiting: list[Any] = [error]
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, BaseException) and not any(each is other for other in seen):
            seen.append(each)
            yield each
            with contextlib.suppress(AttributeError):
                waiting.append(each.reason)  # type: ignore[attr-defined]
            waiting += [*each.args, each.__cause__, each.__context__]


def _short(error: BaseException) -> str:
    """Return an error on one line, not too long a one."""
    text = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return text if len(text) <= 120 else f"{text[:117]} …"
