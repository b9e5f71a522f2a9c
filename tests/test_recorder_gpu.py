"""The recorder beside a loop on a GPU, where there is one: against a record kept by hand, and nothing waits."""

import warnings
from pathlib import Path

import pytest
import torch
from by_hand import ByHand, pair
from torch import nn

import report

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="There is no GPU of CUDA's here.")


def mixed() -> nn.ModuleDict:
    """Return layers of several types and layouts, on the GPU."""
    torch.manual_seed(0)
    model = nn.ModuleDict(
        {"a": pair(), "b": nn.Conv2d(3, 32, 3), "c": nn.Linear(300, 200).bfloat16(), "d": nn.Linear(1100, 1000)}
    ).cuda()
    model["b"].to(memory_format=torch.channels_last)
    return model


def backward(model: nn.ModuleDict, turn: int) -> torch.Tensor:
    """Give gradients to the layers; some have none now and then."""
    loss = model["a"](torch.randn(4, 6, device="cuda")).square().mean()
    loss = loss + model["d"](torch.randn(4, 1100, device="cuda")).square().mean()
    if turn % 3:
        loss = loss + model["b"](torch.randn(2, 3, 8, 8, device="cuda")).square().mean()
    if turn % 2:
        loss = loss + model["c"](torch.randn(4, 300, device="cuda").bfloat16()).float().square().mean()
    loss.backward()
    return loss


@pytest.mark.parametrize("stream", [False, True])
def test_rows_come_as_they_are(tmp_path: Path, stream: bool) -> None:
    """To the bit, whatever stream the loop works in; what is logged, too."""
    model = mixed()
    hand = ByHand(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, fused=True)
    losses = []
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with (
        torch.cuda.stream(aside if stream else torch.cuda.current_stream()),
        report.record(model, optimizer, tmp_path / "run", whole="d.bias") as recorder,
    ):
        for turn in range(300):
            optimizer.zero_grad()
            loss = backward(model, turn)
            hand.before()
            optimizer.step()
            hand.after()
            recorder.log(loss=loss, turn=torch.tensor(turn, device="cuda"))
            losses.append(loss.detach())
    torch.cuda.synchronize()
    recording = hand.check(tmp_path / "run")
    assert recording.series["loss"].tolist() == [each.item() for each in losses]
    assert recording.series["turn"].tolist() == list(range(300))


def test_scaled_and_skipped(tmp_path: Path) -> None:
    """A fused step that the scaler skips is no row; gradients are those that the kernel used."""
    torch.manual_seed(0)
    model = pair().cuda()
    hand = ByHand(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, fused=True)
    scaler = torch.amp.GradScaler("cuda", init_scale=1024.0, growth_interval=1000)
    with report.record(model, optimizer, tmp_path / "run"):
        for turn in range(200):
            optimizer.zero_grad()
            scaler.scale(model(torch.randn(4, 6, device="cuda")).square().mean()).backward()
            if is_bad := turn % 7 == 3:
                model[0].weight.grad[0, 0] = float("inf")
            scale = scaler.get_scale()
            hand.gradients.append({name: each.grad / scale for name, each in hand.parameters.items()})
            scaler.step(optimizer)
            if is_bad:
                hand.forget()
            else:
                hand.after()
            scaler.update()
    assert hand.check(tmp_path / "run").skipped == 29


def test_the_loop_waits_for_nothing(tmp_path: Path) -> None:
    """Nor does the writer's thread ask the GPU for anything that the loop's next call would have to wait for."""
    model = mixed()
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with report.record(model, optimizer, tmp_path / "run") as recorder:
            backward(model, 1)
            optimizer.step()  # the first one brings the places of what is kept there
            try:
                torch.cuda.set_sync_debug_mode("warn")
                for _ in range(300):
                    loss = backward(model, 1)
                    optimizer.step()
                    recorder.log(loss=loss)
            finally:
                torch.cuda.set_sync_debug_mode("default")
    assert [each for each in caught if "called a synchronizing" in str(each.message)] == []
