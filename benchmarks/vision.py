"""torchvision, also where it was built for CUDA and torch was not."""

import importlib
import sys
from types import ModuleType
from typing import Any

import torch

_declared: list[Any] = []  # torch forgets a library's declarations when the object is collected


def torchvision(part: str) -> ModuleType:
    """Import a part of torchvision, such as "models".

    One built for CUDA stops at import beside a torch that is not, because the operators of its C++ library were never
    declared. Declaring their schemas is enough for what calls none of them.
    """
    try:
        return importlib.import_module(f"torchvision.{part}")
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
    for module in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[module]
    library = torch.library.Library("torchvision", "FRAGMENT")
    _declared.append(library)
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return importlib.import_module(f"torchvision.{part}")
