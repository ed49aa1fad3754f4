"""Patches: what a board has to download when it already holds an older payload."""

import io

from wedau import _core
from wedau.errors import UsageError

MAX_SHARE = 0.7  # of the new payload; from there on the whole is the better download
_WINDOW_BITS = 11
_LOOKAHEAD_BITS = 6


def make(old: bytes, new: bytes) -> bytes | None:
    """Return a patch between two payloads, or None where it is hardly smaller than the whole.

    The patch is detools' of type sequential, compressed with heatshrink, and has been applied by
    the code that applies it on the board.

    Args:
        old: what the board holds.
        new: what it shall hold.

    Raises:
        UsageError: detools is not installed, or a payload is larger than a board takes.
    """
    if max(len(old), len(new)) > _core.LIMITS["DELTA_MAX_FILE_BYTES"]:
        raise UsageError("a payload of 512 MiB cannot be patched", "release it without --delta")
    patch = _create(old, new)
    if len(patch) >= MAX_SHARE * len(new) or _apply(old, patch, len(new)) != new:
        return None
    return patch


def _apply(old: bytes, patch: bytes, new_size: int) -> bytes | None:
    try:
        return _core.delta_apply(old, patch, new_size)
    except ValueError:
        return None


def _create(old: bytes, new: bytes) -> bytes:
    try:
        from detools.create import create_patch
    except ImportError:
        raise UsageError(
            "patches need detools, which is not installed",
            "pip install 'wedau[delta]' (it needs gcc and g++), or release without --delta",
        ) from None
    patch = io.BytesIO()
    create_patch(
        io.BytesIO(old),
        io.BytesIO(new),
        patch,
        compression="heatshrink",
        heatshrink_window_sz2=_WINDOW_BITS,
        heatshrink_lookahead_sz2=_LOOKAHEAD_BITS,
        use_mmap=False,
    )
    return patch.getvalue()
