"""Filters of second-order sections, with the functions of emlearn-micropython's module."""

from wedau_compat import iir as new  # noqa: F401
