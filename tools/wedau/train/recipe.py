"""The feature recipe: how a window of samples becomes a row of features.

The recipe goes to the board as a small blob of bytes. The C core reads, checks and runs it, there
and here; this module only writes it and gives the features their names and units.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


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
        statistics: names out of ``wedau._core.STATISTICS``, computed for every channel.
        band_edges: edges of the frequency bands in bins of the spectrum; band i holds the bins
            edges[i] to edges[i+1] - 1. Bin k is the frequency k * rate_hz / fft_length. May be
            empty, or else has two edges or more.
        hann: whether the spectrum is taken through a Hann window.
        correlations: pairs of channel indices.
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

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the features in their order, such as ``accel_x.rms``."""
        return ()

    def to_json(self) -> dict[str, Any]:
        """Return the recipe as JSON's types."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Recipe":
        """Read what `to_json` gave."""
        return cls(**data)
