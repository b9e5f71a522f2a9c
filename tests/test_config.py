"""The experiment file: what is right is kept as it is, what is wrong is named in one line."""

import inspect
import re
from pathlib import Path

import pytest

from report.config import Experiment, Optimizer
from report.errors import ConfigError
from report.training.optimizers import KINDS

ROOT = Path(__file__).resolve().parent.parent


def refuse(tmp_path: Path, text: str) -> str:
    """Return the message with which `text` is refused."""
    path = tmp_path / "wrong.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        Experiment.load(path)
    assert caught.value.exit_code == 2
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "key", "found", "allowed"),
    [
        ("[data]\nsourec = 'auto'", "data.sourec", "unknown key", 'Did you mean "source"?'),
        ("[trainin]\nseed = 1", "trainin", "unknown key", 'Did you mean "training"?'),
        ("[data]\nsource = 'web'", "data.source", "'web'", '"auto", "whole" or "sample"'),
        ("[training]\nbatches = '10'", "training.batches", "'10'", "a whole number from 1"),
        ("[training]\nbatches = 1.5", "training.batches", "1.5", "a whole number from 1"),
        ("[training]\nbatches = true", "training.batches", "True", "a whole number from 1"),
        ("[training]\nbatches = 0", "training.batches", "0", "a whole number from 1"),
        ("[training]\nseed = -1", "training.seed", "-1", "a whole number from 0"),
        ("[training]\ndevice = 'tpu'", "training.device", "'tpu'", '"cuda"'),
        ("[network]\ndropout = 1.0", "network.dropout", "1.0", "below 1"),
        ("[network]\ndropout = nan", "network.dropout", "nan", "below 1"),
        ("[network]\nhidden = []", "network.hidden", "[]", "a list of whole numbers"),
        ("[network]\nhidden = [10, 1]", "network.hidden.1", "1", "from 2 to 10,000"),
        ("[recording]\nwhole = ['l9']", "recording.whole", "l9", "l1, l2, l3, l4, l5"),
        ("[recording]\nwhole = ['l[6-9]', 'l2']", "recording.whole", "found l[6-9];", "l1, l2, l3, l4, l5"),
        (
            "[training]\nbatches = 99\n[study]\nbatches = 9\n[animation]\nlong_batches = 99",
            "animation.frames",
            "100",
            "at most training.batches, 99",
        ),
        (
            "[training]\nbatches = 2\nvalidations = 3\n[study]\nbatches = 2\n"
            "[animation]\nframes=1\nlong_batches=2\nlong_step=1",
            "training.validations",
            "3",
            "2",
        ),
        ("[animation]\nlong_step = 2000", "animation.long_step", "2000", "1000"),
        ("[study]\nseeds = 0", "study.seeds", "0", "from 1 to 1,000"),
        ("[study]\nbatches = 3001", "study.batches", "3001", "at most training.batches, 3000"),
        ("[study]\noptimizers = 'SGD'", "study.optimizers", "'SGD'", "a list of tables"),
        ("[[study.optimizers]]\nname = 3", "study.optimizers.0.name", "3", "torch.optim"),
        (
            "[[study.optimizers]]\nname = 'Adam'\nlr = 0.5",
            "study.optimizers.0",
            "another Adam, β1 = 0.9",
            "more than the learning rate",
        ),
        ("training = 3", "training", "3", "a table"),
        ("[site]\nurl = 'example.org'", "site.url", "'example.org'", "https://"),
        ("[site]\nlanguages = []", "site.languages", "[]", "a list of folders"),
        ("[site]\nlanguages = ['en', 3]", "site.languages.1", "3", "a list of folders"),
        ("[site]\nlanguages = 'en'", "site.languages", "'en'", "a list of folders"),
        ("[site]\nlanguages = ['en', 'ja', 'en']", "site.languages", "['en', 'ja', 'en']", "once"),
        ("[optimizer]\nname = 3", "optimizer.name", "3", "torch.optim"),
    ],
)
def test_a_mistake_is_one_line_with_file_key_found_and_allowed(
    tmp_path: Path, text: str, key: str, found: str, allowed: str
) -> None:
    """Each line names the file, the key, what was found and what is allowed."""
    message = refuse(tmp_path, text)
    assert "\n" not in message
    assert re.match(rf".*wrong\.toml: {re.escape(key)}: ", message), message
    assert found in message
    assert allowed in message


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    """A person mends them in one go."""
    message = refuse(tmp_path, "[data]\nsourec = 1\n[training]\nseed = -1\n")
    assert len(message.splitlines()) == 2


@pytest.mark.parametrize(
    ("text", "says"), [("[data", "not valid TOML"), (b"\xff\xfe".decode("latin-1"), "not valid TOML")]
)
def test_a_file_that_is_not_toml_is_named(tmp_path: Path, text: str, says: str) -> None:
    """The parser's reason, with line and column, reaches the person."""
    assert says in refuse(tmp_path, text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """And the option that names another."""
    with pytest.raises(ConfigError, match=r"nowhere\.toml: there is no such file.*--experiment"):
        Experiment.load(tmp_path / "nowhere.toml")


@pytest.mark.parametrize("name", ["experiment.toml", "preview.toml", "tests/tiny.toml"])
def test_the_files_of_the_project_are_valid(name: str) -> None:
    """What is committed can be run."""
    assert Experiment.load(ROOT / name).layers[0] == "l1"


def test_the_default_experiment_is_the_first_article(tmp_path: Path) -> None:
    """An empty file means the network and the training of the first article."""
    path = tmp_path / "empty.toml"
    path.write_text("", encoding="utf-8")
    experiment = Experiment.load(path)
    committed = Experiment.load(ROOT / "experiment.toml")
    assert experiment == committed
    assert (experiment.data.name, experiment.network.kind) == ("MNIST", "mlp")
    assert experiment.network.hidden == (1000, 100, 10, 10)
    assert experiment.main_run == "adam-b1-0.9-seed10"


def test_the_study_holds_the_main_optimizer_and_its_controls_once_each(tmp_path: Path) -> None:
    """The main one comes first, whether it is listed or not; seeds follow the main training run's."""
    path = tmp_path / "study.toml"
    listed = (
        "[[study.optimizers]]\nname = 'SGD'\n[[study.optimizers]]\nname = 'Adam'\nlr = 0.001\nbetas = [0.9, 0.999]\n"
    )
    path.write_text(f"[training]\nseed = 7\n[study]\nseeds = 2\n{listed}", encoding="utf-8")
    experiment = Experiment.load(path)
    names = [experiment.run_name(optimizer, seed) for optimizer in experiment.optimizers for seed in experiment.seeds]
    assert names == ["adam-b1-0.9-seed7", "adam-b1-0.9-seed8", "sgd-seed7", "sgd-seed8"]
    assert experiment.main_run == names[0]


def test_the_default_study_has_seven_optimizers_and_five_seeds() -> None:
    """Adam with four β1, RMSprop, SGD without and with momentum."""
    experiment = Experiment.load(ROOT / "experiment.toml")
    names = [experiment.run_name(optimizer, 0) for optimizer in experiment.optimizers]
    assert names == [
        *("adam-b1-0.9-seed0", "adam-b1-0-seed0", "adam-b1-0.5-seed0", "adam-b1-0.99-seed0"),
        *("rmsprop-seed0", "sgd-seed0", "sgd-with-momentum-0.9-seed0"),
    ]
    assert experiment.seeds == (10, 11, 12, 13, 14)


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    """Some editors put one at the beginning of a file."""
    path = tmp_path / "marked.toml"
    path.write_text("\ufeff[training]\nseed = 7\n", encoding="utf-8")
    assert Experiment.load(path).training.seed == 7


def test_an_experiment_cannot_be_changed(tiny: Experiment) -> None:
    """It is handed down through the whole program."""
    with pytest.raises(ValueError, match="frozen"):
        tiny.training.seed = 4  # type: ignore[misc]


@pytest.mark.parametrize(
    ("table", "label", "name"),
    [
        ({"name": "Adam"}, "Adam, β1 = 0.9", "adam-b1-0.9-seed0"),
        ({"name": "Adam", "betas": [0.0, 0.999]}, "Adam, β1 = 0", "adam-b1-0-seed0"),
        ({"name": "SGD", "lr": 0.1}, "SGD", "sgd-seed0"),
        ({"name": "SGD", "momentum": 0.9}, "SGD with momentum 0.9", "sgd-with-momentum-0.9-seed0"),
        ({"name": "RMSprop"}, "RMSprop", "rmsprop-seed0"),
        (
            {"name": "AdamW", "weight_decay": 0.01},
            "AdamW, β1 = 0.9, weight decay 0.01",
            "adamw-b1-0.9-weight-decay-0.01-seed0",
        ),
        ({"name": "Adam", "betas": [0.9, 0.99]}, "Adam, β1 = 0.9, β2 = 0.99", "adam-b1-0.9-b2-0.99-seed0"),
        (
            {"name": "SGD", "momentum": 0.9, "nesterov": True},
            "SGD with momentum 0.9, nesterov",
            "sgd-with-momentum-0.9-nesterov-seed0",
        ),
        ({"name": "SGD", "weight_decay": 0.0}, "SGD", "sgd-seed0"),
        ({"name": "SGD", "nesterov": False, "weight_decay": 0}, "SGD", "sgd-seed0"),
    ],
)
def test_an_optimizer_has_a_readable_name(table: dict[str, object], label: str, name: str) -> None:
    """In prose and in file names."""
    optimizer = Optimizer.model_validate(table)
    assert (optimizer.label, Experiment.run_name(optimizer, 0)) == (label, name)


def test_what_a_name_leaves_out_is_torchs_default() -> None:
    """A zero that says nothing new gives no other label; AdamW's weight decay of 0 is news."""
    for name, kind in KINDS.items():
        for key, parameter in inspect.signature(kind).parameters.items():
            default = Optimizer.model_validate({"name": name}).label
            spelled = Optimizer.model_validate({"name": name, key: 0.0}).label
            if key not in ("lr", "betas", "momentum") and spelled == default:
                assert parameter.default == 0, (name, key)
    assert Optimizer.model_validate({"name": "AdamW", "weight_decay": 0.0}).label.endswith("weight decay 0")
    assert len({Optimizer.model_validate({"name": "AdamW", "weight_decay": zero}).label for zero in (0, 0.0)}) == 1


def test_layers_that_are_kept_whole_may_be_named_by_patterns(tmp_path: Path) -> None:
    """As `report.record` takes them; neighbours they need not be."""
    path = tmp_path / "whole.toml"
    path.write_text("[recording]\nwhole = ['l2', 'l[45]']\n", encoding="utf-8")
    assert Experiment.load(path).recording.whole == ("l2", "l[45]")


def test_the_environment_names_address_and_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    """A publishing workflow says where the site goes without editing the file."""
    monkeypatch.setenv("REPORT_SITE_URL", "https://example.org/report/")
    monkeypatch.setenv("REPORT_REPOSITORY_URL", "https://example.org/owner/report/")
    site = Experiment.load(ROOT / "experiment.toml").site
    assert (site.url, site.repository) == ("https://example.org/report/", "https://example.org/owner/report")


@pytest.mark.parametrize("variable", ["REPORT_SITE_URL", "REPORT_REPOSITORY_URL"])
def test_the_environments_addresses_are_checked_as_the_files_are(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """The line names the variable, what was found and what is allowed."""
    monkeypatch.setenv(variable, "example.org")
    with pytest.raises(ConfigError, match=rf"^{variable}: found 'example\.org'; allowed: .*https://.*$"):
        Experiment.load(ROOT / "experiment.toml")
