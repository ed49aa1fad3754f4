"""Our three forms of a model, as `wedau bench alternatives` measures them beside others."""

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from wedau import __version__
from wedau.bench.alternatives import tasks
from wedau.bench.alternatives.candidate import MODULE, Candidate, NotPossibleError
from wedau.bench.alternatives.tasks import Task
from wedau.build import runtime, simboard, usermod
from wedau.cli import verify
from wedau.cli.console import say
from wedau.convert import code, data
from wedau.convert.module import ModuleInfo
from wedau.models import Votes


def info(task: Task, name: str = MODULE) -> ModuleInfo:
    """Return what a task's model tells of itself."""
    return ModuleInfo(
        name=name,
        version="1.0.0",
        labels=task.labels,
        features=task.features,
        scale=task.scale,
        recipe=b"",
        data_sha256=hashlib.sha256(task.rows.tobytes()).hexdigest(),
        wedau=__version__,
    )


def module(task: Task, work: Path, micropython: Path) -> Candidate:
    """The native module that `wedau build` makes."""
    made = verify.compile_program(task.program, info(task), "xtensawin", work, micropython)
    return Candidate(files={made.path.name: made.path.read_bytes()})


def data_file(task: Task, work: Path, micropython: Path) -> Candidate:
    """The data file of `wedau build --format data`, and the engine that runs it."""
    if not isinstance(task.program, Votes):
        raise NotPossibleError("a data file holds trees that vote")
    engine = runtime.build(
        runtime.TREES, arch="xtensawin", micropython=micropython, out=work, say=say
    ).path
    content = data.to_data(task.program.trees, info(task))
    return Candidate(
        load=f"__import__({runtime.TREES!r}).load('{MODULE}.wdt').predict",
        files={engine.name: engine.read_bytes(), f"{MODULE}.wdt": content},
        note=f"the engine is {engine.stat().st_size} bytes of it, once for all models",
    )


@cache
def firmware(micropython: Path, every: Sequence[str] = tasks.DATA) -> simboard.SimFirmware:
    """Build the board's firmware with the models of all tasks in it, kept in the cache."""
    models = [
        usermod.Model(info(task, task.name), code.code(task.program))
        for name in every
        for task in tasks.tasks(name)
    ]
    return simboard.build(micropython, modules=models, say=say)
