"""What is in a model's folder, as payloads for nodes."""

from pathlib import Path

from wedau import files
from wedau.build import boards
from wedau.cli import modules
from wedau.errors import DataError, UsageError
from wedau.ota import golden, payloads
from wedau.ota.payloads import Payload
from wedau.train.model import TrainedModel
from wedau.train.names import nearest

SIM = "SIM"


def of_model(folder: Path) -> list[Payload]:
    """Return a payload for each architecture that a model was built for, and for its data file.

    Of a data file only NAME.wdt is a payload: the node makes the lines of Python that load it.

    Raises:
        DataError: it was not built, was trained anew since, or a file was changed.
        OtaError: its name or version is no plain ASCII.
    """
    trained = TrainedModel.load(folder)
    card = trained.card
    files.check_tree(folder, DataError)
    built = sorted(path.parent.name for path in folder.glob(f"*/{modules.NOTE}"))
    if not built:
        raise DataError(f"{folder} was not built yet", f"run: wedau build {folder}")
    made, tested = [], golden.make(trained.program)
    for arch in built:
        content = modules.load(folder, arch).files
        name = f"{card.name}.{'wdt' if arch == modules.DATA else 'mpy'}"
        made.append(payloads.model(card.name, card.version, name, content[name], tested))
    return made


def known_board(name: str | None) -> str:
    """Return the board's name if it is one of the definitions.

    Raises:
        UsageError: it is none, or missing.
    """
    if name is None:
        raise UsageError("--firmware needs the board it is for", "give --board NAME")
    known = [*boards.names(), SIM]
    if name not in known:
        like = nearest(name, known)
        hint = f"did you mean {like}? " if like else ""
        raise UsageError(f"there is no board {name!r}", f"{hint}'wedau boards' lists them")
    return name


def every_board() -> list[str]:
    """Return the names of all boards, the simulated one included."""
    return [*boards.names(), SIM]


def boards_by_arch() -> dict[str, list[str]]:
    """Return the boards for each architecture of native code."""
    return {"xtensawin": [*boards.names(), SIM]}
