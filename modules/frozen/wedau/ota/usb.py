"""A signed release in a file on this board, where `wedau push FILE.swu` puts it for a moment."""

from wedau.ota.errors import OtaError
from wedau.ota.swu import Swu, range_of

_ETAG = '"file"'  # nobody changes it meanwhile


class Usb(Swu):
    """Carries what is in one .swu file; see wedau.ota.node. ``news``: what was told last."""

    hears = False
    asked = True
    action = 0
    poll_s = None

    def __init__(self, path):
        """Nothing is read yet.

        Args:
            path: of the file.
        """
        super().__init__(self._read_file)
        self._file_path = path
        self.news = None

    async def begin(self, identity):
        """Return that there is something to look at; nothing is sent."""
        return True

    def has(self, path):
        """Return whether it is the target in the file."""
        return self.path == path

    async def tell(self, news):
        """Keep it for whoever is at the other end of the cable."""
        self.news = news

    async def _read_file(self, headers):
        return _Response(self._file_path, range_of(headers)[0])


class _Response:
    """A file from a place on; see wedau.ota.http.Response."""

    def __init__(self, path, start):
        self._file = open(path, "rb")
        self._file.seek(start)
        self.status = 206 if start else 200
        self.headers = {"etag": _ETAG, "content-range": "bytes %d-" % start}

    def expect(self, statuses):
        """Do nothing: a file has what was asked for."""

    async def readinto(self, buffer):
        return self._file.readinto(buffer)

    async def close(self):
        self._file.close()


def install(path):
    """Store the release that is in a file; the board has to restart for it.

    Args:
        path: of a .swu file.

    Returns:
        What happened, a dict of wedau.ota.report: "stored"; "confirmed": the node has it already;
        "failed": its "code" says why it does not want it.

    Raises:
        OtaError: the file is not what a node takes, or pending: something else is on trial.
    """
    import asyncio

    node = _boot()
    if node.on_trial:
        raise OtaError("pending", "something else is on trial")
    carrier = Usb(path)
    asyncio.run(node.poll(carrier))
    return carrier.news


def look():
    """Begin the trial of what is stored; return the news of each kind of payload, by its name."""
    from wedau.ota import report

    return report.all_news(_boot().journal)


def _boot():
    from wedau import ota
    from wedau.ota.install import WOKEN

    node = ota.make_node()
    if node.boot(WOKEN):  # somebody at the cable: no try that failed
        raise OtaError("pending", "a firmware waits for a restart of the board")
    return node
