"""k nearest neighbours, with the functions of emlearn-micropython's module of this name."""

from wedau_compat import neighbors as new  # noqa: F401
