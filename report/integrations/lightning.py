"""Record a training run of Lightning: `Trainer(callbacks=[RecordCallback("runs/mine")])`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

try:
    from lightning.pytorch.callbacks import Callback
except ModuleNotFoundError:
    from pytorch_lightning.callbacks import Callback

from report.recording.recorder import Recorder, record


class RecordCallback(Callback):  # type: ignore[misc] # without Lightning, its classes are unknown
    """Record every optimizer step between `on_train_start` and `on_train_end`, and what the module logs."""

    def __init__(self, folder: str | Path, **options: Any) -> None:
        """Keep what `report.record` is to be told.

        Args:
            folder: that the recording goes to.
            options: of `report.record`, such as `label`, `seed` and `whole`.
        """
        self._folder, self._options = folder, options
        self._recorder: Recorder | None = None
        self._step = 0
        self._seen: dict[str, Any] = {}
        self._logged: set[str] = set()

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Begin to record; the optimizers are made, and a checkpoint is loaded.

        Raises:
            ReportError: as `report.record` does.
        """
        self._step = trainer.global_step
        self._recorder = record(pl_module, trainer.optimizers, self._folder, **self._options)

    def on_train_batch_start(self, trainer: Any, *details: Any) -> None:
        """Note what is logged already: Lightning holds on to it, to the numbers of the last validation, say."""
        self._seen = dict(trainer.callback_metrics)

    def on_train_batch_end(self, trainer: Any, *details: Any) -> None:
        """Keep what was logged in a batch after which an optimizer stepped."""
        if trainer.global_step != self._step:
            self._step = trainer.global_step
            self._logged.clear()
            self._log(trainer.callback_metrics)

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Keep what was logged in a validation, as of the newest step."""
        self._log(trainer.callback_metrics)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Keep the means over an epoch, as of its last step."""
        self._log(trainer.callback_metrics)

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """End the recording."""
        if self._recorder is not None:
            self._recorder.close()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """End the recording as far as it got."""
        if self._recorder is not None:
            self._recorder.__exit__(type(exception), exception, exception.__traceback__)

    def _log(self, metrics: Mapping[str, Any]) -> None:
        """Keep what is new since the batch began, each name once a step."""
        fresh = {name: each for name, each in metrics.items() if self._seen.get(name) is not each}
        if self._recorder is not None:
            self._recorder.log(**{name: each for name, each in fresh.items() if name not in self._logged})
        self._logged.update(fresh)
