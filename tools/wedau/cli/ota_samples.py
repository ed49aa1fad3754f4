"""Small payloads for trials of updates, made without training that takes long."""

import numpy as np
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

from wedau import __version__
from wedau.convert import data, module
from wedau.models import Votes, trees
from wedau.ota import golden, payloads
from wedau.ota.fields import node
from wedau.ota.payloads import Payload
from wedau.sim import app_image

ROW = [510, 350, 140, 20]  # a setosa, on the grid
_SCALE = 0.01
_FEATURES = ("sepal_length", "sepal_width", "petal_length", "petal_width")
_TREES = 120  # so that the file takes two sectors
_PADDING = 4400  # so that the image does
# Brings the first model: twice on, with decisions that confirm it.
SETTLE = """
import wedau.ota
wedau.ota.boot()
for _ in range(100):
    wedau.ota.good()
state = wedau.ota.status().get("model", {}).get("state")
print(state)
if state != "confirmed":
    error = wedau.ota.check()
    print("error", error and error.code, error)
"""


def small_model(answer: str) -> Payload:
    """Return a data file of two sectors that answers ROW with a word."""
    x, y = load_iris(return_X_y=True)
    grid = (x / _SCALE).astype(np.int16)
    fitted = RandomForestClassifier(_TREES, max_depth=4, random_state=len(answer) + ord(answer[0]))
    members = fitted.fit(grid, y).estimators_
    votes = Votes([trees.harden(m.tree_, np.arange(3)) for m in members], len(_FEATURES), 3)
    info = module.ModuleInfo(
        name="saw",
        version=answer,
        labels=(answer, "versicolor", "virginica"),
        features=_FEATURES,
        scale=np.full(len(_FEATURES), _SCALE, np.float32),
        recipe=b"",
        data_sha256="0" * 64,
        wedau=__version__,
    )
    content = data.to_data(votes.trees, info)
    return payloads.model("saw", answer, "saw.wdt", content, golden.make(votes))


def small_firmware(version: str) -> Payload:
    """Return an application's image of two sectors for the simulated board."""
    script = f"print('firmware {version}')\n" + "#" * _PADDING
    image = app_image.make(version, script=script.encode("ascii"))
    return Payload(node.FIRMWARE, "SIM", version, image, {"board": "SIM"})
