"""What is made: products, each with what it is made from, by which code, and the files that it consists of."""

import ast
import contextlib
import functools
import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

from report import files
from report.errors import ReportError

PACKAGE = Path(__file__).parent
DISTRIBUTIONS = {"PIL": "pillow"}  # libraries that are installed under another name
READER = "read by"  # what tells, among what is remembered of sources, by which rules they were read
MISSING = "missing"  # the checksum of a file that is not there
DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef

Progress = Callable[[int, int, str], None]  # told (done, in all, of what)


@dataclass(frozen=True)
class Product:
    """Describe something that is made.

    Attributes:
        name: in messages, and in the ledger.
        modules: whose code makes it; with them counts all that they import.
        inputs: a path stands for its content, a folder for all its files; everything else is JSON.
        outputs: returns its files as they are now.
        work: makes it. Of products that are made side by side it must be picklable.
        libraries: that decide its bytes without being imported by the code.
        settles: whether its work decides some of its inputs, such as which data there are.
    """

    name: str
    modules: tuple[str, ...]
    inputs: Callable[[], Sequence[Any]]
    outputs: Callable[[], Sequence[Path]]
    work: Callable[[], object]
    libraries: tuple[str, ...] = ()
    settles: bool = False


def checksum(path: Path) -> str:
    """Return the SHA-256 of what a file holds, in hexadecimal; of one that is not there, `MISSING`."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return MISSING


def digest(*parts: Any, content: Callable[[Path], str] = checksum) -> str:
    """Return the SHA-256 of `parts`: a path stands for its content, a folder for all its files, else JSON.

    A missing file has a digest of its own, so that its appearance makes a product stale. What editors and systems
    leave in a folder is no input.

    Args:
        parts: of what is told apart.
        content: returns the checksum of a file.
    """
    total = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            for file in kept_files(part) if part.is_dir() else [part]:
                name = "" if file == part else file.relative_to(part).as_posix()
                total.update(f"{name}\0{content(file)}\0".encode())
        else:
            total.update(json.dumps(part, sort_keys=True).encode() + b"\0")
    return total.hexdigest()


def kept_files(folder: Path) -> list[Path]:
    """Return every file below `folder` that somebody means to be there, sorted."""
    return files.below(folder, lambda name: not _is_scrap(name))


def _is_scrap(name: str) -> bool:
    """Tell whether a file or folder is hidden, an editor's backup, or Python's own."""
    return name.startswith((".", "#")) or name.endswith(("~", ".bak", ".orig", ".swp")) or name == "__pycache__"


@dataclass(frozen=True)
class Module:
    """Hold what matters of a source file.

    Attributes:
        meaning: digest of what it does: of its syntax tree, without docstrings; comments are not in it.
        imports: full names of what it imports when it runs, modules or what is in them.
    """

    meaning: str
    imports: tuple[str, ...]


class Code:
    """Know the modules of a package, and so what a change in any of them makes stale."""

    def __init__(self, package: Path = PACKAGE, shared: Path | None = None) -> None:
        """Look into `package`; its sources are read when they are asked for.

        What they mean is also remembered in `shared`, if that is given, for every process and every folder of products;
        each folder has a copy for where nobody may write there.
        """
        self._package = package
        self._shared = shared
        self._known: dict[str, Any] = {}
        self._modules: dict[str, Module | None] = {}
        self._closures: dict[tuple[str, ...], tuple[str, ...]] = {}

    def recall(self, cache: Path) -> None:
        """Read what an earlier command remembered: parsing all sources takes a second and more."""
        with contextlib.suppress(OSError):  # who writes there will say it
            self._known = _trusted(files.read_json(cache, default={})) | self._known

    def remember(self, cache: Path) -> None:
        """Write down what all sources mean, whichever of them have been asked for."""
        every = [self._name(path) for path in kept_files(self._package) if path.suffix == ".py"]
        found = {name: self._known[name] for name in every if self._module(name)}
        told = {READER: checksum(Path(__file__)), **found}
        files.write_json(cache, told)
        if self._shared is not None and self._found_before != found and not sys.dont_write_bytecode:
            with contextlib.suppress(OSError, ReportError):  # not everybody may write beside the sources
                files.write_sealed(self._shared, files.compact_json(told).encode())
            self._found_before = found

    @functools.cached_property
    def _found_before(self) -> dict[str, Any]:
        """Return what is remembered for every process; nothing where it is damaged."""
        content = files.read_sealed(self._shared) if self._shared else None
        return {} if content is None else _trusted(json.loads(content))

    def closure(self, *names: str) -> tuple[str, ...]:
        """Return the modules whose code can run when `names` run, themselves included, sorted.

        A package's `__init__` counts only where something is imported from it: it holds names, not work.
        """
        if names not in self._closures:
            seen: set[str] = set()
            waiting = list(names)
            while waiting:
                name = waiting.pop()
                module = self._module(name)
                if module is not None and name not in seen:
                    seen.add(name)
                    waiting += [each for each in map(self._of, module.imports) if each]
            self._closures[names] = tuple(sorted(seen))
        return self._closures[names]

    def meanings(self, *names: str) -> dict[str, str]:
        """Return what decides what those modules do: the meaning of each of their closure, by name."""
        found = {name: self._module(name) for name in self.closure(*names)}
        return {name: module.meaning for name, module in found.items() if module}

    def libraries(self, *names: str) -> tuple[str, ...]:
        """Return the top-level names of what the closure of those modules imports from elsewhere, sorted."""
        modules = [self._module(name) for name in self.closure(*names)]
        every = {each.split(".")[0] for module in modules if module for each in module.imports}
        return tuple(sorted(every - set(sys.stdlib_module_names) - {self._package.name}))

    def key(self, product: Product, content: Callable[[Path], str] = checksum) -> str:
        """Return the digest of all that decides a product; `content` returns the checksum of a file."""
        libraries = {*self.libraries(*product.modules), *product.libraries}
        versions = {name: _version(name) for name in sorted(libraries)}
        return digest(*product.inputs(), self.meanings(*product.modules), versions, content=content)

    def _of(self, name: str) -> str:
        """Return the module that an imported name is, or is in; nothing for what is of no module of this package."""
        for candidate in (name, name.rpartition(".")[0]):
            if self._module(candidate) is not None:
                return candidate
        return ""

    def _module(self, name: str) -> Module | None:
        if name not in self._modules:
            first, *parts = name.split(".")
            path = self._package.joinpath(*parts)
            found = (path.with_suffix(".py") if parts else path, path / "__init__.py")
            file = next((each for each in found if first == self._package.name and each.is_file()), None)
            self._modules[name] = None if file is None else self._read(name, file)
        return self._modules[name]

    def _read(self, name: str, file: Path) -> Module:
        source = file.read_bytes()
        content = hashlib.sha256(source).hexdigest()
        kept = [known[name] for known in (self._known, self._found_before) if name in known]
        found = next((each for each in kept if each["content"] == content), None)
        if found is None:
            module = parse(source)
            found = {"content": content, "meaning": module.meaning, "imports": list(module.imports)}
        self._known[name] = found
        return Module(found["meaning"], tuple(found["imports"]))

    def _name(self, path: Path) -> str:
        parts = [self._package.name, *path.relative_to(self._package).with_suffix("").parts]
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _trusted(known: dict[str, Any]) -> dict[str, Any]:
    """Return what is remembered of sources, as far as it has its form; other rules may have found something else."""
    if known.pop(READER, None) != checksum(Path(__file__)):
        return {}
    form = {"content", "meaning", "imports"}
    return {name: entry for name, entry in known.items() if isinstance(entry, dict) and entry.keys() == form}


# Of this very package; what it means lies where Python keeps what it has compiled, and goes with it.
CODE = Code(shared=Path(cache_from_source(__file__)).with_name("meanings.json"))


def parse(source: bytes) -> Module:
    """Return what matters of a source file; the same on every version of Python that can read it."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and node.body and _is_text(node.body[0]):
            node.body = node.body[1:]
    text = json.dumps(_plain(tree), sort_keys=True, separators=(",", ":"))
    return Module(hashlib.sha256(text.encode()).hexdigest(), tuple(sorted(set(_imports(tree)))))


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _plain(node: Any) -> Any:
    """Return a syntax tree as lists and texts. Fields without a value, which come with new versions, are left out."""
    if isinstance(node, ast.AST):
        fields = {name: value for name, value in ast.iter_fields(node) if value is not None and value != []}
        return [type(node).__name__, {name: _plain(value) for name, value in fields.items() if name != "ctx"}]
    return [_plain(each) for each in node] if isinstance(node, list) else f"{type(node).__name__} {node!r}"


def _imports(node: ast.AST) -> Iterator[str]:
    """Give the full name of all that a tree imports, at its top or within a function, but not for types alone.

    A package of which it only looks for the files counts as imported.
    """
    children: Iterable[ast.AST] = ast.iter_child_nodes(node)
    if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
        children = node.orelse
    for child in children:
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        else:
            if isinstance(child, ast.Call) and isinstance(child.func, ast.Attribute) and child.func.attr == "find_spec":
                yield from (str(each.value) for each in child.args if isinstance(each, ast.Constant))
            yield from _imports(child)


@functools.cache
def _version(library: str) -> str:
    """Return the version of an installed library, or that it is missing."""
    try:
        return version(DISTRIBUTIONS.get(library, library))
    except PackageNotFoundError:
        return "missing"
