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
    """Compile what boards need to run data files, for those who have no compiler.

    Makes wedau_trees.mpy, the engine, and wedau_features.mpy, which models of recordings need.
    'wedau push --engine FOLDER' puts them onto a board.
    """
    from wedau.build import compilers, engine
    from wedau.cli import verify
    from wedau.cli.workbench import micropython_source

    compilers.for_arch(arch)
    source = micropython_source(micropython).path
    with verify.scratch() as work:
        made = [
            engine.build(arch=arch, micropython=source, out=work, say=say),
            verify.compile_features(arch, work, source),
        ]
        folder.mkdir(parents=True, exist_ok=True)
        for module in made:
            path = folder / module.path.name
            beside = path.with_name(f".{path.name}.new")
            beside.write_bytes(module.path.read_bytes())
            beside.replace(path)
            print_line(str(path))
