"""Fourier transform, with the functions of emlearn-micropython's module of this name."""

from wedau_compat import FFT, fill  # noqa: F401
