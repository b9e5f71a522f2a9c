"""The pages are valid HTML, by html-validate."""

import json
import shutil
import subprocess

from .conftest import CHECKS, missing

# What is not asked for, each with its reason; all other recommended rules hold.
OFF = {
    # Matters of style, which browsers read alike.
    "attribute-boolean-style": "Material writes hidden, Markdown hidden=hidden",
    "attribute-empty-style": "as before",
    "doctype-style": "Material's is in lower case",
    "no-inline-style": "figures carry their size as custom properties",
    "no-trailing-whitespace": "Jinja leaves empty lines",
    "void-style": "Markdown closes <img />, Material does not",
    "long-title": "a title says what the page says; search engines cut it off themselves",
    # Material's own templates.
    "no-implicit-button-type": "its search has buttons in a form that is never submitted",
    "valid-autocomplete": "its search field says off to suggestions with words that are newer than the list",
    "wcag/h32": "its search form is sent by Enter alone",
    "unique-landmark": "names that its templates lack are set by a script (access.js), which axe-core sees",
}


def test_the_html_is_valid(folder, pages, tmp_path):
    """Every page, as MkDocs writes it."""
    tool = CHECKS / "node_modules" / ".bin" / "html-validate"
    if not tool.is_file():
        missing('html-validate is not installed ("make test" installs it)')
    for name in pages:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(folder / name, tmp_path / name)
    rules = dict.fromkeys(OFF, "off") | {"valid-id": ["error", {"relaxed": True}]}
    config = {"root": True, "extends": ["html-validate:recommended"], "rules": rules}
    (tmp_path / ".htmlvalidate.json").write_text(json.dumps(config), encoding="utf-8")
    done = subprocess.run([tool, "-f", "text", *pages], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""
    assert done.returncode == 0
