"""What was run: data, network, training, optimizers, windows."""

from report.analysis.windows import EARLY
from report.recording.study import Study
from report.site.facts.numbers import Facts, Numbers


def facts(numbers: Numbers, study: Study) -> Facts:
    """Return what every page may say of the study."""
    results = numbers.results
    chief, plain, layers = numbers.chief, numbers.plain, list(results["tensors"])
    beta = numbers.coefficient(numbers.main)
    names = results["drawn"]
    return {
        "data": results["data"],
        "is_sample": results["data"]["source"] == "sample",
        "one_epoch": results["data"]["epochs"] == 1,
        "training_images": results["data"]["train"] + results["data"]["validation"],
        "network": results["about"]["network"],
        "training": results["about"]["training"],
        "weights": sum(tensor.size for tensor in study.main.tensors.values() if len(tensor.shape) > 1),
        "edges": results["network"]["edges_drawn"],
        "parameters": results["about"]["network"]["parameters"],
        "steps": results["steps"],
        "states": results["steps"] + 1,
        "batches": results["study"]["batches"],
        "late": numbers.late,
        "early": EARLY,
        "seeds": numbers.seeds,
        "optimizers": len(numbers.optimizers),
        "main": {
            "label": chief["label"],
            "name": chief["name"],
            "rate": chief["learning_rate"],
            "beta": beta,
            "fresh": None if beta is None else 1 - beta,
            "reach": 1 / (1 - beta) if beta is not None and beta < 1 else None,
            "is_adam": chief["name"] in ("Adam", "AdamW"),
        },
        "plain": None if plain is None else plain["label"],
        "shapes": [results["network"]["layers"][layers[0]]["shape"][1], *(_outputs(numbers, name) for name in layers)],
        "layers": [_layer(numbers, study, name, place, len(layers)) for place, name in enumerate(layers)],
        "drawn": names,
        "whole": [name for name, tensor in study.main.tensors.items() if tensor.kept == "whole"],
        "first": _named(numbers, names[0]),
        "middle": _named(numbers, names[len(names) // 2]),
        "last": _named(numbers, names[-1]),
        "pixels": results["network"]["layers"][layers[0]]["shape"][1],
        "sampled": max((each.count for each in study.main.tensors.values() if each.kept == "sample"), default=0),
        "missing": results["study"]["missing"],
        "guess": results["reference"]["ln_classes"],
    }


def _outputs(numbers: Numbers, name: str) -> int:
    outputs: int = numbers.results["network"]["layers"][name]["shape"][0]
    return outputs


def _named(numbers: Numbers, name: str) -> Facts:
    shape = numbers.results["network"]["layers"][name]["shape"]
    return {"name": name, "shape": shape, "units": shape[0]}


def _layer(numbers: Numbers, study: Study, name: str, place: int, count: int) -> Facts:
    """Return a layer: its name, shape and size, what is kept of it, and where it stands."""
    layer = numbers.results["network"]["layers"][name]
    outputs, inputs = layer["shape"]
    return {
        "name": name,
        "film": f"layer-{place + 1}",
        "shape": layer["shape"],
        "outputs": outputs,
        "inputs": inputs,
        "weights": layer["weights"],
        "kept": layer["count"],
        "is_whole": layer["kept"] == "whole",
        "is_drawn": name in numbers.drawn,
        "is_first": place == 0,
        "is_last": place == count - 1,
    }
