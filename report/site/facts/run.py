"""What the pages "The run" and "Layers" state: one training run, its loss, its weights, its layers."""

import math

from report.analysis import cuts
from report.analysis.windows import ALL, EARLY
from report.site.facts.numbers import Facts, Numbers


def facts(numbers: Numbers) -> Facts:
    """Return the facts of the main training run."""
    results = numbers.results
    accuracy = results["accuracy"]["validation"]
    return {
        "seed": results["study"]["seeds_of"][numbers.main][numbers.place],
        "loss": results["loss"][results["main"]],
        "accuracy": accuracy,
        "weights": _weights(numbers),
        "layers": {name: _layer(numbers, name) for name in results["tensors"]},
        "shrinks": _shrinks(numbers),
        "silence": _silence(numbers),
        "replayed": _replayed(numbers),
        "full_colour": _full_colour(numbers),
        "start": _start(numbers),
    }


def _weights(numbers: Numbers) -> Facts:
    """Return the stories of single weights of the first layer that pages tell of."""
    layer = numbers.drawn[0]
    history = numbers.results["history"][numbers.results["main"]][layer]
    far, waking = history["largest_mover"], history.get("waking")
    step = far["largest_update"]
    return {
        "layer": layer,
        "first": history["first"],
        "far": far,
        "far_step": abs(step),
        "far_batches": math.ceil(abs((far["end"] - far["start"]) / step)) if step else None,
        "waking": None if waking is None else _waking(waking),
    }


def _waking(weight: Facts) -> Facts:
    """Return the story of a weight that lay still: from and to which batch, and how it moved then."""
    told = weight["story"]
    return {"index": weight["index"], **told, "jump": abs(told["update"])}


def _layer(numbers: Numbers, name: str) -> Facts:
    """Return a layer's threshold and, by window, how its updates are; nothing of a layer without updates."""
    place = numbers.main, name, numbers.place
    sizes = cuts.sizes(numbers.table, *place)
    law = cuts.law(numbers.table, *place)
    return {"law": law, "sizes": sizes}


def _shrinks(numbers: Numbers) -> Facts:
    """Return in which layers the mean update is larger at the start than later."""
    layers = []
    for layer in numbers.results["tensors"]:
        sizes = cuts.sizes(numbers.table, numbers.main, layer, numbers.place)
        first, late = (sizes.get(window, {}).get("mean_absolute_update") for window in (EARLY, numbers.late))
        if first is not None and late is not None and first > late:
            layers.append(layer)
    return {"everywhere": layers == list(numbers.results["tensors"]), "layers": layers}


def _silence(numbers: Numbers) -> Facts:
    """Return shares of zero gradients, of coasting updates and of lost ones, in every layer; means over seeds."""
    every = numbers.results["tensors"]

    def share(quantity: str, statistic: str) -> dict[str, float | None]:
        found = {
            layer: numbers.estimate(quantity, statistic, numbers.main, layer, numbers.late).mean for layer in every
        }
        return {layer: value for layer, value in found.items() if value is not None}

    first = numbers.drawn[0]
    return {
        "zero": share("coasting", "zero_gradient_share"),
        "coasting": share("coasting", "coasting_share"),
        "lost": share("resolution", "lost_share"),
        "run": numbers.estimate("persistence", "mean_run", numbers.main, first, numbers.late).mean,
        "run_64": numbers.estimate("resolution", "mean_run_float64", numbers.main, first, numbers.late).mean,
    }


def _replayed(numbers: Numbers) -> Facts:
    """Return whether a replay gives back the sign of every recorded update, and the least share of signs in a layer."""
    found = [
        numbers.estimate("resolution", "equal_share", numbers.main, layer, ALL).mean
        for layer in numbers.results["tensors"]
    ]
    known = [share for share in found if share is not None]
    return {"all": bool(known) and min(known) == 1, "least": min(known, default=None)}


def _full_colour(numbers: Numbers) -> dict[str, float]:
    """Return the share of updates that reach the threshold, by drawn layer."""
    laws = {layer: cuts.law(numbers.table, numbers.main, layer, numbers.place) for layer in numbers.drawn}
    return {layer: law["full_colour_share"] for layer, law in laws.items() if law}


def _start(numbers: Numbers) -> Facts:
    """Return what the first batches do: the very first one, and how far the mean update has fallen at the end."""
    last, theory = numbers.drawn[-1], numbers.theory(numbers.main)
    ends = {}
    for layer in numbers.drawn:
        rows = numbers.table.series("startup", "mean_absolute", numbers.main, layer)
        if rows:
            key, row = list(rows.items())[-1]
            ends[layer] = int(key.at or 0), row
    batch = max((end for end, _ in ends.values()), default=None)
    curve = ((theory or {}).get("startup") or {}).get("mean_absolute") or []
    chance = curve[batch - 1] if batch is not None and batch <= len(curve) else None
    larger = {}
    for layer, (_, row) in ends.items():
        if row.low is not None and chance is not None and row.low > chance:
            larger[layer] = row.mean
    return {
        "layer": last,
        "live": numbers.own("first_step", "live", last),
        "exact": numbers.own("first_step", "exact", last),
        "batch": batch,
        "chance": chance,
        "larger": larger,
    }
