"""Append rows to a `.npy` file whose header counts those that are there, so that it can be read while it grows."""

import contextlib
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEADER = 128  # bytes of every .npy header, so that it can be written again when rows are added


class Rows:
    """A file of rows of one shape. It is opened at every call: a model of 200 tensors would need too many at once."""

    def __init__(self, path: Path, dtype: str, row: tuple[int, ...]) -> None:
        """Start a file of no rows, each of shape `row`."""
        self.path, self.row, self.count = path, row, 0
        self._dtype = np.dtype(dtype)
        self._bytes = self._dtype.itemsize * int(np.prod(row, dtype=np.int64))
        with path.open("xb") as file:
            file.write(self._header())

    def append(self, rows: NDArray[Any]) -> None:
        """Add (k, *row) rows at the end."""
        self.write(self.count, rows)

    def write(self, first: int, rows: NDArray[Any]) -> None:
        """Put rows in place from row `first` on."""
        if not len(rows):
            return
        content = np.ascontiguousarray(rows, self._dtype).reshape(-1).view(np.uint8).data
        with self.path.open("r+b", buffering=0) as file:
            file.seek(HEADER + first * self._bytes)
            while content:
                content = content[file.write(content) :]
            if first + len(rows) > self.count:  # counted only now: what the header counts is there
                self.count = first + len(rows)
                file.seek(0)
                file.write(self._header())

    def fill(self, count: int) -> None:
        """Add rows of NaN until there are `count`."""
        step = max(1, 2**20 // self._bytes)
        while self.count < count:
            self.append(np.full((min(step, count - self.count), *self.row), np.nan, self._dtype))

    def cut(self, count: int) -> None:
        """Drop all rows after the first `count`, as far as the disk lets us: a full one has room again."""
        self.count = min(self.count, count)
        with contextlib.suppress(OSError), self.path.open("r+b", buffering=0) as file:
            file.write(self._header())
            os.truncate(file.fileno(), HEADER + self.count * self._bytes)

    def _header(self) -> bytes:
        """Return the header of version 1.0 of NumPy's format, always `HEADER` bytes long."""
        text = repr({"descr": self._dtype.str, "fortran_order": False, "shape": (self.count, *self.row)})
        return b"\x93NUMPY\x01\x00" + (HEADER - 10).to_bytes(2, "little") + text.encode().ljust(HEADER - 11) + b"\n"
