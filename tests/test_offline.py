"""The offline copy: one archive, the same every time, with what a page from the file system may load."""

import base64
import json
import re
import shutil
import zipfile

import pytest
from conftest import ROOT

from report.errors import ReportError
from report.site import offline, unserved
from report.workspace import Workspace


@pytest.fixture(scope="module")
def archive(tiny_build, tmp_path_factory):
    """Return the tiny site's archive, and that of a second packing elsewhere."""
    paths = []
    for number in range(2):
        build = tmp_path_factory.mktemp(f"offline{number}")
        (build / "docs").symlink_to(tiny_build.workspace.docs)
        shutil.copy(tiny_build.workspace.site_settings, build)
        paths.append(offline.pack(Workspace(ROOT, build, build / "site"), tiny_build.settings))
        assert {path.name for path in build.iterdir()} == {"compiled", "docs", "site.json", paths[-1].name}
    return paths


@pytest.mark.slow
def test_two_packings_give_the_same_bytes(archive):
    """No date of a file, no order of a folder, no name of a temporary folder gets in."""
    assert archive[0].read_bytes() == archive[1].read_bytes()


@pytest.mark.slow
def test_everything_lies_in_one_folder(archive, tiny_build):
    """Whoever unpacks it has one folder more, with all pages."""
    with zipfile.ZipFile(archive[0]) as content:
        names = content.namelist()
        assert content.testzip() is None
    assert {name.split("/")[0] for name in names} == {offline.NAME}
    site = tiny_build.workspace.site
    pages = {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    assert pages <= {name.removeprefix(f"{offline.NAME}/") for name in names}


@pytest.mark.slow
def test_the_players_data_are_scripts_that_hand_over_the_same_bytes(archive, tiny_build):
    """Under the name by which the player asks for them; nothing is there twice."""
    data = tiny_build.workspace.docs / "player"
    names = {path.relative_to(data).as_posix() for path in data.rglob("*") if path.is_file()}
    with zipfile.ZipFile(archive[0]) as content:
        folder = f"{offline.NAME}/player/"
        packed = {name.removeprefix(folder) for name in content.namelist() if name.startswith(folder)}
        assert packed == {f"{name}.js" for name in names}
        for name in names:
            call = re.fullmatch(r"weightPlayerFile\((.+), (.+)\);\n", content.read(f"{folder}{name}.js").decode())
            assert call is not None
            assert json.loads(call[1]) == name
            assert base64.b64decode(json.loads(call[2])) == (data / name).read_bytes()


def test_modules_import_each_other_by_the_names_of_the_map(tmp_path):
    """Static and dynamic imports, exports from elsewhere, either quote, either folder; nothing else is touched."""
    text = (
        'import { b } from "./b.js";\n'
        "export * from './b.js';\n"
        'const later = () => import("../hand/c.js");\n'
        'const name = "./b.js";\n'
    )
    for name, content in {"player/a.js": text, "player/b.js": "export const b = 1;\n", "hand/c.js": "c();\n"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    modules = unserved.import_map(tmp_path)
    assert list(modules) == ["wim/a.js", "wim/b.js", "wim/c.js"]
    kind, content = modules["wim/a.js"].split(",")
    assert kind == "data:text/javascript;base64"
    wanted = text.replace("./b.js", "wim/b.js", 2).replace("../hand/c.js", "wim/c.js")
    assert base64.b64decode(content).decode() == wanted


def test_modules_have_names_of_their_own():
    """In the map a name has no folder."""
    paths = [path for folder in unserved.FOLDERS for path in (ROOT / "site_src/assets" / folder).glob("*.js")]
    assert len({path.name for path in paths}) == len(paths) > 2


def test_a_module_that_is_not_there_is_named(tmp_path):
    """It would fail in front of the reader otherwise."""
    (tmp_path / "player").mkdir()
    (tmp_path / "player" / "a.js").write_text('import { b } from "./gone.js";\n')
    with pytest.raises(ReportError, match=r"a\.js imports gone\.js"):
        unserved.import_map(tmp_path)
