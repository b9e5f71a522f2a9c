"""Decide whether a product must be made again: the key of its inputs is compared with the key it was made from."""

import ast
import functools
import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from report import files as workspace


def digest(*parts: Any) -> str:
    """Return the SHA-256 of `parts`: a path stands for its content, a folder for all its files, else JSON.

    A missing file has a digest of its own, so that its appearance makes a product stale.
    """
    total = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            files = sorted(path for path in part.rglob("*") if path.is_file()) if part.is_dir() else [part]
            for file in files:
                name = file.relative_to(part).as_posix() if part.is_dir() else ""
                content = hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else "missing"
                total.update(f"{name}\0{content}\0".encode())
        else:
            total.update(json.dumps(part, sort_keys=True).encode() + b"\0")
    return total.hexdigest()


@functools.cache
def _meaning(path: Path) -> str:
    """Return the syntax tree of a Python file as text, without the docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:]
    return ast.dump(tree)


def code_digest(*paths: Path) -> str:
    """Return a hash of what Python files do: comments, docstrings and line breaks do not count.

    Better wording must not cost an author a new training.
    """
    return hashlib.sha256("\0".join(_meaning(path) for path in paths).encode()).hexdigest()


@functools.cache
def imported(*paths: Path) -> tuple[Path, ...]:
    """Return Python files of this package with all that they import from it, in turn: the code that they depend on."""
    found: set[Path] = set()
    waiting = list(paths)
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                waiting += [file for name in node.names for file in _files(name.name)]
            elif isinstance(node, ast.ImportFrom):
                # What is imported from a package may be a module of it.
                names = [f"{node.module}", *(f"{node.module}.{name.name}" for name in node.names)]
                waiting += [file for name in names for file in _files(name)]
    return tuple(sorted(found))


def _files(module: str) -> list[Path]:
    """Return the file of a module of this package, or of a package; nothing for what is neither."""
    first, *parts = module.split(".")
    path = Path(__file__).parent.joinpath(*parts)
    found = (path.with_suffix(".py"), path / "__init__.py")
    # The package itself only names what it offers.
    return [file for file in found if first == "report" and parts and file.is_file()]


class Ledger:
    """Remember, on disk, from which key each product was made."""

    def __init__(self, path: Path) -> None:
        """Open the ledger at `path`; a missing or damaged one is empty, which only costs work."""
        self._path = path
        self._entries: dict[str, dict[str, Any]] = {}
        try:
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            self._entries = {
                name: {"key": str(entry["key"]), "sizes": dict(entry["sizes"])} for name, entry in found.items()
            }
        except (FileNotFoundError, ValueError, AttributeError, KeyError, TypeError):
            pass

    def is_fresh(self, name: str, key: str, outputs: Iterable[Path]) -> bool:
        """Tell whether product `name` was made from `key` and all `outputs` still have the size they had."""
        entry = self._entries.get(name)
        if entry is None or entry["key"] != key:
            return False
        sizes: dict[str, int] = entry["sizes"]
        return sizes == self._sizes(outputs)

    def outputs(self, name: str) -> list[str]:
        """Return the outputs that product `name` had when it was last made, relative to the ledger's folder."""
        entry = self._entries.get(name)
        return sorted(entry["sizes"]) if entry else []

    def record(self, name: str, key: str, outputs: Sequence[Path]) -> None:
        """Note that product `name`, the files `outputs`, has been made from `key`."""
        self._entries[name] = {"key": key, "sizes": self._sizes(outputs)}
        workspace.write_json(self._path, self._entries)

    def _sizes(self, outputs: Iterable[Path]) -> dict[str, int]:
        root = self._path.parent.resolve()
        sizes = {}
        for path in outputs:
            full = path.resolve()
            # Relative names keep the ledger the same wherever the checkout lies.
            name = Path(os.path.relpath(full, root)).as_posix()
            sizes[name] = path.stat().st_size if path.exists() else -1
        return sizes
