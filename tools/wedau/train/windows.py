"""Cut recordings into windows."""

import numpy as np
from numpy.typing import NDArray

from wedau import _core
from wedau.errors import DataError

MIN_LENGTH, MAX_LENGTH = _core.LIMITS["MIN_LENGTH"], _core.LIMITS["MAX_LENGTH"]


def samples(time_ms: float, rate_hz: float) -> int:
    """Return how many samples a time is, rounded half to even."""
    return round(time_ms * rate_hz / 1000)


def length_and_hop(window_ms: float, hop_ms: float | None, rate_hz: float) -> tuple[int, int]:
    """Return a window's length and the hop in samples.

    Args:
        window_ms: length of a window.
        hop_ms: from one window's start to the next one's; None for half a window.
        rate_hz: samples a second.

    Raises:
        DataError: the window is too short or long for the C core, or the hop is below one sample.
    """
    length = samples(window_ms, rate_hz)
    if not MIN_LENGTH <= length <= MAX_LENGTH:
        raise DataError(
            f"a window of {window_ms:g} ms is {length} samples at {rate_hz:g} Hz, "
            f"not within {MIN_LENGTH} to {MAX_LENGTH}",
            "choose another length with --window-ms",
        )
    hop = length // 2 if hop_ms is None else samples(hop_ms, rate_hz)
    if hop < 1:
        raise DataError(
            f"a hop of {hop_ms:g} ms is less than a sample at {rate_hz:g} Hz",
            "choose a longer one with --hop-ms",
        )
    return length, hop


def starts(n_samples: int, length: int, hop: int) -> NDArray[np.int64]:
    """Return the index of each window's first sample: 0, hop, 2 hop, ...; only whole windows.

    Returns:
        int64, shape (n_windows,); empty if the recording is shorter than a window.
    """
    return np.arange(0, max(0, n_samples - length + 1), hop, dtype=np.int64)


def cut(
    samples: NDArray[np.float32], starts: NDArray[np.int64], length: int
) -> NDArray[np.float32]:
    """Cut windows out of a recording.

    Args:
        samples: float32, shape (n_samples, n_channels).
        starts: int64, shape (n_windows,): index of each window's first sample, as of starts().
        length: samples in a window.

    Returns:
        float32, shape (n_windows, length * n_channels), the channels of a sample side by side.
    """
    inside = samples[starts[:, None] + np.arange(length)]
    windows: NDArray[np.float32] = inside.reshape(len(starts), length * samples.shape[1])
    return windows
