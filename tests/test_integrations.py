"""The adapters, each with the real library, against a record kept by hand."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from by_hand import ByHand
from conftest import ROOT
from torch import Tensor, nn
from torch.nn.functional import mse_loss
from torch.utils.data import DataLoader, Dataset

from benchmarks.vision import torchvision
from report.errors import ReportError

# What the libraries warn of among themselves is theirs to mend.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


class Pairs(Dataset[dict[str, Tensor]]):
    """Twenty inputs and what is wanted for each."""

    def __init__(self) -> None:
        """Make them."""
        self.x, self.y = torch.randn(20, 6), torch.randn(20, 2)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.x)

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        """Return one of them."""
        return {"x": self.x[number], "y": self.y[number]}


class Network(nn.Module):
    """Two layers, which return their loss as Hugging Face's models do."""

    def __init__(self) -> None:
        """Make the layers."""
        super().__init__()
        torch.manual_seed(0)
        self.body, self.head = nn.Linear(6, 5), nn.Linear(5, 2)

    def forward(self, x: Tensor, y: Tensor) -> dict[str, Tensor]:
        """Return the loss."""
        return {"loss": mse_loss(self.head(self.body(x).tanh()), y)}


@pytest.fixture(scope="module")
def _vision() -> None:
    """Import torchvision, which both libraries do, too, if it is there."""
    torchvision("models")


@pytest.fixture
def lightning(_vision: None) -> Iterator[Any]:
    """Return Lightning, which says nothing of itself."""
    from lightning import pytorch

    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    yield pytorch
    logger.setLevel(level)


def named(network: nn.Module) -> ByHand:
    """Return a record by hand of a network that is a part of a Lightning module."""
    return ByHand({f"network.{name}": each for name, each in network.named_parameters()})


def fit(
    lightning: Any, folder: Path, network: Network, hand: ByHand, fails_at: int = -1, **options: Any
) -> list[float]:
    """Train with accumulation, clipping, a schedule and validations; return the loss of the batch before each step."""
    from report.integrations.lightning import RecordCallback

    losses: list[float] = []

    class Module(lightning.LightningModule):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def training_step(self, batch: dict[str, Tensor], number: int) -> Tensor:
            loss = self.network(**batch)["loss"]
            self.log("loss", loss)
            self.log("mean_loss", loss, on_step=False, on_epoch=True)
            self.newest = loss.item()
            return loss

        def validation_step(self, batch: dict[str, Tensor], number: int) -> None:
            self.log("validated", self.network(**batch)["loss"])

        def configure_gradient_clipping(self, *arguments: Any, **limits: Any) -> None:
            self.clip_gradients(*arguments, **limits)
            hand.before()

        def optimizer_step(self, *arguments: Any, **named: Any) -> None:
            super().optimizer_step(*arguments, **named)
            hand.after()
            losses.append(self.newest)
            if len(losses) == fails_at:
                raise RuntimeError("the loop failed")

        def configure_optimizers(self) -> Any:
            optimizer = torch.optim.AdamW(self.parameters(), lr=0.01)
            schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
            return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    quiet = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
    trainer = lightning.Trainer(
        callbacks=[RecordCallback(folder, seed=3, whole="*")],
        accelerator="cpu",
        max_epochs=2,
        accumulate_grad_batches=2,
        gradient_clip_val=0.1,
        **dict.fromkeys(quiet, False),
        **options,
    )
    data = Pairs()
    trainer.fit(Module(), DataLoader(data, batch_size=4), DataLoader(data, batch_size=10))
    return losses


@pytest.mark.parametrize(
    ("options", "validated"), [({}, [3, 6]), ({"val_check_interval": 2}, [1, 2, 4, 5]), ({"limit_val_batches": 0}, [])]
)
def test_lightning(tmp_path: Path, lightning: Any, options: dict[str, int], validated: list[int]) -> None:
    """Accumulated and clipped gradients, the schedule, what was logged at its steps, and nothing at others."""
    network = Network()
    hand = named(network)
    losses = fit(lightning, tmp_path / "run", network, hand, **options)
    recording = hand.check(tmp_path / "run")
    assert recording.is_complete
    assert recording.seed == 3
    assert recording.steps == 6
    assert recording.settings[0]["lr"].tolist() == pytest.approx([0.01 * 0.9**step for step in range(6)])
    assert recording.series["loss"].tolist() == pytest.approx(losses)
    logged = {name: (np.flatnonzero(np.isfinite(each)) + 1).tolist() for name, each in recording.series.items()}
    epochs = [3, 6]  # steps after which one ends
    assert logged == {"loss": [*range(1, 7)], "mean_loss": epochs, **({"validated": validated} if validated else {})}
    assert recording.notes == ()


def test_lightning_that_fails(tmp_path: Path, lightning: Any) -> None:
    """An exception goes on, and the recording says that it was cut short; another run does not replace it."""
    network = Network()
    hand = named(network)
    with pytest.raises(RuntimeError, match="the loop failed"):
        fit(lightning, tmp_path / "run", network, hand, fails_at=4)
    recording = hand.check(tmp_path / "run")
    assert recording.description.ended == "interrupted"
    assert recording.steps == 4
    with pytest.raises(ReportError, match="exists"):
        fit(lightning, tmp_path / "run", network, hand)


@pytest.mark.usefixtures("_vision")
def test_hugging_face(tmp_path: Path) -> None:
    """Accumulated and clipped gradients, the schedule, and what the Trainer logs, but not how fast it was."""
    from transformers import Trainer, TrainerCallback, TrainingArguments

    from report.integrations.transformers import RecordCallback

    network = Network()
    hand = ByHand(network)

    class Hand(TrainerCallback):  # type: ignore[misc]
        def on_pre_optimizer_step(self, *arguments: Any, **named: Any) -> None:
            hand.before()

        def on_optimizer_step(self, *arguments: Any, **named: Any) -> None:
            hand.after()

    settings = TrainingArguments(
        output_dir=str(tmp_path / "out"),
        per_device_train_batch_size=4,
        gradient_accumulation_steps=2,
        max_grad_norm=0.1,
        learning_rate=0.01,
        num_train_epochs=2,
        logging_steps=2,
        eval_strategy="epoch",
        label_names=["y"],
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        use_cpu=True,
    )
    data = Pairs()
    trainer = Trainer(
        network,
        settings,
        train_dataset=data,
        eval_dataset=data,
        callbacks=[RecordCallback(tmp_path / "run", label="tiny"), Hand()],
    )
    trainer.train()
    recording = hand.check(tmp_path / "run")
    assert recording.is_complete
    assert recording.label == "tiny"
    assert recording.steps == 6
    assert recording.settings[0]["lr"].tolist() == pytest.approx([0.01 * (6 - step) / 6 for step in range(6)])
    assert set(recording.series) == {"loss", "grad_norm", "learning_rate", "eval_loss"}
    logged = [each["loss"] for each in trainer.state.log_history if "loss" in each]
    assert recording.series["loss"][1::2].tolist() == pytest.approx(logged)
    assert np.isfinite(recording.series["eval_loss"]).tolist() == [False, False, True] * 2
    assert recording.notes == ()


def test_the_package_imports_neither() -> None:
    """Who has neither library, or does not want to wait for it, never meets an adapter."""
    program = "import sys, report; report.record; print({'lightning', 'transformers', 'accelerate'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
