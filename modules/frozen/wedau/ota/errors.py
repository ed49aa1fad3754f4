"""Why an update was refused or failed: one word for programs and servers, one sentence for people."""


class OtaError(Exception):
    """An update that was refused or failed. The node is as it was.

    ``code``: one of CODES; it is all of the error that a server is told.
    """

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


# Of an update, as a node reports them. Names of files and the like are not part of a code.
CODES = {
    "connection": "the server did not answer, or the connection broke",
    "missing": "a file of the repository is not there",
    "format": "a file is not what it has to be",
    "signature": "too few of the keys that count have signed",
    "rollback": "something is older than what the node has",
    "mismatch": "files do not belong together",
    "expired": "a signed date of expiry has passed",
    "length": "a file is longer or shorter than what was signed",
    "hash": "a file is not the one that was signed",
    "architecture": "the payload is for another processor or .mpy version",
    "board": "the payload is for another board",
    "space": "there is no room for the payload",
    "memory": "the heap is too small for the model",
    "selftest": "the payload gives other answers than it gave on the laptop",
    "crash": "the board reset too often while it tried the payload",
    "refused": "the application refused the payload",
    "unconfirmed": "nothing confirmed the payload in time",
    "pending": "a firmware is on trial; nothing is written until it is confirmed",
    "patch": "a delta does not lead to the payload that was signed",
    "flash": "the flash does not hold what was written",
    "settings": "the node's settings are incomplete",
}
