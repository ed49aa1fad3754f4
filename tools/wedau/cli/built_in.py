"""Trained models as parts of a firmware."""

from collections.abc import Sequence
from pathlib import Path

from wedau.build import usermod
from wedau.cli import verify
from wedau.convert import code
from wedau.train.model import TrainedModel


def load(folders: Sequence[Path]) -> list[usermod.Model]:
    """Return the models in folders that ``wedau train`` made, for wedau.build.usermod.write().

    Raises:
        DataError: a folder holds no trained model.
        ConvertError: a model is larger than a module can be.
    """
    return [of(TrainedModel.load(folder)) for folder in folders]


def of(model: TrainedModel) -> usermod.Model:
    """Return a model as a part of a firmware."""
    return usermod.Model(verify.module_info(model.card), code.code(model.program))
