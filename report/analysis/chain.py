"""Which tensors of a recording are drawn as a network: matrices of which one's outputs are the next one's inputs."""

from collections.abc import Iterable, Mapping

from report.recording.schema import Tensor

MOST_EDGES = 8192  # weights that are drawn: more lines are a blot, and more than a phone should load
TABLES = ("Embedding", "EmbeddingBag")  # modules whose matrix is a list of vectors, not a map from inputs to outputs


def drawn(tensors: Mapping[str, Tensor], most: int = MOST_EDGES) -> tuple[str, ...]:
    """Return the names of the tensors that are drawn as a network graph, in the order of the recording.

    They are the longest run of neighbouring matrices that were kept whole and whose sizes chain; of two equally long
    ones that with more weights, then the first. Vectors between them, such as biases, are passed over.

    Args:
        tensors: of a recording, by name.
        most: weights in all; the larger end of a run is left out until it fits.
    """
    candidates = [_fitting(run, most) for run in _runs(tensors.values())]
    best = max(candidates, key=lambda run: (len(run), sum(each.size for each in run)), default=[])
    return tuple(each.name for each in best)


def _runs(tensors: Iterable[Tensor]) -> list[list[Tensor]]:
    """Return the runs of matrices that chain, each as long as it can be."""
    runs: list[list[Tensor]] = [[]]
    for each in tensors:
        if len(each.shape) < 2:
            continue
        if not _is_edge_list(each):
            runs.append([])
        elif runs[-1] and runs[-1][-1].shape[0] != each.shape[1]:
            runs.append([each])
        else:
            runs[-1].append(each)
    return runs


def _is_edge_list(tensor: Tensor) -> bool:
    """Tell whether each entry of a tensor joins an input with an output, and all were recorded."""
    return len(tensor.shape) == 2 and tensor.size > 0 and tensor.kept == "whole" and tensor.kind not in TABLES


def _fitting(run: list[Tensor], most: int) -> list[Tensor]:
    """Return what is left of a run when its larger end is left out until it has at most `most` weights."""
    while sum(each.size for each in run) > most:
        run = run[1:] if run[0].size >= run[-1].size else run[:-1]
    return run
