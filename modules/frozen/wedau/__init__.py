"""Machine learning on the board.

``Pipeline``: from samples as they come to decisions. ``Baseline``: learns on the board what is
normal. Each is imported when it is first asked for.
"""


def __getattr__(name):
    if name == "Pipeline":
        from wedau.pipeline import Pipeline

        return Pipeline
    if name == "Baseline":
        from wedau.baseline import Baseline

        return Baseline
    raise AttributeError(name)
