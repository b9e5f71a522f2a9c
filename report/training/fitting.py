"""Whether a network fits the images and trains on them: tried out before anything is trained."""

import fnmatch

from torch.nn.functional import cross_entropy

from report.config import Experiment
from report.errors import ConfigError
from report.training import model, named
from report.training.images import Images
from report.training.loop import Trainer, scale

MOST_NAMES = 12  # of tensors, in a message


def check(experiment: Experiment, images: Images) -> None:
    """Make sure that a network scores images by class, can be trained on a batch, and has the layers that are named.

    It is one of its own, for some modules cannot be copied; those that are trained draw their weights anew.

    Raises:
        ConfigError: one line that names the key.
    """
    trainer = Trainer(experiment, images)
    kind, batch_size = experiment.network.kind, experiment.training.batch_size
    given = f"a batch of {batch_size} (training.batch_size) in training mode"
    for is_training, count, what in ((False, 2, "two images"), (True, batch_size, given)):
        inputs, labels = (each[:count] for each in trainer.training)
        wanted = (len(labels), images.classes)
        try:
            found = trainer.network.train(is_training)(scale(inputs))
            shape = tuple(found.shape)
            is_right = shape == wanted and found.requires_grad
            if is_training and is_right:
                cross_entropy(found, labels).backward()  # type: ignore[no-untyped-call]
        except (Exception, SystemExit) as error:  # of somebody's own code
            raise ConfigError(f"{model.KEY}: {kind} refuses {what}: {named.told(error)}.") from error
        if not is_right:
            raise ConfigError(f"{model.KEY}: {kind} returned scores of the shape {shape}; wanted: {wanted}.")
    names = model.names(trainer.network)
    for pattern in experiment.recording.whole:
        if not fnmatch.filter(names, pattern):
            layers = ", ".join(names[:MOST_NAMES]) + (", …" if len(names) > MOST_NAMES else "")
            raise ConfigError(f"recording.whole: found {pattern}; allowed: layers of this network, {layers}.")
