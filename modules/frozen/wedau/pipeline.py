"""From samples as they come to decisions: filter, cut windows, extract features, predict."""

from array import array

import wedau_features


class Pipeline:
    """Takes samples one by one; after each whole window it has features and, with a model, a result.

    ``features`` is the last row, array 'f' in the features' units; ``result`` what push() last gave
    (None before the first window), ``label`` the text that belongs to it, None where there is no
    model or its result is no class. ``channels``, ``length``: of a sample and of a window.

    Source: modules/core/wd_stream.c.
    """

    def __init__(self, model=None, recipe=None):
        """Allocate all that is ever needed.

        Args:
            model: a model's module, trained on recordings; None for the features alone.
            recipe: bytes; None for the model's own.

        Raises:
            ValueError: there is no recipe, as the model takes ready features, or it is damaged, or
                its features are not the model's.
            MemoryError: the windows do not fit the heap.
        """
        if recipe is None:
            recipe = model.info["recipe"] if model is not None else b""
        if not recipe:
            raise ValueError("no recipe: the model takes ready features")
        self.channels, self.length, n_features, _ = wedau_features.info(recipe)
        self.features = array("f", bytes(4 * n_features))
        self.result = self.label = None
        self._stream = wedau_features.stream(recipe, self.features)
        self._labels = self._predict = self._out = None
        if model is not None:
            self._take(model, n_features)

    def _take(self, model, n_features):
        if len(model.info["features"]) != n_features:
            raise ValueError("the recipe gives other features than the model takes")
        self._predict = model.predict
        self._labels = getattr(model, "labels", None)
        if not self._labels:
            self._out = array("f", bytes(4))

    def push(self, sample):
        """Take one sample. Allocates nothing.

        Args:
            sample: array 'f' or 'h', tuple or list of a number for each channel, in the channels'
                units; with one channel also the number itself.

        Returns:
            None until a window is complete. Then what the model says: the class index (0 or 1 of
            an anomaly model), or the array 'f' with a regressor's output, which the next window
            overwrites. Without a model True.

        Raises:
            ValueError: another number of channels, or a value is infinite or not a number: the
                sample is not taken. Or the features of this window overflow: the next ones may not.
            TypeError: a value is not a number.
        """
        if not self._stream.push(sample):
            return None
        if self._predict is None:
            self.result = True
        elif self._out is None:
            self.result = self._predict(self.features)
            self.label = self._labels[self.result]
        else:
            self.result = self._predict(self.features, self._out)
        return self.result

    def reset(self):
        """Forget all samples: the next one is the first of a recording. Allocates nothing."""
        self._stream.reset()
        self.result = self.label = None
