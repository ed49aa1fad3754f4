"""What reads application images on the simulated board survives any bytes in the flash."""

import os
from pathlib import Path

from test_core import CHECKS, HERE, run

from wedau.paths import resource
from wedau.sim import app_image

# MicroPython's header that flash.h includes, as far as it is needed.
_OBJ_H = "#include <stddef.h>\n#include <stdint.h>\ntypedef struct _mp_obj_type_t mp_obj_type_t;\n"


def test_image_reader_survives_a_fuzzer(micropython: Path, tmp_path: Path) -> None:
    (tmp_path / "py").mkdir()
    (tmp_path / "py" / "obj.h").write_text(_OBJ_H)
    sim = resource("firmware", "sim")
    flags = [f"-fsanitize=fuzzer,{CHECKS}", "-O1", "-g", "-fno-sanitize-recover=all"]
    include = [f"-I{tmp_path}", f"-I{sim}", f"-I{micropython}", "-include", "string.h"]
    sources = [HERE / "fuzz_appimage.c", sim / "appimage.c"]
    sources.append(micropython / "lib" / "crypto-algorithms" / "sha256.c")
    program, corpus = tmp_path / "fuzz_appimage", tmp_path / "corpus"
    run("clang-22", *flags, *include, "-include", "stdint.h", *sources, "-o", program)
    corpus.mkdir()
    for i, script in enumerate((b"", b"print(1)", bytes(200))):
        (corpus / str(i)).write_bytes(app_image.make("1", script=script))
    seconds = os.environ.get("WEDAU_FUZZ_SECONDS", "5")
    limits = ["-max_len=1024", "-timeout=5", "-seed=1", f"-max_total_time={seconds}"]
    run(program, *limits, corpus, timeout=float(seconds) + 120)
