"""What the fuzzers begin with: for each target inputs that it takes."""

import json

import targets
from wedau.ota.journal import CONFIRMED, RECORD_BYTES, TRIAL, WRITING, Record

LONGEST = {
    "cpio": 400,
    "metadata": 1536,
    "trust": 6400,
    "journal": 900,
    "http": 512,
    "swu": 1280,
    "ddi": 640,
}
_DATE = "2031-01-01T00:00:00Z"


def of(name):
    """Return the inputs of a target; each begins with a byte that says how it is handed over."""
    return _SEEDS[name]()


def _cpio():
    files = [("main.py", b"print(1)\n"), ("lib/a", b"")]
    return [b"\xff" + _archive(files), b"\x0f" + _archive(files[1:], b"070702")]


def _archive(files, magic=b"070701"):
    """Return an archive in the form newc."""
    out = b""
    for name, data in [*files, ("TRAILER!!!", b"")]:
        mode = 0 if name == "TRAILER!!!" else 0o100644
        numbers = (1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        out += magic + b"".join(b"%08x" % number for number in numbers) + name.encode() + b"\0"
        out += bytes(-len(out) % 4) + data
        out += bytes(-len(out) % 4)
    return out


def _signed(role, version=1, **fields):
    """Return a file of metadata; what counts as a right signature is in targets.py."""
    common = {"_type": role, "expires": _DATE, "spec_version": "1.0.31", "version": version}
    signatures = [{"keyid": "a", "sig": "00" * 64}, {"keyid": "b", "sig": "01" * 64}]
    document = {"signatures": signatures, "signed": {**common, **fields}}
    return json.dumps(document, separators=(",", ":")).encode()


def _root(version=1):
    rules = targets._ROOT
    return _signed("root", version, **rules)


def _timestamp(version=1, **fields):
    entry = {"version": version, "length": 5, "hashes": {"sha256": "ab" * 32}, **fields}
    return _signed("timestamp", version, meta={"snapshot.json": entry})


def _snapshot(version=1):
    return _signed("snapshot", version, meta={"targets.json": {"version": version}})


def _targets(version=1):
    model = {
        "kind": "model",
        "name": "saw",
        "version": "1.0",
        "serial": 7,
        "feed": "stable",
        "arch": "xtensawin",
        "mpy": [6, 3],
        "golden": [32, 4, 9, 123, 0],
        "delta": [{"from": "ab" * 32, "path": "stable/x.patch"}],
    }
    firmware = {**model, "kind": "firmware", "board": "SIM"}
    entry = {"length": 9, "hashes": {"sha256": "ab" * 32}}
    found = {
        "stable/models/saw/xtensawin/saw.mpy": {**entry, "custom": model},
        "stable/firmware/SIM.bin": {**entry, "custom": firmware},
        "stable/x.patch": {**entry, "custom": {"kind": "patch"}},
    }
    return _signed("targets", version, targets=found)


def _metadata():
    files = (_root(), _timestamp(), _snapshot(), _targets())
    return [bytes([number]) + file for number, file in enumerate(files)]


def _trust():
    plain = json.loads(_timestamp())
    del plain["signed"]["meta"]["snapshot.json"]["length"]
    del plain["signed"]["meta"]["snapshot.json"]["hashes"]
    old = json.dumps(plain, separators=(",", ":")).encode()
    plain["signed"]["version"] = plain["signed"]["meta"]["snapshot.json"]["version"] = 2
    new = json.dumps(plain, separators=(",", ":")).encode()
    kept = [_root(), old, _snapshot(), _targets()]
    first = [_root(), b"", b"", b"", b"", b"", old, _snapshot(), _targets()]
    later = [*kept, _root(2), b"", new, _snapshot(2), _targets(2)]
    same = [*kept, b"", b"", old, b"", b""]
    return [b"\0" + b"\n".join(files) for files in (first, later, same)]


def _journal():
    records = []
    for number, (kind, state) in enumerate(((1, WRITING), (1, TRIAL), (2, CONFIRMED), (3, 5))):
        record = Record(kind, state, number % 2, 3, 100, bytes(32), "saw", "1.0")
        record.seq, record.golden = number + 1, (32, 4, 7, 9, -3)
        records.append(record.pack()[4 : RECORD_BYTES - 4])
    few = b"\0" + b"".join(b"\0" + record for record in records)
    full = b"\0" + b"".join(b"\x28" + record for record in records)
    return [few, full, b"\0" + b"\2" + records[0] + b"\1" + records[1]]


def _http():
    head = b'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: "1"\r\n\r\nhello'
    chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks += b"5\r\nhello\r\n1;a=b\r\nx\r\n0\r\n\r\n"
    there = b"HTTP/1.1 302 Found\r\nLocation: http://other.example:81/b\r\n\r\n"
    here = b"HTTP/1.1 307 x\r\nLocation: /c\r\n\r\n"
    endless = b"HTTP/1.0 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\n\r\nuntil it ends"
    answers = [head, chunks, b"\0".join((there, here, head)), endless, b"HTTP/1.1 404 no\r\n\r\n"]
    return [b"\xff" + answer for answer in answers] + [b"\x02" + chunks]


def _swu():
    files = [
        ("sw-description", b"software = {}"),
        ("2.root.json", b"{}"),
        ("timestamp.json", b"{}"),
        ("1.snapshot.json", b"{}"),
        ("1.targets.json", b"{}"),
        ("stable/apps/a.cpio", b"payload"),
    ]
    return [b"\xff" + _archive(files, b"070702"), b"\x10" + _archive(files)]


def _ddi():
    base = "http://node.example/t/controller/v1/n/"
    polling = {"polling": {"sleep": "00:05:00"}}

    def links(*names):
        return {name: {"href": base + name + "/1"} for name in names}

    artifact = {"filename": "a.swu", "_links": {"download": {"href": "http://cdn.example/a.swu"}}}
    deployment = {"download": "forced", "update": "forced", "chunks": [{"artifacts": [artifact]}]}
    offer = {"id": "8", "deployment": deployment}
    rounds = [
        [{"config": polling, "_links": links("deploymentBase")}, offer],
        [{"_links": links("configData")}, {"_links": links("deploymentBase")}, offer],
        [{"_links": links("cancelAction")}, {"id": "3", "cancelAction": {"stopId": "8"}}, {}],
        [{"_links": links("confirmationBase")}, {"id": "3", "confirmation": {}}, {}],
    ]
    return [b"\0" + b"\n".join(json.dumps(d).encode() for d in documents) for documents in rounds]


_SEEDS = {
    "cpio": _cpio,
    "metadata": _metadata,
    "trust": _trust,
    "journal": _journal,
    "http": _http,
    "swu": _swu,
    "ddi": _ddi,
}
