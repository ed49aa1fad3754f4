"""A plain web server or a CDN that serves the folder of a repository."""

from wedau.ota.errors import OtaError
from wedau.ota.http import quote


class Static:
    """Carries updates from a web server that only hands out files; see wedau.ota.node."""

    hears = asked = False
    action = 0
    poll_s = None

    def __init__(self, http, url):
        """Nothing is requested yet.

        Args:
            http: wedau.ota.http.Http.
            url: of the folder that holds metadata/ and targets/.
        """
        self._http = http
        self._url = url if url[-1:] == "/" else url + "/"

    async def begin(self, identity):
        """Return that there may be something to do; nothing is sent."""
        return True

    def has(self, path):
        """Return that any target may be there."""
        return True

    async def tell(self, news):
        """Do nothing: a web server that only hands out files does not listen."""

    async def fetch(self, name, most):
        """Return a file of metadata, or None if there is none; see wedau.ota.trust."""
        return await self._http.get(self._url + "metadata/" + quote(name), most)

    async def open(self, path, headers=()):
        """Return the response with a target: of its path in targets/, as target_path() gives it."""
        return await self._http.open(self._url + "targets/" + quote(path), "GET", headers)


def target_path(root, name, target):
    """Return where the repository keeps a target: the name has its hash in front, if it has one.

    Args:
        root: the signed part of the root metadata.
        name: of the target.
        target: its entry in the targets metadata.

    Raises:
        OtaError: hash: it has no SHA-256 hash, the only one that is known here.
    """
    if not root.get("consistent_snapshot"):
        return name
    if "sha256" not in target["hashes"]:
        raise OtaError("hash", "the target has no SHA-256 hash")
    folder, slash, file = name.rpartition("/")
    return folder + slash + target["hashes"]["sha256"] + "." + file
