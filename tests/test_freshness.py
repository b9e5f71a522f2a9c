"""What is fresh is not made again; what has changed is."""

from pathlib import Path

import pytest

from report.freshness import Ledger, _meaning, code_digest, digest


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


def test_comments_and_docstrings_do_not_count_but_code_does(tmp_path: Path) -> None:
    """Better wording costs nobody a new training."""
    versions = [
        'def f(x):\n    """Add one."""\n    return x + 1\n',
        '"""Module."""\n\n\ndef f(x):\n    """Return one more."""  # why\n    return (x\n            + 1)\n',
        "def f(x):\n    return x + 2\n",
    ]
    digests = []
    for text in versions:
        (tmp_path / "module.py").write_text(text)
        _meaning.cache_clear()
        digests.append(code_digest(tmp_path / "module.py"))
    assert digests[0] == digests[1]
    assert digests[0] != digests[2]


def test_the_ledger_remembers_across_processes_and_sees_lost_outputs(tmp_path: Path) -> None:
    """A product is stale with another key, a missing output or one of another size."""
    out = tmp_path / "out.txt"
    out.write_text("12")
    Ledger(tmp_path / "ledger.json").record("figure", "key", [out])
    assert Ledger(tmp_path / "ledger.json").is_fresh("figure", "key", [out])
    assert not Ledger(tmp_path / "ledger.json").is_fresh("figure", "other", [out])
    assert not Ledger(tmp_path / "ledger.json").is_fresh("unknown", "key", [out])
    out.write_text("123")
    assert not Ledger(tmp_path / "ledger.json").is_fresh("figure", "key", [out])
    out.unlink()
    assert not Ledger(tmp_path / "ledger.json").is_fresh("figure", "key", [out])


def test_a_damaged_ledger_only_costs_work(tmp_path: Path) -> None:
    """It is never a reason to fail."""
    (tmp_path / "ledger.json").write_text("{")
    assert not Ledger(tmp_path / "ledger.json").is_fresh("figure", "key", [])


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"train": 1}', '{"train": {"key": "a"}}', '{"train": {"key": "a", "sizes": 3}}']
)
def test_a_damaged_ledger_is_an_empty_one(tmp_path: Path, content: str) -> None:
    """It only costs work."""
    path = tmp_path / "ledger.json"
    path.write_text(content)
    assert not Ledger(path).is_fresh("train", "a", [])
