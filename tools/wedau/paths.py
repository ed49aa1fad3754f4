"""Where Wedau's own files and its cache lie, in a checkout and when installed."""

import os
from pathlib import Path

import platformdirs

from wedau.errors import BuildError

_PACKAGE = Path(__file__).resolve().parent


def resource(*parts: str) -> Path:
    """Return the path of a file or folder of ours, such as ``resource("boards", "SIM")``.

    A checkout is used where there is one (an editable install), else the copy in the wheel.

    Args:
        parts: path below the project's root; the first is boards, firmware or modules.

    Raises:
        BuildError: there is no such file, so the installation is incomplete.
    """
    for root in (_PACKAGE.parent.parent, _PACKAGE / "_resources"):
        path = root.joinpath(*parts)
        if path.exists():
            return path
    raise BuildError(
        f"Wedau's own file {'/'.join(parts)} is missing",
        "the installation is incomplete: pip install --force-reinstall wedau",
    )


def cache_dir(*parts: str) -> Path:
    """Return a folder below the cache, made if need be; ``WEDAU_CACHE`` moves the cache.

    Raises:
        BuildError: it cannot be made.
    """
    root = os.environ.get("WEDAU_CACHE") or platformdirs.user_cache_dir("wedau", appauthor=False)
    path = Path(root).joinpath(*parts)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BuildError(
            f"the folder {path} cannot be made: {error.strerror}",
            "set WEDAU_CACHE to a folder that you may write to",
        ) from None
    return path
