"""What is normal, learnt on the board and kept over a restart; no data leave it."""

import os

import wedau_baseline as _core


class Baseline:
    """Learns from windows what is normal and tells afterwards what is not.

    ``ready`` says whether it is learnt, ``needed`` how many windows that takes still. ``problem``
    is None, or says why a stored baseline was not taken; then it learns anew. ``accidents`` is how
    many windows of the learning were so far from the others that they were left out.

    Source: modules/core/baseline/wd_baseline.h.
    """

    labels = ("normal", "anomaly")

    def __init__(self, n_features, windows=200, path="baseline.wdb", false_alarms=0.01, key=b""):
        """Take what is stored, or begin to learn. All memory is allocated here.

        Args:
            n_features: how many floats a window's row has, 1 to 1024.
            windows: how many of them to learn from, 32 to 20000, at least 2 / false_alarms.
            path: of the file that keeps what was learnt.
            false_alarms: the share of normal windows that may be called anomalies.
            key: bytes that say which features these are, such as a recipe; a baseline that was
                stored with others is not taken.

        Raises:
            ValueError: a number is out of range.
            TypeError: a value is of another type.
        """
        self._settings = (n_features, windows, false_alarms, key)
        self._path = path
        self.problem = None
        kept_bytes, learning_bytes = _core.sizes(self._settings)
        if not self._load(kept_bytes):
            self._begin(learning_bytes)

    def learn(self, x):
        """Learn from a window and return how many more it takes; 0 once the baseline is learnt.

        The window that completes it is the one after which the baseline is stored and memory is
        given back. The others allocate nothing. Once it is ready, nothing more is learnt.

        Args:
            x: array 'f' of n_features, none of them NaN or infinite.

        Raises:
            ValueError: x has another length, or holds NaN or infinity; it does not count then.
            TypeError: x is not an array 'f'.
            OSError: the baseline could not be stored. It works until the next restart; store it
                with save() once there is room.
        """
        if not self.ready:
            self.needed = _core.learn(self._memory, x)
            if not self.needed:
                self._finish()
        return self.needed

    def predict(self, x):
        """Return 0 if the window is normal, 1 if it is an anomaly. Allocates nothing.

        Args:
            x: array 'f' of n_features, none of them NaN.

        Raises:
            ValueError: the baseline is not ready, x has another length or holds NaN.
            TypeError: x is not an array 'f'.
        """
        return _core.predict(self._memory, x)

    def score(self, x, out):
        """Write the window's distance from normal to out[0] and return out. Allocates nothing.

        Args:
            x: array 'f' of n_features, none of them NaN.
            out: array 'f' of one item: 0 and more; above 1 the window is an anomaly.

        Raises:
            ValueError: the baseline is not ready, or x or out has another length, or x holds NaN.
            TypeError: x or out is not an array 'f'.
        """
        return _core.score(self._memory, x, out)

    def save(self):
        """Store the baseline. Until all of it is written, what was stored before stays.

        Raises:
            ValueError: it is not ready.
            OSError: the file system is full or failed.
        """
        if not self.ready:
            raise ValueError("the baseline is not learnt yet; see ready")
        new = self._path + ".new"
        with open(new, "wb") as file:
            if file.write(self._memory) != len(self._memory):
                raise OSError(28)  # no space left
        os.rename(new, self._path)
        if hasattr(os, "sync"):
            os.sync()

    def reset(self):
        """Forget what is normal, on the file system as well, and begin to learn anew."""
        self.problem = None
        try:
            os.remove(self._path)
        except OSError:
            pass  # nothing is stored
        self._begin(_core.sizes(self._settings)[1])

    def _load(self, kept_bytes):
        """Take what is stored if it is whole and of these settings; else say what is wrong."""
        memory = bytearray(kept_bytes)
        try:
            with open(self._path, "rb") as file:
                n = file.readinto(memory)
                more = file.read(1)
            _core.check(self._settings, memory if n == kept_bytes else memoryview(memory)[:n])
            if more:
                raise ValueError("bytes follow the end of the stored baseline")
        except (OSError, ValueError) as error:
            if not (isinstance(error, OSError) and error.errno == 2):  # 2: there is no such file
                self.problem = str(error)
            return False
        self._hold(memory)
        return True

    def _begin(self, learning_bytes):
        self._memory = bytearray(learning_bytes)
        _core.begin(self._settings, self._memory)
        self.ready = False
        self.needed = self._settings[1]
        self.accidents = 0

    def _finish(self):
        """Keep only what is needed from now on, and store it."""
        kept_bytes = _core.sizes(self._settings)[0]
        self._hold(bytearray(memoryview(self._memory)[:kept_bytes]))
        self.save()

    def _hold(self, memory):
        self._memory = memory
        self.ready = True
        self.needed = 0
        self.accidents = _core.accidents(memory)
