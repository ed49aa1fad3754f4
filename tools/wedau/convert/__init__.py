"""Trained models to what a board runs: C, native modules, data files."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wedau.convert.given import to_module

__all__ = ["to_module"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from wedau.convert import given  # scikit-learn is slow to import, and few need it here

    return getattr(given, name)
