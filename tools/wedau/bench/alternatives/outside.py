"""Implementations from a folder of the user's: docs/howto/compare.md says what lies in it."""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from wedau.bench.alternatives import candidate
from wedau.bench.alternatives.candidate import ROWS, Candidate, NotPossibleError
from wedau.bench.alternatives.tasks import Task
from wedau.errors import UsageError

ADAPTER, BOARD = "adapter.py", "board.py"
_HINT = "docs/howto/compare.md says what an adapter is"


@dataclass(frozen=True)
class Outside:
    """An implementation that a folder holds.

    Attributes:
        name: what the adapter calls it, else the folder's name.
        row: what its function takes; see Candidate.
        modules: content of the `.mpy` files, by file name.
        board: source of the module `board`, whose load() gives the function.
    """

    name: str
    row: str
    modules: Mapping[str, bytes]
    board: str
    adapter: ModuleType

    @classmethod
    def load(cls, folder: Path) -> "Outside":
        """Read a folder. This runs its adapter.py.

        Raises:
            UsageError: a file is missing, or adapter.py fails or gives something else.
        """
        for file in (ADAPTER, BOARD):
            if not Path(folder, file).is_file():
                raise UsageError(f"{folder} has no {file}", _HINT)
        adapter = _run(folder / ADAPTER)
        row = getattr(adapter, "ROW", "h")
        if row not in ROWS or not callable(getattr(adapter, "files", None)):
            raise UsageError(f"{folder / ADAPTER} has no files(), or an unknown ROW {row!r}", _HINT)
        modules = {path.name: path.read_bytes() for path in sorted(folder.glob("*.mpy"))}
        name = str(getattr(adapter, "NAME", folder.resolve().name))
        return cls(name, row, modules, (folder / BOARD).read_text("utf-8"), adapter)

    def __call__(self, task: Task) -> Candidate:
        """Ask the adapter for the files of a forest."""
        votes = candidate.forest(task, "an adapter")
        try:
            files: Any = self.adapter.files(votes.estimator)
        except Exception as error:  # whatever it raises is the answer
            raise NotPossibleError(f"its adapter: {type(error).__name__}: {error}") from None
        if not isinstance(files, Mapping):
            raise NotPossibleError("its adapter gives no files for this forest")
        return Candidate(
            load="__import__('board').load()",
            row=self.row,
            files={**self.modules, **{str(name): bytes(data) for name, data in files.items()}},
            note=str(getattr(self.adapter, "NOTE", "from outside")),
        )


def _run(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("wedau_outside_adapter", path)
    assert spec and spec.loader, "the path ends in .py"
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise UsageError(f"{path} fails: {type(error).__name__}: {error}", _HINT) from None
    return module
