"""A trained model and the folder that holds it, in files that a person can read.

The folder has ``model.json`` (the card: what the model is and what it was trained on),
``trees.json`` (trees that vote) or ``parameters.json`` (any other family), ``held_out.csv`` (rows
of the grid that training never saw, with what scikit-learn says to each) and, beside
``parameters.json``, ``outputs.csv`` (the numbers behind those answers). The card carries the hashes
of the others. Nothing is unpickled. The same data, settings and seed give the same bytes.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from wedau import files, models
from wedau.errors import ConvertError, DataError
from wedau.models import Program, Sums, Votes, WithUnknown, trees
from wedau.train import held_out as rows_of
from wedau.train.card import FORMAT, Card, DataCard, Metrics
from wedau.train.held_out import HeldOut

__all__ = ["Card", "DataCard", "HeldOut", "Metrics", "TrainedModel", "check_replaceable"]

CARD, HELD_OUT = "model.json", "held_out.csv"
LARGEST_FILE = 1 << 28  # of a model, in bytes
TREES, PARAMETERS, OUTPUTS = "trees.json", "parameters.json", "outputs.csv"
_AGAIN = "the model's files were damaged or edited: run 'wedau train' again"
_OWN = (CARD, HELD_OUT, TREES, PARAMETERS, OUTPUTS)
_OTHER_FOLDER = "choose another folder with -o, one that you may write to"


@dataclass(frozen=True)
class TrainedModel:
    """What a model computes on the int16 grid, its card, and rows to judge it by.

    Attributes:
        card: what the model is.
        program: what it computes; its classes are the indices into ``card.labels``.
        held_out: rows it has not seen.
    """

    card: Card
    program: Program
    held_out: HeldOut

    @property
    def votes(self) -> Votes:
        """The program as trees that vote.

        Raises:
            ConvertError: it is of another family.
        """
        if isinstance(self.program, Votes):
            return self.program
        if isinstance(self.program, WithUnknown):
            raise ConvertError(
                "a model that was trained with --unknown needs the native module",
                "build it without '--format data', or train it without --unknown",
            )
        raise ConvertError(
            f"a model of the family {self.card.family} has no trees that vote",
            "train a random-forest, extra-trees or decision-tree instead",
        )

    @property
    def trees(self) -> tuple[trees.TreeArrays, ...]:
        """The trees of a model whose trees vote; ConvertError for any other."""
        return tuple(self.votes.trees)

    @property
    def estimator(self) -> RandomForestClassifier:
        """scikit-learn's forest of the trees that vote; ConvertError for any other model."""
        return self.votes.estimator

    @property
    def n_nodes(self) -> int | None:
        """Number of nodes of all trees, leaves included; None where there are no trees."""
        program = self.program.known if isinstance(self.program, WithUnknown) else self.program
        return program.n_nodes if isinstance(program, (Votes, Sums)) else None

    def save(self, folder: Path | str, extra: Mapping[str, bytes] | None = None) -> None:
        """Write the model's folder, the whole or nothing; an older model there is replaced.

        Args:
            folder: where to.
            extra: further files by name, written together with the model's own.

        Raises:
            DataError: the folder holds something that is not a model, or cannot be written.
        """
        folder = Path(folder)
        check_replaceable(folder)
        files = {**_files(self), **(extra or {})}
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".wedau-", dir=folder.parent) as beside:
                new = Path(beside, "new")
                new.mkdir()
                for name, data in files.items():
                    Path(new, name).write_bytes(data)
                _replace(new, folder, Path(beside, "old"), [*_OWN, *files])
        except OSError as error:
            raise DataError(
                f"cannot write the model folder {folder}: {error.strerror}",
                _OTHER_FOLDER,
            ) from error

    @classmethod
    def load(cls, folder: Path | str) -> "TrainedModel":
        """Read a model's folder and check all of it.

        Raises:
            DataError: a file is missing, damaged, not of this model, or of an unknown format, or
                the program does not say what ``held_out.csv`` and ``outputs.csv`` do.
        """
        folder = Path(folder)
        card, hashes = _load_card(folder)
        names = [HELD_OUT, TREES] if TREES in hashes else [HELD_OUT, PARAMETERS, OUTPUTS]
        data = {name: _read(folder, name) for name in names}
        for name, content in data.items():
            if hashlib.sha256(content).hexdigest() != hashes.get(name):
                raise DataError(f"{folder / name} is not the file that {CARD} names", _AGAIN)
        program = _load_program(folder, data, card)
        model = cls(card, program, _load_rows(folder, data, card, program))
        model._check_predictions(folder)
        return model

    def _check_predictions(self, folder: Path) -> None:
        rows = self.held_out
        found = rows_of.first_difference(self.program, rows.x, rows.predicted, rows.outputs)
        if found:
            number, what = found
            who = "trees predict" if isinstance(self.program, Votes) else "parameters give"
            name = HELD_OUT if what == "label" else OUTPUTS
            where = f"{folder / name}: row {number + 2}"
            raise DataError(f"{where}: the {who} another {what}", _AGAIN)
        if self.card.task == "regressor" and np.any(rows.predicted != rows.outputs[:, 0]):
            raise DataError(f"{folder / HELD_OUT}: predicted is not what {OUTPUTS} says", _AGAIN)


def check_replaceable(folder: Path) -> None:
    """Raise DataError if saving a model there would fail, or hit something else than a model."""
    if folder.is_dir() and any(folder.iterdir()) and not Path(folder, CARD).is_file():
        raise DataError(
            f"the folder {folder} holds other files and no model",
            "choose a new or empty folder with -o",
        )
    if folder.exists() and not folder.is_dir():
        raise DataError(f"{folder} is a file", "choose a new or empty folder with -o")
    parent = next((p for p in folder.absolute().parents if p.exists()), folder)
    if not (parent.is_dir() and os.access(parent, os.W_OK)):
        reason = "you may not write to it" if parent.is_dir() else "it is a file"
        raise DataError(
            f"cannot write the model folder {folder}: {parent}: {reason}", _OTHER_FOLDER
        )


def _replace(new: Path, folder: Path, old: Path, own: Sequence[str]) -> None:
    """Put `new` in the place of `folder`; other files than its own in there move along."""
    if not folder.exists():
        new.rename(folder)
        return
    for other in folder.iterdir():
        if other.name not in own:
            copy = shutil.copytree if other.is_dir() else shutil.copy2
            copy(other, Path(new, other.name))
    folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        old.rename(folder)
        raise


def _files(model: TrainedModel) -> dict[str, bytes]:
    card, program = model.card, model.program
    if isinstance(program, Votes):
        files = {TREES: _lines([t.to_json() for t in program.trees])}
    else:
        files = {
            PARAMETERS: _json(models.to_json(program), indent=None),
            OUTPUTS: rows_of.outputs_csv(model.held_out, card),
        }
    files[HELD_OUT] = rows_of.rows_csv(model.held_out, card)
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    files[CARD] = _json(card.to_json() | {"files": hashes}, indent=1)
    return files


def _lines(data: Sequence[Any]) -> bytes:
    """Return a list as JSON, each entry on a line of its own."""
    return ("[\n" + ",\n".join(json.dumps(d) for d in data) + "\n]\n").encode()


def _json(data: Any, indent: int | None) -> bytes:
    return (json.dumps(data, indent=indent, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _read(folder: Path, name: str) -> bytes:
    path = folder / name
    try:
        return files.read(path, LARGEST_FILE, DataError, _AGAIN)
    except OSError as error:
        raise DataError(
            f"{folder} is not a model folder: no {name} in it",
            "give the folder that 'wedau train ... -o FOLDER' has made",
        ) from error


def _load_json(folder: Path, name: str, content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{folder / name} is not JSON: {error}", _AGAIN) from error


def _load_card(folder: Path) -> tuple[Card, Mapping[str, str]]:
    content = _load_json(folder, CARD, _read(folder, CARD))
    path = folder / CARD
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DataError(
            f"{path} is not a model card of format {FORMAT}",
            "train it again with this version, or install the wedau that made it",
        )
    try:
        card = Card.from_json(content)
        hashes = dict(content["files"])
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        what = f"{type(error).__name__}: {error}".replace("\n", " ")
        raise DataError(f"{path} is incomplete or damaged ({what})", _AGAIN) from error
    problem = card.problem()
    if problem:
        raise DataError(f"{path}: {problem}", _AGAIN)
    return card, hashes


def _load_program(folder: Path, data: Mapping[str, bytes], card: Card) -> Program:
    if TREES in data:
        return _load_trees(folder, data[TREES], card)
    path = folder / PARAMETERS
    try:
        program = models.from_json(_load_json(folder, PARAMETERS, data[PARAMETERS]))
    except DataError as error:
        raise DataError(f"{path}: {error.message}", error.hint) from error
    n_outputs = len(rows_of.output_names(card))
    if isinstance(program, Votes) or (
        (program.task, program.n_features, program.n_outputs)
        != (card.task, len(card.features), n_outputs)
    ):
        raise DataError(f"{path} is of another model than {CARD}", _AGAIN)
    return program


def _load_trees(folder: Path, content: bytes, card: Card) -> Votes:
    data = _load_json(folder, TREES, content)
    if not isinstance(data, list) or not data:
        raise DataError(f"{folder / TREES} holds no trees", _AGAIN)
    if card.task != "classifier":
        raise DataError(f"{folder / TREES}: trees vote for classes, {CARD} has none", _AGAIN)
    n_features, n_classes = len(card.features), len(card.labels)
    members = tuple(
        trees.tree_from_json(d, n_features, n_classes, f"{folder / TREES}: tree {i}")
        for i, d in enumerate(data)
    )
    return Votes(members, n_features, n_classes, kind=card.family.replace("-", " "))


def _load_rows(folder: Path, data: Mapping[str, bytes], card: Card, program: Program) -> HeldOut:
    name = HELD_OUT
    try:
        rows = rows_of.parse_rows(data[name], card)
        if OUTPUTS not in data:
            outputs = program.outputs(rows.x) if len(rows.x) else rows.outputs
            return replace(rows, outputs=outputs)
        name = OUTPUTS
        return replace(rows, outputs=rows_of.parse_outputs(data[name], card, len(rows.x)))
    except ValueError as error:
        between = ":" if str(error).startswith("row ") else ""
        raise DataError(f"{folder / name}{between} {error}", _AGAIN) from error
