"""What the last build of the site made is taken over where the same would come of it again.

Nearly all bytes of a site are films and data, which seldom change; and of its pages one changes at a time, while to
convert Markdown takes longer than all else that is done for a page.
"""

import contextlib
import functools
import hashlib
import json
import os
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mkdocs.plugins import BasePlugin
from mkdocs.structure.toc import get_toc

from report import files as disk

IsSame = Callable[[Path, Path], bool]

LIBRARIES = ("mkdocs", "markdown", "pygments")


class Earlier(BasePlugin):  # type: ignore[type-arg]  # it has no settings
    """A plugin of MkDocs, for one build."""

    def __init__(self, site: Path, is_same: IsSame, kept: Path) -> None:
        """Look for files in the earlier `site`, and for converted pages in the file `kept`.

        Args:
            site: a folder, which need not be there.
            is_same: tells whether two files hold the same.
            kept: what `keep` wrote; what is damaged there counts as nothing.
        """
        self._site, self._is_same, self._kept = site, is_same, kept
        self._known = _read(kept)
        self._used: dict[str, dict[str, Any]] = {}
        self.taken: list[str] = []  # files, below the site
        self._around = ""

    def on_files(self, files: Any, *, config: Any, **_: Any) -> None:
        """Give a file that is there a second name, in the new site; what is not, or cannot have one, MkDocs copies."""
        for file in files:
            earlier = self._site / file.dest_uri
            if file.src_dir != config.docs_dir or file.is_documentation_page():
                continue
            if earlier.is_file() and self._is_same(Path(file.abs_src_path), earlier):
                Path(file.abs_dest_path).parent.mkdir(parents=True, exist_ok=True)
                with contextlib.suppress(OSError, NotImplementedError):
                    os.link(earlier, file.abs_dest_path)
                    file.copy_file = lambda dirty: None
                    self.taken.append(file.dest_uri)
        # What a page's conversion depends on besides its text: to which files it may lead, and how Markdown is read.
        settings = config.markdown_extensions, config.mdx_configs, dict(config.validation), sorted(files.src_uris)
        self._around = repr((settings, [version(each) for each in LIBRARIES]))

    def on_page_markdown(self, text: str, *, page: Any, files: Any, **_: Any) -> None:
        """Let the page be converted only if no page with this text and name was."""
        key = hashlib.sha256(f"{page.file.src_uri}\0{text}\0{self._around}".encode()).hexdigest()
        page.render = functools.partial(self._render, page, page.render, key)

    def _render(self, page: Any, render: Callable[..., None], key: str, config: Any, files: Any) -> None:
        known = self._known.get(key)
        if known is None:
            render(config, files)
            known = _described(page)
        else:
            page.content, page.toc, page._title_from_render = known["content"], get_toc(known["toc"]), known["title"]
            page.present_anchor_ids = set(known["anchors"])
            page.links_to_anchors = {files.get_file_from_path(uri): links for uri, links in known["links"].items()}
        self._used[key] = known

    def keep(self) -> None:
        """Keep the pages for the next build; only now, for one of which MkDocs warned has to be warned of again."""
        if self._used.keys() != self._known.keys():
            content = json.dumps(self._used, ensure_ascii=False, sort_keys=True).encode()
            disk.write_bytes(self._kept, hashlib.sha256(content).hexdigest().encode() + b"\n" + content)


def _described(page: Any) -> dict[str, Any]:
    """Return all that the conversion of a page sets in it."""
    return {
        "content": page.content,
        "toc": [_token(each) for each in page.toc],
        "title": page._title_from_render,
        "anchors": sorted(page.present_anchor_ids or ()),
        "links": {file.src_uri: links for file, links in (page.links_to_anchors or {}).items()},
    }


def _token(anchor: Any) -> dict[str, Any]:
    """Return an entry of a table of contents as `get_toc` takes it."""
    children = [_token(each) for each in anchor.children]
    return {"name": anchor.title, "id": anchor.id, "level": anchor.level, "children": children}


def _read(kept: Path) -> dict[str, dict[str, Any]]:
    """Return the pages that were kept, by their keys."""
    with contextlib.suppress(OSError):
        said, _, content = kept.read_bytes().partition(b"\n")
        if hashlib.sha256(content).hexdigest().encode() == said:
            found: dict[str, dict[str, Any]] = json.loads(content)
            return found
    return {}
