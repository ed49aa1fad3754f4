"""What the node believes of a repository: the client workflow of The Update Framework.

Source: The Update Framework specification 1.0, section 5. Supported: Ed25519 keys, thresholds,
rotation of all keys, consistent snapshots or none. Not supported: delegations.
"""

import binascii
import hashlib

from wedau.ota.errors import OtaError
from wedau.ota.fields import MAX_ROOTS, METADATA_BYTES
from wedau.ota.metadata import Metadata


class Trust:
    """Metadata that was verified, and kept in a store.

    ``root``, ``timestamp``, ``snapshot``, ``targets``: the signed parts after refresh().
    """

    def __init__(self, store, verify, now, first):
        """Nothing is read yet.

        Args:
            store: wedau.ota.store.Store, for what was verified.
            verify: function of (public key, signature, message) that returns a bool.
            now: "YYYY-MM-DDTHH:MM:SSZ" in UTC, or None: the time is not known, nothing expires.
            first: function that returns the bytes of the root that was provisioned, or None.
        """
        self._store = store
        self._first = first
        self._verify = verify
        self._now = now
        self.root = self.timestamp = self.snapshot = self.targets = None

    async def refresh(self, fetch):
        """Bring the metadata up to date; what is valid is kept even where a later file is not.

        Args:
            fetch: coroutine function of (name, most bytes) that returns bytes, or None where the
                repository has no such file.

        Raises:
            OtaError: missing, format, signature, rollback, mismatch, expired, length, hash; and
                what fetch raises.
        """
        self._load_root()
        await self._refresh_root(fetch)
        await self._refresh_timestamp(fetch)
        await self._refresh_snapshot(fetch)
        await self._refresh_targets(fetch)
        self._settle()

    def _load_root(self):
        """Take the root that is kept, or the one that was provisioned if that one is damaged."""
        problem = OtaError("settings", "there is no root.json: the node was never provisioned")
        for load in (lambda: self._store.load("root.json"), self._first):
            data = load()
            if data is None:
                continue
            try:
                root = Metadata("root", data)
                self._settled = self._store.load("settled") == _digest(data)
                if not self._settled:
                    root.require(root.signed, "root", self._verify)
            except OtaError as error:
                problem = error
                continue
            self.root, self._root_digest = root.signed, _digest(data)
            return
        raise problem

    async def _refresh_root(self, fetch):
        for _ in range(MAX_ROOTS):
            version = self.root["version"] + 1
            data = await fetch("%d.root.json" % version, METADATA_BYTES["root"])
            if data is None:
                self._check_time("root", self.root)
                return
            new = Metadata("root", data)
            new.require(self.root, "root", self._verify)
            new.require(new.signed, "root", self._verify)
            if new.version != version:
                raise OtaError("rollback", "root %d came as root %d" % (new.version, version))
            self._store.save("root.json", data)
            self.root, self._root_digest, self._settled = new.signed, _digest(data), False
        raise OtaError("format", "there are more than %d new root files" % MAX_ROOTS)

    async def _refresh_timestamp(self, fetch):
        old = self._kept("timestamp")
        data = await self._fetch(fetch, "timestamp", "timestamp.json")
        new = old
        if old is None or data != old.data:
            new = self._checked("timestamp", data)
            if old is not None:
                new = _newer_timestamp(old, new)
        self._check_time("timestamp", new.signed)
        self._keep("timestamp", new, old)

    async def _refresh_snapshot(self, fetch):
        wanted = self.timestamp["meta"]["snapshot.json"]
        old = self._kept("snapshot")
        new = await self._wanted("snapshot", wanted, old, fetch)
        if old is not None and new is not old:
            for name, entry in old.signed["meta"].items():
                if new.signed["meta"].get(name, {"version": 0})["version"] < entry["version"]:
                    raise OtaError("rollback", "the snapshot has an older %s" % name)
        self._check_time("snapshot", new.signed)
        self._keep("snapshot", new, old)

    async def _refresh_targets(self, fetch):
        wanted = self.snapshot["meta"]["targets.json"]
        new = old = self._kept("targets")
        if not _is_wanted(old, wanted):
            new = old = None  # the largest file: not twice on the heap
            new = await self._new("targets", wanted, fetch)
        self._check_time("targets", new.signed)
        self._keep("targets", new, old)

    async def _wanted(self, role, wanted, old, fetch):
        """Return the file of the version that is wanted: the one that is kept, or a new one."""
        return old if _is_wanted(old, wanted) else await self._new(role, wanted, fetch)

    async def _new(self, role, wanted, fetch):
        """Return the file of the version that is wanted from the repository."""
        name = role + ".json"
        if self.root.get("consistent_snapshot"):
            name = "%d.%s" % (wanted["version"], name)
        data = await self._fetch(fetch, role, name)
        problem = _problem(data, wanted)
        if problem is not None:
            raise OtaError(problem, "%s is not the file that was announced" % name)
        new = self._checked(role, data)
        if new.version != wanted["version"]:
            raise OtaError("mismatch", "%s is of version %d" % (name, new.version))
        return new

    async def _fetch(self, fetch, role, name):
        data = await fetch(name, METADATA_BYTES[role])
        if data is None:
            raise OtaError("missing", "the repository has no %s" % name)
        return data

    def _checked(self, role, data):
        new = Metadata(role, data)
        new.require(self.root, role, self._verify)
        return new

    def _kept(self, role):
        """Return the file that is kept if it is still what the root's keys signed.

        It was verified before it was stored. Only a root that came since can take its trust away:
        that is how a repository recovers from an attacker who signed a version far too high.
        """
        data = self._store.load(role + ".json")
        if data is None:
            return None
        try:
            return Metadata(role, data) if self._settled else self._checked(role, data)
        except OtaError:
            return None

    def _keep(self, role, new, old):
        if new is not old:
            self._store.save(role + ".json", new.data)
        setattr(self, role, new.signed)

    def _settle(self):
        """Note that all that is kept was verified with this root."""
        if not self._settled:
            self._store.save("settled", self._root_digest)
            self._settled = True

    def _check_time(self, role, signed):
        if self._now is not None and signed["expires"] <= self._now:
            raise OtaError("expired", "%s.json expired on %s" % (role, signed["expires"][:10]))


def _newer_timestamp(old, new):
    """Return the timestamp that counts."""
    if new.version == old.version:
        return old
    name = "snapshot.json"
    if new.version < old.version:
        raise OtaError("rollback", "timestamp %d after %d" % (new.version, old.version))
    if new.signed["meta"][name]["version"] < old.signed["meta"][name]["version"]:
        raise OtaError("rollback", "the timestamp announces an older snapshot")
    return new


def _is_wanted(old, wanted):
    """Return whether the file that is kept, or None, is the one that was announced."""
    if old is None or old.version != wanted["version"]:
        return False
    return _problem(old.data, wanted) is None


def _problem(data, wanted):
    """Return the code of what is wrong with a file whose length and hash may have been announced."""
    if wanted.get("length", len(data)) != len(data):
        return "length"
    hashes = wanted.get("hashes")
    if hashes is not None and hashes.get("sha256", "").encode() != _digest(data):
        return "hash"
    return None


def _digest(data):
    return binascii.hexlify(hashlib.sha256(data).digest())
