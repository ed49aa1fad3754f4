"""modules/core for CPython: features and quantisation, bit for bit those of the board."""

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

class Info(TypedDict):
    channels: int
    length: int
    fft_length: int
    hop: int
    n_features: int
    filters: bool

class Trees(TypedDict):
    n_features: int
    n_classes: int
    n_trees: int
    n_nodes: int
    is_wide: bool
    texts: list[str]
    scale: bytes
    recipe: bytes

#: Errors by name, such as ``{"MAGIC": "the bytes are not a feature recipe"}``.
ERRORS: dict[str, str]
#: Name and unit of each statistic in the order of the mask's bits; unit "u" is the channel's own.
STATISTICS: tuple[tuple[str, str], ...]
#: Kinds of steps of a recipe by name.
STEPS: dict[str, int]
#: Sizes and numbers that host and board agree on, by name.
LIMITS: dict[str, int]
#: First bytes of a recipe.
MAGIC: bytes
#: What can be wrong with a data file of trees, by name.
TREES_ERRORS: dict[str, str]
#: First bytes of a data file of trees.
TREES_MAGIC: bytes

def info(recipe: bytes, /) -> Info:
    """Check a recipe and say what it needs.

    Raises:
        ValueError: the recipe is damaged; the text is one of `ERRORS`.

    Source: wd_recipe_parse() in modules/core/wd_recipe.c.
    """

def extract(
    recipe: bytes,
    samples: NDArray[np.float32],
    starts: NDArray[np.int64],
    out: NDArray[np.float32],
    /,
) -> None:
    """Compute the features of many windows of one recording, which has been through filter().

    The interpreter's lock is released, so threads run side by side.

    Args:
        recipe: see modules/core/wd_recipe.h.
        samples: float32, shape (n_samples, channels), C order, in the channels' units.
        starts: int64, shape (n_windows,): index of each window's first sample.
        out: float32, shape (n_windows, n_features), C order; overwritten.

    Raises:
        ValueError: the recipe is damaged, a shape does not fit, or a window lies outside.
        TypeError: an array is of another type or not contiguous.

    Source: wd_extract() in modules/core/wd_features.c.
    """

def filter(recipe: bytes, samples: NDArray[np.float32], out: NDArray[np.float32], /) -> None:
    """Pass a whole recording through a recipe's filters; without filters it is copied.

    Args:
        recipe: see modules/core/wd_recipe.h.
        samples: float32, shape (n_samples, channels), C order, in the channels' units.
        out: float32, the shape of samples, C order; overwritten.

    Raises:
        ValueError: the recipe is damaged, or a shape does not fit.
        TypeError: an array is of another type or not contiguous.

    Source: wd_filter() in modules/core/wd_filter.c.
    """

def quantize(x: NDArray[np.float32], scale: NDArray[np.float32], out: NDArray[np.int16], /) -> None:
    """Put features on the int16 grid: x / scale, rounded half to even, saturated to +-32767.

    Args:
        x: float32, shape (n_samples, n_features), C order.
        scale: float32 > 0, shape (n_features,), units per LSB.
        out: int16, the shape of x; overwritten.

    Raises:
        ValueError: x holds NaN, a scale is not a finite number above 0, or the shapes differ.
        TypeError: an array is of another type or not contiguous.

    Source: wd_quantize() in modules/core/wd_quantize.c.
    """

def trees_check(data: bytes, /) -> Trees:
    """Check a whole data file of trees and read what is in it beside the trees.

    Args:
        data: see modules/core/trees/wd_trees.h.

    Returns:
        ``n_nodes`` counts decisions; ``texts`` are name, version, hash of the data and version of
        the tools, then the labels, then the features' names; ``scale`` is float32, little endian.

    Raises:
        ValueError: the file is damaged; the text is one of `TREES_ERRORS`.

    Source: wd_trees_open() in modules/core/trees/wd_trees.c.
    """

def trees_predict(data: bytes, rows: NDArray[np.int16], out: NDArray[np.int64], /) -> None:
    """Predict the class of each row: what most trees vote for; of several, the lowest.

    Args:
        data: checked at each call.
        rows: int16, shape (n_rows, n_features), C order, on the grid.
        out: int64, shape (n_rows,); overwritten.

    Raises:
        ValueError: the file is damaged, or a shape does not fit.
        TypeError: an array is of another type or not contiguous.

    Source: wd_trees_predict() in modules/core/trees/wd_trees.c.
    """

def trees_proba(data: bytes, rows: NDArray[np.int16], out: NDArray[np.float32], /) -> None:
    """Predict the share of the trees that vote for each class, for each row.

    Args:
        data: checked at each call.
        rows: int16, shape (n_rows, n_features), C order, on the grid.
        out: float32, shape (n_rows, n_classes), C order; overwritten.

    Raises:
        ValueError: the file is damaged, or a shape does not fit.
        TypeError: an array is of another type or not contiguous.

    Source: wd_trees_proba() in modules/core/trees/wd_trees.c.
    """

def baseline(
    windows: int,
    false_alarms: float,
    key: bytes,
    learned: NDArray[np.float32],
    judged: NDArray[np.float32],
    scores: NDArray[np.float32],
    /,
) -> bytes:
    """Learn what is normal as the board does, then score other rows.

    Args:
        windows: how many to learn from.
        false_alarms: the share of normal windows that may be called anomalies.
        key: says which features these are.
        learned: float32, shape (n_rows, n_features), C order; rows after the last needed are left.
        judged: float32, shape (m_rows, n_features), C order.
        scores: float32, shape (m_rows,): distance from normal, above 1 an anomaly; overwritten.

    Returns:
        What the board keeps in its file.

    Raises:
        ValueError: a setting is out of range, a row holds NaN, there are too few rows to learn
            from, or the shapes do not fit.
        TypeError: an array is of another type or not contiguous.

    Source: modules/core/baseline/wd_baseline.h.
    """

def delta_apply(old: bytes, patch: bytes, new_size: int, /) -> bytes:
    """Apply a patch as the board does.

    Args:
        old: the file that the patch was made from.
        patch: of detools, type sequential, compression heatshrink.
        new_size: bytes of the new file.

    Raises:
        ValueError: the patch is damaged, cut off, or one between other files; what it gives still
            has to be compared by its hash.

    Source: modules/core/delta/wd_delta.h.
    """
