"""The feature recipe: how a window of samples becomes a row of features.

The recipe goes to the board as a small blob of bytes. The C core reads, checks and runs it, there
and here; this module writes it and gives the features their names and units.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import combinations, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wedau import _core
from wedau.errors import DataError

STATISTICS = tuple(name for name, _ in _core.STATISTICS)
_UNITS = dict(_core.STATISTICS)


@dataclass(frozen=True)
class Recipe:
    """What is computed from each window.

    Attributes:
        channels: names of the recorded channels, in the order of the samples.
        units: unit of each channel, such as ``m/s2``; empty where it is not known.
        rate_hz: samples a second.
        length: samples in a window.
        hop: samples from one window's start to the next one's.
        magnitudes: further channels, each the length of a vector of three channels: a name and
            three indices of channels.
        statistics: names out of `STATISTICS`, computed for every channel.
        band_edges: edges of the frequency bands in bins of the spectrum; band i holds the bins
            edges[i] to edges[i+1] - 1. Bin k is the frequency k * rate_hz / fft_length, the
            fft_length being the power of two from `length` up. Empty for no bands.
        hann: whether the spectrum is taken through a Hann window.
        correlations: pairs of channel indices; a magnitude counts after the recorded channels.
    """

    channels: tuple[str, ...]
    units: tuple[str, ...]
    rate_hz: float
    length: int
    hop: int
    magnitudes: tuple[tuple[str, tuple[int, int, int]], ...] = ()
    statistics: tuple[str, ...] = ()
    band_edges: tuple[int, ...] = ()
    hann: bool = False
    correlations: tuple[tuple[int, int], ...] = ()

    @cached_property
    def blob(self) -> bytes:
        """The bytes for the C core; see modules/core/wd_recipe.h.

        Raises:
            DataError: the core does not take the recipe.
        """
        try:
            blob = self._write()
            _core.info(blob)
        except (ValueError, struct.error) as error:
            raise DataError(
                f"the feature recipe is not possible: {error}",
                "use fewer channels or a window of another length (--window-ms)",
            ) from error
        return blob

    @property
    def info(self) -> "_core.Info":
        """What the C core says about it: channels, length, n_features, work_floats, ..."""
        return _core.info(self.blob)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the features in their order, such as ``accel_x.rms``."""
        return tuple(name for name, _ in self._features)

    @property
    def feature_units(self) -> tuple[str, ...]:
        """Units of the features in their order; ``1`` for a count or a ratio."""
        return tuple(unit for _, unit in self._features)

    @cached_property
    def _features(self) -> list[tuple[str, str]]:
        every = self.channels + tuple(name for name, _ in self.magnitudes)
        units = self.units + tuple(self.units[of[0]] for _, of in self.magnitudes)
        channels = list(zip(every, units, strict=True))
        wanted = [s for s in STATISTICS if s in self.statistics]
        features = [
            (f"{c}.{s}", u if _UNITS[s] == "u" else _UNITS[s]) for c, u in channels for s in wanted
        ]
        features += [(f"{c}.{band}", u) for c, u in channels for band in self._band_names()]
        features += [(f"{every[a]}.corr.{every[b]}", "1") for a, b in self.correlations]
        return features

    def _band_names(self) -> list[str]:
        bin_hz = self.rate_hz / (1 << (self.length - 1).bit_length())
        edges = [f"{min(edge * bin_hz, self.rate_hz / 2):.3g}" for edge in self.band_edges]
        return [f"band_{low}_{high}hz" for low, high in pairwise(edges)]

    def _write(self) -> bytes:
        steps: list[tuple[str, bytes]] = [("MAGNITUDE", bytes(of)) for _, of in self.magnitudes]
        if self.statistics:
            mask = sum(1 << STATISTICS.index(name) for name in set(self.statistics))
            steps.append(("STATISTICS", struct.pack("<I", mask)))
        if self.band_edges:
            flags = _core.LIMITS["BANDS_HANN"] if self.hann else 0
            edges = struct.pack(f"<{len(self.band_edges)}H", *self.band_edges)
            steps.append(("BANDS", bytes([flags, len(self.band_edges)]) + edges))
        if self.correlations:
            steps.append(("CORRELATION", bytes(i for pair in self.correlations for i in pair)))
        version = _core.LIMITS["RECIPE_VERSION"]
        head = struct.pack("<BBBH", version, len(self.channels), len(steps), self.length)
        body = b"".join(bytes([_core.STEPS[kind], len(p)]) + p for kind, p in steps)
        return _core.MAGIC + head + body

    def extract(
        self, samples: NDArray[np.float32], starts: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Compute the features of windows of one recording.

        Args:
            samples: float32, shape (n_samples, n_channels), in the channels' units.
            starts: int64, shape (n_windows,): index of each window's first sample.

        Returns:
            float32, shape (n_windows, n_features).

        Source: wd_extract() in modules/core/wd_features.c.
        """
        out = np.empty((len(starts), len(self.feature_names)), np.float32)
        _core.extract(
            self.blob,
            np.ascontiguousarray(samples, np.float32),
            np.ascontiguousarray(starts, np.int64),
            out,
        )
        return out

    def to_json(self) -> dict[str, Any]:
        """Return the recipe as JSON's types."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Recipe":
        """Read what `to_json` gave.

        Raises:
            KeyError, TypeError, ValueError: a field is missing or of another type.
        """
        recipe = cls(
            channels=tuple(str(v) for v in data["channels"]),
            units=tuple(str(v) for v in data["units"]),
            rate_hz=float(data["rate_hz"]),
            length=int(data["length"]),
            hop=int(data["hop"]),
            magnitudes=tuple(
                (str(n), (int(a), int(b), int(c))) for n, (a, b, c) in data["magnitudes"]
            ),
            statistics=tuple(str(v) for v in data["statistics"]),
            band_edges=tuple(int(v) for v in data["band_edges"]),
            hann=bool(data["hann"]),
            correlations=tuple((int(a), int(b)) for a, b in data["correlations"]),
        )
        if recipe.info["n_features"] != len(recipe.feature_names):
            raise ValueError("the recipe's names and its bytes differ")
        return recipe


def standard(
    channels: Sequence[str], units: Sequence[str], rate_hz: float, length: int, hop: int
) -> Recipe:
    """Return the recipe that `wedau train` uses unless told otherwise.

    All statistics but the skewness and kurtosis; six octaves of frequency bands down from half the
    rate; with up to eight channels, the correlation of each pair.
    """
    n = len(channels)
    return Recipe(
        channels=tuple(channels),
        units=tuple(units),
        rate_hz=rate_hz,
        length=length,
        hop=hop,
        statistics=tuple(s for s in STATISTICS if s not in ("skewness", "kurtosis")),
        band_edges=octaves(length),
        correlations=tuple(combinations(range(n), 2)) if n <= 8 else (),
    )


def octaves(length: int, most: int = 6) -> tuple[int, ...]:
    """Return edges of bands that double in width, in bins, from 1 up to half the FFT's length."""
    n_fft = max(_core.LIMITS["MIN_LENGTH"], 1 << (length - 1).bit_length())
    edges = [n_fft // 2 + 1]
    edge = n_fft // 4
    while edge >= 1 and len(edges) < most:
        edges.insert(0, edge)
        edge //= 2
    return (1, *edges) if edges[0] > 1 else tuple(edges)
