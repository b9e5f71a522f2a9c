"""What the last build of the site made is taken over where the same would come of it again.

Nearly all bytes of a site are films and data, which seldom change; and of its pages one changes at a time, while to
convert Markdown, and to look through what came of it, takes longer than all else that is done for a page.
"""

import contextlib
import functools
import hashlib
import json
import os
import stat
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from mkdocs.plugins import BasePlugin
from mkdocs.structure.toc import get_toc

from report import files as disk
from report.site import policy
from report.site.settings import LIBRARIES

IsSame = Callable[[Path, Path], bool]


class Taken(NamedTuple):
    """Hold of which file one of the earlier site is a copy, and what was seen of it."""

    source: Path
    seen: os.stat_result


class Earlier(BasePlugin):  # type: ignore[type-arg]  # it has no settings
    """A plugin of MkDocs, for one build."""

    def __init__(self, site: Path, is_same: IsSame, kept: Path) -> None:
        """Look for files in the earlier `site`, and for what was made of its pages in the file `kept`.

        Args:
            site: a folder, which need not be there.
            is_same: tells whether two files hold the same.
            kept: what `keep` wrote; what is damaged there counts as nothing.
        """
        self._site, self._is_same, self._kept = site, is_same, kept
        # What is kept is of use to the code that made it alone, ours and others', and to the same rules.
        code = [Path(__file__).read_bytes(), Path(policy.__file__).read_bytes()]
        made_by = [
            sys.version,
            *(version(each) for each in LIBRARIES),
            *(hashlib.sha256(each).hexdigest() for each in code),
        ]
        self._stamp = "\n".join(made_by)
        before = _read(kept, self._stamp)
        self._known: dict[str, dict[str, Any]] = before.get("pages", {})
        self.examined: dict[str, list[str]] = before.get("examined", {})  # see `Policy.apply`
        self.taken: dict[str, Taken] = {}  # by their names below the site
        self._used: dict[str, dict[str, Any]] = {}
        self._keys: dict[str, str] = {}  # of the pages, by the name of the file
        self._around = ""

    def on_files(self, files: Any, *, config: Any, **_: Any) -> None:
        """Give a file that is there a second name, in the new site; what is not, or cannot have one, MkDocs copies."""
        for file in files:
            is_copied = not file.is_documentation_page() and file.inclusion.is_included()  # the theme's are, too
            if is_copied and self.take(Path(file.abs_src_path), file.dest_uri, Path(file.abs_dest_path)):
                file.copy_file = lambda dirty: None
        # What a page's conversion depends on besides its text: to which files it may lead, and how Markdown is read.
        settings = config.markdown_extensions, config.mdx_configs, dict(config.validation), config.use_directory_urls
        self._around = repr((settings, sorted(files.src_uris)))
        search = config.plugins["material/search"].search_index
        search.add_entry_from_context = functools.partial(self._index, search.entries, search.add_entry_from_context)

    def take(self, source: Path, name: str, here: Path) -> bool:
        """Give a file of the earlier site a second name if it holds what `source` does; tell whether it has one.

        Args:
            source: a file.
            name: of the file below the earlier site.
            here: its second name.
        """
        # A second command may put another site there at any moment.
        with contextlib.suppress(OSError, NotImplementedError):
            earlier = self._site / name
            seen = earlier.lstat()
            is_plain = stat.S_ISREG(seen.st_mode) and seen.st_mode == source.stat().st_mode
            if is_plain and self._is_same(source, earlier):
                here.parent.mkdir(parents=True, exist_ok=True)
                os.link(earlier, here)
                if disk.is_untouched(here.lstat(), seen):
                    self.taken[name] = Taken(source, seen)
                    return True
                here.unlink()
        return False

    def on_page_markdown(self, text: str, *, page: Any, **_: Any) -> None:
        """Let the page be converted only if no page of this name was with this text and these settings."""
        whole = "\0".join([page.file.src_uri, repr(page.meta), text, self._around])
        self._keys[page.file.src_uri] = hashlib.sha256(whole.encode()).hexdigest()
        page.render = functools.partial(self._render, page, page.render)

    def _render(self, page: Any, render: Callable[..., None], config: Any, files: Any) -> None:
        key = self._keys[page.file.src_uri]
        known = self._known.get(key)
        if known is None:
            render(config, files)
            known = _described(page)
        else:
            page.content, page.toc, page._title_from_render = known["content"], get_toc(known["toc"]), known["title"]
            page.present_anchor_ids = set(known["anchors"])
            page.links_to_anchors = {files.get_file_from_path(uri): links for uri, links in known["links"].items()}
        self._used[key] = known

    def _index(self, entries: list[Any], add: Callable[[Any], None], page: Any) -> None:
        """Add to the index of the search what is found on a page."""
        known, before = self._used[self._keys[page.file.src_uri]], len(entries)
        if "found" in known:
            entries += known["found"]
        else:
            add(page)
            known["found"] = entries[before:]

    def keep(self, examined: Mapping[str, list[str]]) -> None:
        """Keep what was made for the next build; only now, for what was refused has to be refused again."""
        if self._used.keys() != self._known.keys() or self.examined != examined:
            whole = {"made by": self._stamp, "pages": self._used, "examined": examined}
            content = json.dumps(whole, ensure_ascii=False).encode()
            disk.write_sealed(self._kept, content)


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


def _read(kept: Path, stamp: str) -> dict[str, Any]:
    """Return what was kept; nothing where there is nothing, it is not what was written, or other code made it."""
    content = disk.read_sealed(kept)
    found: dict[str, Any] = {} if content is None else json.loads(content)
    return found if found.get("made by") == stamp else {}
