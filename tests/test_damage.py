"""What holds something else than what was made is named and made anew; nothing of it reaches the site."""

import os
import random
import shutil
from pathlib import Path

import pytest
from conftest import ROOT, Build, run_report
from test_stages import again, copy_of, files_of

from report.making.checksums import Checksums
from report.products import MISSING, checksum
from report.recording import seal
from report.workspace import Workspace

MORE = 8  # damaged files, beside one of each kind


def flip(path: Path, chance: random.Random) -> None:
    """Turn one bit of a file, and let it look as old as it was."""
    before, data = path.stat(), bytearray(path.read_bytes())
    place = chance.randrange(8 * len(data))
    data[place // 8] ^= 1 << place % 8
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def chosen(place: Workspace, run: str, chance: random.Random) -> list[Path]:
    """Return files of every kind: those that there is one of, some of each kind that there are many of, of one run."""
    trusted = ("timings.json", "checksums.json", "ledger.json", "code.json", ".lock")  # the seals come from elsewhere
    kinds: dict[tuple[str, ...], list[Path]] = {}
    for top in (place.build, place.site):
        for name, path in files_of(top).items():
            parts = Path(name).parts
            elsewhere = parts[0] in ("compiled", "data") or (parts[0] == "runs" and parts[1] != run)
            if path.name not in trusted and not elsewhere and path.stat().st_size:
                kinds.setdefault((top.name, *parts[:2][:-1], path.suffix), []).append(path)
    first = [chance.choice(paths) for paths in kinds.values()]
    others = [path for paths in kinds.values() for path in paths if path not in first]
    return first + chance.sample(others, MORE)


@pytest.mark.slow
def test_one_flipped_bit_is_found_wherever_it_is(tiny_build: Build, tmp_path: Path) -> None:
    """In forty files of every kind: `check` names all and changes nothing, the next build makes them as they were."""
    build = copy_of(tiny_build, tmp_path)
    place, chance = build.workspace, random.Random(14)
    damaged = chosen(place, build.experiment.main_run, chance)
    assert len({*damaged}) >= 40
    for path in damaged:
        flip(path, chance)
    seals = sorted({*place.runs.glob(f"*/{seal.NAME}")} - {place.run(build.experiment.main_run) / seal.NAME})[:2]
    flip(seals[0], chance)
    text = seals[1].read_text(encoding="utf-8")
    link = next(iter(seal.chains(seals[1].parent).values()))[0]
    seals[1].write_text(text.replace(link, link[::-1]), encoding="utf-8")  # what the site's receipt would say
    damaged += seals
    broken = {path: path.read_bytes() for path in damaged}
    done = again(build, "check")
    assert done.returncode == 1
    assert [path for path in damaged if f"{path} does not hold what was made." not in done.stdout.splitlines()] == []
    assert {path: path.read_bytes() for path in damaged} == broken
    done = again(build)
    assert done.returncode == 0, done.stderr
    assert "WARNING: " in done.stdout
    assert [path for path in damaged if path.read_bytes() == broken[path]] == []
    for mine, theirs in ((place.build, tiny_build.workspace.build), (place.site, tiny_build.workspace.site)):
        found, wanted = files_of(mine), files_of(theirs)
        assert list(found) == list(wanted)
        assert [name for name in found if checksum(found[name]) != checksum(wanted[name]) if not is_chance(name)] == []
    done = again(build, "check")
    assert (done.returncode, done.stdout) == (0, "Every file holds what was made.\n"), done.stdout


def is_chance(name: str) -> bool:
    """Tell whether a file says when or how quickly something was made: those, and what speaks of them."""
    chance = ("timings.json", "checksums.json", "ledger.json", "facts.json", "compiled/pages")
    return name.endswith(chance) or "reproduce" in name or "search" in name


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["docs/figures/en", "docs/animations", "docs/player", "docs", "tables"])
def test_a_strangers_file_is_not_published(tiny_build: Build, tmp_path: Path, folder: str) -> None:
    """It is named and removed, wherever it lies among ours."""
    build = copy_of(tiny_build, tmp_path)
    stranger = build.workspace.build / folder / "holiday"
    stranger.write_text("sun")
    done = again(build)
    assert done.returncode == 0, done.stderr
    assert f"WARNING: {stranger} does not hold what was made" in done.stdout
    assert not stranger.exists()
    assert not list(build.workspace.site.rglob("holiday"))


@pytest.mark.parametrize("name", ["weights-0.npy", "run.json", "series-0.npy", seal.NAME])
@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"null", b'{"sha256": 3}', b'{"sha256": {"run.json": null}}'])
def test_a_broken_seal_is_seen(tiny_build: Build, tmp_path: Path, name: str, content: bytes) -> None:
    """Odd contents of a recording, and of the seal itself."""
    folder = tmp_path / "run"
    shutil.copytree(tiny_build.workspace.run(tiny_build.experiment.main_run), folder)
    assert seal.broken(folder) == []
    (folder / name).write_bytes(content)
    assert seal.broken(folder) != []


def test_a_file_that_looks_untouched_is_not_read_again(tmp_path: Path) -> None:
    """Only its size and its times are looked at; what was written in the same moment is read again."""
    file, memory = tmp_path / "a" / "b.txt", tmp_path / "memory" / "checksums.json"
    file.parent.mkdir()
    file.write_text("one")
    sums = Checksums(memory)
    assert sums.of(file) == checksum(file)
    assert sums.name(file) == "../a/b.txt"
    sums.keep()
    fresh = Checksums(memory)
    assert fresh._known["../a/b.txt"]["read"] < file.stat().st_mtime_ns + 10**12
    settled = {**fresh._known["../a/b.txt"], "read": file.stat().st_ctime_ns + 3 * 10**9, "sha256": "remembered"}
    fresh._known["../a/b.txt"] = settled
    assert fresh.of(file) == "remembered"
    fresh._known["../a/b.txt"] = {**settled, "read": file.stat().st_ctime_ns}
    assert fresh.of(file) == checksum(file)
    fresh._known["../a/b.txt"] = settled
    file.write_text("two")
    assert fresh.of(file) == checksum(file)
    fresh.note(file, file.stat(), "told")
    assert fresh.of(file) == "told"
    fresh.keep()
    assert Checksums(memory).of(file) == checksum(file), "what was noted in the same moment is read by the next command"
    file.unlink()
    assert fresh.of(file) == MISSING
    assert Checksums(memory).of(tmp_path / "none" / "x") == MISSING


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a": 3}', '{"a": {"looks": 1, "read": "x", "sha256": 2}}'])
def test_a_damaged_memory_only_costs_time(tmp_path: Path, content: str) -> None:
    """Whatever stands there."""
    memory, file = tmp_path / "checksums.json", tmp_path / "a"
    memory.write_text(content)
    file.write_text("one")
    assert Checksums(memory).of(file) == checksum(file)


def test_check_says_what_is_gone_and_what_is_stale(tiny_build: Build, tmp_path: Path) -> None:
    """One line each, and what to do."""
    build = copy_of(tiny_build, tmp_path)
    (build.workspace.tables / "loss.csv").unlink()
    done = again(build, "check")
    assert done.returncode == 1
    assert f"{build.workspace.tables / 'loss.csv'} is gone." in done.stdout
    assert 'Not made from what is there now: the stage "draw".' in done.stdout
    assert done.stderr.splitlines()[-1].endswith('"make report" makes anew what is wrong.')
    empty = Workspace(ROOT, tmp_path / "new" / "build", tmp_path / "new" / "site")
    done = run_report("check", "--build", str(empty.build), "--site", str(empty.site))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
