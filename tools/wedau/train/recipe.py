"""The feature recipe: how a window of samples becomes a row of features.

The recipe goes to the board as a small blob of bytes. The C core reads, checks and runs it, there
and here; this module writes it and gives the features their names and units.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from itertools import combinations, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wedau import _core
from wedau.errors import DataError
from wedau.train.filters import Filter

STATISTICS = tuple(name for name, _ in _core.STATISTICS)
_UNITS = dict(_core.STATISTICS)
_N_FIRST_FIELDS = 10  # those up to `correlations` are always in the JSON


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
        correlations: pairs of channel indices; derived channels count after the recorded ones,
            magnitudes first.
        filters: what recorded channels pass through before all else, sample by sample, never
            started anew for a window.
        differences: further channels, each the step from sample to sample of another: a name and
            the index of a channel that stands before it.
        mel_edges: rising float32, in bins: triangle i rises from edges[i] to edges[i+1] and falls
            to edges[i+2]; the logarithm of the energy in each. Empty for none.
        mel_floor: float32 > 0: a smaller energy counts as this.
        quantiles: each 0 to 1, computed for every channel.
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
    filters: tuple[Filter, ...] = ()
    differences: tuple[tuple[str, int], ...] = ()
    mel_edges: tuple[float, ...] = ()
    mel_floor: float = 1e-10
    quantiles: tuple[float, ...] = ()

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
        """What the C core says about it: channels, length, hop, n_features, ..."""
        return _core.info(self.blob)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the features in their order, such as ``accel_x.rms``."""
        return tuple(name for name, _ in self._features)

    @property
    def feature_units(self) -> tuple[str, ...]:
        """Units of the features in their order; ``1`` for a count or a ratio."""
        return tuple(unit for _, unit in self._features)

    @property
    def all_channels(self) -> tuple[str, ...]:
        """Names of the recorded channels, then of the derived ones, as they are counted."""
        return self.channels + tuple(name for name, _ in (*self.magnitudes, *self.differences))

    @cached_property
    def _features(self) -> list[tuple[str, str]]:
        every = self.all_channels
        units = [*self.units, *(self.units[of[0]] for _, of in self.magnitudes)]
        for _, of in self.differences:
            units.append(units[of])
        channels = list(zip(every, units, strict=True))
        wanted = [s for s in STATISTICS if s in self.statistics]
        features = [
            (f"{c}.{s}", u if _UNITS[s] == "u" else _UNITS[s]) for c, u in channels for s in wanted
        ]
        features += [(f"{c}.{band}", u) for c, u in channels for band in self._band_names()]
        features += [(f"{every[a]}.corr.{every[b]}", "1") for a, b in self.correlations]
        features += [(f"{c}.{mel}", "1") for c in every for mel in self._mel_names()]
        features += [(f"{c}.q{100 * q:.6g}", u) for c, u in channels for q in self.quantiles]
        return features

    @property
    def bin_hz(self) -> float:
        """How far the spectrum's bins lie apart."""
        return self.rate_hz / fft_length(self.length)

    def _band_names(self) -> list[str]:
        exact = [min(edge * self.bin_hz, self.rate_hz / 2) for edge in self.band_edges]
        edges = [f"{edge:.3g}" for edge in exact]
        if len(set(edges)) < len(edges):
            edges = [f"{edge:.7g}" for edge in exact]
        return [f"band_{low}_{high}hz" for low, high in pairwise(edges)]

    def _mel_names(self) -> list[str]:
        tops = self.mel_edges[1:-1]
        return [f"mel_{i}_{edge * self.bin_hz:.4g}hz" for i, edge in enumerate(tops)]

    def _write(self) -> bytes:
        steps = [*self._before_features(), *self._feature_steps()]
        version = _core.LIMITS["RECIPE_VERSION"]
        head = struct.pack("<BBBH", version, len(self.channels), len(steps), self.length)
        body = b"".join(bytes([_core.STEPS[kind], len(p)]) + p for kind, p in steps)
        return _core.MAGIC + head + body

    def _before_features(self) -> Iterator[tuple[str, bytes]]:
        if self.hop != self.length:
            yield "HOP", struct.pack("<I", self.hop)
        for each in self.filters:
            yield "FILTER", each.payload
        for _, of in self.magnitudes:
            yield "MAGNITUDE", bytes(of)
        for _, channel in self.differences:
            yield "DIFFERENCE", bytes([channel])

    def _feature_steps(self) -> Iterator[tuple[str, bytes]]:
        flags = _core.LIMITS["BANDS_HANN"] if self.hann else 0
        if self.statistics:
            mask = sum(1 << STATISTICS.index(name) for name in set(self.statistics))
            yield "STATISTICS", struct.pack("<I", mask)
        if self.band_edges:
            edges = struct.pack(f"<{len(self.band_edges)}H", *self.band_edges)
            yield "BANDS", bytes([flags, len(self.band_edges)]) + edges
        if self.correlations:
            yield "CORRELATION", bytes(i for pair in self.correlations for i in pair)
        if self.mel_edges:
            n = len(self.mel_edges)
            yield "MEL", struct.pack(f"<BBHf{n}f", flags, n, 0, self.mel_floor, *self.mel_edges)
        if self.quantiles:
            yield "QUANTILES", struct.pack(f"<{len(self.quantiles)}f", *self.quantiles)

    def filtered(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Pass a recording through the filters, as the board does sample by sample.

        Args:
            samples: float32, shape (n_samples, n_channels), in the channels' units.

        Returns:
            float32, the shape of samples; the samples themselves if there is no filter.

        Source: wd_filter() in modules/core/wd_filter.c.
        """
        samples = np.ascontiguousarray(samples, np.float32)
        if not self.filters:
            return samples
        out = np.empty_like(samples)
        _core.filter(self.blob, samples, out)
        return out

    def extract(
        self, samples: NDArray[np.float32], starts: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Pass a recording through the filters and compute the features of its windows.

        The interpreter's lock is released meanwhile, so threads run side by side.

        Args:
            samples: float32, shape (n_samples, n_channels), in the channels' units; the recording
                from its first sample on, as filters remember.
            starts: int64, shape (n_windows,): index of each window's first sample.

        Returns:
            float32, shape (n_windows, n_features).

        Source: wd_extract() in modules/core/wd_features.c.
        """
        out = np.empty((len(starts), len(self.feature_names)), np.float32)
        _core.extract(
            self.blob,
            self.filtered(samples),
            np.ascontiguousarray(starts, np.int64),
            out,
        )
        return out

    def to_json(self) -> dict[str, Any]:
        """Return the recipe as JSON's types; what is not used and came later is left out."""
        data = asdict(self)
        later = [field.name for field in fields(self)][_N_FIRST_FIELDS:]
        if not self.mel_edges:
            later.append("mel_floor")
            data["mel_floor"] = None
        return {key: value for key, value in data.items() if value or key not in later}

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
            filters=tuple(Filter.from_json(f) for f in data.get("filters", ())),
            differences=tuple((str(n), int(c)) for n, c in data.get("differences", ())),
            mel_edges=tuple(float(v) for v in data.get("mel_edges", ())),
            mel_floor=float(data.get("mel_floor", 1e-10)),
            quantiles=tuple(float(v) for v in data.get("quantiles", ())),
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


def fft_length(length: int) -> int:
    """Return the length of a window's Fourier transform: the power of two from length up."""
    return max(_core.LIMITS["MIN_LENGTH"], 1 << (length - 1).bit_length())


def octaves(length: int, most: int = 6) -> tuple[int, ...]:
    """Return edges of bands that double in width, in bins, from 1 up to half the FFT's length."""
    n_fft = fft_length(length)
    edges = [n_fft // 2 + 1]
    edge = n_fft // 4
    while edge >= 1 and len(edges) < most:
        edges.insert(0, edge)
        edge //= 2
    return (1, *edges) if edges[0] > 1 else tuple(edges)
