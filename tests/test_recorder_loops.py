"""The recorder in awkward loops and with odd parameters, against a record that the test keeps by hand."""

import logging
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from by_hand import ByHand, backward, pair, rows, same, step
from torch import nn

import report
from report.errors import ReportError

SGD = torch.optim.SGD


def test_tied_weights(tmp_path: Path) -> None:
    """A weight under two names is one tensor, which has both; a pattern may use either."""
    torch.manual_seed(0)
    model = nn.ModuleDict({"embed": nn.Embedding(9, 6), "middle": nn.Linear(6, 6), "head": nn.Linear(6, 9, bias=False)})
    model["head"].weight = model["embed"].weight
    optimizer = torch.optim.Adam(model.parameters())
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run", sample=10, whole="head.*"):
        for _ in range(4):
            optimizer.zero_grad()
            model["head"](model["middle"](model["embed"](torch.randint(9, (5,))))).logsumexp(1).mean().backward()
            step(optimizer, hand)
    recording = hand.check(tmp_path / "run")
    assert list(recording.tensors) == ["embed.weight", "middle.weight", "middle.bias"]
    assert recording.tensors["embed.weight"].names == ("embed.weight", "head.weight")
    assert recording.tensors["embed.weight"].kind == "Embedding"
    assert recording.tensors["embed.weight"].kept == "whole"


def test_sparse_gradients(tmp_path: Path) -> None:
    """SparseAdam changes the rows that a batch touches: the gradient of the others is zero, not absent."""
    torch.manual_seed(0)
    model = nn.ModuleDict({"big": nn.Embedding(50, 4, sparse=True), "small": nn.Embedding(5, 3, sparse=True)})
    optimizer = torch.optim.SparseAdam(model.parameters(), lr=0.1)
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run", sample=60):
        for turn in range(6):
            optimizer.zero_grad()
            big = model["big"](torch.randint(50, (0 if turn == 3 else 7,))).sum()
            small = model["small"](torch.randint(5, (3,))).square().sum()
            (big + small).backward()
            step(optimizer, hand)
    recording = hand.check(tmp_path / "run")
    assert recording.tensors["big.weight"].kept == "sample"
    assert recording.present("big.weight").all()
    assert recording.tensors["big.weight"].matrix == (50, 4)


def test_matrix_shapes(tmp_path: Path) -> None:
    """A convolution reads as (out, in · kh · kw), a vector as one row, a scalar as one cell."""
    model = nn.ParameterDict(
        {
            "scalar": nn.Parameter(torch.tensor(2.0)),
            "vector": nn.Parameter(torch.ones(7)),
            "kernel": nn.Parameter(torch.ones(4, 3, 5, 2)),
        }
    )
    optimizer = SGD(model.parameters(), lr=0.1)
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run"):
        for _ in range(2):
            optimizer.zero_grad()
            sum(each.square().sum() for each in model.values()).backward()
            step(optimizer, hand)
    recording = hand.check(tmp_path / "run")
    found = {name: tensor.matrix for name, tensor in recording.tensors.items()}
    assert found == {"scalar": (1, 1), "vector": (1, 7), "kernel": (4, 30)}
    assert recording.tensors["scalar"].shape == ()


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_channels_last(tmp_path: Path, layout: torch.memory_format) -> None:
    """Kept entries are those of the shape's order, however the memory is laid out."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 4, 3)).to(memory_format=layout)
    optimizer = torch.optim.Adam(model.parameters())
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run", sample=100, whole="0.weight", first=2):
        for _ in range(3):
            optimizer.zero_grad()
            model(torch.randn(2, 3, 8, 8).to(memory_format=layout)).square().mean().backward()
            step(optimizer, hand)
    recording = hand.check(tmp_path / "run")
    same(recording.whole_weights("1.weight")[2], rows(hand.weights[2]["1.weight"]), "whole")


@pytest.mark.slow
def test_compiled_model(tmp_path: Path) -> None:
    """torch.compile(model) changes nothing; its prefix is left out of names."""
    model = pair()
    model[2] = torch.compile(model[2], backend="eager")
    compiled = torch.compile(model, backend="eager")
    optimizer = SGD(model.parameters(), lr=0.1)
    hand = ByHand({name.replace("_orig_mod.", ""): each for name, each in model.named_parameters()})
    with report.record(compiled, optimizer, tmp_path / "run"):
        for _ in range(4):
            optimizer.zero_grad()
            backward(compiled)
            step(optimizer, hand)
    assert list(hand.check(tmp_path / "run").tensors) == ["0.weight", "0.bias", "2.weight", "2.bias"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own, when it first compiles
def test_compiled_step(tmp_path: Path) -> None:
    """A compiled step calls the hooks, which are not compiled themselves."""
    model = pair()
    optimizer = torch.optim.Adam(model.parameters(), lr=torch.tensor(0.1))
    hand = ByHand(model)

    @torch.compile(backend="eager")
    def compiled() -> None:
        optimizer.step()

    with report.record(model, optimizer, tmp_path / "run"):
        for _ in range(4):
            optimizer.zero_grad()
            backward(model)
            hand.before()
            compiled()
            hand.after()
    hand.check(tmp_path / "run")


def test_a_step_without_hooks(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A step that goes past the hooks leaves a note and one warning, and no exception."""
    model = pair()
    optimizer = SGD(model.parameters(), lr=0.1)
    with caplog.at_level(logging.WARNING, "report"), report.record(model, optimizer, tmp_path / "run"):
        for _ in range(4):
            backward(model)
            _bare_step(model)
    assert [note.kind for note in report.Recording.open(tmp_path / "run").notes] == ["no step"]
    assert len(caplog.records) == 1


@torch.no_grad()
def _bare_step(model: nn.Module) -> None:
    for each in model.parameters():
        each.sub_(each.grad, alpha=0.1)


DDP = """
    import sys, torch, torch.distributed as dist, report
    rank, folder = int(sys.argv[1]), sys.argv[2]
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    torch.manual_seed(0)
    model = torch.nn.parallel.DistributedDataParallel(torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.Linear(5, 2)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    weights, gradients = [], []
    keep = lambda: weights.append({n: p.detach().clone() for n, p in model.module.named_parameters()})
    keep()
    torch.manual_seed(rank)
    with report.record(model, optimizer, f"{folder}/run") as recorder:
        for step in range(20):
            optimizer.zero_grad()
            model(torch.randn(4, 6)).square().mean().backward()
            gradients.append({n: p.grad.clone() for n, p in model.module.named_parameters()})
            optimizer.step()
            recorder.log(step=step)
            recorder.step()
            recorder.attach(x=torch.ones(1))
            keep()
        assert recorder.failure is None
    torch.save((weights, gradients), f"{folder}/{rank}")
    dist.barrier()
    dist.destroy_process_group()
"""


@pytest.mark.slow
def test_distributed_data_parallel(tmp_path: Path) -> None:
    """Two processes: rank 0 records the averaged gradients, under names without "module."; rank 1 records nothing."""
    command = [sys.executable, "-c", textwrap.dedent(DDP)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    processes = [subprocess.Popen([*command, str(rank), str(tmp_path)], env=environment) for rank in (0, 1)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    weights, gradients = torch.load(tmp_path / "0")
    hand = ByHand({name: nn.Parameter(each) for name, each in weights[0].items()})
    hand.weights, hand.gradients = weights, gradients
    recording = hand.check(tmp_path / "run")
    assert list(recording.tensors) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["run"]


def test_before_the_processes_have_met(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment that torchrun makes says which process is which before init_process_group does."""
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    model = pair()
    optimizer = SGD(model.parameters(), lr=0.1)
    with report.record(model, optimizer, tmp_path / "run") as recorder:
        backward(model)
        optimizer.step()
        recorder.log(loss=1)
    assert recorder.failure is None
    assert not (tmp_path / "run").exists()


def test_capture_by_a_cuda_graph_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A replay runs no Python: what would be recorded is the capture alone."""
    model = pair()
    optimizer = SGD(model.parameters(), lr=0.1)
    monkeypatch.setattr(nn.Parameter, "is_cuda", True)
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: False)
    with report.record(model, optimizer, tmp_path / "run"):
        backward(model)
        optimizer.step()
        monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: True)
        with pytest.raises(ReportError, match="CUDA graph"):
            optimizer.step()
        monkeypatch.undo()
    assert report.Recording.open(tmp_path / "run").steps == 1
