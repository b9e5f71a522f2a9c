"""Record a training run of Hugging Face's Trainer: `Trainer(…, callbacks=[RecordCallback("runs/mine")])`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from report.recording.recorder import Recorder, record

CLOCKS = ("epoch", "_runtime", "_per_second")  # how names end of what tells the time and not the model


class RecordCallback(TrainerCallback):  # type: ignore[misc] # without transformers, its classes are unknown
    """Record every optimizer step of `Trainer.train`, and what it logs.

    The Trainer logs every `logging_steps` steps; its loss is the mean over these. It tells no callback of an exception:
    a recording that one cut short is closed when the program ends.
    """

    def __init__(self, folder: str | Path, **options: Any) -> None:
        """Keep what `report.record` is to be told.

        Args:
            folder: that the recording goes to.
            options: of `report.record`, such as `label`, `seed` and `whole`.
        """
        self._folder, self._options = folder, options
        self._recorder: Recorder | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Begin to record; the optimizer is made, and a checkpoint is loaded.

        Raises:
            ReportError: as `report.record` does.
        """
        self._recorder = record(kwargs["model"], kwargs["optimizer"], self._folder, **self._options)

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        """Keep the numbers that were logged, but for the summary of the whole run, which belongs to no step."""
        if self._recorder is not None and logs and "train_runtime" not in logs:
            self._recorder.log(**{name: each for name, each in logs.items() if not name.endswith(CLOCKS)})

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """End the recording."""
        if self._recorder is not None:
            self._recorder.close()
