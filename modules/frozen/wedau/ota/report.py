"""What a node sends: all of it is made here. No sample, no feature, no decision is in it.

Identity: who and what the node is. News: what happened to one payload. Nothing else leaves the node
but the requests for files, which name nothing that is its own.
"""

import sys

from wedau.ota.journal import APP, CONFIRMED, FAILED, FIRMWARE, MODEL, STORED, TRIAL, WRITING

ARCHS = (
    "",
    "x86",
    "x64",
    "armv6",
    "armv6m",
    "armv7m",
    "armv7em",
    "armv7emsp",
    "armv7emdp",
    "xtensa",
    "xtensawin",
    "rv32imc",
)
_KINDS = {MODEL: "model", APP: "app", FIRMWARE: "firmware"}
_STATES = {
    WRITING: "download",
    STORED: "stored",
    TRIAL: "trial",
    CONFIRMED: "confirmed",
    FAILED: "failed",
}


def mpy():
    """Return what may be imported here: architecture, version and sub-version of .mpy files."""
    number = getattr(sys.implementation, "_mpy", 0)
    arch = number >> 10 & 0x0F
    return ARCHS[arch] if arch < len(ARCHS) else "", number & 0xFF, number >> 8 & 3


def identity(settings, journal, time_known):
    """Return who and what the node is, a dict of texts.

    Args:
        settings: of the node.
        journal: its.
        time_known: whether it knows the time; if not, it cannot see that metadata has expired.
    """
    arch, version, sub_version = mpy()
    found = {
        "id": settings["id"],
        "feed": settings["feed"],
        "board": settings["board"],
        "arch": arch,
        "mpy": "%d.%d" % (version, sub_version),
        "micropython": "%d.%d.%d" % sys.implementation.version[:3],
        "time": "known" if time_known else "unknown",
    }
    for kind in _KINDS:
        record = journal.confirmed(kind)
        if record is not None:
            found[_KINDS[kind]] = "%s %s" % (record.name, record.version)
    return found


def news(record, code=None):
    """Return what happened to a payload.

    Args:
        record: of the journal.
        code: one of wedau.ota.errors.CODES where an update ended before it was stored.
    """
    failed = code is not None or record.state == FAILED
    return {
        "action": record.action,
        "kind": _KINDS[record.kind],
        "name": record.name,
        "version": record.version,
        "serial": record.serial,
        "state": "failed" if failed else _STATES[record.state],
        "code": code or record.code,
        "tries": record.count,
    }



def refusal(action, code):
    """Return what becomes of what a server wants done, without anything being stored.

    Args:
        action: the server's number.
        code: one of wedau.ota.errors.CODES; "": the node has it already.
    """
    return {"action": action, "state": "failed" if code else "confirmed", "code": code}


def all_news(journal):
    """Return the news of each kind of payload that there is anything of, by its name."""
    found = {}
    for kind, name in _KINDS.items():
        last = journal.last(kind)
        if last is not None:
            found[name] = news(last)
    return found
