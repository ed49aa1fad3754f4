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

from wedau.cli import modules, pushing
from wedau.cli.console import bar
from wedau.cli.options import Format
from wedau.cli.proving import BOUND
from wedau.cli.workbench import choose_port
from wedau.device import link, push, replay
from wedau.errors import CheckError, DeviceError
from wedau.train import grid, unseen
from wedau.train.model import TrainedModel


@dataclass(frozen=True)
class Decided:
    """Rows or windows, and what board and host make of each.

    Attributes:
        labels: the model's classes; none of a regressor.
        names: what each row is: its number in the file, or its recording and window.
        board: class index, or a regressor's value, from the board.
        host: the same from the host.
        truth: the label, or the number, in the data; None where there is none.
        trained_on: whether these are the data that the model was trained and judged on.
        port: where the board is.
    """

    labels: tuple[str, ...]
    names: tuple[str, ...]
    board: NDArray[np.int64] | NDArray[np.float64]
    host: NDArray[np.int64] | NDArray[np.float64]
    truth: tuple[str, ...] | None
    trained_on: bool
    port: str

    @property
    def differences(self) -> int:
        """How many rows board and host decide differently; of numbers, further apart than BOUND."""
        if self.labels:
            return int(np.count_nonzero(self.board != self.host))
        near = BOUND * np.max(np.abs(self.host), initial=1.0)
        return int(np.count_nonzero(~(np.abs(self.board - self.host) <= near)))

    @property
    def predicted(self) -> list[Any]:
        """What the board says to each row: a label, or a number with a float32's digits."""
        if self.labels:
            return [self.labels[int(index)] for index in self.board]
        return [float(f"{value:.9g}") for value in self.board.tolist()]

    @property
    def mean_absolute_error(self) -> float | None:
        """How far a regressor's values are from the data's on average; None without numbers."""
        if self.labels or self.truth is None:
            return None
        return float(np.mean(np.abs(self.board - np.array(self.truth, np.float64))))

    @property
    def accuracy(self) -> float | None:
        """Share of rows that the board decides as the data say; None without labels."""
        if self.truth is None or not self.labels:
            return None
        right = [label == true for label, true in zip(self.predicted, self.truth, strict=True)]
        return float(np.mean(right))

    def counts(self) -> dict[str, int]:
        """How often the board gave each class."""
        counted = Counter(self.board.tolist())
        return {label: counted[i] for i, label in enumerate(self.labels)}

    def document(self) -> dict[str, Any]:
        """Return the figures as JSON's types."""
        if self.labels:
            judged: dict[str, Any] = {"accuracy": self.accuracy, "counts": self.counts()}
        else:
            judged = {"mean_absolute_error": self.mean_absolute_error}
        return {
            "port": self.port,
            "rows": len(self.board),
            "differences": self.differences,
            "trained_on": self.trained_on,
            **judged,
            "predicted": self.predicted,
        }

    def rows(self) -> list[tuple[str, str]]:
        """Return what a person wants to know."""
        shown = [(label, f"{count:,}") for label, count in self.counts().items()]
        if not self.labels:
            low, high = self.board.min(), self.board.max()
            shown = [("Rows", f"{len(self.board):,}"), ("Values", f"{low:.6g} to {high:.6g}")]
        known = ", data that it was trained on" if self.trained_on else ""
        if self.accuracy is not None:
            share = f"{100 * self.accuracy:.1f} % of {len(self.board):,}{known}"
            shown.append(("Accuracy", share))
        if self.mean_absolute_error is not None:
            shown.append(("Mean absolute error", f"{self.mean_absolute_error:.4g}{known}"))
        shown.append(("Board against laptop", f"{self.differences} differences"))
        return shown

    def write(self, path: Path) -> None:
        """Write a CSV with each row's class or value, whole or not at all."""
        predicted = self.predicted
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(["row", "predicted", *(["label"] if self.truth else [])])
        for i, name in enumerate(self.names):
            label = [self.truth[i]] if self.truth else []
            writer.writerow([name, predicted[i], *label])
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
    host = model.program.predict(new.grid)
    with link.Board(choose_port(port)) as board, bar("deciding on the board") as on_progress:
        _check_same(board, _built(board, card.name, folder), folder)
        rows = new.grid
        if card.recipe is not None and new.windows is not None:
            features = replay.features(board, card.recipe.blob, new.windows, on_progress)
            rows = grid.quantize(features, card.scale)
        if card.task == "regressor":
            given = replay.outputs(board, card.name, rows, 1, card.task, on_progress)
            decided: NDArray[Any] = given[:, 0].astype(np.float64)
        else:
            decided = replay.classes(board, card.name, rows, on_progress).astype(np.int64)
        name = board.port
    return Decided(
        labels=card.labels,
        names=new.names,
        board=decided,
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
    """Raise unless the board has the very files that were built of the model, and imports them.

    Modules of ours that the firmware has are the firmware's.
    """
    files = pushing.lacking(board, built.files)
    there = push.hashes(board, list(files))
    again = f"put it there: wedau push {folder} --port {board.port}"
    for name, data in files.items():
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
