"""What is fresh is not made again; what has changed is, and what decides that comes from the imports."""

import functools
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT, TINY

from report import products
from report.config import Experiment
from report.console import Console
from report.making.maker import Maker
from report.making.stages import Article
from report.products import Code, Product, digest, kept_files, parse
from report.workspace import Workspace

PACKAGE = ROOT / "report"


def product(out: Path, inputs: list[object], work: Callable[[], object] = lambda: None) -> Product:
    """Return a product of one file."""
    return Product("thing", (), lambda: inputs, lambda: [out], work)


def test_a_digest_changes_with_content_name_and_presence(tmp_path: Path) -> None:
    """Of a file, of a folder, of a value."""
    folder = tmp_path / "folder"
    folder.mkdir()
    file = folder / "a.txt"
    missing = digest(file)
    file.write_text("1")
    present, whole = digest(file), digest(folder)
    file.write_text("2")
    assert len({missing, present, digest(file)}) == 3
    file.rename(folder / "b.txt")
    (folder / "b.txt").write_text("1")
    assert digest(folder) != whole
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest("ab", "c") != digest("a", "bc")


@pytest.mark.parametrize(
    "name", [".hidden", "a.txt~", "#a.txt#", "a.bak", ".a.swp", "__pycache__/a.pyc", ".git/config"]
)
def test_what_editors_leave_makes_nothing_stale(tmp_path: Path, name: str) -> None:
    """Nor is it published."""
    (tmp_path / "a.txt").write_text("1")
    before = digest(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("2")
    assert digest(tmp_path) == before
    assert kept_files(tmp_path) == [tmp_path / "a.txt"]


def test_comments_and_docstrings_do_not_count_but_code_does() -> None:
    """Better wording costs nobody a new training."""
    versions = [
        b'def f(x):\n    """Add one."""\n    return x + 1\n',
        b'"""Module."""\n\n\ndef f(x):\n    """Return one more."""  # why\n    return (x\n            + 1)\n',
        b"def f(x):\n    return x + 2\n",
        b"def f(x):\n    return x + 1.0\n",
    ]
    one, same, other, kind = (parse(version).meaning for version in versions)
    assert one == same
    assert len({one, other, kind}) == 3


OTHERS = [path for name in ("python3.12", "python3.13", "python3.14") if (path := shutil.which(name))]


@pytest.mark.slow
@pytest.mark.skipif(not OTHERS, reason="no other version of Python is installed")
def test_every_version_of_python_gives_the_same_digests() -> None:
    """An upgrade must not train everything again. The other Python needs none of the libraries."""
    program = (
        "import sys, types, pathlib\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "from report.products import parse\n"
        f"for path in sorted(pathlib.Path({str(PACKAGE)!r}).rglob('*.py')): print(path, parse(path.read_bytes()))\n"
    )
    here = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert here.count("\n") > 80
    for python in OTHERS:
        if subprocess.run([python, "--version"], capture_output=True, check=False).returncode == 0:
            assert subprocess.run([python, "-c", program], capture_output=True, text=True, check=True).stdout == here


def literal_imports(path: Path) -> set[tuple[str, str]]:
    """Return what a file imports of this package, from where and what, read line by line: not by its syntax tree."""
    found: set[tuple[str, str]] = set()
    text = re.sub(r"\(\s*([^()]*?)\s*\)", lambda each: each[1].replace("\n", " "), path.read_text(encoding="utf-8"))
    typing = None  # indentation of the block that is for type checkers alone
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        if typing is not None and line.strip() and indent <= typing:
            typing = None
        if re.match(r"\s*if TYPE_CHECKING:", line):
            typing = indent
        named = re.match(r"\s*from (report[\w.]*) import (.*)", line)
        if named and typing is None:
            names = [name.split(" as ")[0].split("#")[0].strip() for name in named[2].split(",")]
            found |= {(named[1], name) for name in names if name}
    return found


@functools.cache
def literal_closure(package: Path, name: str) -> frozenset[str]:
    """Return every module that `name` leads to, by `literal_imports`."""
    known = {
        ".".join(["report", *path.relative_to(package).with_suffix("").parts]).removesuffix(".__init__"): path
        for path in package.rglob("*.py")
    }
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        each = waiting.pop()
        if each in known and each not in seen:
            seen.add(each)
            for where, what in literal_imports(known[each]):
                waiting.append(f"{where}.{what}" if f"{where}.{what}" in known else where)
    return frozenset(seen)


def products_of(place: Workspace) -> dict[str, tuple[str, ...]]:
    """Return the modules of every stage, and of one figure, one film and the player."""
    stages = Article(place, Experiment.load(TINY), TINY, Console()).stages()
    found = {name: stage.modules for name, stage in stages.items() if stage.modules}
    found["figure loss"] = ("report.drawing.figures.loss",)
    found["training run"] = ("report.training.loop",)
    return found


@pytest.mark.slow
def test_a_line_of_code_makes_exactly_those_stale_that_can_run_it(tmp_path: Path, place: Workspace) -> None:
    """For every module of the package; comments make none stale."""
    copy = tmp_path / "report"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    products = products_of(place)

    def meanings() -> dict[str, dict[str, str]]:
        code = Code(copy)
        code.recall(tmp_path / "code.json")
        code.remember(tmp_path / "code.json")
        return {name: code.meanings(*modules) for name, modules in products.items()}

    before = meanings()
    closures = {
        name: frozenset().union(*(literal_closure(copy, module) for module in modules))
        for name, modules in products.items()
    }
    assert all(len(closure) > 3 for closure in closures.values())
    paths = sorted(copy.rglob("*.py"))
    assert len(paths) > 80
    for path in paths:
        path.write_text(path.read_text(encoding="utf-8") + "\n# a comment\n", encoding="utf-8")
    assert meanings() == before
    for path in paths:
        module = ".".join(path.relative_to(tmp_path).with_suffix("").parts).removesuffix(".__init__")
        source = path.read_text(encoding="utf-8")
        path.write_text(f"{source}\nANOTHER_LINE = 1\n", encoding="utf-8")
        stale = {name for name, found in meanings().items() if found != before[name]}
        assert stale == {name for name, closure in closures.items() if module in closure}, module
        path.write_text(source, encoding="utf-8")


def test_the_versions_of_libraries_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Of those that the code imports, however far down, and of those that are named."""
    drawn = Product("x", ("report.drawing.figures.loss",), list, list, lambda: None)
    code = Code()
    assert {"matplotlib", "numpy"} <= set(code.libraries(*drawn.modules))
    assert "torch" not in code.libraries(*drawn.modules)
    before = code.key(drawn)
    monkeypatch.setattr("report.products._version", lambda library: "another")
    assert code.key(drawn) != before


@pytest.mark.slow
def test_what_parsing_found_is_remembered(tmp_path: Path) -> None:
    """A damaged memory costs time alone, and the file does not depend on what was there before."""
    cache, package = tmp_path / "code.json", tmp_path / "report"
    shutil.copytree(PACKAGE / "recording", package / "recording", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PACKAGE / "errors.py", package)
    Code(package).remember(cache)
    content = cache.read_bytes()
    for damage in (b"[]", b'{"report.errors": {"content": 1}}', content[:-50]):
        cache.write_bytes(damage)
        code = Code(package)
        code.recall(cache)
        code.remember(cache)
        assert cache.read_bytes() == content
        assert code.meanings("report.recording.recorder") == Code(package).meanings("report.recording.recorder")
    # Nor is what other rules found believed: those of another version of this package.
    told = json.loads(content)
    told["report.errors"]["imports"] = ["report.recording.writer"]
    for reader, is_believed in ((told[products.READER], True), ("another", False)):
        cache.write_text(json.dumps({**told, products.READER: reader}))
        code = Code(package)
        code.recall(cache)
        assert ("report.recording.writer" in code.closure("report.errors")) == is_believed


def test_what_one_folder_of_products_found_every_other_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the sources, as what Python compiles: a second folder, or a process that has none, parses nothing."""
    package, shared = tmp_path / "report", tmp_path / "report" / "__pycache__" / "meanings.json"
    shutil.copytree(PACKAGE / "recording", package / "recording", ignore=shutil.ignore_patterns("__pycache__"))
    parsed: list[bytes] = []
    monkeypatch.setattr(products, "parse", lambda source: parsed.append(source) or parse(source))

    def count(*, writes: bool = True) -> int:
        """Return how many sources are parsed for a new folder of products."""
        parsed.clear()
        monkeypatch.setattr(sys, "dont_write_bytecode", not writes)
        code = Code(package, shared)
        code.remember(tmp_path / f"{len([*tmp_path.iterdir()])}.json")
        return len(parsed)

    every = count(writes=False)
    assert every > 10
    assert (count(), count()) == (every, 0)
    kept = [path.read_bytes() for path in tmp_path.glob("*.json")]
    assert kept == kept[:1] * 3
    (package / "recording" / "added.py").write_text("import json\n")
    assert (count(), count()) == (1, 0)
    content = bytearray(shared.read_bytes())
    content[len(content) // 2] ^= 1
    shared.write_bytes(content)
    assert (count(), count()) == (every + 1, 0)
    shared.unlink()
    shared.mkdir()  # nobody can write there
    assert (count(), count()) == (every + 1, every + 1)


def test_a_package_that_is_only_looked_for_counts() -> None:
    """The Japanese letters of figures are a file of one that would change matplotlib's settings."""
    assert "matplotlib_fontja" in Code().libraries("report.drawing.figures.style")
    assert products._version("matplotlib_fontja") != "missing"


def test_the_maker_remembers_across_processes_and_sees_lost_outputs(tmp_path: Path) -> None:
    """A product is stale with other inputs, a missing output or one of another size."""
    out, ledger = tmp_path / "out.txt", tmp_path / "ledger.json"
    made = []
    thing = product(out, ["a"], lambda: made.append(out.write_text("12")))
    Maker(ledger, Code()).make([thing], lambda *_: None)
    Maker(ledger, Code()).make([thing], lambda *_: None)
    assert made == [2]
    assert not Maker(ledger, Code()).is_fresh(product(out, ["b"]))
    out.write_text("123")
    assert not Maker(ledger, Code()).is_fresh(thing)
    out.unlink()
    assert not Maker(ledger, Code()).is_fresh(thing)
    Maker(ledger, Code()).make([thing], lambda *_: None)
    assert made == [2, 2]
    assert Maker(ledger, Code()).is_fresh(thing)


@pytest.mark.parametrize("settles", [False, True])
def test_what_changes_while_it_is_made_is_made_again(tmp_path: Path, settles: bool) -> None:
    """What was saved in an editor meanwhile; what its own work settles is no such change."""
    source, out = tmp_path / "in.txt", tmp_path / "out.txt"
    source.write_text("1")

    def work() -> None:
        out.write_text(source.read_text())
        source.write_text("2")

    thing = Product("thing", (), lambda: [source], lambda: [out], work, settles=settles)
    maker = Maker(tmp_path / "ledger.json", Code())
    with maker.looking():
        maker.make([thing])
        assert maker.is_fresh(thing) == settles
    assert maker.is_fresh(thing) == settles


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"thing": 1}', '{"thing": {"key": "a"}}', '{"thing": {"key": "a", "sizes": 3}}']
)
def test_a_damaged_ledger_is_an_empty_one(tmp_path: Path, content: str) -> None:
    """It only costs work."""
    ledger = tmp_path / "ledger.json"
    ledger.write_text(content)
    maker, thing = Maker(ledger, Code()), product(tmp_path / "out.txt", [])
    assert not maker.is_fresh(thing)
    maker.make([thing], lambda *_: None)
    assert maker.is_fresh(thing)


def fail() -> None:
    """Raise, in whatever process."""
    raise ValueError("a bug")


@pytest.mark.slow
@pytest.mark.parametrize("side_by_side", [False, True])
def test_a_bug_is_no_missing_picture(tmp_path: Path, side_by_side: bool) -> None:
    """A programming error ends the command with its own name; nothing calls the product made."""
    things = [Product(name, (), list, list, fail) for name in ("one", "two")]
    maker = Maker(tmp_path / "ledger.json", Code())
    with pytest.raises(ValueError, match="a bug"):
        maker.make(things, lambda *_: None, side_by_side=side_by_side)
    assert maker.stale(things) == things
