"""Train, convert, push and update machine-learning models on MicroPython boards."""

from importlib.metadata import version

__version__ = version("wedau")
