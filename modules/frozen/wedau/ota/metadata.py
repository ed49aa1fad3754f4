"""One file of TUF metadata, checked in full before anything in it is used.

A file is compact JSON: {"signatures":[...],"signed":{...}}. The bytes of the second value are what is
signed; they are verified as they are, and they alone are parsed afterwards.

Source: The Update Framework specification 1.0, sections 4 and 5; python-tuf's JSONSerializer(compact).
"""

import binascii
import json

from wedau.ota.errors import OtaError
from wedau.ota.fields import METADATA_BYTES, ROLES

MAX_KEYS = 32

_SIGNATURES = b'{"signatures":['
_SIGNED = b'],"signed":{'
_SIGNATURE_BYTES = 64
_KEY_BYTES = 32
_DATE = "0000-00-00T00:00:00Z"


class Metadata:
    """A parsed file.

    ``data``: the file's bytes. ``signed``: what is signed, a dict of checked content.
    ``version``, ``expires``: of it.
    """

    def __init__(self, role, data):
        """Check a file of the given role.

        Raises:
            OtaError: format.
        """
        if len(data) > METADATA_BYTES[role]:
            raise OtaError("length", "%s.json is longer than %d bytes" % (role, METADATA_BYTES[role]))
        start, end = _limits(data)
        self.data = data
        self._start, self._end = start, end
        self.signed = _parse(memoryview(data)[start:end])
        _check_common(self.signed, role)
        _CHECKS[role](self.signed)
        self.version = self.signed["version"]
        self.expires = self.signed["expires"]

    def require(self, root, role, verify):
        """Raise OtaError unless enough of the role's keys signed this.

        Args:
            root: the signed part of the root metadata that says which keys count.
            role: name of the role that has to have signed.
            verify: function of (public key, signature, message) that returns a bool.

        Raises:
            OtaError: signature, or format of the list of signatures.
        """
        rule, keys = root["roles"][role], root["keys"]
        message = memoryview(self.data)[self._start : self._end]
        counted = set()
        for keyid, signature in self._signatures():
            if keyid not in rule["keyids"] or keyid not in keys:
                continue
            public = _public(keys[keyid])
            if public is None or public in counted or signature is None:
                continue
            if verify(public, signature, message):
                counted.add(public)
                if len(counted) >= rule["threshold"]:
                    return
        raise OtaError(
            "signature",
            "%d of %d keys have signed %s.json" % (len(counted), rule["threshold"], role),
        )

    def _signatures(self):
        """Return pairs of key id and signature, None where that is not 64 bytes in hex."""
        pairs, seen = [], set()
        end = self._start - len(_SIGNED) + 2
        for entry in _parse(memoryview(self.data)[len(_SIGNATURES) - 1 : end]):
            _need(isinstance(entry, dict), "signatures")
            keyid, text = entry.get("keyid"), entry.get("sig")
            _need(isinstance(keyid, str) and isinstance(text, str), "signatures")
            _need(keyid not in seen and len(seen) < MAX_KEYS, "signatures")
            seen.add(keyid)
            plain = text == text.lower()  # one way to write it, so that no bit of it is free
            pairs.append((keyid, _unhex(text, _SIGNATURE_BYTES) if plain else None))
        return pairs


def _limits(data):
    """Return where the signed part of a file begins and ends."""
    _need(data[: len(_SIGNATURES)] == _SIGNATURES, "beginning: it has to be compact JSON")
    start = data.find(_SIGNED)
    _need(start > 0, "signed part")
    end = len(data.rstrip())  # white space behind it is no part of it: what TUF's suite demands
    _need(data[end - 2 : end] == b"}}", "end")
    return start + len(_SIGNED) - 1, end - 1


def _parse(view):
    try:
        try:
            return json.loads(view)
        except TypeError:  # CPython wants a copy
            return json.loads(bytes(view))
    except (ValueError, RuntimeError):  # RuntimeError: nested too deep
        raise OtaError("format", "it is not JSON")


def _need(condition, what):
    if not condition:
        raise OtaError("format", "bad " + what)


def _unhex(text, length):
    try:
        value = binascii.unhexlify(text)
    except ValueError:
        return None
    return value if len(value) == length else None


def _public(key):
    """Return the bytes of an Ed25519 key, None for keys of another kind: they never count."""
    if key["keytype"] != "ed25519" or key["scheme"] != "ed25519":
        return None
    return _unhex(key["keyval"]["public"], _KEY_BYTES)


def _is_int(value, least):
    return type(value) is int and value >= least


def _is_date(text):
    """Return whether it is YYYY-MM-DDTHH:MM:SSZ; such dates compare as texts do."""
    if not isinstance(text, str) or len(text) != len(_DATE):
        return False
    return all("0" <= c <= "9" if d == "0" else c == d for c, d in zip(text, _DATE))


def _check_common(signed, role):
    _need(isinstance(signed, dict), "signed part")
    _need(signed.get("_type") == role, "type: not " + role)
    version = signed.get("spec_version")
    _need(isinstance(version, str) and version[:2] == "1.", "version of the specification")
    _need(_is_int(signed.get("version"), 1), "version")
    _need(_is_date(signed.get("expires")), "date of expiry")


def _check_root(signed):
    keys, roles = signed.get("keys"), signed.get("roles")
    _need(isinstance(keys, dict) and len(keys) <= MAX_KEYS, "keys")
    for key in keys.values():
        _need(isinstance(key, dict) and isinstance(key.get("keyval"), dict), "key")
        for value in (key.get("keytype"), key.get("scheme"), key["keyval"].get("public")):
            _need(isinstance(value, str), "key")
    _need(isinstance(roles, dict), "roles")
    for name in ROLES:
        role = roles.get(name)
        _need(isinstance(role, dict) and _is_int(role.get("threshold"), 1), "role")
        _need(isinstance(role.get("keyids"), list), "role")
        _need(all(isinstance(keyid, str) for keyid in role["keyids"]), "role")
    _need(signed.get("consistent_snapshot", False) in (True, False), "consistent_snapshot")


def _check_hashes(entry, required):
    hashes = entry.get("hashes")
    if hashes is None and not required:
        return
    _need(isinstance(hashes, dict), "hashes")
    for name, value in hashes.items():
        _need(isinstance(name, str) and isinstance(value, str), "hashes")
    if "sha256" in hashes:
        _need(_unhex(hashes["sha256"], 32) is not None, "hash")


def _check_meta(signed, name):
    meta = signed.get("meta")
    _need(isinstance(meta, dict) and name in meta, "meta")
    for entry in meta.values():
        _need(isinstance(entry, dict) and _is_int(entry.get("version"), 1), "meta")
        _need("length" not in entry or _is_int(entry["length"], 0), "meta")
        _check_hashes(entry, False)


def _check_timestamp(signed):
    _check_meta(signed, "snapshot.json")


def _check_snapshot(signed):
    _check_meta(signed, "targets.json")


def _check_targets(signed):
    targets = signed.get("targets")
    _need(isinstance(targets, dict), "targets")
    for target in targets.values():
        _need(isinstance(target, dict) and _is_int(target.get("length"), 0), "target")
        _check_hashes(target, True)
        _need(isinstance(target.get("custom", {}), dict), "custom")


_CHECKS = {
    "root": _check_root,
    "timestamp": _check_timestamp,
    "snapshot": _check_snapshot,
    "targets": _check_targets,
}
