"""From data to a trained model: the one entry for the command line."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import sklearn

import wedau
from wedau.errors import DataError
from wedau.train import dataset, evaluate, recordings, unknown
from wedau.train.dataset import Dataset
from wedau.train.evaluate import CrossValidation
from wedau.train.model import Card, HeldOut, TrainedModel
from wedau.train.recordings import Recordings
from wedau.train.settings import TrainSettings

Say = Callable[[str], None]

VERSIONS = {
    "wedau": wedau.__version__,
    "scikit-learn": str(sklearn.__version__),
    "numpy": np.__version__,
}


def _silent(_: str) -> None:
    pass


def run(
    settings: TrainSettings, say: Say = _silent, data: Recordings | None = None
) -> TrainedModel:
    """Read the data, judge the settings by cross-validation, and return the model that ships.

    Args:
        settings: what to do; `settings.data` is read unless `data` is given.
        say: called with a line of progress now and then.
        data: recordings that are already there, such as `wedau.train.datasets.smartwatch()`.

    Raises:
        DataError, UsageError: the settings or the data cannot be used.
        ConvertError: what was learnt cannot be put on the grid.
    """
    settings.check()
    rows = prepare(settings, say, data)
    if settings.unknown is not None:
        unknown.check_labels(rows.labels)
    result = evaluate.cross_validate(rows, settings, say)
    if settings.unknown is None:
        return assemble(rows, result, settings)
    rows, result, figures = unknown.add(rows, result, settings, say)
    model = assemble(rows, result, settings)
    metrics = {**model.card.metrics, "unknown": figures}
    return replace(model, card=replace(model.card, metrics=metrics))


def prepare(settings: TrainSettings, say: Say = _silent, data: Recordings | None = None) -> Dataset:
    """Read the data and compute the features.

    Raises:
        DataError: the data cannot be used.
    """
    if data is None and is_table(settings):
        assert settings.data is not None
        say(f"reading {settings.data}")
        rows = dataset.from_table(settings.data, settings)
    else:
        if data is None:
            assert settings.data is not None
            say(f"reading the recordings in {settings.data}")
            data = recordings.read(settings.data, settings)
        say(f"computing the features of {len(data.items)} recordings")
        rows = dataset.from_recordings(data, settings)
    dataset.check_enough(rows, settings.task)
    return rows


def is_table(settings: TrainSettings) -> bool:
    """Whether the data are one file of ready features."""
    if settings.data is None:
        raise DataError(
            "no data are given", "name a CSV or Parquet file, or a folder of recordings"
        )
    if settings.data.is_dir() or settings.recording:
        return False
    if settings.time or settings.rate_hz is not None:
        raise DataError(
            f"{settings.data} has a sampling rate but nothing says where a recording ends",
            "name the column that tells recordings apart with --recording, or give a folder with "
            "one file for each recording",
        )
    if settings.recipe is not None:
        raise DataError(
            f"{settings.data} has ready features, and a recipe makes features of recordings",
            "leave --recipe out, or name the column that tells recordings apart with --recording",
        )
    return True


def assemble(
    data: Dataset, result: CrossValidation, settings: TrainSettings, number: int = 0
) -> TrainedModel:
    """Put a fold's program, its held-out rows and all figures into a model.

    Args:
        data: the rows.
        result: of `evaluate.cross_validate` on them.
        settings: those it was called with.
        number: index of the fold; the first one is the model that ships.
    """
    fold = result.folds[number]
    card = Card(
        name=settings.name,
        version=settings.version,
        task=settings.task,
        family=settings.model,
        labels=data.labels,
        target_unit=settings.units.get(data.card.label, "") if not data.labels else "",
        features=data.features,
        units=data.units,
        scale=fold.scale,
        recipe=data.recipe,
        data=data.card,
        settings=settings.to_json(),
        metrics=evaluate.metrics(data, result, number),
        importance=fold.importance,
        versions=VERSIONS,
    )
    held_out = HeldOut(
        x=fold.x,
        y=data.y[fold.rows],
        group=tuple(data.groups[fold.rows].tolist()),
        predicted=fold.predicted,
        outputs=fold.outputs,
    )
    return TrainedModel(card, fold.program, held_out)
