"""The few lines of Python that make a data file a module on the board, NAME.py beside NAME.wdt."""

_SHIM = """\
# Made by wedau: {name}.wdt holds the model, the engine wedau_trees runs it.
import wedau_trees

_model = wedau_trees.load(__file__.rsplit(".", 1)[0] + ".wdt")
predict = _model.predict
predict_proba = _model.predict_proba
labels = _model.labels


def __getattr__(name):
    if name == "info":
        return _model.info
    raise AttributeError(name)
"""


def shim(name: str) -> bytes:
    """Return NAME.py, which gives NAME.wdt in its own folder the interface of a native module.

    Importing it loads and checks the file; ValueError if that is damaged. `predict` and
    `predict_proba` are the engine's own and allocate nothing; `info` is made when it is asked for.

    Args:
        name: the model's, a Python identifier.
    """
    return _SHIM.format(name=name).encode("ascii")
