"""What stands out in recordings of a network: rules, each with its constant, the reason for it and its source.

A rule looks at one label. It speaks of the tensor in which it is worst, and names the others. Nothing is said where
nothing stands out. Rules, worst first:

- `broken`: a weight or gradient became infinite or NaN; from then on nothing is learnt. Nothing is said of the size
  of updates then.
- `exploded`: the weights of a matrix have grown more than `GROWN`-fold: the learning rate throws them about.
- `unheld`: no optimizer holds a parameter that wants gradients; often the optimizer was made before it.
- `still`: a tensor has gradients, and no entry ever moved: a learning rate of zero, or a coarse number format.
- `no_gradient`: no step had a gradient of a tensor that is held; it is frozen, or the loss does not depend on it.
- `stopped`: a tensor moved, and although it has gradients, none of its entries did in the last tenth.
- `dead`: rows or columns of a matrix have no gradient in the last tenth: ReLU units die (Lu et al.).
- `fading`: gradients shrink from the last matrix to the first, more than `FADED`-fold (Glorot and Bengio).
- `lost`: more than `LOST` of the updates with a gradient of their own left their weight where it was: the number
  format is too coarse for them (Gupta et al.).
- `large`: RMS(Δ)/RMS(w) of a matrix is above `LARGE` over the last tenth, or in half of all steps where a schedule ends
  low; about 10⁻³ is usual (CS231n).
- `small`: it is below `SMALL`, at the highest learning rate of the run.
- `skipped`: a GradScaler skipped more than `SKIPPED` of all steps; now and then is how it finds its scale.
- `unused`: rows of a table of vectors, or inputs, never had a gradient: they never came, or are always zero.
- `livelier`, `quieter`: RMS(Δ)/RMS(w) is `APART` times that of both neighbouring matrices, or as many times less.
- `jump`: one step moved a matrix more than `JUMP` times as far, in learning rates, as nearly all steps around it:
  weights that were replaced in mid-run, or one batch unlike the others.
- `longer`, `shorter`: streaks last `OVER` times as long as with tossed signs, or as many times less, and consecutive
  gradients are correlated accordingly: they keep a direction, or each takes back what the last one gave. Without the
  latter it is weight decay that makes the difference, whose pull a toss does not turn.

Of vectors (biases, norms) nothing is said by size: many begin at zero, where every ratio is large; and of fewer than
`JUDGED` steps nothing but that weights exploded. Of what begins at zero in a schedule nothing is said either: `small`
counts what a tensor would do at the highest learning rate.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from report.analysis.chain import TABLES
from report.analysis.own_marks import AROUND, LATELY, ORDINARY
from report.analysis.own_tensor import NEGLIGIBLE
from report.recording.reader import Recording
from report.recording.schema import Tensor

# Karpathy's rule of thumb, CS231n, "Neural Networks Part 3": the ratio of updates to weights should be around 10⁻³.
USUAL: Final = 1e-3
LARGE: Final = 1e-2
SMALL: Final = 1e-5
# A tenth of what was wished for is more than rounding takes from a float32 network that learns.
LOST: Final = 0.1
# The scale of a GradScaler doubles every 2,000 steps, and then may be too large for one: 1 in 100 is 20 times that.
SKIPPED: Final = 0.01
# PyTorch's initialisation alone makes wide and narrow layers differ tenfold: only far more than that is said.
APART: Final = 30.0
OVER: Final = 1.5
# Weights that learn grow a few times over; even those that begin at a hundredth of their size, a hundredfold.
GROWN: Final = 1000.0
# Layers of other widths differ hundredfold in the gradient of a single weight: only far more than that is said.
FADED: Final = 1e4
# From one matrix to the next they may grow so much, where they fade on the whole.
SLACK: Final = 3.0
LEAST: Final = 4  # matrices, of which "from layer to layer" says something
# Steps of SGD follow the gradient, which from batch to batch may be tenfold: only far more than that is said.
JUMP: Final = 50.0
# By how much the highest learning rate must exceed that of the last tenth for what was seen there to say less.
LOWERED: Final = 1.01
# Fewer changes of sign, seen or with tossed signs to be expected, do not tell such a factor from chance.
FLIPS: Final = 100
# Steps that are wanted before a gradient that is always zero says something of a unit, and not of a few batches.
JUDGED: Final = LATELY

NAMED, CITED = 5, 8  # names of parameters, and numbers of rows, that a sentence has

CS231N: Final = ("CS231n, Neural Networks Part 3", "https://cs231n.github.io/neural-networks-3/#ratio")
DYING: Final = ("Lu et al., Dying ReLU and Initialization", "https://arxiv.org/abs/1903.06733")
GLOROT: Final = ("Glorot and Bengio, 2010", "https://proceedings.mlr.press/v9/glorot10a/glorot10a.pdf")
ROUNDING: Final = ("Gupta et al., Deep Learning with Limited Numerical Precision", "https://arxiv.org/abs/1502.02551")
SCALER: Final = ("Micikevicius et al., Mixed Precision Training", "https://arxiv.org/abs/1710.03740")
RICE: Final = ("Rice 1945, in Finch", "https://arxiv.org/abs/1909.02556")

Info = Mapping[str, Any]
Seen = Mapping[str, Mapping[str, Info]]  # by name of the recording and tensor, see `own_tensor`

LEVELS: Final = {
    **dict.fromkeys(("broken", "exploded", "unheld", "still"), "error"),
    **dict.fromkeys(("no_gradient", "stopped", "dead", "fading", "lost", "large", "small", "skipped"), "warning"),
    **dict.fromkeys(("unused", "livelier", "quieter", "jump", "longer", "shorter"), "note"),
}
RULES: Final = tuple(LEVELS)  # worst first


@dataclass(frozen=True)
class Sight:
    """Hold what a rule says of one tensor, or of none, of one recording."""

    rule: str
    tensor: str | None
    weight: float
    numbers: dict[str, Any] = field(default_factory=dict)
    source: tuple[str, str] | None = None


def constants() -> dict[str, float]:
    """Return the constants of all rules, by name."""
    named = {"usual": USUAL, "large": LARGE, "small": SMALL, "lost": LOST, "skipped": SKIPPED, "apart": APART}
    named |= {"over": OVER, "flips": FLIPS, "judged": JUDGED, "grown": GROWN, "negligible": NEGLIGIBLE}
    return {**named, "faded": FADED, "jump": JUMP, "around": AROUND, "ordinary": ORDINARY}


def _broken(recording: Recording, seen: Mapping[str, Info]) -> Iterator[Sight]:
    """The first number that is not finite; that of a later tensor follows from it."""
    del seen
    notes = [each for each in recording.notes if each.kind == "non-finite"]
    if notes:
        # One without a step was seen only at the end, among entries that are not kept.
        first = min(notes, key=lambda each: math.inf if each.step is None else each.step)
        tensors = [each for each in first.tensors if each in recording.tensors]
        later = len({name for each in notes for name in each.tensors}) - 1
        numbers = {"step": first.step, "steps": recording.steps, "later": later}
        yield Sight("broken", tensors[0] if tensors else None, 1.0, numbers)


def _exploded(recording: Recording, seen: Mapping[str, Info]) -> Iterator[Sight]:
    """Matrices that have grown beyond all that learning asks for."""
    for name, info in seen.items():
        if _is_map(recording.tensors[name]) and info["grown"] > GROWN:
            numbers = {"factor": info["grown"], "limit": GROWN, "size": info["size"]}
            yield Sight("exploded", name, info["grown"], numbers | {"is_from_nothing": info["is_from_nothing"]})


def _unheld(recording: Recording, seen: Mapping[str, Info]) -> Iterator[Sight]:
    """Parameters that want gradients, and that no optimizer holds; a frozen one is left alone on purpose."""
    del seen
    names = [name for each in recording.notes if each.kind == "unheld" for name in each.tensors]
    if names:
        yield Sight(
            "unheld", None, float(len(names)), {"names": names[:NAMED], "count": len(names), "rest": len(names[NAMED:])}
        )


def _no_gradient(recording: Recording, seen: Mapping[str, Info]) -> Iterator[Sight]:
    """Tensors that are held, and that no step had a gradient of."""
    for name in recording.tensors:
        if name not in seen and recording.steps and not recording.present(name).any():
            yield Sight("no_gradient", name, float(recording.tensors[name].size), {"steps": recording.steps})


def _still(recording: Recording, seen: Mapping[str, Info]) -> Iterator[Sight]:
    """Tensors with gradients of which no entry ever moved."""
    for name, info in seen.items():
        if info["never_moved"] == recording.tensors[name].count and info["zero"] < 1:
            numbers = {"steps": info["gradient_steps"], "rate_is_zero": info["rate_is_zero"]}
            yield Sight("still", name, float(recording.tensors[name].size), numbers)


def _stopped(recording: Recording, seen: Mapping[str, Info]) -> Iterator[Sight]:
    """Tensors of which nothing moves any more, although they have gradients."""
    for name, info in seen.items():
        steps, after = info["gradient_steps"], info["stopped"]
        is_dead = info["died"] == info["measured"]  # which is told by its units, or by the whole tensor
        if after and not is_dead and steps - after["row"] >= max(steps // 10, JUDGED):
            numbers = {"last": after["step"], "steps": recording.steps, "rate_is_zero": after["rate_is_zero"]}
            yield Sight("stopped", name, 1 - after["row"] / steps, numbers)


def _dead(recording: Recording, seen: Mapping[str, Info]) -> Iterator[Sight]:
    """Units without a gradient, in no step or not in the last tenth; the inputs of such a unit's row are one thing.

    A vector counts where its module has no matrix that tells the same. Of a table of vectors, rows without a gradient
    are entries that never came (`unused`).
    """
    matrices = {name.rpartition(".")[0] for name, info in seen.items() if info["died_rows"] is not None}
    has_rows = any(info["died_rows"] for name, info in seen.items() if recording.tensors[name].kind not in TABLES)
    for name, info in seen.items():
        tensor = recording.tensors[name]
        if info["gradient_steps"] < JUDGED:
            continue
        numbers: dict[str, Any] = {"steps": info["gradient_steps"], "judged": JUDGED, "count": tensor.count}
        rows, columns, always = info["died_rows"], info["died_columns"], info["dead_columns"]
        if rows is None:
            if name.rpartition(".")[0] not in matrices and info["died"]:
                since = info["which"]["since"]
                numbers |= {"kind": "entries", "dead": info["died"], "of": tensor.count, "which": [], "is_cut": False}
                numbers |= {"unjudged": 0, "always": info["dead"], "since": since, "is_always": not since}
                yield Sight("dead", name, info["died"] / tensor.count, numbers, DYING)
            continue
        if rows:
            of_rows = numbers | _of_lines(tensor, info, "rows", rows)
            if tensor.kind in TABLES:
                yield Sight("unused", name, rows / info["judged_rows"], of_rows)
            else:
                yield Sight("dead", name, rows / info["judged_rows"], of_rows, DYING)
        elif columns > always and not has_rows and tensor.kind not in TABLES:  # else dead units hand them on
            of_columns = numbers | _of_lines(tensor, info, "columns", columns)
            yield Sight("dead", name, columns / info["judged_columns"], of_columns, DYING)
            continue
        # An input that is always zero: nothing is the matter with the unit. Where nothing has a gradient, none has.
        if always and tensor.kind not in TABLES and info["dead"] < info["measured"]:
            of_columns = numbers | _of_lines(tensor, info, "columns", always)
            of_columns |= {"since": 0, "is_always": True, "which": [], "is_cut": False}
            yield Sight("unused", name, always / info["judged_columns"], of_columns)


def _of_lines(tensor: Tensor, info: Info, kind: str, dead: int) -> dict[str, Any]:
    """Return the numbers of a sentence on `dead` rows, or columns, of a matrix."""
    which, since = info["which"][kind], info["which"]["since"]
    judged, sides = info[f"judged_{kind}"], dict(zip(("rows", "columns"), tensor.matrix, strict=True))
    return {
        "kind": kind,
        "dead": dead,
        "of": judged,
        "unjudged": sides[kind] - judged,
        "which": which[:CITED],
        "is_cut": len(which) > CITED,
        "always": info[f"dead_{kind}"],
        "since": since,
        "is_always": not since,
    }


def _lost(recording: Recording, seen: Mapping[str, Info]) -> Iterator[Sight]:
    """Updates that the optimizer asked for, and that did not move their weight."""
    for name, info in seen.items():
        share = info.get("lost_driven")
        if share is None or share <= LOST or info["gradient_steps"] < JUDGED:
            continue
        if info["never_moved"] < recording.tensors[name].count:
            numbers = {"share": share, "limit": LOST, "dtype": recording.tensors[name].dtype}
            yield Sight("lost", name, share, numbers, ROUNDING)


def _pace(recording: Recording, seen: Mapping[str, Info]) -> Iterator[Sight]:
    """Sizes of updates against the weights, over the last tenth or in half of all steps, and against the neighbours."""
    if not _has_sizes(recording):
        return
    moving = {
        name: info
        for name, info in seen.items()
        if _is_map(recording.tensors[name]) and info["ratio_median"] and info["gradient_steps"] >= JUDGED
    }
    paces = {name: info["ratio_last"] for name, info in moving.items() if info["ratio_last"]}
    for name, info in moving.items():
        ratio, full = paces.get(name, 0.0), info["full_rate"]
        is_last, is_lowered = ratio > LARGE, info["has_rate"] and (full is None or full > LOWERED)
        if is_last or (is_lowered and info["ratio_median"] > LARGE):
            numbers = {"ratio": ratio if is_last else info["ratio_median"], "limit": LARGE, "usual": USUAL}
            yield Sight("large", name, numbers["ratio"], {**numbers, "is_last": is_last}, CS231N)
        elif ratio and full is not None and ratio * full < SMALL:
            numbers = {"ratio": ratio * full, "limit": SMALL, "usual": USUAL, "is_scaled": is_lowered}
            yield Sight("small", name, 1 / ratio, numbers, CS231N)
    names = list(paces)
    for before, name, after in zip(names, names[1:], names[2:], strict=False):
        near = [paces[before], paces[after]]
        for rule, factor in (("livelier", paces[name] / max(near)), ("quieter", min(near) / paces[name])):
            if factor > APART:
                numbers = {"factor": factor, "limit": APART, "ratio": paces[name], "before": before, "after": after}
                yield Sight(rule, name, factor, numbers)


def _has_sizes(recording: Recording) -> bool:
    """Tell whether an update is one step's, and finite."""
    return recording.description.every == 1 and all(each.kind != "non-finite" for each in recording.notes)


def _is_map(tensor: Tensor) -> bool:
    return tensor.matrix[0] > 1 and tensor.matrix[1] > 1


def _fading(recording: Recording, seen: Mapping[str, Info]) -> Iterator[Sight]:
    """Gradients that vanish on their way to the first layer: single neighbours may differ little.

    What an optimizer was given later stands last in a recording, wherever it is in the model: it is left out.
    """
    sizes = {
        name: info["gradient"]
        for name, info in seen.items()
        if _is_map(tensor := recording.tensors[name])
        and tensor.kind not in TABLES
        and not tensor.since
        and info["gradient_steps"] >= JUDGED
    }
    if len(sizes) < LEAST or None in sizes.values():
        return
    names, found = list(sizes), list(sizes.values())
    is_fading = all(before <= after + math.log10(SLACK) for before, after in itertools.pairwise(found))
    factor = 10 ** (found[-1] - found[0])
    if is_fading and factor > FADED:
        yield Sight("fading", names[0], factor, {"factor": factor, "from": names[-1], "limit": FADED}, GLOROT)


def _jump(recording: Recording, seen: Mapping[str, Info]) -> Iterator[Sight]:
    """Single steps that are far larger than those around them; of a training that diverges more is said."""
    if not _has_sizes(recording):
        return
    for name, info in seen.items():
        found = info["jump"]
        if _is_map(recording.tensors[name]) and info["grown"] <= GROWN and found and found["factor"] > JUMP:
            numbers = {"step": found["step"], "factor": int(found["factor"]), "limit": JUMP}
            numbers |= {"around": AROUND, "ordinary": ORDINARY, "has_rate": info["has_rate"]}
            yield Sight("jump", name, found["factor"], numbers)


def _skipped(recording: Recording, seen: Mapping[str, Info]) -> Iterator[Sight]:
    """Steps that a GradScaler skipped."""
    del seen
    share = recording.skipped / max(recording.skipped + recording.taken, 1)
    if share > SKIPPED:
        numbers = {"skipped": recording.skipped, "tried": recording.skipped + recording.taken, "share": share}
        yield Sight("skipped", None, share, {**numbers, "limit": SKIPPED}, SCALER)


def _streaks(recording: Recording, seen: Mapping[str, Info]) -> Iterator[Sight]:
    """Streaks against those with tossed signs, once they are settled."""
    for name, info in seen.items():
        toss, flips, pairs = (info.get(key) for key in ("toss", "flips", "pairs"))
        if (
            info["grown"] > GROWN
            or not info["is_settled"]
            or not toss
            or flips is None
            or not pairs
            or max(flips, pairs / toss) < FLIPS
        ):
            continue
        run = pairs / max(flips, 1)  # without any change of sign it is at least so long
        over, correlation = run / toss, info["gradients_lag_1"] or 0.0
        rule = "longer" if over > OVER and correlation > 0 else "shorter" if over < 1 / OVER and correlation < 0 else ""
        if rule and 2 * info["never_moved"] <= recording.tensors[name].count:
            numbers = {"run": run, "toss": toss, "factor": max(over, 1 / over), "limit": OVER}
            steps = info["last"] - info["first"] + 1  # a longer streak than that was not seen
            numbers |= {"steps": steps, "is_throughout": run >= steps}
            yield Sight(rule, name, abs(math.log(over)), numbers, RICE)


Rule = Callable[[Recording, Mapping[str, Info]], Iterator[Sight]]
EVERY: Final[tuple[Rule, ...]] = (
    *(_broken, _exploded, _unheld, _still, _no_gradient, _stopped, _dead, _lost, _pace, _fading, _skipped, _jump),
    _streaks,
)
