"""Filters before the features: Butterworth filters as second-order sections in float32."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wedau import _core
from wedau.errors import DataError

KINDS = ("lowpass", "highpass", "bandpass", "bandstop")
MAX_SECTIONS = _core.LIMITS["MAX_SECTIONS"]
# How far float32 coefficients may move the gain at any frequency; at 1 the signal passes whole.
_MOST_GAIN_ERROR = 0.01


@dataclass(frozen=True)
class Filter:
    """A filter over some of the recorded channels.

    Attributes:
        kind: one of `KINDS`.
        order: of the Butterworth filter, from 1 on.
        cutoff_hz: one frequency, or two for bandpass and bandstop: where half the power is left.
        channels: indices of recorded channels.
        sections: float32 values b0, b1, b2, a1, a2 of each second-order section; a0 is 1.
    """

    kind: str
    order: int
    cutoff_hz: tuple[float, ...]
    channels: tuple[int, ...]
    sections: tuple[tuple[float, ...], ...]

    @property
    def payload(self) -> bytes:
        """The step's bytes; see modules/core/wd_recipe.h."""
        mask = sum(1 << channel for channel in set(self.channels))
        numbers = [value for section in self.sections for value in section]
        head = struct.pack("<HBB", mask, len(self.sections), 0)
        return head + struct.pack(f"<{len(numbers)}f", *numbers)

    @property
    def sos(self) -> NDArray[np.float64]:
        """The sections as scipy.signal takes them: float64, shape (n_sections, 6)."""
        rows = [[*section[:3], 1.0, *section[3:]] for section in self.sections]
        return np.array(rows, np.float64)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Filter":
        """Read what dataclasses.asdict gave.

        Raises:
            KeyError, TypeError, ValueError: a field is missing or of another type.
        """
        sections = tuple(tuple(float(v) for v in section) for section in data["sections"])
        if any(len(section) != 5 for section in sections):
            raise ValueError("a section has not five coefficients")
        return cls(
            kind=str(data["kind"]),
            order=int(data["order"]),
            cutoff_hz=tuple(float(v) for v in data["cutoff_hz"]),
            channels=tuple(int(v) for v in data["channels"]),
            sections=sections,
        )


def design(
    kind: str, order: int, cutoff_hz: tuple[float, ...], channels: tuple[int, ...], rate_hz: float
) -> Filter:
    """Design a Butterworth filter.

    Args:
        kind: one of `KINDS`.
        order: from 1 on.
        cutoff_hz: one frequency, or two rising ones for bandpass and bandstop.
        channels: indices of recorded channels.
        rate_hz: samples a second.

    Raises:
        DataError: an unknown kind, a frequency outside 0 to half the rate, too high an order, or
            float32 cannot hold the filter.

    Source: scipy.signal.butter(..., output="sos").
    """
    _check(kind, order, cutoff_hz, rate_hz)
    from scipy import signal

    cutoff = cutoff_hz[0] if len(cutoff_hz) == 1 else cutoff_hz
    exact = np.atleast_2d(signal.butter(order, cutoff, kind, output="sos", fs=rate_hz))
    rounded = exact.astype(np.float32).astype(np.float64)
    sections = tuple(tuple(row[[0, 1, 2, 4, 5]].tolist()) for row in rounded)
    made = Filter(kind, order, cutoff_hz, channels, sections)
    what = f"the {kind} filter of order {order} at {_text(cutoff_hz)} Hz"
    if len(sections) > MAX_SECTIONS:
        raise DataError(
            f"{what} has {len(sections)} sections, more than {MAX_SECTIONS}", "use a lower order"
        )
    if not _is_near(exact, made.sos):
        raise DataError(
            f"{what} is too fine for float32 at {rate_hz:g} samples a second",
            "use a lower order or a higher cutoff, or record at a lower rate",
        )
    return made


def _check(kind: str, order: int, cutoff_hz: tuple[float, ...], rate_hz: float) -> None:
    if kind not in KINDS:
        raise DataError(f"the filter {kind!r} is not known", f"use one of {', '.join(KINDS)}")
    if not 1 <= order <= 2 * MAX_SECTIONS:
        raise DataError(
            f"a filter's order is {order}, not within 1 to {2 * MAX_SECTIONS}", "2 or 4 often do"
        )
    need = 2 if kind.startswith("band") else 1
    rising = all(a < b for a, b in zip((0.0, *cutoff_hz), (*cutoff_hz, rate_hz / 2), strict=True))
    if len(cutoff_hz) != need or not rising:
        wanted = "two rising frequencies" if need == 2 else "one frequency"
        raise DataError(
            f"the {kind} filter's cutoff is {_text(cutoff_hz) or 'missing'} Hz",
            f"give {wanted} above 0 and below half the rate, {rate_hz / 2:g} Hz",
        )


def _text(cutoff_hz: tuple[float, ...]) -> str:
    return " to ".join(f"{value:g}" for value in cutoff_hz)


def _is_near(exact: NDArray[np.float64], rounded: NDArray[np.float64]) -> bool:
    """Whether both are stable and of nearly the same gain everywhere."""
    from scipy import signal

    a1, a2 = rounded[:, 4], rounded[:, 5]
    if not np.all((np.abs(a2) < 1) & (np.abs(a1) < 1 + a2)):
        return False
    poles = signal.sos2zpk(exact)[1]
    places = np.unique(np.concatenate([np.linspace(0, np.pi, 512), np.abs(np.angle(poles))]))
    with np.errstate(all="ignore"):
        gains = [np.abs(signal.sosfreqz(sos, places)[1]) for sos in (exact, rounded)]
    return bool(np.max(np.abs(gains[0] - gains[1])) < _MOST_GAIN_ERROR)
