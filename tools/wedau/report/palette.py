"""The shades of the confusion matrix's cells, light and dark, with text that stays readable.

Blue for right and orange for wrong: told apart with any kind of colour vision.
"""

import math
from dataclasses import dataclass

STEPS = 10
_TEXTS = ("#000000", "#ffffff")


@dataclass(frozen=True)
class Theme:
    """Colours of one theme: the surface that step 0 fades into, and the two full shades."""

    surface: str
    right: str
    wrong: str


LIGHT = Theme(surface="#ffffff", right="#0f5f8c", wrong="#c8500a")
DARK = Theme(surface="#19211f", right="#6cc5f5", wrong="#ff9a4d")


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    linear = [
        c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4
        for c in _channels(colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    """Return the contrast of two colours "#rrggbb", 1 to 21.

    Source: WCAG 2.2, "contrast ratio" and "relative luminance".
    """
    low, high = sorted((_luminance(a), _luminance(b)))
    return (high + 0.05) / (low + 0.05)


def step(share: float) -> int:
    """Return the shade of a share 0 to 1: 0 for nothing, 1 to STEPS for more."""
    return math.ceil(share * STEPS)


def shade(surface: str, full: str, at: int) -> tuple[str, str]:
    """Return (background, text) of a step; the text has a contrast of at least 4.5."""
    # Starts at 8 %, so that even a single mistake in a large class can be seen.
    part = 0.0 if at == 0 else 0.08 + 0.92 * at / STEPS
    mixed = (s + (f - s) * part for s, f in zip(_channels(surface), _channels(full), strict=True))
    background = "#" + "".join(f"{round(c):02x}" for c in mixed)
    return background, max(_TEXTS, key=lambda text: contrast(background, text))


def css(theme: Theme) -> str:
    """Return the rules of the classes .r1 to .r10 (right) and .w1 to .w10 (wrong)."""
    rules = []
    for prefix, full in (("r", theme.right), ("w", theme.wrong)):
        for at in range(1, STEPS + 1):
            background, text = shade(theme.surface, full, at)
            rules.append(f".{prefix}{at}{{background:{background};color:{text}}}")
    return "\n".join(rules)
