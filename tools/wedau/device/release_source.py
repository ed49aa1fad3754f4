"""Where a release lies: a folder, or the same at an http or https address."""

import contextlib
import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from wedau import files
from wedau.device.release_index import INDEX
from wedau.errors import ReleaseError, UsageError

_CHUNK_BYTES = 64 * 1024
_SILENCE_TIMEOUT_S = 30.0
_FILE_TIMEOUT_S = 900.0
_AGENT = "wedau"
_AGAIN = "check the network, then repeat the command; what has arrived whole is kept"


class Source(Protocol):
    """A place that holds the files of a release; nothing in it is trusted."""

    def name(self, path: str) -> str:
        """Return a file's name for people."""

    def chunks(self, path: str) -> Generator[bytes, None, None]:
        """Yield a file's bytes, piece by piece; whoever reads decides how many are too many.

        Raises:
            ReleaseError: it is not there, or it breaks off.
        """


def at(place: str) -> Source:
    """Return the source at a folder or an address; the address of the index will do as well.

    Raises:
        UsageError: it is an address of another kind.
    """
    return _Web(place) if is_address(place) else _Folder(Path(place))


def is_address(place: str) -> bool:
    """Whether it is an address and no path."""
    return "://" in place


class _Folder:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def name(self, path: str) -> str:
        return str(self._folder / path)

    def chunks(self, path: str) -> Generator[bytes, None, None]:
        try:
            files.check(self._folder / path, ReleaseError)
            with self._folder.joinpath(path).open("rb") as file:
                while chunk := file.read(_CHUNK_BYTES):
                    yield chunk
        except OSError as error:
            raise ReleaseError(
                f"{self.name(path)} cannot be read: {error.strerror}",
                "give the whole folder of a release, with its index.json",
            ) from None


class _Web:
    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
            raise UsageError(f"{address} is no http or https address", "give that of a release")
        if parts.query or parts.fragment or "@" in parts.netloc:
            raise UsageError(
                f"{address} has more than host and path", "leave out user, query and fragment"
            )
        self._base = address.removesuffix(INDEX).rstrip("/")

    def name(self, path: str) -> str:
        return f"{self._base}/{path}"

    def chunks(self, path: str) -> Generator[bytes, None, None]:
        end = time.monotonic() + _FILE_TIMEOUT_S
        try:
            with _open(self.name(path)) as response:
                while chunk := response.read1(_CHUNK_BYTES):
                    yield chunk
                    if time.monotonic() > end:
                        raise TimeoutError
                if response.length:  # what the server announced and did not send
                    raise ReleaseError(f"{self.name(path)} broke off", _AGAIN)
        except urllib.error.HTTPError as error:
            raise ReleaseError(
                f"{self.name(path)} cannot be had: the server says {error.code}",
                "check the address: it is the one whose index.json the server has",
            ) from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise ReleaseError(
                f"{self.name(path)} did not arrive: {_words(reason)}", _AGAIN
            ) from None


def _words(reason: object) -> str:
    if isinstance(reason, TimeoutError):
        return "the server is too slow"
    strerror = getattr(reason, "strerror", None)
    return str(strerror or reason or type(reason).__name__)


@contextlib.contextmanager
def _open(address: str) -> Iterator[http.client.HTTPResponse]:
    """Open an address; redirects are followed, but to http and https only."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.UnknownHandler,
    ):
        opener.add_handler(handler())
    headers = {"User-Agent": _AGENT, "Accept-Encoding": "identity"}
    request = urllib.request.Request(address, headers=headers)
    response: http.client.HTTPResponse = opener.open(request, timeout=_SILENCE_TIMEOUT_S)
    with response:
        yield response
