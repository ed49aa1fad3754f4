"""The parts of the build that pyproject.toml cannot say: resources from outside the package."""

import shutil
from pathlib import Path

from setuptools import setup
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


setup(cmdclass={"build_py": BuildWithResources})
