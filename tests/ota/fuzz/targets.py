"""What is fuzzed: the node's parsers of bytes from outside, and what must hold of what they take.

A target takes any bytes. It may raise OtaError, the node's refusal; anything else that is raised is
a finding. Plain Python: for CPython, where inputs are searched, and for MicroPython, where they run
again.
"""

import binascii

from wedau.ota.errors import OtaError
from wedau.ota.journal import FIRMWARE, MODEL, RECORD_BYTES, TRIAL, Journal
from wedau.ota.static import target_path
from wedau.ota.trust import Trust

from wedau.ota import cpio as cpio_module
from wedau.ota import ddi as ddi_module
from wedau.ota import http as http_module
from wedau.ota import journal as journal_module
from wedau.ota import swu as swu_module
from wedau.ota.fields import METADATA_BYTES, ROLES, is_path, problem
from wedau.ota.metadata import Metadata

PLACES = 10  # in a sector: full soon, yet with room for all that counts
SECTOR_BYTES = PLACES * RECORD_BYTES
MOST_BYTES = {cpio_module: 512, swu_module: 16384, http_module: 4097}  # of one buffer


def bounded(make, most):
    """Return bytes or bytearray that does not make more bytes than a module may take at once."""

    def make_bounded(*given):
        assert not given or not isinstance(given[0], int) or given[0] <= most, given[0]
        return make(*given)

    return make_bounded


for _module, _most in MOST_BYTES.items():
    _module.bytearray, _module.bytes = bounded(bytearray, _most), bounded(bytes, _most)
journal_module._PLACES = PLACES


def finish(coroutine):
    """Run a coroutine that never waits, and return what it returns."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits")


def run_cpio(data):
    """An archive, whole or in pieces of the first byte's size: what it holds is the same."""
    files = _unpacked(data[1:], len(data))
    if data[0] < 64:
        assert files == _unpacked(data[1:], 1 + data[0])


def _unpacked(data, step):
    """Return all that the unpacker said of an archive."""
    files, code = [], None

    def begin(name, length):
        assert is_path(name) and length >= 0
        files.append((name, length, bytearray()))

    unpacker = cpio_module.Unpacker(begin, lambda piece: files[-1][2].extend(piece))
    try:
        for at in range(0, len(data), step):
            unpacker.write(data[at : at + step])
    except OtaError as error:
        code = error.code
    for i, (_, length, content) in enumerate(files):
        assert len(content) == length or (i == len(files) - 1 and len(content) < length)
    return files, unpacker.done, code


def run_metadata(data):
    """One file of the role that the first byte says, and all that the node makes of it."""
    role = ROLES[data[0] % 4]
    file = Metadata(role, data[1:])
    file.require(_ROOT, role, _verify)
    if role == "root":
        file.require(file.signed, role, _verify)
    if role == "targets":
        for path, target in file.signed["targets"].items():
            if problem(path, target.get("custom", {})) is None:
                target_path(_ROOT, path, target)


_ROOT = {
    "keys": {
        name: {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": name * 64}}
        for name in "ab"
    },
    "roles": {role: {"keyids": ["a", "b"], "threshold": 1} for role in ROLES},
    "consistent_snapshot": True,
}


def _verify(public, signature, message):
    """Stand in for Ed25519: signatures whose first byte is even are right."""
    assert len(public) == 32 and len(signature) == 64 and len(message)
    return signature[0] % 2 == 0


def run_trust(data):
    """A whole refresh: lines are the files that the node keeps, then those of the repository."""
    files = data[1:].split(b"\n")
    files += [b""] * (9 - len(files))
    kept = dict(zip(("root.json", "timestamp.json", "snapshot.json", "targets.json"), files))
    served = dict(zip(("timestamp", "snapshot", "targets"), files[6:]))
    roots = [file for file in files[4:6] if file]

    async def fetch(name, most):
        assert most <= max(METADATA_BYTES.values())
        role = name[: -len(".json")].split(".")[-1]
        if role == "root":
            return roots.pop(0) if roots else None
        return served[role] or None

    trust = Trust(_Kept(kept), _verify, "2030-01-01T00:00:00Z", lambda: None)
    finish(trust.refresh(fetch))
    for upper, name in ((trust.timestamp, "snapshot"), (trust.snapshot, "targets")):
        announced = upper["meta"][name + ".json"]["version"]
        assert announced == getattr(trust, name)["version"]
    for role in ROLES:
        assert getattr(trust, role)["expires"] > "2030-01-01T00:00:00Z"
        assert Metadata(role, kept[role + ".json"]).version == getattr(trust, role)["version"]


class _Kept:
    """wedau.ota.store.Store in memory."""

    def __init__(self, files):
        self._files = files

    def load(self, name):
        return self._files.get(name) or None

    def save(self, name, data):
        self._files[name] = bytes(data)


def run_journal(data):
    """Two sectors of records; each that begins with an even byte gets the magic and a right CRC."""
    sectors = [_Sector(), _Sector()]
    at, places = 1, [0, 0]
    while at < len(data):
        sector, record = data[at] >> 1 & 1, data[at + 1 : at + RECORD_BYTES - 7]
        if data[at] % 2 == 0:
            body = (b"WDJ1" + record + bytes(RECORD_BYTES))[: RECORD_BYTES - 4]
            record = body + (binascii.crc32(body) & 0xFFFFFFFF).to_bytes(4, "little")
        start = places[sector] * RECORD_BYTES
        if start + RECORD_BYTES <= SECTOR_BYTES:
            sectors[sector].data[start : start + len(record)] = record
        places[sector] += 1 + (data[at] >> 2 & 1) * (data[at] >> 3)  # erased places between
        at += RECORD_BYTES - 7
    journal = Journal(sectors)
    for kind in range(MODEL, FIRMWARE + 1):
        for found in (journal.last(kind), journal.confirmed(kind), journal.failed(kind)):
            assert found is None or found.kind == kind
    found = journal.last(1 + data[0] % FIRMWARE)
    if found is not None:
        _append(journal, sectors, found)


def _append(journal, sectors, found):
    """Append the next step of a record, and see that it is there after the next start."""
    new = found.next(TRIAL, count=1, code="crash")
    journal.append(new)
    last = Journal(sectors).last(found.kind)
    assert last.pack() == new.pack() and last.seq == new.seq


class _Sector:
    """SECTOR_BYTES of flash."""

    def __init__(self):
        self.data = bytearray(b"\xff" * SECTOR_BYTES)

    def read(self, offset, buffer):
        buffer[:] = self.data[offset : offset + len(buffer)]

    def write(self, offset, data):
        assert offset + len(data) <= SECTOR_BYTES
        self.data[offset : offset + len(data)] = data

    def erase(self, offset=0):
        self.data[:] = b"\xff" * SECTOR_BYTES


class _Connections:
    """Stands in for asyncio: each connection gives what stands before the next zero byte."""

    TimeoutError = OSError

    def __init__(self, data):
        self._step = 1 + data[0]
        self._answers = data[1:].split(b"\0")

    async def open_connection(self, host, port, *tls):
        assert 0 < port < 65536
        answer = self._answers.pop(0) if self._answers else b""
        connection = _Connection(answer, self._step)
        return connection, connection

    async def wait_for(self, work, timeout_s):
        return await work


class _Connection:
    """Both ends of one connection."""

    def __init__(self, data, step):
        self._data, self._at, self._step = data, 0, step

    def write(self, data):
        assert b"secret" not in data or b"\r\nHost: node.example\r\n" in data

    async def drain(self):
        pass

    async def readinto(self, view):
        n = min(len(view), self._step, len(self._data) - self._at)
        assert len(view)
        view[:n] = self._data[self._at : self._at + n]
        self._at += n
        return n

    def close(self):
        pass

    async def wait_closed(self):
        pass


def run_http(data):
    """Answers of a server, one for each connection; redirects lead to the next."""
    http_module.asyncio = _Connections(data)
    http = http_module.Http("http://node.example/", "secret")
    body = finish(http.get("http://node.example/a/file", 4096))
    assert body is None or len(body) <= 4096


def run_swu(data):
    """A .swu file in pieces: its metadata, and the payload's beginning and end."""
    swu = swu_module.Swu(_Responses(data))
    for name in ("2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"):
        file = finish(swu.fetch(name, 4096))
        assert file is None or len(file) <= 4096
    payload, piece = finish(swu.open(swu.path)), bytearray(256)
    while finish(payload.readinto(piece)):
        pass


class _Responses:
    """Answers each request with the whole file."""

    def __init__(self, data):
        self._data = data

    async def __call__(self, headers):
        return _Response(self._data)


class _Response(_Connection):
    """wedau.ota.http.Response over bytes."""

    status, headers = 200, {"etag": '"1"'}

    def __init__(self, data):
        super().__init__(data[1:], 1 + data[0])

    def expect(self, statuses):
        assert self.status in statuses

    async def close(self):
        pass


def run_ddi(data):
    """JSON documents of a fleet server, one a line."""
    ddi = ddi_module.Ddi(
        {"url": "http://node.example", "tenant": "t", "id": "n", "token": "secret"}
    )
    ddi._http = _Documents(data[1:].split(b"\n"))
    if finish(ddi.begin({"board": "b"})):
        assert 0 < ddi.action < 1 << 32
        finish(ddi.tell({"action": ddi.action, "state": "failed", "code": "hash"}))
    assert ddi.poll_s is None or 0 < ddi.poll_s <= 7 * 86400


class _Documents:
    """wedau.ota.http.Http that answers with one document after the other."""

    def __init__(self, documents):
        self._documents = documents

    async def get(self, url, most):
        http_module.Address(url)
        return self._documents.pop(0) if self._documents else None

    async def send(self, method, url, body, most=4096):
        http_module.Address(url)
        return 200, b""


TARGETS = {
    "cpio": run_cpio,
    "metadata": run_metadata,
    "trust": run_trust,
    "journal": run_journal,
    "http": run_http,
    "swu": run_swu,
    "ddi": run_ddi,
}


def run(name, data):
    """Run a target; return whether it took the bytes, False where it refused them."""
    try:
        TARGETS[name](data or b"\0")
    except OtaError:
        return False
    return True
