"""The int16 grid: what the trees are trained on and what the board compares."""

import numpy as np
from numpy.typing import NDArray

from wedau import _core
from wedau.errors import DataError

LIMIT = 32767
HEAD_ROOM = 2.0  # unseen data may be this much larger than all training data before they saturate


def fit_scale(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Choose each feature's scale from the training data.

    A feature of integers within +-32767 keeps them: its scale is 1. Any other gets the smallest
    power of two at which the largest value takes at most half of the grid. A power of two, because
    the division by it is exact: the grid only rounds, and no machine can round otherwise.

    Args:
        x: float32, shape (n_samples, n_features), in the features' units.

    Returns:
        float32 > 0, shape (n_features,), units per LSB.
    """
    largest = np.max(np.abs(x.astype(np.float64)), axis=0)
    whole = np.all(x == np.rint(x), axis=0) & (largest <= LIMIT)
    needed = np.maximum(largest * HEAD_ROOM / LIMIT, 2.0**-126)
    exponent = np.minimum(np.ceil(np.log2(needed)), 127)
    scale = np.where(whole, 1.0, np.exp2(exponent))
    return scale.astype(np.float32)


def quantize(x: NDArray[np.float32], scale: NDArray[np.float32]) -> NDArray[np.int16]:
    """Quantize features to the int16 that the board compares.

    Args:
        x: float32, shape (n_samples, n_features), in the features' units.
        scale: float32 > 0, shape (n_features,), units per LSB.

    Returns:
        int16, the shape of x: x / scale rounded half to even, saturated to +-32767.

    Raises:
        DataError: the widths differ, a scale is not a finite number above 0, or x holds NaN.

    Source: wd_quantize() in modules/core/wd_quantize.c, which this calls.
    """
    out = np.empty(x.shape, np.int16)
    try:
        _core.quantize(np.ascontiguousarray(x, np.float32), scale, out)
    except (ValueError, TypeError) as error:
        raise DataError(
            f"the features cannot be put on the grid: {error}", "check the data for gaps"
        ) from error
    return out
