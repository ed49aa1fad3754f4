"""The baseline of the C core, as the host asks it what the board has to learn."""

import zlib

import numpy as np
import pytest

from wedau import _core

ROWS = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)


def learn(learned: np.ndarray, judged: np.ndarray, windows: int = 40) -> tuple[bytes, np.ndarray]:
    scores = np.zeros(len(judged), np.float32)
    return _core.baseline(windows, 0.05, b"key", learned, judged, scores), scores


def test_baseline_tells_far_from_near_and_keeps_what_the_header_says() -> None:
    kept, scores = learn(ROWS, np.array([[0, 0, 0], [50, 0, 0]], np.float32))
    assert scores[0] < 1 < scores[1]
    assert kept[:4] == b"WDB\x01"
    assert len(kept) == 28 + 3 * 3 * 4 + 4
    assert kept[16:20] == zlib.crc32(b"key").to_bytes(4, "little")
    assert kept[-4:] == zlib.crc32(kept[:-4]).to_bytes(4, "little")


def test_baseline_refuses_what_it_cannot_learn_from() -> None:
    with pytest.raises(ValueError, match="not learnt yet"):
        learn(ROWS[:39], ROWS[:0])
    with pytest.raises(ValueError, match="windows must be 32"):
        learn(ROWS, ROWS, windows=3)
    with pytest.raises(ValueError, match="NaN"):
        learn(np.full_like(ROWS, np.nan), ROWS)
    with pytest.raises(ValueError, match="do not fit"):
        learn(ROWS, ROWS[:, :2].copy())
    with pytest.raises(ValueError, match="n_features"):
        learn(np.zeros((60, 0), np.float32), np.zeros((1, 0), np.float32))
    with pytest.raises(TypeError):
        learn(ROWS.astype(np.float64), ROWS)
