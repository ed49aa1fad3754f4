"""What a trained and built model is worth: one report as JSON, as one HTML page, as terminal rows.

Pure: data in, strings out. Whoever trains, builds and replays fills in a `Report`.
"""

from .html import render
from .judged import Alarms, Regression
from .model import Build, Data, Feature, Mismatch, Report
from .scores import ClassScore
from .text import summary, usage

__all__ = [
    "Alarms",
    "Build",
    "ClassScore",
    "Data",
    "Feature",
    "Mismatch",
    "Regression",
    "Report",
    "render",
    "summary",
    "usage",
]
