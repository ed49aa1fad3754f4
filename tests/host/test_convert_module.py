"""The generated header says exactly what the card says, whatever the names are."""

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from wedau.convert.module import ModuleInfo, header
from wedau.errors import ConvertError

INFO = ModuleInfo(
    name="saw",
    version="1.0.0",
    labels=("läuft", "läufig", 'kl"emmt\\', "??/0", "tab\t\0", "1"),
    features=("rms", "peak"),
    scale=np.array([0.1, 1e-30], dtype=np.float32),
    recipe=b"\x00\xffWDF",
    data_sha256="0" * 64,
    wedau="0.1.0",
)

PRINT = """
#include <stdio.h>
#include <stdint.h>
#include "model.h"
int main(void) {
    fwrite(wd_labels, 1, sizeof(wd_labels) - 1, stdout);
    fwrite(WD_RECIPE, 1, sizeof(WD_RECIPE) - 1, stdout);
    fwrite(wd_scale, 1, sizeof(wd_scale), stdout);
    return 0;
}
"""


def unpacked(data: bytes) -> list[str]:
    texts, before = [], b""
    while data:
        shared, more = data[0], data[1]
        before = before[:shared] + data[2 : 2 + more]
        texts.append(before.decode())
        data = data[2 + more :]
    return texts


def test_header_keeps_labels_and_scale_bit_for_bit(tmp_path: Path):
    (tmp_path / "model.h").write_text(header(INFO, ""), encoding="ascii")
    (tmp_path / "main.c").write_text(PRINT, encoding="ascii")
    flags = ["-std=c99", "-Wall", "-Wno-unused-variable", "-Wno-trigraphs"]
    subprocess.run(["gcc", *flags, "-o", tmp_path / "main", tmp_path / "main.c"], check=True)
    printed = subprocess.run([tmp_path / "main"], check=True, capture_output=True).stdout
    end = len(printed) - len(INFO.recipe) - INFO.scale.nbytes
    assert unpacked(printed[:end]) == list(INFO.labels)
    assert printed[end:] == INFO.recipe + INFO.scale.tobytes()


@pytest.mark.parametrize("scale", [[1.0], [1.0, 0.0], [1.0, -1.0], [1.0, np.nan], [1.0, np.inf]])
def test_a_scale_that_is_not_positive_is_refused(scale):
    with pytest.raises(ConvertError, match="2 positive numbers"):
        header(replace(INFO, scale=np.array(scale)), "")


def test_a_label_that_is_too_long_is_refused():
    with pytest.raises(ConvertError, match="longer than 127 bytes"):
        header(replace(INFO, labels=("ä" * 64, "c")), "")
