"""The recorder in ordinary loops, against a record that the test keeps by hand: equal to the bit."""

import copy
import gc
import logging
import pickle
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from by_hand import ByHand, rows, same
from torch import nn

import report
from report.recording import gather


def small(seed: int = 0) -> nn.Sequential:
    """Return a model with a convolution, a norm, and a Linear large enough to be sampled."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 20), nn.ReLU(), nn.Linear(20, 3)
    )


def batch(size: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    """Return inputs, (size, 1, 8, 8), and targets, (size,)."""
    return torch.randn(size, 1, 8, 8), torch.randint(0, 3, (size,))


def loss_of(model: nn.Module, size: int = 4) -> torch.Tensor:
    """Return the loss of a random batch."""
    inputs, targets = batch(size)
    return nn.functional.cross_entropy(model(inputs), targets)


def train(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    steps: int,
    hand: ByHand | None = None,
    after: Callable[[int, torch.Tensor], Any] = lambda step, loss: None,
) -> None:
    """Take plain steps, keeping a record by hand."""
    for step in range(1, steps + 1):
        optimizer.zero_grad()
        loss = loss_of(model)
        loss.backward()
        if hand:
            hand.before()
        optimizer.step()
        if hand:
            hand.after()
        after(step, loss)


@pytest.mark.parametrize("steps", [1, 127, 128, 129, 300])
def test_plain_loop(tmp_path: Path, steps: int) -> None:
    """Every kept weight and gradient of every step is there, also where a chunk of rows ends."""
    model = small()
    optimizer = torch.optim.Adam(model.parameters())
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run", sample=100) as recorder:
        train(model, optimizer, steps, hand, lambda step, loss: recorder.log(loss=loss, step=step))
    recording = hand.check(tmp_path / "run")
    assert recording.is_complete
    assert recording.notes == ()
    assert recording.taken == steps
    assert recording.series["step"].tolist() == list(range(1, steps + 1))
    assert {name: tensor.kept for name, tensor in recording.tensors.items() if tensor.kept == "sample"} == {
        "4.weight": "sample"
    }


def test_notes_do_not_depend_on_how_rows_come_to_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They stand in the order of their steps, and of one tensor the first value counts, a weight or a gradient."""
    noted = []
    for number, size in enumerate((gather.CHUNK_BYTES, 1)):
        monkeypatch.setattr(gather, "CHUNK_BYTES", size)
        parameters = {name: nn.Parameter(torch.zeros(2)) for name in "ab"}
        optimizer = torch.optim.SGD(parameters.values(), lr=0.0)
        with report.record(parameters, optimizer, tmp_path / f"{number}") as recorder:
            for step in range(1, 7):
                for name, each in parameters.items():
                    each.grad = torch.full((2,), float("inf") if (name, step) == ("a", 5) else 0.0)
                    if (name, step) == ("b", 3):
                        each.data.fill_(float("nan"))
                optimizer.step()
                recorder.log(loss="none" if step == 2 else 1.0)
        noted.append(
            [(note.step, note.kind, note.tensors) for note in report.Recording.open(tmp_path / f"{number}").notes]
        )
    assert noted[0] == noted[1] == [(2, "series", ()), (3, "non-finite", ("b",)), (5, "non-finite", ("a",))]


def test_rows_are_not_lost_where_memory_bounds_a_chunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chunk of five rows is handed over at every fifth step."""
    monkeypatch.setattr(gather, "CHUNK_BYTES", 5 * 8 * sum(each.numel() for each in small().parameters()))
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run", whole="*"):
        train(model, optimizer, 37, hand)
    hand.check(tmp_path / "run")


def test_recording_changes_nothing(tmp_path: Path) -> None:
    """Training with a recorder ends with the very bits of training without."""
    ends = []
    for recorded in (False, True):
        model = small()
        optimizer = torch.optim.Adam(model.parameters())
        recorder = report.record(model, optimizer, tmp_path / "run", first=3) if recorded else None
        train(model, optimizer, 20)
        if recorder:
            recorder.close()
        ends.append([*model.parameters(), torch.random.get_rng_state()])
    assert all(torch.equal(one, other) for one, other in zip(*ends, strict=True))


def test_accumulation(tmp_path: Path) -> None:
    """Four backward passes and one step are one row, of the sum of four gradients."""
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run") as recorder:
        for micro in range(1, 41):
            loss = loss_of(model)
            (loss / 4).backward()
            if micro % 4 == 0:
                hand.before()
                optimizer.step()
                optimizer.zero_grad()
                hand.after()
                recorder.log(micro=micro)
    assert hand.check(tmp_path / "run").series["micro"].tolist() == list(range(4, 41, 4))


def test_clipping(tmp_path: Path) -> None:
    """The recorded gradients are the clipped ones."""
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run", whole="*"):
        for _ in range(5):
            optimizer.zero_grad()
            (100 * loss_of(model)).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            hand.before()
            optimizer.step()
            hand.after()
    recording = hand.check(tmp_path / "run")
    norms = np.sqrt(sum((recording.gradients(name).astype(float) ** 2).sum(axis=1) for name in recording.tensors))
    assert np.allclose(norms, 0.5, rtol=1e-3)


def test_gradients_kept_as_zeros(tmp_path: Path) -> None:
    """zero_grad(set_to_none=False) reuses the tensors of the gradients: rows are copies."""
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run"):
        for _ in range(5):
            optimizer.zero_grad(set_to_none=False)
            loss_of(model).backward()
            hand.before()
            optimizer.step()
            hand.after()
    hand.check(tmp_path / "run")


class Careless(torch.optim.SGD):
    """Add weight decay to the gradient itself, as old optimizers do, and clear it at the end."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Take one step."""
        for group in self.param_groups:
            for value in group["params"]:
                value.grad.add_(value, alpha=0.1)
                value.sub_(value.grad, alpha=group["lr"])
                value.grad = None


def test_the_gradient_is_that_which_the_step_was_given(tmp_path: Path) -> None:
    """What an optimizer does to .grad while it steps is not the gradient any more."""
    model = small()
    optimizer = Careless(model.parameters(), lr=0.1)
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run"):
        train(model, optimizer, 5, hand)
    hand.check(tmp_path / "run")


def test_closure(tmp_path: Path) -> None:
    """A closure computes the gradients within the step, as Lightning has it."""
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    hand = ByHand(model)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = loss_of(model)
        loss.backward()
        hand.before()
        return loss

    with report.record(model, optimizer, tmp_path / "run"):
        for step in range(6):
            optimizer.step(closure) if step % 2 else optimizer.step(closure=closure)
            hand.after()
    hand.check(tmp_path / "run")


@pytest.mark.parametrize(("every", "steps"), [(3, None), (1, 7), (4, 3), (50, None)])
def test_every_and_steps(tmp_path: Path, every: int, steps: int | None) -> None:
    """Rows are `every` steps apart, `steps` at most; the series has a value for every step."""
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run", every=every, steps=steps) as recorder:
        train(model, optimizer, 20, hand, lambda step, loss: recorder.log(step=step))
    if steps is not None:
        hand.gradients, hand.weights = hand.gradients[: every * steps], hand.weights[: every * steps + 1]
    recording = hand.check(tmp_path / "run", every=every)
    assert recording.series["step"].tolist() == list(range(1, 21))
    assert recording.taken == 20


def test_first_states_are_whole(tmp_path: Path) -> None:
    """`first` keeps every entry for so many steps from the start; afterwards the sample goes on."""
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run", sample=50, first=6):
        train(model, optimizer, 9, hand)
    recording = hand.check(tmp_path / "run")
    for name in recording.tensors:
        steps = recording.whole_steps(name)
        assert steps == (6 if recording.tensors[name].kept == "sample" else 9)
        assert len(recording.whole_weights(name)) == steps + 1
        for step, found in enumerate(recording.whole_weights(name)):
            same(found, rows(hand.weights[step][name]), (name, step))


def test_first_without_that_many_steps(tmp_path: Path) -> None:
    """A training shorter than `first` has what there was."""
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with report.record(model, optimizer, tmp_path / "run", sample=50, first=6):
        train(model, optimizer, 2)
    recording = report.Recording.open(tmp_path / "run")
    assert recording.whole_weights("4.weight").shape == (3, 144 * 20)
    assert recording.whole_steps("4.weight") == 2


def test_samples_are_equal_for_equal_names_and_shapes(tmp_path: Path) -> None:
    """Whatever the seed of the training, the same entries are kept; as the definition has it."""
    found = []
    for seed in (1, 2):
        model = small(seed)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        with report.record(model, optimizer, tmp_path / str(seed), sample=50, seed=seed):
            train(model, optimizer, 1)
        found.append(report.Recording.open(tmp_path / str(seed)).indices("4.weight"))
    assert np.array_equal(*found)
    assert len(set(found[0])) == 50
    assert (np.diff(found[0]) > 0).all()
    assert 0 <= found[0][0] < found[0][-1] < 144 * 20


def test_schedules_and_settings(tmp_path: Path) -> None:
    """Every numeric setting of every group is there at every step, as the step used it."""
    model = small()
    optimizer = torch.optim.AdamW(
        [{"params": list(model[:4].parameters()), "weight_decay": 0.0}, {"params": list(model[4:].parameters())}],
        lr=0.01,
        betas=(0.8, 0.95),
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=[0.1, 0.2], total_steps=60)
    rates, betas = [], []
    with report.record(model, optimizer, tmp_path / "run"):
        for _ in range(50):
            loss_of(model).backward()
            rates.append([group["lr"] for group in optimizer.param_groups])
            betas.append([group["betas"] for group in optimizer.param_groups])
            optimizer.step()
            schedule.step()
    recording = report.Recording.open(tmp_path / "run")
    for group in (0, 1):
        assert recording.settings[group]["lr"].tolist() == [each[group] for each in rates]
        assert recording.settings[group]["betas"].tolist() == [list(each[group]) for each in betas]
    assert set(recording.settings[0]["weight_decay"]) == {0.0}
    assert set(recording.settings[1]["weight_decay"]) == {0.01}
    rule = recording.rule("4.weight")
    assert (rule.name, rule.learning_rate, rule.beta1, rule.weight_decay) == ("AdamW", None, betas[0][1][0], 0.01)
    assert set(rule.varying) >= {"lr", "betas"}
    assert recording.description.groups[recording.tensors["0.weight"].group].index == 0
    assert recording.description.groups[recording.tensors["4.weight"].group].index == 1


def test_learning_rate_as_a_tensor(tmp_path: Path) -> None:
    """A tensor that a schedule changes in place is read at every step."""
    model = small()
    optimizer = torch.optim.Adam(model.parameters(), lr=torch.tensor(0.5))
    wanted = []
    with report.record(model, optimizer, tmp_path / "run"):
        for step in range(1, 8):
            loss_of(model).backward()
            optimizer.param_groups[0]["lr"].fill_(1 / (1 + step // 3))
            wanted.append(float(optimizer.param_groups[0]["lr"]))
            optimizer.step()
    recording = report.Recording.open(tmp_path / "run")
    assert recording.settings[0]["lr"].tolist() == wanted
    assert "lr" in recording.rule("0.weight").varying


def test_odd_settings(tmp_path: Path) -> None:
    """What is no number is left alone, and what is added or changes its kind is read."""
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    group = optimizer.param_groups[0]
    group |= {"name": "all", "table": np.arange(3), "rates": [1, 2], "mask": torch.ones(3), "f": np.float32(0.5)}
    with report.record(model, optimizer, tmp_path / "run") as recorder:
        train(model, optimizer, 2)
        group["rates"][0] = 5
        group["extra"] = 7
        train(model, optimizer, 1)
        del group["name"]
        group["lr"] = np.float64(0.2)
        train(model, optimizer, 1)
        assert recorder.failure is None
    settings = report.Recording.open(tmp_path / "run").settings[0]
    assert settings["rates"].tolist() == [[1, 2], [1, 2], [5, 2], [5, 2]]
    assert settings["lr"].tolist() == [0.1, 0.1, 0.1, 0.2]
    assert settings["f"].tolist() == [0.5] * 4
    assert np.array_equal(settings["extra"], [np.nan, np.nan, 7, 7], equal_nan=True)
    assert not {"name", "table", "mask", "params"} & set(settings)


def test_log_before_the_step(tmp_path: Path) -> None:
    """A loop that logs first: its values belong to the step that follows, and the last of several counts."""
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with report.record(model, optimizer, tmp_path / "run") as recorder:
        for step in range(1, 6):
            recorder.log(step=step - 0.5, tensor=torch.tensor(step, dtype=torch.float32))
            recorder.log(step=step)
            loss_of(model).backward()
            optimizer.step()
        recorder.log(step=99)  # the loop ends before a step that it had begun
    recording = report.Recording.open(tmp_path / "run")
    assert recording.series["step"].tolist() == [1, 2, 3, 4, 5]
    assert recording.series["tensor"].tolist() == [1, 2, 3, 4, 5]


def test_log_after_the_step(tmp_path: Path) -> None:
    """A value belongs to the newest step; a second one, as of a step that was skipped, does not replace it."""
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    values = [1.0, np.float32(2), torch.tensor(3), torch.tensor([[4.0]], requires_grad=True), True, np.array([6])]
    with report.record(model, optimizer, tmp_path / "run") as recorder:
        for step, value in enumerate(values, 1):
            loss_of(model).backward()
            optimizer.step()
            recorder.log(value=value, self=step)
            if step % 2 == 0:
                recorder.log(value=77, now_and_then=step)
    recording = report.Recording.open(tmp_path / "run")
    assert recording.series["value"].tolist() == [1, 2, 3, 4, 1, 6]
    assert recording.series["self"].tolist() == [1, 2, 3, 4, 5, 6]
    wanted = [np.nan, 2, np.nan, 4, np.nan, 6]
    assert np.array_equal(recording.series["now_and_then"], wanted, equal_nan=True)


def test_a_value_before_training_does_not_move_the_other_series(tmp_path: Path) -> None:
    """A validation before the first step says nothing of when the loss is logged; and the last validation stays."""
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with report.record(model, optimizer, tmp_path / "run") as recorder:
        recorder.log(validation=0)
        for step in range(1, 7):
            loss_of(model).backward()
            optimizer.step()
            recorder.log(loss=step)
            if step % 3 == 0:
                recorder.log(validation=step)
    series = report.Recording.open(tmp_path / "run").series
    assert series["loss"].tolist() == [1, 2, 3, 4, 5, 6]
    assert np.array_equal(series["validation"], [np.nan, np.nan, 3, np.nan, np.nan, 6], equal_nan=True)


def test_log_of_every_small_batch(tmp_path: Path) -> None:
    """Where gradients accumulate and every small batch is logged, a step has the value of one of its own batches."""
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with report.record(model, optimizer, tmp_path / "run") as recorder:
        for batch in range(20):
            loss_of(model).backward()
            if batch % 4 == 3:
                optimizer.step()
                optimizer.zero_grad()
            recorder.log(step=batch // 4 + 1)
    assert report.Recording.open(tmp_path / "run").series["step"].tolist() == [1, 2, 3, 4, 5]


def test_what_is_no_number_is_left_out(tmp_path: Path) -> None:
    """A text, a pair or nothing is noted once, and the recording goes on."""
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with report.record(model, optimizer, tmp_path / "run") as recorder:
        for _ in range(3):
            train(model, optimizer, 1)
            recorder.log(pair=torch.ones(2), text="high", nothing=None, array=np.ones(3), good=1)
    recording = report.Recording.open(tmp_path / "run")
    assert recording.is_complete
    assert list(recording.series) == ["good"]
    assert {note.kind for note in recording.notes} == {"series"}
    assert len(recording.notes) == 4


def test_attached(tmp_path: Path) -> None:
    """Arrays are kept as they were when they were attached, whatever their names are."""
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    images = np.arange(12, dtype=np.uint8).reshape(3, 4)
    with report.record(model, optimizer, tmp_path / "run") as recorder:
        train(model, optimizer, 1)
        recorder.attach(file=images, self=torch.arange(3), **{"a/b": np.float32(2)}, odd=np.array([{}], dtype=object))
        images += 1
    recording = report.Recording.open(tmp_path / "run")
    assert set(recording.attached) == {"file", "self", "a/b"}
    assert np.array_equal(recording.attached["file"], np.arange(12, dtype=np.uint8).reshape(3, 4))
    assert recording.attached["file"].dtype == np.uint8
    assert recording.attached["self"].tolist() == [0, 1, 2]
    assert [note.kind for note in recording.notes] == ["attached"]


def test_infinite_values_are_recorded_and_noted(tmp_path: Path) -> None:
    """NaN and infinity are data: the note names step and tensor, and training goes on."""
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run"):
        for step in range(1, 150):
            optimizer.zero_grad()
            loss_of(model).backward()
            if step == 140:
                model[6].bias.grad[1] = float("nan")
            hand.before()
            optimizer.step()
            hand.after()
    recording = hand.check(tmp_path / "run")
    assert recording.is_complete
    noted = {(note.tensors, note.step, note.text.split()[1]) for note in recording.notes if note.kind == "non-finite"}
    assert (("6.bias",), 140, "weight") in noted or (("6.bias",), 140, "gradient") in noted
    assert {step for _, step, _ in noted} == {140, 141}  # a step later, the rest of the model
    assert recording.present("6.bias").all()


def test_nested_recorders(tmp_path: Path) -> None:
    """Two recorders listen to one optimizer, each for its time and into its folder."""
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    outer = ByHand(model)
    with report.record(model, optimizer, tmp_path / "outer"):
        train(model, optimizer, 3, outer)
        inner = ByHand(model)
        with report.record(model, optimizer, tmp_path / "inner"):
            for _ in range(4):
                optimizer.zero_grad()
                loss_of(model).backward()
                outer.before()
                inner.before()
                optimizer.step()
                outer.after()
                inner.after()
        train(model, optimizer, 2, outer)
    outer.check(tmp_path / "outer")
    inner.check(tmp_path / "inner")


def test_again_after_close(tmp_path: Path) -> None:
    """A closed recorder is deaf, closing twice is closing once, and a new one begins where training is."""
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    first = ByHand(model)
    recorder = report.record(model, optimizer, tmp_path / "first")
    train(model, optimizer, 3, first, lambda step, loss: recorder.log(loss=loss))
    recorder.close()
    recorder.close()
    recorder.log(loss=1)
    recorder.step()
    recorder.attach(x=np.ones(1))
    assert recorder.failure is None
    assert not optimizer._optimizer_step_pre_hooks
    assert not optimizer._optimizer_step_post_hooks
    train(model, optimizer, 2)
    second = ByHand(model)
    with report.record(model, optimizer, tmp_path / "second"):
        train(model, optimizer, 3, second)
    assert len(first.check(tmp_path / "first").series["loss"]) == 3
    second.check(tmp_path / "second")


@pytest.mark.parametrize("lets_go", [True, False], ids=["closed", "open"])
def test_a_closed_recorder_lets_the_network_go(tmp_path: Path, lets_go: bool) -> None:
    """At once, not when Python next looks for circles: a loop over seeds would hold several networks, on a GPU too."""
    model = nn.Linear(6, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    recorder = report.record(model, optimizer, tmp_path / "run", first=1)
    for _ in range(3):
        model(torch.ones(2, 6)).sum().backward()
        optimizer.step()
    known = [weakref.ref(each) for each in (model, optimizer, model.weight)]
    gc.collect()
    gc.disable()
    try:
        if lets_go:
            recorder.close()
        del model, optimizer
        assert [each() is None for each in known] == [lets_go] * 3
    finally:
        gc.enable()
    recorder.log(late=1.0)  # to no effect
    recorder.step()
    recorder.close()
    assert repr(recorder) == f"<Recorder {report.Recording.open(tmp_path / 'run').description.summary('run', 3)}>"


def test_copies_and_checkpoints(tmp_path: Path) -> None:
    """Model and optimizer can be copied, pickled, saved and loaded while they are recorded; copies record nothing."""
    model = small()
    optimizer = torch.optim.Adam(model.parameters())
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run"):
        train(model, optimizer, 3, hand)
        model2, optimizer2 = copy.deepcopy((model, optimizer))
        train(model2, optimizer2, 2)
        pickle.loads(pickle.dumps(optimizer))
        state, weights = copy.deepcopy(optimizer.state_dict()), copy.deepcopy(model.state_dict())
        train(model, optimizer, 3, hand)
        state["param_groups"][0].pop("amsgrad")
        state["param_groups"][0] |= {"lr": 0.5, "new": 3}  # as many keys as before, and others
        optimizer.load_state_dict(state)
        train(model, optimizer, 2, hand)
    recording = hand.check(tmp_path / "run")
    assert recording.settings[0]["lr"].tolist() == [0.001] * 6 + [0.5] * 2
    assert recording.settings[0]["new"].tolist()[5:] == [pytest.approx(np.nan, nan_ok=True), 3, 3]
    model.load_state_dict(weights)


def test_loaded_weights_show_in_the_next_row(tmp_path: Path) -> None:
    """What changes weights between two steps is part of the next update: rows are states."""
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    start = copy.deepcopy(model.state_dict())
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run"):
        train(model, optimizer, 3, hand)
        model.load_state_dict(start)
        train(model, optimizer, 3, hand)
    hand.check(tmp_path / "run")


def test_exchanged_storage(tmp_path: Path) -> None:
    """A loop may give a parameter other memory, another layout, or another device and back."""
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run", sample=50):
        train(model, optimizer, 2, hand)
        for each in model.parameters():
            each.data = each.data.clone() + 0.5
        train(model, optimizer, 2, hand)
        model.to(memory_format=torch.channels_last)
        model[4].weight.data = model[4].weight.data.t().contiguous().t()  # the same values in another order
        train(model, optimizer, 2, hand)
        torch.utils.swap_tensors(model[6].bias, nn.Parameter(torch.ones(3)))
        train(model, optimizer, 2, hand)
    recording = hand.check(tmp_path / "run")
    assert recording.is_complete
    assert recording.notes == ()


@pytest.mark.filterwarnings("ignore:Using backward.. with create_graph:UserWarning")
def test_gradients_with_a_graph(tmp_path: Path) -> None:
    """Gradients of which gradients are to be taken, as in meta-learning, are numbers all the same."""
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run", sample=50):
        for _ in range(3):
            optimizer.zero_grad()
            loss_of(model).backward(create_graph=True)
            hand.before()
            optimizer.step()
            hand.after()
    hand.check(tmp_path / "run")


def test_a_model_that_changes_its_type(tmp_path: Path) -> None:
    """model.to(bfloat16) in the middle goes on as numbers of the new type."""
    torch.manual_seed(0)
    model = nn.Linear(30, 20)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run", sample=50):
        for dtype in (torch.float32, torch.bfloat16, torch.float64, torch.float32):
            optimizer.zero_grad()
            model.to(dtype)
            model(torch.randn(5, 30, dtype=dtype)).square().mean().backward()
            hand.before()
            optimizer.step()
            hand.after()
    hand.check(tmp_path / "run")


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_other_numbers(tmp_path: Path, dtype: torch.dtype) -> None:
    """Weights of other types are stored as float32, and the type is said."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(40, 30), nn.Linear(30, 2)).to(dtype)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run", sample=70):
        for _ in range(4):
            optimizer.zero_grad()
            model(torch.randn(5, 40, dtype=dtype)).square().mean().backward()
            hand.before()
            optimizer.step()
            hand.after()
    recording = hand.check(tmp_path / "run")
    assert recording.tensors["0.weight"].dtype == str(dtype).removeprefix("torch.")
    assert recording.weights("0.weight").dtype == np.float32


def test_other_defaults(tmp_path: Path) -> None:
    """Where a loop has set another default type or device, rows are still float32 in main memory."""
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    hand = ByHand(model)
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")
    try:
        with report.record(model, optimizer, tmp_path / "run", sample=50):
            for _ in range(3):
                optimizer.zero_grad()
                model(torch.ones(2, 1, 8, 8, dtype=torch.float32, device="cpu")).square().mean().backward()
                hand.before()
                optimizer.step()
                hand.after()
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_default_device(None)
    hand.check(tmp_path / "run")


@pytest.mark.slow
def test_two_hundred_tensors(tmp_path: Path) -> None:
    """Many tensors make many files, not many open ones, and are in order."""
    torch.manual_seed(0)
    model = nn.Sequential(*(nn.Linear(3, 3) for _ in range(100)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run"):
        for _ in range(130):
            optimizer.zero_grad()
            model(torch.randn(2, 3)).sum().backward()
            hand.before()
            optimizer.step()
            hand.after()
    assert len(hand.check(tmp_path / "run").tensors) == 200


@pytest.mark.slow
def test_reading_while_it_grows(tmp_path: Path) -> None:
    """What a reader opens at any time is whole, and only grows."""
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    hand = ByHand(model)
    seen = []

    def look(step: int, loss: torch.Tensor) -> None:
        recorder.log(loss=step)
        if step % 50 == 0:
            recording = report.Recording.open(tmp_path / "run")
            seen.append(recording.steps)
            assert recording.description.ended == "recording"
            assert len(recording.series.get("loss", [])) in (0, recording.steps)
            for name in recording.tensors:
                kept = [rows(state[name])[recording.indices(name)] for state in hand.weights[: recording.steps + 1]]
                same(recording.weights(name), np.stack(kept), name)

    with report.record(model, optimizer, tmp_path / "run", sample=50) as recorder:
        train(model, optimizer, 600, hand, look)
    assert seen == sorted(seen)
    assert 0 < seen[-1] <= 600
    hand.check(tmp_path / "run")


def test_no_step(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A recorder that saw no step says so, and why that may be."""
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with caplog.at_level(logging.WARNING, "report"), report.record(model, optimizer, tmp_path / "run"):
        pass
    recording = report.Recording.open(tmp_path / "run")
    assert not recording.is_complete
    assert recording.steps == 0
    assert recording.weights("0.weight").shape == (1, 36)
    assert recording.gradients("0.weight").shape == (0, 36)
    assert [note.kind for note in recording.notes] == ["no step"]
    assert len(caplog.records) == 1
    assert "hooks were never called" in caplog.text
