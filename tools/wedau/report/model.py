"""The report as data: what it holds, and its JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from . import scores
from .judged import Alarms, Regression

REPORT_VERSION = 1
"""Version of the JSON's layout; a change of its keys counts it up."""

DATA_FILE = "data"
"""What stands for an architecture where the build is a data file."""


@dataclass(frozen=True)
class Feature:
    """An input of the model.

    Args:
        importance: share of the forest's impurity decrease, 0 to 1; None: not measured.
    """

    name: str
    unit: str | None = None
    importance: float | None = None


@dataclass(frozen=True)
class Data:
    """What the model was trained and judged on.

    Args:
        source: the data's name, such as its file's.
        sha256: hash of the data, hexadecimal.
        rows: samples, or windows if `window_ms` is given, trained and held out together.
        recordings: number of recordings that were cut into windows.
        columns: the columns that were read.
        rate_hz: samples a second in the recordings.
        window_ms: a window's length; None: each row is one sample of ready features.
        hop_ms: from one window's start to the next.
        group_column: the column that says which rows belong together, such as a person.
        groups_held_out: the groups that the model never saw when it was judged.
    """

    source: str
    sha256: str | None = None
    rows: int | None = None
    recordings: int | None = None
    columns: Sequence[str] = ()
    rate_hz: float | None = None
    window_ms: float | None = None
    hop_ms: float | None = None
    group_column: str | None = None
    groups_held_out: Sequence[str] = ()


@dataclass(frozen=True)
class Mismatch:
    """An input that the board decided otherwise than the host.

    Args:
        row: which input, for people: "held-out row 12", "tree 3, node 17, just above".
    """

    row: str
    host: str
    board: str


@dataclass(frozen=True)
class Build:
    """A module for one architecture, and what it was measured to cost. None: not measured.

    Args:
        arch: MicroPython's name of the architecture, such as "xtensawin"; "data" for a data file,
            which is the same for all of them.
        compiler: its name and version.
        board: what it ran on, for people; None: it has not run on any, and what decided was the
            engine's C on the laptop.
        module_bytes: size of the .mpy file, or of the data file and the Python beside it.
        text_bytes: machine code.
        rodata_bytes: constant tables.
        heap_bytes: heap that `import` takes and keeps.
        call_heap_bytes: heap that a call of predict takes.
        flash_bytes: what it takes of the board's file system.
        static_ram_bytes: variables of the module; a part of heap_bytes.
        ram_bytes: RAM of a running model: heap_bytes, call_heap_bytes and stack_bytes.
        stack_bytes: stack that predict takes at most, of its module's own functions.
        instructions_mean: instructions a call of predict from Python, over the held-out rows.
        instructions_min: the fewest.
        instructions_max: the most.
        instructions_worst_bound: no call of predict with an array of 'h' takes more, whatever is in
            it; from the code.
        instructions_worst_bound_floats: the same for an array of 'f'.
        instructions_worst_found: the most that a search found with arrays of 'h', on the board.
        unbounded: why there is no such bound; None if there is one, or none was looked for.
        import_instructions: instructions of `import`.
        board_heap_bytes: heap that was free on the board before the import.
        board_flash_bytes: file system that was free on the board before the push.
        engine_bytes: size of the module that runs data files, one for all models; in the flash
            beside them unless the firmware has it.
    """

    arch: str
    compiler: str
    board: str | None = None
    module_bytes: int | None = None
    text_bytes: int | None = None
    rodata_bytes: int | None = None
    heap_bytes: int | None = None
    call_heap_bytes: int | None = None
    flash_bytes: int | None = None
    static_ram_bytes: int | None = None
    ram_bytes: int | None = None
    stack_bytes: int | None = None
    instructions_mean: float | None = None
    instructions_min: int | None = None
    instructions_max: int | None = None
    instructions_worst_bound: int | None = None
    instructions_worst_bound_floats: int | None = None
    instructions_worst_found: int | None = None
    unbounded: str | None = None
    import_instructions: int | None = None
    board_heap_bytes: int | None = None
    board_flash_bytes: int | None = None
    engine_bytes: int | None = None

    @property
    def is_data(self) -> bool:
        """Whether it is a data file, which the engine runs, and not code."""
        return self.arch == DATA_FILE


@dataclass(frozen=True)
class Report:
    """All that is known about a model. A figure that is None was not measured.

    Args:
        name: the module's name on the board.
        version: the model's version.
        wedau_version: the version of the tools that made it.
        kind: for people: "random forest, 20 trees, depth 8, 3526 nodes".
        labels: the classes' names, by class index; none for a regressor.
        features: in the order in which `predict` takes them.
        data: what it was trained and judged on.
        accuracy_unseen: share of rows it never saw that it decides rightly, 0 to 1.
        judged: one sentence: how that was found.
        confusion: counts on the unseen rows, shape (n_labels, n_labels); rows true, columns
            predicted.
        held_out: rows replayed on host and board.
        boundary_inputs: inputs at, just below and just above thresholds replayed on both.
        differences: how many of all these the board decided otherwise than the host.
        mismatches: the first few of those.
        builds: the one shown at the top comes first.
        notes: sentences for the reader.
        regression: how good a regressor is; None for the other models.
        alarms: how good an anomaly model is; None for the other models.

    Raises:
        ValueError: there are no labels and it is no regressor, or the confusion matrix is not
            (n_labels, n_labels) counts.
    """

    name: str
    version: str
    wedau_version: str
    kind: str
    labels: Sequence[str]
    features: Sequence[Feature]
    data: Data
    accuracy_unseen: float | None = None
    judged: str | None = None
    confusion: scores.Confusion | None = None
    held_out: int | None = None
    boundary_inputs: int | None = None
    differences: int | None = None
    mismatches: Sequence[Mismatch] = ()
    builds: Sequence[Build] = ()
    notes: Sequence[str] = ()
    regression: Regression | None = None
    alarms: Alarms | None = None

    def __post_init__(self) -> None:
        n = len(self.labels)
        if not n and self.regression is None:
            raise ValueError("a report needs at least one label")
        if self.confusion is None:
            return
        if len(self.confusion) != n or any(len(row) != n for row in self.confusion):
            raise ValueError(f"the confusion matrix has to be {n} x {n}, one row a label")
        if any(count < 0 for row in self.confusion for count in row):
            raise ValueError("the confusion matrix holds a negative count")

    @property
    def task(self) -> str:
        """What the model is for: classifier, regressor or anomaly."""
        if self.regression is not None:
            return "regressor"
        return "classifier" if self.alarms is None else "anomaly"

    @property
    def per_class(self) -> tuple[scores.ClassScore, ...] | None:
        """Each class's scores, from the confusion matrix."""
        return None if self.confusion is None else scores.per_class(self.labels, self.confusion)

    @property
    def replayed(self) -> int | None:
        """How many inputs host and board were compared on; None: never compared."""
        if self.differences is None or self.held_out is None:
            return None
        return self.held_out + (self.boundary_inputs or 0)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON's own types, with a few properties added."""
        known = asdict(self)
        per_class = None if self.per_class is None else [asdict(c) for c in self.per_class]
        added = {"report_version": REPORT_VERSION, "task": self.task, "per_class": per_class}
        full = known | added
        plain: dict[str, Any] = json.loads(json.dumps(full, default=_plain, allow_nan=False))
        return plain

    def to_json(self) -> str:
        """Return the report as JSON: sorted keys, no time stamp, the same bytes every time."""
        return json.dumps(self.to_dict(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _plain(value: Any) -> Any:
    """Return NumPy's scalars and arrays as Python's."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} does not belong in a report")
