"""Where a search runs: on this computer's cores, or on a Dask cluster."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from joblib import parallel_config

from wedau import __version__
from wedau.cli.options import Backend
from wedau.errors import UsageError

_TIMEOUT = "10 s"


@contextmanager
def workers(backend: Backend, jobs: int, scheduler: str | None) -> Iterator[None]:
    """Let joblib's work run there for the block.

    Args:
        backend: joblib for this computer, dask for a cluster.
        jobs: processes on this computer as joblib counts them; -1 for one each core.
        scheduler: address of the cluster's scheduler, such as tcp://10.0.0.1:8786.

    Raises:
        UsageError: the options do not go together, or there is no such cluster.
    """
    if (backend is Backend.DASK) != (scheduler is not None):
        raise UsageError(
            "--backend dask and --scheduler go together",
            "such as --backend dask --scheduler tcp://127.0.0.1:8786",
        )
    if jobs == 0:
        raise UsageError("--jobs 0 would do nothing", "give a number, or -1 for all cores")
    if scheduler is None:
        with parallel_config(n_jobs=jobs):
            yield
        return
    with _client(scheduler), parallel_config(backend="dask"):
        yield


def _client(scheduler: str) -> Any:
    """Return a connection to a cluster whose workers have this version of Wedau."""
    try:
        from distributed import Client
    except ImportError:
        raise UsageError(
            "a search on Dask needs the package distributed, which is not installed",
            "pip install 'wedau[dask]'",
        ) from None
    hint = "start one with 'dask scheduler' and 'dask worker ADDRESS', and name its address"
    try:
        client = Client(scheduler, timeout=_TIMEOUT, set_as_default=True)
    except (OSError, ValueError, TypeError) as error:
        what = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(f"no Dask scheduler answers at {scheduler}: {what}", hint) from None
    try:
        _check(client, scheduler, hint)
    except BaseException:
        client.close()
        raise
    return client


def _check(client: Any, scheduler: str, hint: str) -> None:
    try:
        client.wait_for_workers(1, timeout=_TIMEOUT)
    except TimeoutError:
        raise UsageError(f"the Dask scheduler at {scheduler} has no workers", hint) from None
    # A lambda goes there as code: a named function would be looked for in a Wedau that may lack.
    versions = client.run(lambda: __import__("wedau").__version__, on_error="return")
    for where, found in versions.items():
        if found != __version__:
            other = "no Wedau" if isinstance(found, Exception) else f"Wedau {found}"
            raise UsageError(
                f"the Dask worker {where} has {other} instead of Wedau {__version__}",
                "install the same version there as here",
            )
