"""What [site] of an experiment file may say: what is refused is refused before anything runs, in one line."""

from pathlib import Path

import pytest
from conftest import run_report

from report.config import Experiment
from report.config.site import MOST_TITLE, checked_address, checked_title
from report.errors import ConfigError

CASES = [
    ("https://example.org", "https://example.org"),
    ("https://example.org/a/b-c_d.git/", "https://example.org/a/b-c_d.git/"),
    ("HTTPS://Example.ORG:8443/~me/@x", "https://example.org:8443/~me/@x"),
    ("http://localhost:8000/", "http://localhost:8000/"),
    ("https://[::1]:80/a", "https://[::1]:80/a"),
    ("https://例え.jp/報告/", "https://xn--r8jz45g.jp/%E5%A0%B1%E5%91%8A/"),
    ("https://example.org/a%20b", "https://example.org/a%20b"),
    (
        'https://example.org/"><script>alert(1)</script>',
        "https://example.org/%22%3E%3Cscript%3Ealert%281%29%3C/script%3E",
    ),
    ("https://example.org/'onclick='x", "https://example.org/%27onclick=%27x"),
    ("https://example.org/a](javascript:x)[b", "https://example.org/a%5D%28javascript:x%29%5Bb"),
    ("https://example.org/$(id)`id`|x", "https://example.org/%24%28id%29%60id%60%7Cx"),
]


@pytest.mark.parametrize(("given", "kept"), CASES)
def test_addresses_are_put_together_from_their_parts(given: str, kept: str) -> None:
    """Nothing in them ends an attribute, a link of Markdown or a string; twice is the same as once."""
    assert checked_address(given) == kept
    assert checked_address(kept) == kept
    assert not set(kept) & set("\"'<>()[]`|\\ ") - set("[]" if "::" in kept else "")


REFUSED = [
    "foo",
    "example.org",
    "//example.org",
    "https://",
    "https:///path",
    "https:example.org",
    "javascript:alert(1)",
    "javascript://example.org/%0aalert(1)",
    "data:text/html,x",
    "ftp://example.org",
    "file:///etc/passwd",
    "https://me:password@example.org",
    "https://me@example.org",
    "https://example.org/?q=1",
    "https://example.org/#top",
    "https://example.org/a b",
    "https://example.org/\n",
    " https://example.org",
    "https://example.org/\x00",
    "https://example.org\\@evil.example/",
    'https://exam"ple.org/',
    "https://exam<ple.org/",
    "https://example..org/",
    "https://-.org/",
    "https://example.org:port/",
    "https://example.org:99999/",
    "https://[::1/",
    "https://[::zz]/",
    "https://" + "a" * 64 + ".org/",
]


@pytest.mark.parametrize("given", REFUSED)
def test_what_is_no_address_is_refused(given: str) -> None:
    """Whatever it is that is wrong with it."""
    with pytest.raises(ValueError):  # noqa: PT011 - of urllib's many messages none is shown
        checked_address(given)


@pytest.mark.parametrize(
    "given", ["", " ", "\t", "\u3000", "a\nb", "a\x00b", "a\x1b[31mb", "a\u2028b", "a\u202eb", "x" * 201]
)
def test_titles_that_cannot_be_read_are_refused(given: str, tmp_path: Path) -> None:
    """Blank ones, and what a terminal, a file or a card would stumble over; the line names file, key and rule."""
    with pytest.raises(ValueError, match=f"up to {MOST_TITLE} letters"):
        checked_title(given)
    file = tmp_path / "experiment.toml"
    escaped = "".join(f"\\U{ord(char):08X}" for char in given)
    file.write_text(f'[site]\ntitle = "{escaped}"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"experiment\.toml: site\.title: found '.*; allowed: a text") as refused:
        Experiment.load(file)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize(
    "given", ["重みの動き", 'My "best" study', '"><script>x</script>', "```", "a or b | e", "👩‍🔬", "é"]
)
def test_other_titles_are_kept_letter_by_letter(given: str) -> None:
    """What they do to a page is the pages' business."""
    assert checked_title(f" {given} ") == given


@pytest.mark.parametrize("variable", ["REPORT_SITE_URL", "REPORT_REPOSITORY_URL"])
def test_the_environment_is_looked_at_before_anything_runs(tmp_path: Path, variable: str) -> None:
    """A slip there used to cost all of the training."""
    places = ("--build", str(tmp_path / "build"), "--site", str(tmp_path / "site"))
    done = run_report("all", *places, **{variable: "foo"})
    assert done.returncode == 2
    assert done.stderr.startswith(f"{variable}: found 'foo'; allowed: ")
    assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
