"""Prove a module on a board that somebody has: there is no simulated one of most architectures."""

from dataclasses import replace

from wedau.build import natmod
from wedau.cli import installing, verify
from wedau.cli.proving import Case
from wedau.device import link
from wedau.errors import ConvertError, DeviceError

UNBOUNDED = "it is known for modules that were built on the simulated board"


def check(port: str, arch: str) -> None:
    """Check, before minutes are spent, that modules for an architecture can be tried on a board.

    Raises:
        DeviceError: the board is of another architecture, or as for installing.check().
    """
    with link.Board(port) as board:
        theirs = installing.check(board.info)
    if theirs != arch:
        raise DeviceError(
            f"the board at {port} is {theirs}, not {arch}", f"build with '--arch {theirs}'"
        )


def prove(case: Case, compiled: natmod.Natmod, port: str) -> verify.Proof:
    """Replay all inputs on the board and compare; the module is on the board afterwards.

    Raises:
        ConvertError: it decides one input otherwise than scikit-learn; names the input. The module
            is not on the board then.
        DeviceError: the module does not fit, or the board breaks off.
    """
    with link.Board(port) as board:
        name = f"{board.info.machine}, MicroPython {board.info.version}"
        try:
            proof = verify.prove(case, compiled, board, name)
        except ConvertError:
            board.run(_REMOVE.format(name=compiled.path.name))
            raise
    return replace(proof, build=replace(proof.build, unbounded=UNBOUNDED))


_REMOVE = """
import os
for folder in ('/lib/', '/'):
 try:
  os.remove(folder + '{name}')
  break
 except OSError:
  pass
"""
