"""The house stands as its documents say: the tree, the rules between rooms, versions, and commands."""

import ast
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from conftest import ROOT

LONGEST = 350  # lines of a module
MOST_AT_THE_TOP = 10  # files of report/ itself
TREE_DEPTHS = ("", "report/")  # the tree names everything in these folders

# Lowest first: a module imports from the lines above its own. Those on one line know nothing of each other.
ORDER = (
    "errors, cores",
    "files",
    "workspace, products, wording, console",
    "workers",
    "recording",
    "integrations",
    "__init__",
    "config",
    "analysis",
    "drawing",
    "site",
    "training",
    "making",
    "cli",
    "__main__",
)
DOWNSTREAM = {"recording", "analysis", "drawing", "site"}  # what knows recordings and no experiment
TORCH_MODULES = (
    "training/",
    *(f"recording/{name}.py" for name in ("recorder", "gather", "fetch", "source", "holdings", "rounds")),
)
PATHS = re.compile(r"(?<![\w.~$}/-])/(?:home|root|work|workspace|Users|tmp|opt|mnt)/\w|\.\./shared\b")


def tracked() -> list[str]:
    """Return the files that git knows, relative to the root."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]


def tree() -> list[str]:
    """Return the paths in the README's tree; a folder's ends with a slash."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = text.split("holds this tree against the disk. -->\n```\n")[1].split("```")[0]
    paths, parents = [], [""]
    for line in block.splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        name, _, words = line.strip().partition(" ")
        assert words.strip(), f"{name} has no words"
        path = parents[depth] + name
        paths.append(path)
        parents[depth + 1 :] = [path]
    return paths


def modules() -> Iterator[tuple[Path, str]]:
    """Give every module of the package and the room that it belongs to."""
    for path in sorted((ROOT / "report").rglob("*.py")):
        first = path.relative_to(ROOT / "report").parts[0]
        yield path, first.removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """Give the full name of everything that a file imports, at its top or within a function."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_everything_in_the_tree_exists() -> None:
    """No line of the tree leads nowhere, and none stands there twice."""
    assert len(set(tree())) == len(tree())
    for path in tree():
        found = ROOT / path
        assert found.is_dir() if path.endswith("/") else found.is_file(), path


@pytest.mark.parametrize("folder", TREE_DEPTHS)
def test_everything_that_exists_is_in_the_tree(folder: str) -> None:
    """A new file gets a line that says what it is for."""
    here = set()
    for name in tracked():
        if name.startswith(folder):
            first, slash, _ = name.removeprefix(folder).partition("/")
            here.add(folder + first + slash)
    assert here - set(tree()) == set()


def test_every_module_has_a_place_in_the_order() -> None:
    """A new module must say what it may know."""
    placed = {name for line in ORDER for name in line.split(", ")}
    assert {room for _, room in modules()} == placed


def test_imports_go_one_way() -> None:
    """No room knows of a later one, or of its neighbour."""
    rank = {name: place for place, line in enumerate(ORDER) for name in line.split(", ")}
    wrong = []
    for path, room in modules():
        for name in imports(path):
            parts = name.split(".")
            if parts[0] != "report" or len(parts) < 2 or parts[1] == room:
                continue
            if rank[parts[1]] >= rank[room]:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert wrong == []


def test_torch_stays_in_its_rooms() -> None:
    """Only training and the recorder know torch; analysis draws nothing."""
    wrong = []
    for path, room in modules():
        name_of_file = path.relative_to(ROOT / "report").as_posix()
        for name in imports(path):
            library = name.split(".")[0]
            if library in ("torch", "torchvision") and not name_of_file.startswith(TORCH_MODULES):
                wrong.append(f"{name_of_file} imports {name}")
            if library in ("matplotlib", "PIL") and room in ("analysis", "recording", "training"):
                wrong.append(f"{name_of_file} imports {name}")
    assert wrong == []


def test_nothing_downstream_of_a_recording_knows_an_experiment() -> None:
    """The recording knows: no settings file, no training code, no layer called l3, no 784 pixels."""
    wrong = []
    for path, room in modules():
        if room not in DOWNSTREAM:
            continue
        name_of_file = path.relative_to(ROOT).as_posix()
        wrong += [
            f"{name_of_file} imports {name}"
            for name in imports(path)
            if name.startswith(("report.config", "report.training"))
        ]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and (
                node.value == 784 or (isinstance(node.value, str) and re.fullmatch(r"l\d*", node.value))
            ):
                wrong.append(f"{name_of_file}:{node.lineno} has {node.value!r}")
            if isinstance(node, ast.Name | ast.Attribute) and "Experiment" in ast.unparse(node):
                wrong.append(f"{name_of_file}:{node.lineno} names {ast.unparse(node)}")
    assert wrong == []


def test_a_packages_init_holds_names_and_no_work() -> None:
    """Code in an __init__.py is code that every module of its folder waits for; the package's own looks names up."""
    wrong = []
    for path, room in modules():
        if path.name == "__init__.py" and room != "__init__":
            tree = ast.parse(path.read_text(encoding="utf-8"))
            wrong += [f"{path.relative_to(ROOT)}: {node.name}" for node in tree.body if isinstance(node, WORK)]
    assert wrong == []


WORK = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def test_the_package_has_few_doors() -> None:
    """A newcomer sees at most ten files and the rooms."""
    found = [path.name for path in (ROOT / "report").iterdir() if path.is_file() and not path.name.startswith(".")]
    assert len(found) <= MOST_AT_THE_TOP, sorted(found)


def loaded_by(rooms: set[str]) -> set[str]:
    """Return the libraries that a new Python has loaded after importing every module of some rooms, but torch's own."""
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path, room in modules()
        if room in rooms and not path.relative_to(ROOT / "report").as_posix().startswith(TORCH_MODULES)
    ]
    program = f"import importlib, sys\nfor name in {names!r}: importlib.import_module(name)\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.slow
def test_what_draws_and_writes_starts_without_torch() -> None:
    """Not even by way of something else is torch loaded: it takes seconds."""
    assert "torch" not in loaded_by({"recording", "drawing", "site", "making", "cli"})


def test_analysis_starts_without_matplotlib() -> None:
    """Numbers come from NumPy alone, so that they can be computed where nothing can be drawn."""
    assert loaded_by({"analysis"}) & {"torch", "matplotlib", "PIL"} == set()


def test_the_package_itself_loads_nothing() -> None:
    """`import report` at the top of somebody's training script costs next to nothing."""
    assert loaded_by({"__init__"}) & {"torch", "numpy", "pydantic", "matplotlib", "scipy", "jinja2"} == set()


def test_no_module_is_too_long() -> None:
    """A file has one job."""
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines()) for path, _ in modules()
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_no_file_names_somebodys_machine() -> None:
    """What is committed works in any folder of any machine."""
    wrong = []
    for name in tracked():
        try:
            lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        if (ROOT / name) != Path(__file__):
            wrong += [
                f"{name}:{number}: {line.strip()[:80]}" for number, line in enumerate(lines, 1) if PATHS.search(line)
            ]
    assert wrong == []


@pytest.mark.parametrize("text", ["/home/anna/x", "see /tmp/out", '"/work/main"', "../shared/x"])
def test_a_path_of_a_machine_is_recognised(text: str) -> None:
    """The rule above can fail."""
    assert PATHS.search(text)


@pytest.mark.parametrize("text", ["https://example.org/home/x", "a/tmp/b", "${HOME}/work/x", "../../home/x"])
def test_other_paths_are_left_alone(text: str) -> None:
    """Addresses and relative paths are no machine's."""
    assert not PATHS.search(text)


def test_versions_agree() -> None:
    """One version in the package, the citation and the changelog."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    changes = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert citation["version"] == version
    assert changes[0] == version


def test_citation_has_what_its_format_asks_for() -> None:
    """The required keys of the Citation File Format 1.2.0, and an entity as author."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(citation)
    assert citation["authors"] == [{"name": "the Weights in Motion authors"}]
    assert citation["type"] in ("software", "dataset")


def test_lock_file_names_no_registry() -> None:
    """The checks install from whatever registry a person uses, and get the same bytes."""
    folder = ROOT / "tests" / "browser"
    lock = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))
    wanted = json.loads((folder / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    assert lock["packages"][""]["devDependencies"] == wanted
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    assert [name for name, entry in packages.items() if "integrity" not in entry] == []


NEEDS_MAKE = pytest.mark.skipif(shutil.which("make") is None, reason="Windows has no make, and needs none")


@NEEDS_MAKE
def test_make_lists_every_command() -> None:
    """`make` alone prints every target that a person may ask for, and each has words."""
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = dict(re.findall(r"^  make (\S+) +(\S.*)$", done.stdout, re.MULTILINE))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony is not None
    assert set(listed) == set(phony[1].split())
    assert {"report", "preview", "test", "lint", "serve", "publish", "offline", "bench", "clean"} <= set(listed)


@NEEDS_MAKE
@pytest.mark.parametrize(("missing", "package"), [(".installed-browser", "nodejs"), ("", "chromium")])
def test_make_test_says_what_is_missing(tmp_path: Path, missing: str, package: str) -> None:
    """Without Node.js or Chromium a person is told which package to install."""
    environment = tmp_path / "environment"
    (environment / "bin").mkdir(parents=True)
    (environment / "bin" / "pip").touch()
    for name in (".installed", ".installed-dev", ".installed-browser"):
        if name != missing:
            (environment / name).touch()
    make = shutil.which("make")
    assert make is not None
    done = subprocess.run(
        [make, f"VENV={environment}", "test"],
        cwd=ROOT,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert f"apt-get install {package}" in done.stdout


def test_the_readme_counts_what_the_experiment_has() -> None:
    """Its numbers of optimizers and seeds are typed by hand."""
    experiment = tomllib.loads((ROOT / "experiment.toml").read_text(encoding="utf-8"))
    words = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    said = re.search(r"(\w+) optimizers, (\w+) seeds each", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert said is not None
    study = experiment["study"]
    assert said.groups() == (words[len(study["optimizers"]) + 1], words[study["seeds"]])  # the main one, too
