"""wedau build-engine"""

from pathlib import Path
from typing import Annotated

import typer

from wedau.cli import options
from wedau.cli.console import print_line, say


def build_engine(
    folder: Annotated[Path, typer.Argument(help="Folder for the modules.", show_default=False)],
    arch: options.Arch = "xtensawin",
    compat: Annotated[
        bool,
        typer.Option(
            "--compat", help="Also the modules emlearn_*, for emlearn-micropython's users."
        ),
    ] = False,
    micropython: options.Micropython = None,
) -> None:
    """Compile what stock MicroPython lacks, for those who have no compiler, and as a mip package.

    Makes the native modules wedau_features, wedau_trees, wedau_baseline, wedau_ed25519 and
    wedau_delta, the package wedau and package.json. 'wedau push --runtime --from FOLDER' puts all
    of it onto a board, as 'mpremote mip install FOLDER/package.json' does; 'wedau push --engine
    FOLDER' what a data file needs.
    """
    from wedau.build import bundle, compilers
    from wedau.cli.workbench import micropython_source

    compilers.for_arch(arch)
    files = bundle.build(arch, micropython_source(micropython).path, with_compat=compat, say=say)
    bundle.write(folder, files)
    for name in dict.fromkeys([*(name.partition("/")[0] for name in files), bundle.LIST]):
        print_line(str(folder / name))
