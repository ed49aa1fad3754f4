"""Scaling of arrays, with the function of emlearn-micropython's module of this name."""

from wedau_compat import linear_map  # noqa: F401
