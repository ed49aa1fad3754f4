"""Decide about new data on a board and on the host, side by side."""

import csv
import hashlib
import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wedau.cli import modules
from wedau.cli.console import bar
from wedau.cli.options import Format
from wedau.cli.workbench import choose_port
from wedau.device import link, push, replay
from wedau.errors import CheckError, DeviceError
from wedau.train import grid, unseen
from wedau.train.model import TrainedModel


@dataclass(frozen=True)
class Decided:
    """Rows or windows, and what board and host make of each.

    Attributes:
        labels: the model's classes.
        names: what each row is: its number in the file, or its recording and window.
        board: class index from the board.
        host: class index from scikit-learn.
        truth: the label in the data; None where there is none.
        trained_on: whether these are the data that the model was trained and judged on.
        port: where the board is.
    """

    labels: tuple[str, ...]
    names: tuple[str, ...]
    board: NDArray[np.int64]
    host: NDArray[np.int64]
    truth: tuple[str, ...] | None
    trained_on: bool
    port: str

    @property
    def differences(self) -> int:
        """How many rows board and host decide differently."""
        return int(np.count_nonzero(self.board != self.host))

    @property
    def accuracy(self) -> float | None:
        """Share of rows that the board decides as the data say; None without labels."""
        if self.truth is None:
            return None
        right = [self.labels[c] == t for c, t in zip(self.board, self.truth, strict=True)]
        return float(np.mean(right))

    def counts(self) -> dict[str, int]:
        """How often the board gave each class."""
        counted = Counter(self.board.tolist())
        return {label: counted[i] for i, label in enumerate(self.labels)}

    def document(self) -> dict[str, Any]:
        """Return the figures as JSON's types."""
        return {
            "port": self.port,
            "rows": len(self.board),
            "differences": self.differences,
            "accuracy": self.accuracy,
            "trained_on": self.trained_on,
            "counts": self.counts(),
            "predicted": [self.labels[c] for c in self.board],
        }

    def rows(self) -> list[tuple[str, str]]:
        """Return what a person wants to know."""
        shown = [(label, f"{count:,}") for label, count in self.counts().items()]
        if self.accuracy is not None:
            known = ", data that it was trained on" if self.trained_on else ""
            share = f"{100 * self.accuracy:.1f} % of {len(self.board):,}{known}"
            shown.append(("Accuracy", share))
        shown.append(("Board against laptop", f"{self.differences} differences"))
        return shown

    def write(self, path: Path) -> None:
        """Write a CSV with each row's class, whole or not at all."""
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(["row", "predicted", *(["label"] if self.truth else [])])
        for i, name in enumerate(self.names):
            label = [self.truth[i]] if self.truth else []
            writer.writerow([name, self.labels[self.board[i]], *label])
        beside = path.with_name(f".{path.name}.new")
        try:
            beside.write_text(text.getvalue(), encoding="utf-8", newline="")
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)


def run(folder: Path, data: Path, port: str | None) -> Decided:
    """Read data as the model's training did, decide on the board, decide on the host.

    A model of recordings gets the samples: the board computes the features itself.

    Raises:
        DataError: the data are not of the kind that the model was trained on, or the model was not
            built since.
        CheckError: the board has another model of that name.
        DeviceError: the model is not on the board, or the board breaks off.
    """
    model = TrainedModel.load(folder)
    card = model.card
    new = unseen.read(data, card)
    host = model.estimator.predict(new.grid)
    with link.Board(choose_port(port)) as board, bar("deciding on the board") as on_progress:
        _check_same(board, _built(board, card.name, folder), folder)
        rows = new.grid
        if card.recipe is not None and new.windows is not None:
            features = replay.features(board, card.recipe.blob, new.windows, on_progress)
            rows = grid.quantize(features, card.scale)
        decided = replay.classes(board, card.name, rows, on_progress)
        name = board.port
    return Decided(
        labels=card.labels,
        names=new.names,
        board=decided.astype(np.int64),
        host=host,
        truth=new.truth,
        trained_on=new.trained_on,
        port=name,
    )


def _built(board: link.Board, name: str, folder: Path) -> modules.Built:
    """Return what was built of the model in the format that an import on the board finds."""
    there = push.find_module(board, name) or ""
    as_data = there.endswith(".py") and modules.is_built(folder, modules.DATA)
    return modules.choose(folder, board.info.arch, Format.DATA if as_data else None)


def _check_same(board: link.Board, built: modules.Built, folder: Path) -> None:
    """Raise unless the board has the very files that were built of the model, and imports them."""
    there = push.hashes(board, list(built.files))
    again = f"put it there: wedau push {folder} --port {board.port}"
    for name, data in built.files.items():
        if name not in there:
            raise DeviceError(f"{name} is not on the board at {board.port}", again)
        if there[name] != hashlib.sha256(data).hexdigest():
            raise CheckError(
                f"{name} on the board at {board.port} is not the one that {folder} holds", again
            )
    stem, _, ending = built.module.rpartition(".")
    found = push.find_module(board, stem) or ""
    if not found.endswith(f".{ending}"):
        raise CheckError(
            f"'import {stem}' on the board at {board.port} finds {found}, not {built.module}",
            f"remove {found} from the board, then {again}",
        )
