"""wedau build-engine"""

from pathlib import Path
from typing import Annotated

import typer

from wedau.cli import options
from wedau.cli.console import print_line, say


def build_engine(
    folder: Annotated[Path, typer.Argument(help="Folder for the modules.", show_default=False)],
    arch: options.Arch = "xtensawin",
    micropython: options.Micropython = None,
) -> None:
    """Compile the modules that are the same for all models, for those who have no compiler.

    Makes wedau_trees.mpy, the engine for data files, and wedau_features.mpy, which models of
    recordings need: 'wedau push --engine FOLDER' puts them onto a board. And wedau_baseline.mpy,
    which learns on the board what is normal: push it by its name.
    """
    from wedau.build import compilers, runtime
    from wedau.cli import verify
    from wedau.cli.workbench import micropython_source

    compilers.for_arch(arch)
    source = micropython_source(micropython).path
    with verify.scratch() as work:
        made = [
            runtime.build(name, arch=arch, micropython=source, out=work, say=say)
            for name in (runtime.TREES, runtime.FEATURES, runtime.BASELINE)
        ]
        folder.mkdir(parents=True, exist_ok=True)
        for module in made:
            path = folder / module.path.name
            beside = path.with_name(f".{path.name}.new")
            beside.write_bytes(module.path.read_bytes())
            beside.replace(path)
            print_line(str(path))
