"""What `report.record` refuses, each time with one line and before anything is written; and which names it gives."""

import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from by_hand import ByHand, pair, train
from torch import nn

import report
from report.errors import ReportError

SGD = torch.optim.SGD


def refused(tmp_path: Path, match: str, **arguments: Any) -> str:
    """Return the message with which `record` refuses some arguments; nothing is written."""
    model = arguments.pop("model", None) or pair()
    optimizer = arguments.pop("optimizer", None) or SGD(model.parameters(), lr=0.1)
    with pytest.raises(ReportError, match=match) as caught:
        report.record(model, optimizer, tmp_path / "run", **arguments)
    assert "\n" not in str(caught.value)
    assert "--build" not in str(caught.value)
    assert not (tmp_path / "run").exists()
    return str(caught.value)


@pytest.mark.parametrize(
    "arguments",
    [
        {"sample": 0},
        {"sample": 1.5},
        {"sample": True},
        {"first": -1},
        {"every": 0},
        {"every": "2"},
        {"steps": 0},
        {"steps": -3},
        {"seed": "one"},
        {"seed": 0.5},
        {"label": 3},
        {"label": " "},
        {"whole": 5},
        {"whole": ["0.*", 5]},
        {"overwrite": "yes"},
        {"overwrite": 1},
        {"role": "boss"},
        {"about": {"path": Path()}},
        {"about": {"loss": float("nan")}},
        {"about": 5},
        {"about": [("a", 1)]},
        {"about": ""},
    ],
    ids=str,
)
def test_wrong_arguments(tmp_path: Path, arguments: dict[str, Any]) -> None:
    """The message names the argument, says what was found, and what is wanted."""
    message = refused(tmp_path, f"^record: {next(iter(arguments))}: ", **arguments)
    assert "wanted" in message


def test_whole_numbers_of_numpy(tmp_path: Path) -> None:
    """A seed that NumPy drew is a whole number."""
    model = pair()
    optimizer = SGD(model.parameters(), lr=0.1)
    with report.record(model, optimizer, tmp_path / "run", seed=np.int64(7), sample=np.int32(3)):  # type: ignore[arg-type]
        train(model, optimizer)
    assert report.Recording.open(tmp_path / "run").seed == 7


def test_a_pattern_that_matches_nothing(tmp_path: Path) -> None:
    """It would be a mistake; the message has the names that there are."""
    message = refused(tmp_path, "whole: no parameter matches 'heda'", whole=["0.*", "heda"])
    assert "this model has 0.weight, 0.bias, 2.weight, 2.bias." in message


@pytest.mark.parametrize("given", [5, None, "", b""], ids=str)
def test_no_folder(given: Any) -> None:
    """What is no path is refused by what was found."""
    model = pair()
    with pytest.raises(ReportError, match=r"^record: folder: found .*; wanted: the path of a folder\.$"):
        report.record(model, SGD(model.parameters(), lr=0.1), given)


@pytest.mark.parametrize(
    ("pattern", "near"),
    [
        ("haed.*", "head.*"),
        ("head", "head.*"),
        ("head.wieght", "head.weight"),
        ("body", "body.*"),
        ("body.0", "body.0.*"),
    ],
)
def test_a_pattern_that_is_nearly_right(tmp_path: Path, pattern: str, near: str) -> None:
    """The message has what was meant."""
    model = nn.ModuleDict({"body": pair(), "head": nn.Linear(2, 2)})
    message = refused(tmp_path, "whole: no parameter matches", model=model, whole=pattern)
    assert message.split("; did you mean ")[1].rstrip("?").split(" or ")[0] == near


def test_a_pattern_of_what_no_optimizer_holds(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It keeps nothing: a note and a warning say so, unless an optimizer is given them later."""
    for is_late in (False, True):
        model = pair()
        optimizer = SGD(model[0].parameters(), lr=0.1)
        with (
            caplog.at_level(logging.WARNING, "report"),
            report.record(model, optimizer, tmp_path / str(is_late), whole=["2.*", "0.*"]),
        ):
            train(model, optimizer)
            if is_late:
                optimizer.add_param_group({"params": model[2].parameters()})
                train(model, optimizer)
        assert "whole: '2.*' matches only parameters that are not recorded." in caplog.text
        assert "Was the optimizer made before this part of the model?" in caplog.text
        notes = report.Recording.open(tmp_path / str(is_late)).notes
        assert [note.kind for note in notes] == ([] if is_late else ["unheld", "whole"])


def test_a_pattern_that_is_a_name(tmp_path: Path) -> None:
    """A name with brackets is no pattern of characters."""
    weights = {"a[0]": nn.Parameter(torch.ones(9)), "a0": nn.Parameter(torch.ones(9))}
    optimizer = SGD(weights.values(), lr=0.1)
    with report.record(weights, optimizer, tmp_path / "run", sample=3, whole="a[0]"):
        pass
    kept = {name: each.kept for name, each in report.Recording.open(tmp_path / "run").tensors.items()}
    assert kept["a[0]"] == "whole"


class Mine(torch.optim.LBFGS):
    """Be an LBFGS of somebody's own."""


@pytest.mark.parametrize("kind", [torch.optim.LBFGS, Mine])
def test_lbfgs(tmp_path: Path, kind: type[torch.optim.LBFGS]) -> None:
    """It changes the weights several times a step."""
    model = pair()
    refused(tmp_path, "LBFGS", model=model, optimizer=kind(model.parameters()))


def test_another_models_optimizer(tmp_path: Path) -> None:
    """Nothing could ever be recorded."""
    refused(tmp_path, "holds no parameter of this model", optimizer=SGD(pair().parameters(), lr=0.1))


def test_an_optimizer_of_the_model_that_was_replaced(tmp_path: Path) -> None:
    """A new head after the optimizer was made: it holds the old one's parameters."""
    model = pair()
    optimizer = SGD(model.parameters(), lr=0.1)
    model[2] = torch.nn.Linear(5, 3)
    with report.record(model, optimizer, tmp_path / "run"):
        train(model, optimizer)
    (note,) = report.Recording.open(tmp_path / "run").notes
    assert note.kind == "unheld"
    assert note.text.endswith("Optimizers hold 2 parameters that this model does not have: was a part of it replaced?")


def test_no_optimizer_at_all(tmp_path: Path) -> None:
    """An empty list holds none."""
    with pytest.raises(ReportError, match="list of optimizers is empty"):
        report.record(pair(), [], tmp_path / "run")


@pytest.mark.parametrize("optimizer", [5, "adam", [5], [[]], {"lr": 1}], ids=str)
def test_no_optimizer(tmp_path: Path, optimizer: Any) -> None:
    """What is no optimizer is refused by its type."""
    refused(tmp_path, r"as an optimizer; wanted: a torch\.optim\.Optimizer", optimizer=optimizer)


def test_an_optimizer_that_is_not_made(tmp_path: Path) -> None:
    """A class whose constructor forgot torch's has no hooks."""

    class Unmade(torch.optim.Optimizer):
        def __init__(self) -> None:
            self.param_groups: list[Any] = []

        def step(self, closure: Any = None) -> None:  # type: ignore[override]
            pass

    refused(tmp_path, "found Unmade as an optimizer", optimizer=Unmade())


def test_optimizers_by_name(tmp_path: Path) -> None:
    """A mapping of optimizers, or one given twice, is what it looks like."""
    model = pair()
    first, second = SGD(model[0].parameters(), lr=0.1), SGD(model[2].parameters(), lr=0.1)
    hand = ByHand(model)
    with report.record(model, {"a": first, "b": second, "again": first}, tmp_path / "run"):  # type: ignore[arg-type]
        for _ in range(3):
            model.zero_grad()
            model(torch.randn(4, 6)).square().mean().backward()
            hand.before()
            first.step()
            second.step()
            hand.after()
    hand.check(tmp_path / "run")


@pytest.mark.parametrize("model", [5, "model", [nn.Linear(2, 2)], {"a": 5}], ids=str)
def test_no_model(tmp_path: Path, model: Any) -> None:
    """What is no model is refused by its type."""
    refused(tmp_path, "wanted: a ", model=model, optimizer=SGD(pair().parameters(), lr=0.1))


class DTensor(nn.Parameter):
    """Look like a parameter of FSDP2."""

    def full_tensor(self) -> torch.Tensor:
        """Gather the shards."""
        raise AssertionError("it is collective: one process alone would wait for ever")


class FullyShardedDataParallel(nn.Module):
    """Look like FSDP's wrapper."""

    def __init__(self) -> None:
        """Hold what is wrapped."""
        super().__init__()
        self.module = pair()


def test_sharded_models(tmp_path: Path) -> None:
    """FSDP and DeepSpeed leave no process with the whole of a parameter: the message says what to do."""
    model = pair()
    model[2].weight = DTensor(torch.ones(2, 5))
    message = refused(tmp_path, r"2\.weight is sharded", model=model)
    assert "DistributedDataParallel" in message
    refused(tmp_path, "is sharded", model=nn.Sequential(FullyShardedDataParallel()))
    model = pair()
    model[0].bias.ds_id = 3
    refused(tmp_path, r"0\.bias is sharded", model=model)


def test_lazy_modules(tmp_path: Path) -> None:
    """A parameter without a shape cannot be described; the message says what to do."""
    model = nn.Sequential(nn.LazyLinear(3))
    message = refused(tmp_path, "has no shape yet", model=model)
    assert "Run one batch" in message
    model = nn.Sequential(nn.Linear(2, 2, device="meta"))
    refused(tmp_path, "has no values yet", model=model)


def test_two_parameters_of_one_name(tmp_path: Path) -> None:
    """They could not be told apart."""
    weights = {1: nn.Parameter(torch.ones(2)), "1": nn.Parameter(torch.ones(2))}
    refused(tmp_path, "two parameters are called '1'", model=weights, optimizer=SGD(weights.values(), lr=0.1))


def test_complex_and_empty_parameters(tmp_path: Path) -> None:
    """They are left out and noted; where nothing is left, it is refused."""
    odd = {"c": nn.Parameter(torch.ones(2, dtype=torch.complex64)), "e": nn.Parameter(torch.ones(0, 3))}
    refused(tmp_path, "holds no parameter", model=odd, optimizer=SGD(odd.values(), lr=0.1))
    weights = odd | {"w": nn.Parameter(torch.ones(2))}
    optimizer = SGD(weights.values(), lr=0.1)
    with report.record(weights, optimizer, tmp_path / "run"):
        (weights["w"].sum() + weights["c"].abs().sum()).backward()
        optimizer.step()
    recording = report.Recording.open(tmp_path / "run")
    assert list(recording.tensors) == ["w"]
    assert {note.kind: note.tensors for note in recording.notes} == {"left out": ("c", "e")}


def test_existing_folders(tmp_path: Path) -> None:
    """A recording is replaced when that is asked for; what is none, never; strangers beside a recording stay."""
    model = pair()
    optimizer = SGD(model.parameters(), lr=0.1)
    folder = tmp_path / "run"
    folder.mkdir()  # an empty one is as good as none
    with report.record(model, optimizer, folder, sample=4, first=1) as recorder:
        train(model, optimizer, 5)
        recorder.log(loss=1, accuracy=2)
        recorder.attach(x=np.ones(1))
    strangers = ["notes.txt", "my-data.npy", "weights-final.npy", "run.json.bak", ".run.json.abc"]
    for name in strangers:
        (folder / name).write_text("mine")
    (folder / "plots").mkdir()
    with pytest.raises(ReportError, match=r"run exists; overwrite=True replaces it, or name another folder\.$"):
        report.record(model, optimizer, folder)
    with report.record(model, optimizer, folder, overwrite=True):
        train(model, optimizer, 3)
    assert report.Recording.open(folder).steps == 3
    assert report.Recording.open(folder).series == {}
    left = {path.name for path in folder.iterdir()} - {"run.json", "progress.json", "events.jsonl"}
    assert left == {f"{kind}-{n}.npy" for kind in ("weights", "gradients") for n in range(4)} | {
        *strangers[:4],
        "plots",
    }
    for content in ("hello", '{"format": "another"}'):
        other = tmp_path / content[2:5]
        other.mkdir()
        (other / "run.json").write_text(content)
        for overwrite in (False, True):
            with pytest.raises(ReportError, match=r"exists; it is no recording, so name another folder\.$"):
                report.record(model, optimizer, other, overwrite=overwrite)
        assert (other / "run.json").read_text() == content


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    """One line, which says what to do here, and not what to do elsewhere."""
    (tmp_path / "file").write_text("mine")
    model = pair()
    optimizer = SGD(model.parameters(), lr=0.1)
    for folder in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(ReportError, match=r"^record: .*file is a file, not a folder\. Name another folder\.$"):
            report.record(model, optimizer, folder, overwrite=True)
    assert not optimizer._optimizer_step_pre_hooks


class Odd(nn.Module):
    """Have a child that is really called "module", and names with every character."""

    def __init__(self) -> None:
        """Make children."""
        super().__init__()
        self.module = nn.Linear(6, 6)
        for name in ("0", "a/b", "two words", "重み", "_orig", "\\\\up", "CON"):
            self.add_module(name, nn.Linear(6, 6))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Chain the children."""
        for child in self.children():
            inputs = child(inputs)
        return inputs


@pytest.mark.parametrize("wraps", ["", "data", "compiled", "both"])
def test_names(tmp_path: Path, wraps: str) -> None:
    """Any name works, wrappers add nothing to it, and a child that is called as a wrapper's keeps its name."""
    odd = Odd()
    model: nn.Module = odd
    if wraps in ("data", "both"):
        model = nn.DataParallel(model)
    if wraps in ("compiled", "both"):
        model = torch.compile(model, backend="eager")  # type: ignore[assignment]
    optimizer = SGD(model.parameters(), lr=0.01)
    hand = ByHand(odd)
    with report.record(model, optimizer, tmp_path / "run", whole="重み.*", sample=5):
        for _ in range(3):
            optimizer.zero_grad()
            odd(torch.randn(4, 6)).square().mean().backward()
            hand.before()
            optimizer.step()
            hand.after()
    recording = hand.check(tmp_path / "run")
    assert list(recording.tensors)[:2] == ["module.weight", "module.bias"]
    assert recording.tensors["重み.weight"].kept == "whole"
    assert recording.tensors["a/b.weight"].kind == "Linear"
    assert all(path.parent == tmp_path / "run" for path in tmp_path.rglob("*.npy"))


def test_label(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a label, it is the folder's name; the folder may be a text, and deep."""
    model = pair()
    optimizer = SGD(model.parameters(), lr=0.1)
    with report.record(model, optimizer, str(tmp_path / "runs" / "mine"), about={"lr": 0.1, "list": (1, 2)}):
        train(model, optimizer)
    recording = report.Recording.open(tmp_path / "runs" / "mine")
    monkeypatch.setenv("HOME", str(tmp_path))
    with report.record(model, optimizer, "~/runs/home"):
        train(model, optimizer)
    assert report.Study.load(tmp_path / "runs").labels == ("home", "mine")
    assert (recording.label, recording.seed, recording.description.role) == ("mine", None, "own")
    assert recording.about == {"lr": 0.1, "list": [1, 2]}
    assert recording.description.versions["torch"] == torch.__version__
    assert recording.description.platform["device"] == "cpu"


@pytest.mark.slow
def test_import_is_cheap() -> None:
    """`import report` loads neither NumPy nor torch nor pydantic; the recorder does not load pydantic."""
    code = (
        "import sys, report; heavy = {'numpy', 'torch', 'pydantic', 'matplotlib', 'click'} & set(sys.modules); "
        "assert not heavy, heavy; report.record, report.Recorder; assert 'torch' in sys.modules; "
        "assert 'pydantic' not in sys.modules; assert 'scipy' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
