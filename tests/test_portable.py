"""Nothing needs what one system alone has: what Windows or macOS would refuse is not there, or has another way."""

import ast
import contextlib
import json
import ntpath
import os
import re
import shutil
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np
import psutil
import pytest
from conftest import ROOT, Build
from recordings import noise, write_recording

from report import files
from report.cli import stages
from report.config import Experiment
from report.config.site import checked_address
from report.console import Console, shell_line
from report.errors import ReportError, command
from report.making import checksums, own, verify
from report.recording.schema import slug
from report.recording.study import Study
from report.training import loop, sets
from report.workers import local
from report.workspace import Workspace

# Modules that Windows or macOS lack.
UNIX = {"crypt", "fcntl", "grp", "nis", "posix", "pty", "pwd", "resource", "spwd", "syslog", "termios", "tty"}
WINDOWS = {"_winapi", "msvcrt", "nt", "winreg", "winsound"}
# What `os`, `signal` and paths have on some systems alone, or what means something else there.
OF_OS = {
    *("chown", "chroot", "fork", "forkpty", "getegid", "geteuid", "getgid", "getgroups", "getloadavg", "getpgid"),
    *("getuid", "kill", "killpg", "lchown", "link", "major", "mkfifo", "mknod", "nice", "openpty", "pipe2"),
    *("posix_fallocate", "posix_spawn", "pread", "pwrite", "readlink", "register_at_fork", "sched_getaffinity"),
    *("sendfile", "setpgid", "setsid", "setuid", "statvfs", "symlink", "sync", "sysconf", "uname", "wait", "waitpid"),
}
OF_SIGNAL = {
    *("SIGALRM", "SIGCHLD", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGUSR1", "SIGUSR2"),
    *("alarm", "pause", "pthread_kill", "pthread_sigmask", "setitimer", "sigwait"),
}
OF = {"os": OF_OS, "signal": OF_SIGNAL}
OF_PATH = {"hardlink_to", "is_mount", "owner", "readlink", "symlink_to"}
OF_SUBPROCESS = {"preexec_fn", "process_group", "shell", "start_new_session", "umask", "user"}
POOLS = {"Pool", "Process", "ProcessPool", "ProcessPoolExecutor", "get_context", "set_start_method"}
PLACES = re.compile(r"^/(proc|dev|sys|tmp|etc|usr|var)(/|$)")
# Where there is another way, which test_snapshot.py and test_earlier.py take.
LINKS = {"recording/snapshot.py": {"os.link", "os.symlink"}, "site/earlier.py": {"os.link"}}
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Give every module of the package: its path, and its syntax tree."""
    for path in sorted((ROOT / "report").rglob("*.py")):
        yield path.relative_to(ROOT / "report").as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def unguarded(node: ast.AST) -> Iterator[ast.AST]:
    """Give all nodes of a tree but those that run only where `hasattr(os, …)` or `hasattr(signal, …)` says yes."""
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and re.match(r"hasattr\((os|signal), ", ast.unparse(child.test)):
            for other in child.orelse:
                yield from unguarded(other)
        else:
            yield from unguarded(child)


def of_one_system(tree: ast.AST) -> Iterator[str]:
    """Give what a module asks for that some systems lack."""
    for node in unguarded(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] in UNIX | WINDOWS)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {alias.name for alias in node.names}
            if node.module.split(".")[0] in UNIX | WINDOWS:
                yield node.module
            yield from (f"{node.module}.{name}" for name in names & OF.get(node.module, set()))
        elif isinstance(node, ast.Attribute):
            of = ast.unparse(node.value)
            if node.attr in OF.get(of, set()):
                yield f"{of}.{node.attr}"
            elif of not in ("os", "signal") and node.attr in OF_PATH:
                yield f"….{node.attr}"
        elif isinstance(node, ast.Call):
            yield from (f"{each.arg}=" for each in node.keywords if each.arg in OF_SUBPROCESS)
            if ast.unparse(node.func) in ("os.system", "os.popen"):
                yield ast.unparse(node.func)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and PLACES.match(node.value):
            yield repr(node.value)


def test_nothing_of_one_system_alone() -> None:
    """No module, call or signal that Windows or macOS lack, but where the code asks first, or has another way."""
    found = {name: set(of_one_system(tree)) - LINKS.get(name, set()) for name, tree in modules()}
    assert {name: each for name, each in found.items() if each} == {}


@pytest.mark.parametrize(
    "code",
    [
        *("import fcntl", "from pwd import getpwuid", "from os import killpg", "os.fork()", "signal.alarm(1)"),
        *("path.symlink_to(other)", "run(x, start_new_session=True)", "open('/proc/meminfo')", "os.system('ls')"),
        "if os.name == 'nt':\n    signal.pthread_sigmask(0, ())",
        "if hasattr(os, 'fork'):\n    pass\nelse:\n    os.fork()",
    ],
)
def test_what_is_of_one_system_is_recognised(code: str) -> None:
    """The rule above can fail."""
    assert list(of_one_system(ast.parse(code)))


def test_what_is_asked_for_first_is_allowed() -> None:
    """As the code does with signals."""
    assert not list(of_one_system(ast.parse("if hasattr(signal, 'setitimer'):\n    signal.setitimer(0, 1)")))


def careless(tree: ast.AST) -> Iterator[str]:
    """Give calls whose text depends on the system: its encoding, or its line ends."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called, given = ast.unparse(node.func), {each.arg for each in node.keywords}
        modes = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        mode = next((each for each in modes if re.fullmatch(r"[rwxab+t]{1,3}", each)), "r")
        if called.endswith((".read_text", ".write_text")) and not called.startswith("files."):
            # Path.write_text writes other line ends on Windows, unless it is told.
            if "encoding" not in given or (called.endswith(".write_text") and "newline" not in given):
                yield ast.unparse(node)
        elif called == "open" or (called.endswith((".open", ".fdopen")) and called not in OPENS):
            is_text, is_written = "b" not in mode, set(mode) & set("wxa")
            is_told = "encoding" in given and ("newline" in given or not is_written)
            if is_text and not is_told and "options" not in ast.unparse(node):
                yield ast.unparse(node)
        elif ("text" in given or "universal_newlines" in given) and not {"encoding", "errors"} & given:
            yield ast.unparse(node)


OPENS = ("Recording.open", "Image.open", "archive.open", "webbrowser.open")  # that open no text


def test_no_text_depends_on_the_system() -> None:
    """Every text is UTF-8 with the same line ends wherever it is written: it is hashed and compared."""
    assert {name: each for name, tree in modules() if (each := list(careless(tree)))} == {}


@pytest.mark.parametrize(
    "code",
    ["open(path)", "path.open('w', encoding='utf-8')", "path.write_text(a, encoding='utf-8')", "run(x, text=True)"],
)
def test_a_text_that_depends_is_recognised(code: str) -> None:
    """The rule above can fail."""
    assert list(careless(ast.parse(code)))


def test_sources_have_the_same_line_ends_everywhere() -> None:
    """Git would give Windows others, in what is published and hashed."""
    assert re.search(r"^\* text=auto eol=lf$", (ROOT / ".gitattributes").read_text(encoding="utf-8"), re.MULTILINE)


def test_one_place_starts_processes_and_spawns_them() -> None:
    """Windows has no fork, and where there is one it copies the threads of torch half."""
    found = set()
    for name, tree in modules():
        for node in ast.walk(tree):
            called = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
            if called in POOLS and not (called == "Process" and "psutil" in ast.unparse(node)):
                found.add(name)
    assert found == {"workers/local.py"}
    assert local.SPAWNED.get_start_method() == "spawn"


def test_processes_know_nothing_of_this_one() -> None:
    """Neither kind of pool: what was changed here after the start of Python is not in them."""
    asked = "hasattr(__import__('json'), 'mark')"
    json.mark = 1  # type: ignore[attr-defined]
    try:
        with local.pool(1) as executor:
            assert executor.submit(eval, asked).result() is False
        with local.Processes(1) as processes:
            assert processes.submit(eval, asked).result() is False
    finally:
        del json.mark  # type: ignore[attr-defined]


def test_a_process_that_dies_in_an_analysis_is_one_line() -> None:
    """As the kernel ends one when memory is short."""
    line = r"^A process of this command died, perhaps for want of memory\. [^\n]+$"
    with pytest.raises(ReportError, match=line), local.pool(1) as executor:
        executor.submit(os._exit, 9).result()


def assert_names_hold(names: list[str]) -> None:
    """Make sure that a list of relative paths is one of different files on every system."""
    folded = [name.casefold() for name in names]
    assert sorted(set(folded)) == sorted(folded)
    parts = {part for name in names for part in name.split("/")}
    assert [part for part in parts if re.search(r'[<>:"|?*\\\x00-\x1f]|[. ]$', part) or RESERVED.fullmatch(part)] == []


def below(folder: Path) -> list[str]:
    """Return the relative paths of all that is below a folder."""
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*")]


@pytest.mark.slow
def test_names_that_differ_in_case_or_belong_to_devices(tmp_path: Path) -> None:
    """Tensors `W` and `w`, labels `A` and `a` or `CON`, folders `Run` and `run`: no file takes another's place."""
    shapes = dict.fromkeys(("W", "w", "aux", "CON.weight", "a:b", "x/y\\z", "nul "), (3, 4))
    folders = []
    for place, (name, label) in enumerate((("a/Run", "A"), ("b/run", "a"), ("c/RUN", "CON"), ("d/é", "nul.5"))):
        folders.append(write_recording(tmp_path / name, *noise(shapes, 20, seed=place), label=label))
    report = own.prepare(folders, Console(), site=tmp_path / "site")
    report.make()
    place = report.workspace
    assert_names_hold(below(place.site))
    assert_names_hold(below(place.build))
    assert len(list(place.runs.iterdir())) == 4
    assert len(Study.load(place.runs.iterdir()).recordings) == 4


def test_every_name_in_a_build_is_one_on_every_system(tiny_build: Build) -> None:
    """Of the products and of the site."""
    assert_names_hold(below(tiny_build.workspace.build))
    assert_names_hold(below(tiny_build.workspace.site))


@pytest.mark.parametrize(("label", "name"), [("CON", "label-con"), ("com1", "label-com1"), ("Nul.5", "label-nul.5")])
def test_a_device_is_no_name(label: str, name: str) -> None:
    """Windows would open the device."""
    assert slug(label) == name
    assert slug("console") == "console"
    assert RESERVED.fullmatch(label)
    assert not RESERVED.fullmatch(name)


def refusing(times: int, result: Any = "done") -> Callable[[], Any]:
    """Return what is refused some times, as Windows does while another program has a file open."""
    left = [times]

    def work() -> Any:
        left[0] -= 1
        if left[0] >= 0:
            raise PermissionError(13, "The process cannot access the file")
        return result

    return work


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `files` believe that it is on Windows, and not wait."""
    monkeypatch.setattr(files, "os", types.SimpleNamespace(**{**vars(os), "name": "nt"}))
    monkeypatch.setattr(files, "WAIT", 0)


def test_what_windows_refuses_for_a_moment_is_tried_again(windows: None) -> None:
    """For a while; then it is an error."""
    assert files.patiently(refusing(files.ATTEMPTS)) == "done"
    with pytest.raises(PermissionError):
        files.patiently(refusing(files.ATTEMPTS + 1))


def test_elsewhere_a_refusal_is_meant() -> None:
    """Permissions do not come by themselves."""
    with pytest.raises(PermissionError):
        files.patiently(refusing(1))


def test_a_count_is_written_and_read_while_somebody_has_it_open(
    windows: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows a file cannot be replaced while it is read, nor read while it is replaced."""
    path = tmp_path / "progress.json"
    refused = refusing(3, None)

    def replace(source: str, target: Path) -> None:
        refused()
        os.replace(source, target)

    monkeypatch.setattr(files.os, "replace", replace)
    files.write_json(path, {"steps": 1})
    read, refused_too = Path.read_text, refusing(3)

    def read_text(self: Path, encoding: str) -> str:
        refused_too()
        return read(self, encoding=encoding)

    monkeypatch.setattr(Path, "read_text", read_text)
    assert files.read_json(path) == {"steps": 1}


def test_a_command_is_named_as_the_system_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has no make, another shell, and paths that are relative to none on another drive."""
    words = ["python", "-m", "report", "--build", "D:\\my runs\\#1"]
    for module in ("report.errors", "report.console", "report.cli.stages"):
        fake = types.SimpleNamespace(**{**vars(os), "name": "nt", "path": ntpath})
        monkeypatch.setattr(sys.modules[module], "os", fake)
    assert command() == "python -m report all"
    assert shell_line(words) == 'python -m report --build "D:\\my runs\\#1"'
    monkeypatch.setattr(ntpath, "abspath", lambda path: str(PureWindowsPath("C:\\work") / path))
    monkeypatch.setattr(sys, "executable", "D:\\Python 3\\python.exe")
    line = stages._serve_command({"build": PureWindowsPath("E:\\b"), "site": None})  # type: ignore[dict-item]
    assert line == '"D:\\Python 3\\python.exe" -m report serve --build E:\\b'
    monkeypatch.setattr(sys, "executable", "C:\\work\\.venv\\python.exe")
    assert stages._serve_command({}) == ".venv\\python.exe -m report serve"


@pytest.mark.parametrize(
    ("folder", "root", "name"),
    [
        ("C:\\Work Room\\build\\docs", "C:\\Work Room\\build", "docs"),
        ("C:\\Work Room\\site #1", "C:\\Work Room\\build", "../site #1"),
        ("D:\\site #1\\a b", "C:\\build", "D:/site #1/a b"),
    ],
)
def test_a_ledger_names_files_on_any_drive(monkeypatch: pytest.MonkeyPatch, folder: str, root: str, name: str) -> None:
    """With slashes, and the whole path where none leads from one drive to the other."""
    monkeypatch.setattr(checksums.os, "path", ntpath)
    monkeypatch.setattr(checksums, "Path", PureWindowsPath)
    monkeypatch.setattr(ntpath, "abspath", ntpath.normpath)
    assert checksums._relative(folder, root) == name


def test_a_drive_is_no_address(tmp_path: Path) -> None:
    """Neither of a site nor of a repository, nor of a receipt that is to be verified."""
    for text in ("C:\\site", "c:/site", "file:///C:/site"):
        with pytest.raises(ValueError, match="http"):
            checked_address(text)
    with pytest.raises(ReportError, match="Name the folder or the address of a site"):
        verify.read("C:\\no site #1", Workspace(ROOT, tmp_path / "build", tmp_path / "site"))


def open_below(folder: Path) -> list[str]:
    """Return the files below a folder that this process has open, or mapped into its memory."""
    process = psutil.Process()
    found = [each.path for each in process.open_files()]
    with contextlib.suppress(AttributeError):  # macOS does not tell
        found += [each.path for each in process.memory_maps()]
    return sorted({path for path in found if Path(path).is_relative_to(folder.resolve())})


def test_an_open_file_is_seen(tmp_path: Path) -> None:
    """And a mapped one."""
    np.save(tmp_path / "a.npy", np.arange(5))
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    assert open_below(tmp_path) == [str(tmp_path / "a.npy")] or sys.platform == "darwin"
    del mapped
    assert open_below(tmp_path) == []


def test_nothing_is_open_in_a_folder_that_is_renamed(
    tmp_path: Path, tiny: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows would refuse: a training run's folder gets its name when its arrays are closed."""
    seen: dict[str, list[str]] = {}
    rename = loop._rename

    def look(partial: Path, folder: Path) -> None:
        seen[partial.name] = open_below(partial)
        rename(partial, folder)

    monkeypatch.setattr(loop, "_rename", look)
    training = tiny.training.model_copy(update={"batches": 12, "validations": 1})
    experiment = tiny.model_copy(update={"training": training})
    loop.run(experiment, sets.read_sample(""), tmp_path / "run", "key", first=3)
    assert seen == {".run.partial": []}


@pytest.mark.slow
def test_nothing_is_open_in_what_verify_removes(
    tiny_build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recordings that it compared are closed."""
    seen: list[list[str]] = []

    def remove(folder: Path, **_: Any) -> None:
        seen.append(open_below(folder))
        shutil.rmtree(folder)

    monkeypatch.setattr(verify, "shutil", types.SimpleNamespace(rmtree=remove))
    place = Workspace(ROOT, tmp_path / "build", tmp_path / "site")
    site, name = tiny_build.workspace.site, tiny_build.experiment.main_run
    shown = lambda: contextlib.nullcontext(lambda *_: None)  # noqa: E731
    assert verify.verify(str(site), place, lambda line: None, shown, name=name, steps=20, processes=1)
    assert seen == [[]]
