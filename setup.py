"""The parts of the build that pyproject.toml cannot say: resources from outside the package."""

import os
import shutil
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_py import build_py

RESOURCES = ("boards", "firmware", "modules")


class BuildWithResources(build_py):
    """Copy boards/, firmware/ and modules/ into the wheel, where wedau.paths finds them."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        for name in RESOURCES:
            target = Path(self.build_lib, "wedau", "_resources", name)
            shutil.copytree(
                name, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
            )


# Host and board must agree bit for bit: no fused multiply-add, one rounding for each operation.
C_FLAGS = ["/fp:precise", "/W3"] if os.name == "nt" else ["-std=c99", "-ffp-contract=off"]
# Four windows side by side (modules/core/wd_lanes.h); gcc notes that other versions of it would
# pass such a value otherwise, which nobody else ever does.
LANES = [] if os.name == "nt" else ["-DWD_LANES=4", "-Wno-psabi"]

# Signatures are checked by cryptography on the host; the board's check needs Monocypher.
CORE_SOURCES = sorted(str(p) for p in Path("modules/core").rglob("*.c") if p.name != "wd_ed25519.c")
CORE_HEADERS = sorted(str(p) for p in Path("modules/core").rglob("*.h"))
CORE = Extension(
    "wedau._core",
    sources=["tools/wedau/_core.c", "tools/wedau/_core_avx2.c", *CORE_SOURCES],
    depends=["tools/wedau/_core_avx2.h", *CORE_HEADERS, *CORE_SOURCES],
    include_dirs=[
        "modules/core",
        "modules/core/baseline",
        "modules/core/delta",
        "modules/core/trees",
    ],
    extra_compile_args=C_FLAGS + LANES,
    py_limited_api=True,
)

setup(
    cmdclass={"build_py": BuildWithResources},
    ext_modules=[CORE],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
