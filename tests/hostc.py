"""The C of a program, compiled with the host's compiler: the board has to equal it bit for bit."""

import ctypes
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wedau.convert import code
from wedau.models import Program
from wedau.paths import resource

SANITIZERS = ("-fsanitize=undefined", "-fno-sanitize-recover=all")

_WARNINGS = (
    *("-Wall", "-Wextra", "-Werror", "-Wdouble-promotion", "-Wfloat-conversion"),
    *("-Wno-unused-function", "-Wno-unused-parameter"),  # emlearn's
)

_ROWS = """
void classes(const int16_t *rows, int32_t n, int32_t *out) {
    for (int32_t i = 0; i < n; i++) {
        out[i] = wd_model_classify(rows + i * WD_N_FEATURES);
    }
}

void outputs(const int16_t *rows, int32_t n, float *out) {
    for (int32_t i = 0; i < n; i++) {
        wd_model_outputs(rows + i * WD_N_FEATURES, out + i * WD_N_OUTPUTS);
    }
}
"""


class HostModel:
    """A program's C as a library of the host's."""

    def __init__(self, program: Program, folder: Path, flags: Sequence[str] = ("-O1",)) -> None:
        self._program = program
        made = code.code(program)
        source, library = folder / "model.c", folder / "model.so"
        head = [
            "#include <stdbool.h>",
            "#include <stdint.h>",
            f"#define WD_N_FEATURES {program.n_features}",
        ]
        source.write_text("\n".join([*head, made.text, _ROWS]), encoding="ascii")
        core = resource("modules", "core")
        subprocess.run(
            [
                *("gcc", "-std=c99", "-shared", "-fPIC", "-ffp-contract=off", f"-I{core}"),
                *(*_WARNINGS, *flags, "-o", library, source),
                *(core / name for name in made.core),
            ],
            check=True,
        )
        self._library = ctypes.CDLL(str(library))

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """Return the class of each row, int32."""
        return self._fill("classes", rows, np.empty(len(rows), np.int32))

    def outputs(self, rows: np.ndarray) -> np.ndarray:
        """Return the outputs of each row, float32."""
        out = np.empty((len(rows), self._program.n_outputs), np.float32)
        return self._fill("outputs", rows, out)

    def _fill(self, function: str, rows: np.ndarray, out: np.ndarray) -> Any:
        given = np.ascontiguousarray(rows, np.int16)
        getattr(self._library, function)(
            given.ctypes.data_as(ctypes.c_void_p),
            ctypes.c_int32(len(given)),
            out.ctypes.data_as(ctypes.c_void_p),
        )
        return out
