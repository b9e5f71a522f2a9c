"""What the findings are made of, measured again from the recordings: NumPy, and of the package the reader alone.

What is measured comes from the specification, what optimizers do from torch's documents, one step after the other.
"""

import itertools
import math
import statistics
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import report

Signs = NDArray[np.int8]
Numbers = dict[str, float | None]  # by column
Values = dict[int | None, float]  # by seed

TOSSES, COINS = 3, 20  # tosses a seed; the number that every series of coins begins from


class Arithmetic:
    """An optimizer as torch documents it, with its settings: no weight decay, no Nesterov, no AMSGrad."""

    def __init__(self, recording: report.Recording, tensor: str) -> None:
        """Take the settings from a recording that was made with it."""
        rule = recording.rule(tensor)
        self.name = rule.name
        self.settings: dict[str, Any] = dict(rule.settings)
        off = ("weight_decay", "nesterov", "amsgrad", "centered", "maximize", "dampening")
        assert not rule.varying, rule
        assert not any(self.settings.get(each) for each in off), rule
        assert self.name in ("Adam", "SGD") or (self.name == "RMSprop" and not self.settings["momentum"]), rule

    @property
    def momentum(self) -> float:
        """Return how much of the last direction the next update keeps."""
        return float(self.settings["betas"][0] if self.name == "Adam" else self.settings["momentum"])

    @property
    def rounds(self) -> bool:
        """Tell whether float32 leaves the last bit of an update open: only SGD has a single order of operations."""
        return self.name != "SGD"

    def replay(self, start: NDArray[Any], gradients: NDArray[Any]) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        """Yield the update that each step asks for, and the weights after it, in the number format of `start`."""
        weights, first, second = start, np.zeros_like(start), np.zeros_like(start)
        rate = self.settings["lr"]
        for step, gradient in enumerate(gradients.astype(start.dtype), 1):
            if self.name == "Adam":
                beta1, beta2 = self.settings["betas"]
                if beta1 > 0.5:  # torch.lerp starts from the nearer end
                    first = first + (1 - beta1) * (gradient - first)
                else:
                    first = gradient - beta1 * (gradient - first)
                second = beta2 * second + (1 - beta2) * gradient * gradient
                scale = np.sqrt(second) / math.sqrt(1 - beta2**step) + self.settings["eps"]
                asked = -(rate / (1 - beta1**step)) * first / scale
            elif self.name == "RMSprop":
                alpha = self.settings["alpha"]
                second = alpha * second + (1 - alpha) * gradient * gradient
                asked = -rate * gradient / (np.sqrt(second) + self.settings["eps"])
            else:
                first = self.settings["momentum"] * first + gradient
                asked = -rate * first
            weights = weights + asked
            yield asked, weights


def coins(seed: int, tensor: str, toss: int, steps: int, count: int) -> Signs:
    """Return the coins of a toss, (steps, count): bits of whole 64-bit words a step, the highest of each byte first."""
    words = np.random.PCG64(np.random.SeedSequence((COINS, abs(seed), zlib.crc32(tensor.encode()), toss)))
    entry = np.arange(count)
    place = (entry % 64 // 8 * 8 + 7 - entry % 8).astype(np.uint64)
    found = np.empty((steps, count), np.int8)
    for step in range(steps):
        drawn = words.random_raw(-(-count // 64))
        found[step] = (drawn[entry // 64] >> place & np.uint64(1)).astype(np.int8) * 2 - 1
    return found


def moves(weights: NDArray[Any]) -> Signs:
    """Return the sign of every update, one row fewer than there are states."""
    return (weights[1:] > weights[:-1]).astype(np.int8) - (weights[1:] < weights[:-1]).astype(np.int8)


def mean_run(signs: Signs) -> float | None:
    """Return pairs over flips, over consecutive steps in which both updates are non-zero."""
    products = signs[:-1] * signs[1:]
    flips = int((products < 0).sum())
    return int((products != 0).sum()) / flips if flips else None


def together(signs: Signs, unit: NDArray[np.int64]) -> float | None:
    """Return the share of pairs of weights of one unit, both moving in a step, that move the same way."""
    names, unit = np.unique(unit, return_inverse=True)
    alike = pairs = 0
    for row in signs:
        up, down = (np.bincount(unit[row == sign], minlength=len(names)) for sign in (1, -1))
        alike += int((up * (up - 1) // 2 + down * (down - 1) // 2).sum())
        pairs += int(((up + down) * (up + down - 1) // 2).sum())
    return alike / pairs if pairs else None


def quantile(degrees: int) -> float:
    """Return what Student's t exceeds in size with a chance of 0.05, by halving its closed form for whole degrees."""

    def inside(t: float) -> float:
        angle = math.atan(t / math.sqrt(degrees))
        term = total = math.cos(angle) if degrees % 2 else 1.0
        for k in range(2 + degrees % 2, degrees, 2):
            term *= math.cos(angle) ** 2 * (k - 1) / k
            total += term
        if degrees % 2:
            return (angle + (math.sin(angle) * total if degrees > 1 else 0)) * 2 / math.pi
        return math.sin(angle) * total

    low, high = 0.0, 20.0
    while (middle := (low + high) / 2) not in (low, high):
        low, high = (middle, high) if inside(middle) < 0.95 else (low, middle)
    return middle


def mean(values: Sequence[float | None]) -> float | None:
    """Return the mean; None where one is unknown."""
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known and len(known) == len(values) else None


def interval(values: Sequence[float | None]) -> Numbers:
    """Return the mean over seeds and its 95 % interval."""
    known = [value for value in values if value is not None]
    found: Numbers = {"value": mean(known), "low": None, "high": None, "n": len(known)}
    if len(known) > 1:
        centre, half = mean(known) or 0, quantile(len(known) - 1) * statistics.stdev(known) / math.sqrt(len(known))
        found |= {"low": centre - half, "high": centre + half}
    return found


def geometric(ratios: Sequence[float]) -> Numbers:
    """Return the same of a geometric mean; beyond a thousand times a ratio counts as that."""
    found = interval([math.log(min(max(ratio, 0.001), 1000)) for ratio in ratios])
    return {name: v if name == "n" or v is None else math.exp(v) for name, v in found.items()}


def difference(first: Values, second: Values) -> Numbers:
    """Return the mean of first - second over the seeds that both have, and its interval."""
    return interval([first[seed] - second[seed] for seed in first if seed in second])


def threshold(change: NDArray[np.float64], smallest: int) -> tuple[float, float, float]:
    """Return mean, τ and the share of updates that reach τ, by sorting everything."""
    centre = float(change.mean())
    sizes = np.sort(np.abs(change - centre).ravel())[::-1]
    rank = int(smallest * 0.0001 * math.sqrt(sizes.size / smallest))
    return centre, float(sizes[rank]), (rank + 1) / sizes.size


def dwell(deviations: NDArray[np.float64], level: float, span: slice) -> float | None:
    """Return the mean length of spells at or above a level, with one sign, that begin in some batches."""
    lengths = []
    for series in deviations.T:
        signs = [math.copysign(1, v) if abs(v) >= level and v != 0 else 0 for v in series.tolist()]
        batch = 0
        for sign, group in itertools.groupby(signs):
            length = len(list(group))
            if sign and span.start <= batch < span.stop:
                lengths.append(length)
            batch += length
    return mean(lengths)


def chance_dwell(beta: float, tail: float, share: float) -> float:
    """Return how long a Gaussian AR(1) series stays beyond a level: two in a row by Plackett's integral.

    The level is `share` of that which `tail` of the series lies beyond, on either side.
    """
    level = -share * statistics.NormalDist().inv_cdf(tail / 2)
    beyond = math.erfc(level / math.sqrt(2)) / 2
    nodes, weights = np.polynomial.legendre.leggauss(64)
    angles = (nodes + 1) * math.asin(beta) / 2
    both = beyond**2 + float(weights @ np.exp(-(level**2) / (1 + np.sin(angles)))) * math.asin(beta) / 4 / math.pi
    return beyond / (beyond - both)


class Measured:
    """Hold what is counted in the replays of some recordings, by seed.

    Attributes:
        values: by statistic, label of the gradients, label of the optimizer, tensor and window.
    """

    def __init__(self, recordings: Sequence[report.Recording]) -> None:
        """Replay every recording through every optimizer."""
        self.study = report.Study(recordings)
        self.main = self.study.main.label
        self.batches = self.study.steps
        self.windows = {"1-100": slice(0, min(100, self.batches)), "all": slice(0, self.batches)}
        if self.batches >= 200:
            self.windows["101-1000"] = slice(100, min(1000, self.batches))
        self.late = "101-1000" if "101-1000" in self.windows else "all"
        self.tensors = self.study.main.tensors
        self.drawn = [name for name, tensor in self.tensors.items() if tensor.kept == "whole"]
        self.arithmetic = {
            (label, tensor): Arithmetic(self.study.of(label)[0], tensor)
            for label in self.study.labels
            for tensor in self.tensors
        }
        self.values: dict[tuple[str, str, str, str, str], Values] = defaultdict(dict)
        for recording in self.study.recordings:
            for tensor in self.tensors:
                self._replay(recording, tensor)

    def optimizer(self, label: str) -> Arithmetic:
        """Return the optimizer of a label, as the drawn tensors have it."""
        return self.arithmetic[label, self.drawn[0]]

    def family(self, name: str) -> dict[float, str]:
        """Return the labels of one class of optimizers by rising momentum."""
        labels = [label for label in self.study.labels if self.optimizer(label).name == name]
        return dict(sorted({self.optimizer(label).momentum: label for label in reversed(labels)}.items()))

    def own(self, statistic: str, tensor: str, window: str, label: str) -> Values:
        """Return what an optimizer does in its own loop, by seed."""
        return self.values[statistic, label, label, tensor, window]

    def _replay(self, recording: report.Recording, tensor: str) -> None:
        """Send the gradients of a tensor through every optimizer, as recorded and with tossed signs."""
        assert recording.seed is not None
        recorded = np.asarray(recording.weights(tensor)[: self.batches + 1])
        gradients = np.asarray(recording.gradients(tensor)[: self.batches])
        assert not np.isnan(gradients).any()
        tossed = [gradients * coins(recording.seed, tensor, toss, *gradients.shape) for toss in range(TOSSES)]
        lines = np.stack([gradients, *tossed], axis=1)  # (steps, 1 + TOSSES, n)
        start = np.stack([recorded[0]] * (1 + TOSSES))
        for label in self.study.labels:
            arithmetic = self.arithmetic[label, tensor]
            asked, states = (np.stack(each) for each in zip(*arithmetic.replay(start, lines), strict=True))
            signs = moves(np.concatenate([start[None], states]))
            for window, span in self.windows.items():
                run, *tosses = (mean_run(signs[span, line]) for line in range(1 + TOSSES))
                toss = mean(tosses)
                found = {"mean_run": run, "toss": toss}
                found["lean"] = None if run is None or toss is None else run - toss
                self._keep(found, recording, label, tensor, window)
            if label == recording.label:
                exact = arithmetic.replay(recorded[0].astype(np.float64), gradients)
                double = moves(np.stack([recorded[0].astype(np.float64), *(state for _, state in exact)]))
                self._own(recording, tensor, moves(recorded), signs, double, asked[:, 0] != 0)

    def _own(
        self,
        recording: report.Recording,
        tensor: str,
        recorded: Signs,
        replayed: Signs,
        double: Signs,
        asked: NDArray[np.bool_],
    ) -> None:
        """Measure a recording's own updates, what its replays lose, and which weights move together."""
        columns = self.tensors[tensor].matrix[1]
        units = dict(zip(("output", "input"), np.divmod(recording.indices(tensor), columns), strict=True))
        for window, span in self.windows.items():
            stood = (replayed[:, 0] == 0)[span][asked[span]]
            found = {
                "recorded_run": mean_run(recorded[span]),
                "mean_run_float64": mean_run(double[span]),
                "equal_share": float((recorded == replayed[:, 0])[span].mean()),
                "lost_share": float(stood.mean()) if stood.size else None,
            }
            for name, unit in units.items():
                found[name] = together(recorded[span], unit)
                found[f"{name}_toss"] = together(replayed[span, 1], unit)  # of the first toss alone
            self._keep(found, recording, recording.label, tensor, window)

    def _keep(
        self, found: dict[str, float | None], recording: report.Recording, label: str, tensor: str, window: str
    ) -> None:
        for name, value in found.items():
            if value is not None:
                self.values[name, recording.label, label, tensor, window][recording.seed] = value
