"""Sixty experiment files that are wrong: each is refused in one line, and nothing is written."""

import json
import re
from pathlib import Path

import pytest
from conftest import TINY, run_report

from report.cli import main
from report.config import Experiment
from report.errors import ConfigError
from report.training import jobs, runs
from report.workspace import Workspace

DIGITS = "9" * 400
OPTIMIZER = "[optimizer]\nname = '{}'\n{}"
CONTROL = "[[study.optimizers]]\nname = '{}'\n{}"

# What the file says, and how the line goes on after its name.
BY_ITSELF = [
    ("[data", ": not valid TOML"),
    ("\0", ": not valid TOML"),
    ("[data]\nsource = ", ": not valid TOML"),
    ("[data]\nname = 'MNIST'\nname = 'KMNIST'", ": not valid TOML"),
    ("a = " + "[" * 5000, ", line 1: too many brackets in each other."),
    ("\na = " + "{a = " * 5000, ", line 2: too many brackets in each other."),
    ("[training]\nseed = " + "9" * 5000, ", line 2: a number has too many digits."),
    (f"[training]\nseed = {DIGITS}", ": training.seed: found 99999"),
    (f"[training]\nbatches = {DIGITS}", ": training.batches: found 99999"),
    (f"[network]\ndropout = {DIGITS}", ": network.dropout: found 99999"),
    (f"[network]\nhidden = [{DIGITS}]", ": network.hidden.0: found 99999"),
    (OPTIMIZER.format("Adam", f"lr = {DIGITS}"), ": optimizer.lr: found 99999"),
    (OPTIMIZER.format("SGD", f"momentum = {DIGITS}"), ": optimizer.momentum: found 99999"),
    (OPTIMIZER.format("Adam", f"betas = [{DIGITS}, 0.9]"), ": optimizer.betas: found [99999"),
    (OPTIMIZER.format("Adam", "lr = inf"), ": optimizer.lr: found inf; allowed: a finite number above 0."),
    (OPTIMIZER.format("Adam", "lr = nan"), ": optimizer.lr: found nan; allowed: a finite number above 0."),
    (OPTIMIZER.format("Adam", "lr = 0.0"), ": optimizer.lr: found 0.0; allowed: a finite number above 0."),
    (OPTIMIZER.format("Adam", "lr = -1.0"), ": optimizer.lr: found -1.0; allowed: a finite number above 0."),
    (OPTIMIZER.format("Adam", "lr = true"), ": optimizer.lr: found True; allowed: a finite number above 0."),
    (OPTIMIZER.format("Adam", "lr = [0.1]"), ": optimizer.lr: found [0.1]; allowed: a finite number above 0."),
    (OPTIMIZER.format("Adam", "lr = 'fast'"), ": optimizer.lr: found 'fast'; allowed: a number, true or false"),
    (
        OPTIMIZER.format("Adam", "lr = 1979-05-27"),
        ": optimizer.lr: found datetime.date(1979, 5, 27); allowed: a number",
    ),
    (OPTIMIZER.format("Adam", "lr = {a = 1}"), ": optimizer.lr: found {'a': 1}; allowed: a number"),
    (OPTIMIZER.format("Adam", "betas = 5"), ": optimizer.betas: found 5; allowed: two numbers from 0 to below 1."),
    (OPTIMIZER.format("Adam", "betas = []"), ": optimizer.betas: found []; allowed: a number"),
    (OPTIMIZER.format("Adam", "betas = ['a', 'b']"), ": optimizer.betas: found ['a', 'b']; allowed: a number"),
    (OPTIMIZER.format("Adam", "betas = [1.5, 0.9]"), ": optimizer.betas: found [1.5, 0.9]; allowed: two numbers"),
    (OPTIMIZER.format("Adam", "betas = [true, 0.9]"), ": optimizer.betas: found [True, 0.9]; allowed: two numbers"),
    (OPTIMIZER.format("SGD", "momentum = '0.9'"), ": optimizer.momentum: found '0.9'; allowed: a number"),
    (OPTIMIZER.format("SGD", "momentum = inf"), ": optimizer.momentum: found inf; allowed: a finite number."),
    (OPTIMIZER.format("SGD", "momentum = []"), ": optimizer.momentum: found []; allowed: a number"),
    (OPTIMIZER.format("../../x", ""), ": optimizer.name: found '../../x'; allowed: the name of an optimizer"),
    (OPTIMIZER.format("A" * 300, ""), ": optimizer.name: found 'AAAA"),
    (
        OPTIMIZER.format("SGD", "\n".join(f"a{n} = 0.12345678901" for n in range(20))),
        ": optimizer: found too many sett",
    ),
    (CONTROL.format("SGD", "lr = inf"), ": study.optimizers.0.lr: found inf; allowed: a finite number above 0."),
    (
        CONTROL.format("Adam", "lr = 0.5"),
        ": study.optimizers.0: found another Adam, β1 = 0.9; allowed: optimizers that",
    ),
    ("study = []", ": study: found []; allowed: a table"),
    ("[training]\nseed = 2147483647", ": training.seed: found 2147483647; allowed for 5 seeds: up to 2147483643."),
    ("[training]\nseed = -1", ": training.seed: found -1; allowed: a whole number"),
    ("[training]\nseed = true", ": training.seed: found True; allowed: a whole number"),
    ("[data]\nname = 'mnist'", ": data.name: found 'mnist'; allowed: MNIST, FashionMNIST, KMNIST, QMNIST, or a func"),
    ("[data]\nname = 'a/b:c'", ": data.name: found 'a/b:c'; allowed: MNIST"),
    ("[data]\nname = 'KMNIST'\nsource = 'sample'", ': data.source: found "sample"; allowed for KMNIST: "auto" or'),
    ("[data]\nname = 'module_of_nobody:data'", ": data.name: found 'module_of_nobody:data'; there is no module"),
    ("[data]\nvalidation_fraction = 0", ": data.validation_fraction: found 0; allowed: a number from 0.01"),
    ("[network]\nkind = 'rnn'", ': network.kind: found \'rnn\'; allowed: "mlp", "cnn", or a function of your own'),
    ("[network]\nkind = 'nobodys.module:net'", ": network.kind: found 'nobodys.module:net'; importing it ended"),
    ("[network]\nchannels = [4]", ": network.channels: a network of the kind mlp has none; leave this key out."),
    ("[network]\nkind = 'cnn'\nchannels = [0]", ": network.channels.0: found 0; allowed: a list of whole numbers"),
    (
        "[network]\nkind = 'cnn'\n[recording]\nwhole = ['c9']",
        ": recording.whole: found c9; allowed: layers of this netwo",
    ),
    ("[recording]\nsample = 0", ": recording.sample: found 0; allowed: a whole number"),
]
# What torch alone knows; asked of it in a worker.
BY_TORCH = [
    (OPTIMIZER.format("Adma", ""), ": optimizer.name: found 'Adma'; allowed: "),
    (OPTIMIZER.format("LBFGS", ""), ": optimizer.name: found 'LBFGS'; allowed: "),
    (OPTIMIZER.format("Muon", ""), ": optimizer.name: found 'Muon'; allowed: "),
    (OPTIMIZER.format("SGD", "betas = [0.9, 0.99]"), ": optimizer.betas: unknown key; SGD allows: lr, momentum"),
    (
        OPTIMIZER.format("Adam", "betas = [0.9, 0.9, 0.9]"),
        ": optimizer.betas: found [0.9, 0.9, 0.9]; allowed: a list of 2",
    ),
    (OPTIMIZER.format("Adamax", "betas = [0.9, 0.9, 0.9]"), ": optimizer.betas: found [0.9, 0.9, 0.9]; allowed: a lis"),
    (OPTIMIZER.format("SGD", "dampening = [0.1, 0.2]"), ": optimizer.dampening: found [0.1, 0.2]; allowed: one value"),
    (OPTIMIZER.format("Rprop", "etas = 0.5"), ": optimizer.etas: found 0.5; allowed: a list of 2 numbers."),
    (
        OPTIMIZER.format("Adam", "weight_decay = -1.0"),
        ": optimizer: torch refuses these values for Adam: Invalid weight",
    ),
    (OPTIMIZER.format("SGD", "nesterov = true"), ": optimizer: torch refuses these values for SGD: Nesterov"),
    (OPTIMIZER.format("SGD", "lr = 1e300\nmomentum = 0.5"), ": optimizer: "),
    (CONTROL.format("Adam", "lr = 0.1\nbetas = [0.5, 0.9, 0.9]"), ": study.optimizers.0.betas: found [0.5, 0.9, 0.9]"),
]


def one_line(error: ConfigError, path: Path, goes_on: str) -> None:
    """Make sure that an error is one line, not too long, that begins with the file."""
    assert error.exit_code == 2
    assert "\n" not in str(error)
    assert str(error).startswith(f"{path}{goes_on}")
    assert len(str(error)) < len(str(path)) + 250


@pytest.mark.parametrize(("text", "goes_on"), BY_ITSELF, ids=[text[:40] for text, _ in BY_ITSELF])
def test_a_file_is_refused_before_anything_is_written(tmp_path: Path, text: str, goes_on: str) -> None:
    """And before a worker starts: one line, exit code 2, no folder."""
    path = tmp_path / "wrong.toml"
    path.write_text(text, encoding="utf-8")
    arguments = ["all", "--experiment", str(path), "--build", str(tmp_path / "b"), "--site", str(tmp_path / "s")]
    with pytest.raises(ConfigError) as caught:
        main(arguments, standalone_mode=False)
    one_line(caught.value, path, goes_on)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("text", "goes_on"), BY_TORCH, ids=[text[12:60] for text, _ in BY_TORCH])
def test_what_torch_would_refuse_is_refused_by_a_worker(tmp_path: Path, text: str, goes_on: str) -> None:
    """With one real step of each optimizer of the study."""
    path = tmp_path / "wrong.toml"
    path.write_text(text, encoding="utf-8")
    experiment = Experiment.load(path)
    tables = {each.label: f"{path}: {table}" for table, each in reversed(experiment.tables)}
    found = jobs.check([(tables[run.experiment.optimizer.label], run.experiment) for run in runs.planned(experiment)])
    assert found is not None
    one_line(found, path, goes_on)


def test_there_are_sixty() -> None:
    """And no two are alike."""
    assert len({text for text, _ in [*BY_ITSELF, *BY_TORCH]}) >= 60


@pytest.mark.slow
def test_a_refusal_by_torch_leaves_nothing_behind(tmp_path: Path) -> None:
    """The whole command: exit code 2, one line, no file, not even the lock's."""
    path = tmp_path / "wrong.toml"
    path.write_text(TINY.read_text(encoding="utf-8") + "\n[optimizer]\nname = 'Adma'\n", encoding="utf-8")
    done = run_report("all", "--processes", "1", "--experiment", str(path), "--build", str(tmp_path / "build"))
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith(f"{path}: optimizer.name: found 'Adma'; allowed: ")
    assert len(done.stderr.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "text",
    [
        OPTIMIZER.format("SGD", "lr = 0.01\nmomentum = 1.0"),
        OPTIMIZER.format("Adam", "lr = 0.01\nbetas = [0.9999999999999999, 0.9999999999999999]"),
        OPTIMIZER.format("Adam", "lr = 0.01\nbetas = [0.0, 0.0]"),
        OPTIMIZER.format("RMSprop", "lr = 0.01\nalpha = 0.9999999999999999"),
    ],
)
def test_what_torch_takes_is_taken(tmp_path: Path, text: str) -> None:
    """However odd; tests/test_theory.py asks what is predicted of it."""
    path = tmp_path / "odd.toml"
    path.write_text(text, encoding="utf-8")
    experiment = Experiment.load(path)
    assert jobs.check([("optimizer", experiment)]) is None


@pytest.mark.slow
def test_where_ci_is_set_a_dead_mirror_is_an_error(tmp_path: Path) -> None:
    """Exit code 1, one line; a site from five thousand images is not what was to be published."""
    path = tmp_path / "auto.toml"
    path.write_text(TINY.read_text(encoding="utf-8").replace('"sample"', '"auto"'), encoding="utf-8")
    arguments = ("train", "--processes", "1", "--experiment", str(path), "--build", str(tmp_path / "build"))
    done = run_report(*arguments, CI="true", REPORT_MIRRORS="http://127.0.0.1:9/", REPORT_REQUIRE_DATA="")
    assert done.returncode == 1, done.stderr
    assert re.match(r"MNIST cannot be downloaded: http://127\.0\.0\.1:9/: Connection refused\. Put the 4", done.stderr)
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(("environment", "is_refused"), [("", True), ("false", False)])
def test_a_site_that_fell_back_is_not_published(place: Workspace, environment: str, is_refused: bool) -> None:
    """Unless that is asked for."""
    path = place.build.with_name("auto.toml")
    path.write_text(TINY.read_text(encoding="utf-8").replace('"sample"', '"auto"'), encoding="utf-8")
    folder = place.run(Experiment.load(path).main_run)
    folder.mkdir(parents=True)
    told = {"about": {"data": {"reason": "MNIST cannot be downloaded."}}}
    (folder / "run.json").write_text(json.dumps(told), encoding="utf-8")
    arguments = ("--experiment", str(path), "--build", str(place.build), "--site", str(place.site))
    done = run_report("publish", *arguments, REPORT_REQUIRE_DATA=environment)
    assert done.returncode == 1
    assert ("The site was made from a sample of 5,000 MNIST images." in done.stderr) is is_refused
