"""A small site in two languages, of made-up pages: it is there without any training run."""

from pathlib import Path

from conftest import ROOT

from report import files
from report.site.settings import Settings
from report.site.words import Words
from report.workspace import Workspace

LANGUAGES = ("en", "ja")
SETTINGS = Settings("Weights in Motion", languages=LANGUAGES)
PAGES = {
    "index.md": (
        "Streaks",
        "---\nmenu: Article\nplayer: true\n---\n# Streaks\n\n## Why a weight keeps on { #why }\n\n",
    ),
    "method.md": ("Method", "# Method\n\n## Optimizers { #optimizers }\n\nAdam averages gradients.\n"),
    "reproduce.md": ("Reproduce", "# Reproduce\n\n## Commands { #commands }\n\nOne of them.\n"),
    "ja/index.md": (
        "連続",
        "---\nmenu: 記事\ndescription: 重みの動き\nplayer: true\n---\n# 連続\n\n"
        "## なぜ重みは同じ方向に動き続けるのか { #why }\n\nモーメンタムが更新を平均します。\n",
    ),
    "ja/method.md": (
        "手法",
        "# 手法\n\n## 最適化手法 { #optimizers }\n\nAdam は勾配を平均します。学習率は一定です。\n",
    ),
}


def write(folder: Path, filler: str = "") -> Workspace:
    """Write the pages, and what stands around them; `filler` makes sections long."""
    place = Workspace(ROOT, folder / "build", folder / "site")
    for name, (_, text) in PAGES.items():
        files.write_text(place.docs / name, text.replace("\n\n## ", f"\n\n{filler}\n\n## ") + f"\n{filler}\n")
    for path in sorted((ROOT / "site_src" / "assets").rglob("*.*")):
        files.write_bytes(place.docs / path.relative_to(ROOT / "site_src"), path.read_bytes())
    words = {language: Words.load(ROOT / "templates", language) for language in LANGUAGES}
    said = {
        language: {name: each.section("interface", name) for name in ("site", "player", "film", "enlarge", "access")}
        for language, each in words.items()
    }
    notices = {"en": "<p>An embedded sample.</p>", "ja": "<p>埋め込みのサンプルです。</p>"}
    files.write_json(place.site_settings, {"card": "assets/card.png", "notice": notices, "words": said})
    return place
