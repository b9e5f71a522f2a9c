"""MkDocs turns `build/docs` into `site/`: whole or not at all, the same bytes every time; and shows it on localhost.

One build makes every language: pages of the first lie at the root, those of another below its name. The theme's
templates (site_src/overrides) keep each within its own; the index of the search is divided here.
"""

import contextlib
import filecmp
import functools
import html
import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

# Read when Material is imported: its notice about MkDocs 2 is for us (pyproject.toml says mkdocs<2), not for a reader.
os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")

import jinja2
import markdown
import rjsmin
from mkdocs.commands import build as mkdocs_build
from mkdocs.config import load_config
from mkdocs.exceptions import MkDocsException
from mkdocs.utils import meta

from report import files
from report.errors import ReportError, command
from report.site import exchange, gallery, unserved
from report.site.earlier import Earlier, IsSame, Taken
from report.site.policy import HEADER, Policy
from report.site.settings import Settings
from report.site.words import cache
from report.workspace import Workspace

# Where words end besides at what Material takes for a space. A word of Japanese is found by how it begins, and what is
# asked for is not taken apart as pages are: so both end at brackets, and where one kind of letter follows another, but
# for the endings in hiragana of a word in kanji.
HIRAGANA, KATAKANA, KANJI, LATIN = "ぁ-ん", "ァ-ヴー", "一-龠々", "A-Za-z0-9"
ENDS = {
    "ja": (
        "[「」『』（）・：；！？〜]",
        f"(?<=[{HIRAGANA}])(?=[{KATAKANA}{KANJI}{LATIN}])",
        f"(?<=[{KATAKANA}])(?=[{HIRAGANA}{KANJI}{LATIN}])",
        f"(?<=[{KANJI}])(?=[{KATAKANA}{LATIN}])",
        f"(?<=[{LATIN}])(?=[{HIRAGANA}{KATAKANA}{KANJI}])",
    )
}
BYTE_BY_BYTE: IsSame = functools.partial(filecmp.cmp, shallow=False)
EPOCH = "315532800"  # 1980-01-01: MkDocs puts a time into sitemap.xml.gz, and it must not be now


def build(
    workspace: Workspace, settings: Settings, *, offline: bool = False, is_same: IsSame = BYTE_BY_BYTE
) -> dict[str, Taken]:
    """Build the site; an earlier one stays in place until the new one is complete.

    Args:
        workspace: has the pages, and where the site goes.
        settings: its title and addresses.
        offline: whether it opens from the file system, too.
        is_same: tells whether two files hold the same; what the earlier site has need not be made again then.

    Returns:
        The files that were taken over from the earlier site, by their names below it.

    Raises:
        ReportError: when MkDocs warns of anything, such as a link that leads nowhere.
    """
    if not (workspace.docs / "index.md").is_file():
        raise ReportError(f'No pages in {workspace.docs}. Run "{command()}" first.')
    with exchange.scratch(workspace.site) as fresh:
        with _warnings() as warnings, _fixed_time():
            try:
                config = _config(workspace, settings, fresh, offline)
                config.extra.policy = policy = Policy(offline=offline)
                earlier = Earlier(workspace.site, is_same, workspace.compiled / "pages")
                config.plugins["earlier"] = earlier
                mkdocs_build.build(config)
            except (MkDocsException, jinja2.TemplateError) as error:  # such as a language that Material does not know
                reasons = "\n".join(warnings) or str(error)
                raise ReportError(f"MkDocs refuses to build the site:\n{reasons}") from error
        earlier.keep(policy.apply(fresh, earlier.examined))
        _shorten_scripts(workspace.docs / "assets", fresh / "assets")
        _divide_search(config, settings, fresh / "search" / "search_index.json", as_script=offline)
        if offline:
            unserved.turn_into_scripts(fresh / "player")
        gallery.put(workspace, fresh, earlier.take)
        # GitHub must not run its own generator, which leaves out files that begin with an underscore.
        (fresh / ".nojekyll").touch()
        fresh.chmod(0o755)
        with files.person_readable(workspace.site):
            exchange.replace(workspace.site, fresh)
    return earlier.taken


def serve(
    workspace: Workspace,
    settings: Settings,
    rebuild: Callable[[], None],
    *,
    watched: Sequence[Path],
    note: str,
    port: int = 8000,
) -> None:
    """Show the site on localhost until Ctrl-C; call `rebuild` and reload the browser when its sources change.

    Args:
        workspace: where the site is.
        settings: its address.
        rebuild: called in this thread.
        watched: files, and folders with all that is below them.
        note: what a person is told of it, beside the address.
        port: of localhost.

    Raises:
        ReportError: when the port is taken.
    """
    from mkdocs.livereload import LiveReloadServer

    def rebuild_and_say() -> None:
        try:
            rebuild()
        except ReportError as error:
            # A slip in a template is mended in the editor, not by starting again.
            print(error, flush=True)

    mount = urlsplit(settings.url).path or "/"
    server: Any = LiveReloadServer(rebuild_and_say, "127.0.0.1", port, str(workspace.site), mount)
    # Its script within a page is one that the page's own policy would forbid.
    inject = server._inject_js_into_html
    server._inject_js_into_html = lambda content, epoch: inject(content.replace(HEADER.encode(), b""), epoch)
    server.error_handler = lambda code: (workspace.site / "404.html").read_bytes() if code == 404 else None
    for path in watched:
        server.watch(str(path))
    print(f"{server.url}   (Ctrl-C ends it; {note})", flush=True)
    try:
        server.serve()
    except OSError as error:
        raise ReportError(f"Cannot serve on port {port}: {error.strerror}. Name another one with --port.") from error
    except KeyboardInterrupt:
        print()
    finally:
        server.shutdown()


def _config(workspace: Workspace, settings: Settings, folder: Path, offline: bool) -> Any:
    """Return MkDocs's settings with what the site's and the pages decide."""
    more: dict[str, Any] = {}
    if offline:
        # Material's own, which makes the search index a script.
        more["plugins"] = ["search", "offline"]
    config: Any = load_config(
        str(workspace.mkdocs_config),
        site_name=settings.title,
        site_url=settings.base,
        repo_url=settings.repository,
        docs_dir=str(workspace.docs),
        site_dir=str(folder),
        **more,
    )
    config.nav = [
        {language: _pages(workspace.docs, folder, config.nav)} for language, folder in homes(settings).items()
    ]
    config.theme["language"] = settings.languages[0]
    config.extra.update(files.read_json(workspace.site_settings), homes=homes(settings))
    # One environment, where MkDocs makes one for every question: a template is compiled once.
    config.theme.get_env = functools.cache(functools.partial(_environment, config.theme.get_env, workspace.compiled))
    if offline:
        # Ours, or the plugin takes one from another host.
        modules = unserved.import_map(workspace.docs / "assets")
        config.extra.update(polyfills=["assets/offline/iframe-worker.js"], modules=modules)
    return config


class _Visible(jinja2.FileSystemLoader):
    """List no hidden templates, as MkDocs wants it, without looking through Material's twelve thousand icons."""

    def list_templates(self) -> list[str]:
        """Return the names of all that are not hidden."""
        found: set[str] = set()
        for top in self.searchpath:
            for folder, below, names in os.walk(top):
                below[:] = [name for name in below if not name.startswith(".")]
                found.update(Path(folder, name).relative_to(top).as_posix() for name in names)
        return sorted(found)


def _environment(make: Callable[[], jinja2.Environment], compiled: Path) -> jinja2.Environment:
    """Return the environment of the theme's templates: what they show is escaped, and each is compiled once for all."""
    environment = make()
    # Material's templates are made for texts that need no escaping. Its words are its own, and go into scripts, too.
    environment.autoescape = lambda name: not (name or "").startswith(("partials/language", ".icons/"))
    environment.bytecode_cache = cache(compiled, Path(__file__))
    environment.auto_reload = False
    if isinstance(environment.loader, jinja2.FileSystemLoader):
        environment.loader = _Visible(environment.loader.searchpath)
    return environment


def convert(workspace: Workspace, settings: Settings, page: str) -> str:
    """Return a page's Markdown as the HTML that its site would have of it; addresses stay as they are."""
    config: Any = load_config(str(workspace.mkdocs_config), site_name=settings.title, docs_dir=str(workspace.docs))
    text, _ = meta.get_data(page)
    extensions, options = config.markdown_extensions, config.mdx_configs
    return str(markdown.Markdown(extensions=extensions, extension_configs=options).convert(text))


def homes(settings: Settings) -> dict[str, str]:
    """Return the folder of each language's pages below the root of the site: "" or "ja/"."""
    return {language: f"{language}/" if place else "" for place, language in enumerate(settings.languages)}


def _pages(docs: Path, folder: str, names: list[str]) -> list[str | dict[str, str]]:
    """Return those of a language's pages that there are, in their order, with what the navigation calls them.

    That is a page's title, or `menu` in its front matter.
    """
    paths = [path for name in names if (path := docs / folder / name).is_file()]
    titles = [meta.get_data(path.read_text(encoding="utf-8"))[1].get("menu") for path in paths]
    addresses = [path.relative_to(docs).as_posix() for path in paths]
    return [{title: path} if title else path for title, path in zip(titles, addresses, strict=True)]


def _shorten_scripts(sources: Path, assets: Path) -> None:
    """Leave comments and spaces out of our scripts: two fifths of what they weigh on the way to a reader."""
    for source in sorted(sources.rglob("*.js")):
        text = source.read_text(encoding="utf-8")
        files.write_text(assets / source.relative_to(sources), str(rjsmin.jsmin(text)))


def _divide_search(config: Any, settings: Settings, whole: Path, *, as_script: bool) -> None:
    """Give each language an index of its own pages, which takes words apart as that language does.

    Material's script asks for it below the page's "base", which overrides/main.html makes the language's home.
    """
    index = json.loads(whole.read_text(encoding="utf-8"))
    theme = config.theme.get_env()
    folders = homes(settings)
    for language, folder in folders.items():
        say = theme.get_template("partials/language.html").make_module({"language": language, "config": config}).t
        others = tuple(other for other in folders.values() if len(other) > len(folder))
        docs = [
            {**entry, "location": entry["location"].removeprefix(folder), "title": _found_as(entry)}
            for entry in index["docs"]
            if entry["location"].startswith(folder) and not entry["location"].startswith(others)
        ]
        taken_apart = {
            "lang": [say("search.config.lang")],
            "separator": "|".join([say("search.config.separator"), *ENDS.get(language, ())]),
            "pipeline": say("search.config.pipeline").replace(" ", "").split(","),
        }
        own = {"config": {**index["config"], **taken_apart}, "docs": docs}
        text = json.dumps(own, ensure_ascii=False, separators=(",", ":"))
        target = whole.parent.parent / folder / "search" / whole.name
        files.write_text(target, text)
        if as_script:
            files.write_text(target.with_suffix(".js"), f"var __index = {text}")


def _found_as(entry: dict[str, str]) -> str:
    """Return the title of what is found, as HTML: a section's is that already, a page's comes from its front matter."""
    return entry["title"] if "#" in entry["location"] else html.escape(entry["title"], quote=False)


@contextlib.contextmanager
def _warnings() -> Iterator[list[str]]:
    """Collect what MkDocs warns of, instead of printing it."""
    lines: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    logger = logging.getLogger("mkdocs")
    collector, propagate = Collector(logging.WARNING), logger.propagate
    logger.addHandler(collector)
    logger.propagate = False
    try:
        yield lines
    finally:
        logger.removeHandler(collector)
        logger.propagate = propagate


@contextlib.contextmanager
def _fixed_time() -> Iterator[None]:
    """Let MkDocs take the same time for now at every build."""
    before = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = EPOCH
    try:
        yield
    finally:
        if before is None:
            del os.environ["SOURCE_DATE_EPOCH"]
        else:
            os.environ["SOURCE_DATE_EPOCH"] = before
