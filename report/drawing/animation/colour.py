"""Which hue the update of a weight has, and how opaque it is drawn: the first article's law, with the sign kept."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from report.analysis.threshold import deviation, opacity

# An edge below this opacity moves no channel of a pixel by more than 2 of 255 levels: nobody can see it.
FAINTEST = 2 / 255
STRONG = 0.25  # opacity at half the threshold: a colour that anyone sees
ENDS_AT = 0.995  # quantile at which a scale of its own ends: a few outliers must not dim all else


def signed_opacity(updates: ArrayLike, mean: float, threshold: float) -> NDArray[np.float64]:
    """Return the opacity with the sign of the deviation: above 0 is drawn red, below 0 blue; any shape, −1 to 1.

    Args:
        updates: any shape, the change of a weight in one batch.
        mean: the layer's mean update over all its weights and batches.
        threshold: the layer's τ, in units of the weight.

    Source: `create_colors` of the first article.
    """
    deviations = deviation(updates, mean)
    return np.copysign(opacity(deviations, threshold), deviations)


def visible(signed: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which of the signed opacities are strong enough to be seen, and so are drawn."""
    return np.abs(signed) >= FAINTEST


def end_of_scale(sizes: ArrayLike) -> float:
    """Return the size from which on a scale shows its full colour, where the article's threshold does not serve."""
    return float(np.quantile(np.asarray(sizes), ENDS_AT))


def most_telling(strong: ArrayLike, total: ArrayLike) -> int:
    """Return the frame with the most strongly coloured weights: the poster.

    Args:
        strong: (frames,) how many weights deviate by half the threshold or more (opacity 1/4).
        total: (frames,) sum of the opacities, which decides between equals; then the earliest frame.
    """
    return int(np.lexsort((-np.asarray(total), -np.asarray(strong)))[0])


def stays(signed: NDArray[np.float64]) -> float | None:
    """Return which share of the strong colours is as strong, and the same colour, one frame later.

    Args:
        signed: (frames, edges) signed opacities of consecutive batches.

    Returns:
        A fraction; None where no colour is strong in any frame but the last.
    """
    hue = np.sign(signed) * (np.abs(signed) >= STRONG)
    before, after = hue[:-1], hue[1:]
    strong = before != 0
    return float((after == before)[strong].mean()) if strong.any() else None
