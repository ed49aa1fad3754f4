"""The node: what it has, what it is offered, and the way from the one to the other.

A carrier brings the bytes and takes the news; it decides nothing. It is an object with

    async begin(identity) -> bool    asked first in each poll; False: there is nothing to do now.
                                     identity: dict of texts, see wedau.ota.report.
    has(path)                        whether it can bring the target of this path in the metadata.
    async fetch(name, most)          a file of metadata, bytes or None; see wedau.ota.trust.
    async open(path, headers)        the response with a payload's bytes: status, headers, expect(),
                                     readinto(), close() as those of wedau.ota.http.Response. path: as
                                     wedau.ota.static.target_path() gives it; headers: () or those
                                     of Range and If-Range, counted in the payload's bytes.
    async tell(news)                 say what happened, one dict of wedau.ota.report; OtaError
                                     connection: it is told again at the next poll.
    hears                            whether tell() reaches anybody.
    asked                            after begin(): whether somebody wants the node to have what it
                                     brings, and is told if that cannot be.
    action                           after begin(): the server's number of that, or 0; it is kept in
                                     the journal and comes back in the news.
    poll_s                           after begin(): seconds to the next poll that the server asks
                                     for, or None.
"""

import gc
import json
import time

from wedau.ota import report, slots
from wedau.ota.apps import Apps
from wedau.ota.download import download
from wedau.ota.errors import OtaError
from wedau.ota.fields import FIRMWARE as FIRMWARE_KIND
from wedau.ota.fields import MAX_BYTES, problem, settings_problem
from wedau.ota.firmware import Firmware
from wedau.ota.journal import CONFIRMED, FAILED, STORED, TRIAL
from wedau.ota.models import Models
from wedau.ota.static import target_path
from wedau.ota.trust import Trust

_FIRST_YEAR = 2025  # no clock that was set says less


class Node:
    """One board. ``firmware``, ``app``, ``model``: the installers of its payloads."""

    def __init__(self, settings, journal, areas, partition_type, store, first_root, verify):
        """Nothing is decided yet.

        Args:
            settings: as fields.SETTINGS says; they were checked.
            journal: wedau.ota.journal.Journal.
            areas: of the two slots for models.
            partition_type: esp32.Partition.
            store: wedau.ota.store.Store for the metadata that was verified.
            first_root: function that returns the bytes of the root that was provisioned, or None.
            verify: function of (public key, signature, message) that returns a bool.
        """
        self.settings, self.journal, self._store = settings, journal, store
        self._first_root, self._verify = first_root, verify
        self._buffer = bytearray(slots.SECTOR_BYTES)  # the payload's: it goes through here
        self.firmware = Firmware(journal, partition_type, settings["board"], self._buffer)
        self.app = Apps(journal, self._buffer)
        self.model = Models(journal, areas, self._buffer)
        self._all = (self.firmware, self.app, self.model)

    def boot(self, began):
        """Take up what the last run left; return whether the board has to restart now.

        Args:
            began: how this run did: RESTARTED, WOKEN or POWERED of wedau.ota.install.
        """
        if self.firmware.resume(began):
            return True
        self.app.resume(began)
        self.model.resume(began)
        if self.firmware.trial is None:
            return False
        try:
            self._selftest()
        except (OSError, OtaError):
            self.firmware.fail("selftest")
            return True
        return False

    @property
    def on_trial(self):
        """Whether something is on trial."""
        return any(installer.trial is not None for installer in self._all)

    def trial_name(self):
        """Return text that is another for each payload that is on trial."""
        trials = [installer.trial for installer in self._all if installer.trial is not None]
        return "".join("%d-%d " % (trial.kind, trial.serial) for trial in trials)

    def busy(self):
        """Return the server's number of what is stored or on trial, or 0."""
        for installer in self._all:
            last = self.journal.last(installer.kind)
            if last is not None and last.state in (STORED, TRIAL):
                return last.action
        return 0

    def confirm(self):
        """Confirm all that is on trial."""
        for installer in self._all:
            if installer.trial is not None:
                installer.confirm()

    def fail(self, code):
        """Give up all that is on trial; the board has to restart."""
        for installer in self._all:
            if installer.trial is not None:
                installer.fail(code)

    async def poll(self, carrier):
        """Ask for updates and store one; return whether the board has to restart for it.

        A firmware on trial is confirmed when the repository could be reached and verified: it can
        be updated again.

        Args:
            carrier: see above.

        Raises:
            OtaError: why it was refused or failed; pending: something is on trial.
        """
        now = clock()
        offered = await carrier.begin(report.identity(self.settings, self.journal, now is not None))
        await self._tell_outcomes(carrier)
        if not offered and self.firmware.trial is None:
            return False
        try:
            offer = await self._choose(carrier, now)
            if offer is None:
                return False
            gc.collect()
            await self._receive(carrier, *offer)
            return True
        except OtaError as error:
            if carrier.asked and error.code not in ("connection", "pending"):
                await carrier.tell(report.refusal(carrier.action, error.code))
            raise

    async def _choose(self, carrier, now):
        """Return what to receive, as _receive() takes it, or None; the metadata is dropped then."""
        trust = Trust(self._store, self._verify, now, self._first_root)
        await trust.refresh(carrier.fetch)
        if self.firmware.trial is not None:
            self.firmware.confirm()
            await self._tell_outcomes(carrier)
        if self.on_trial:
            raise OtaError("pending", "nothing is written while something is on trial")
        verdict = "missing"
        targets = trust.targets["targets"]
        for installer in self._all:
            for path in self._offers(installer, targets, carrier):
                installer.check(targets[path]["custom"])
                verdict = installer.verdict(targets[path], targets[path]["custom"])
                if verdict is None:
                    patch = self._find_patch(installer, targets, path, carrier, trust.root)
                    whole = (targets[path], target_path(trust.root, path, targets[path]))
                    return installer, whole, patch
        if carrier.asked:
            code = "" if verdict == "confirmed" else verdict
            await carrier.tell(report.refusal(carrier.action, code))
        return None

    def _offers(self, installer, targets, carrier):
        """Return the paths of what the feed has for the node: of a kind and name one, the newest.

        Raises:
            OtaError: settings: there are several names, and the settings do not say which.
        """
        found = {}
        for path, target in targets.items():
            custom = target.get("custom", {})
            if problem(path, custom) is not None or custom["kind"] != installer.name:
                continue
            if custom["feed"] != self.settings["feed"] or not self._is_mine(custom):
                continue
            if not carrier.has(path) or not 0 < target["length"] <= MAX_BYTES:
                continue
            if "sha256" not in target["hashes"] or not _fits(installer, custom, carrier):
                continue
            newest = found.get(custom["name"])
            if newest is None or custom["serial"] > targets[newest]["custom"]["serial"]:
                found[custom["name"]] = path
        if len(found) > 1:
            raise OtaError("settings", "which %s is for this node?" % installer.name)
        return list(found.values())

    def _is_mine(self, custom):
        """Return whether the settings name it, or name none."""
        if custom["kind"] == FIRMWARE_KIND:
            return True
        return self.settings[custom["kind"]] in ("", custom["name"])

    def _find_patch(self, installer, targets, path, carrier, root):
        """Return target, place and what is live of the patch that makes a payload, or None."""
        if not targets[path]["custom"].get("delta"):
            return None
        from wedau.ota import patches

        live = patches.source(installer)
        patch = None if live is None else patches.find(targets[path], live, targets)
        if patch is None or not carrier.has(patch):
            return None
        return targets[patch], target_path(root, patch, targets[patch]), live

    async def _receive(self, carrier, installer, whole, patch):
        """Store a payload: by a patch to what is there, where there is one, else the whole.

        Args:
            carrier: see above.
            installer: of the payload's kind.
            whole: the payload's target, and its place in the repository.
            patch: None, or target and place of the patch, and what it applies to.
        """
        target, place = whole
        installer.prepare(target, target["custom"], carrier.action)
        try:
            await carrier.tell(report.news(installer.record))
            if patch is None or not await self._patch(carrier, installer, target["length"], patch):
                await self._download(carrier, installer, target, place, self._buffer)
                installer.store()
            await carrier.tell(report.news(self.journal.last(installer.kind)))
        except OSError as error:
            raise OtaError("flash", "the flash fails: %r" % error)
        finally:
            installer.abort()

    async def _download(self, carrier, sink, target, place, buffer):
        await download(lambda headers: carrier.open(place, headers), target, sink, buffer)

    async def _patch(self, carrier, installer, length, patch):
        """Make the payload of the one that is there; return whether that succeeded."""
        from wedau.ota import patches

        target, place, live = patch
        try:
            sink = patches.Sink(installer, live, length, self._buffer)
            await self._download(carrier, sink, target, place, sink.piece)
            installer.store()
        except OtaError as error:
            if error.code in ("connection", "format"):  # the whole would not do any better
                raise
            return False
        except MemoryError:  # the whole takes less
            return False
        return True

    async def _tell_outcomes(self, carrier):
        """Tell the server what it has not heard yet, and note that it has."""
        if not carrier.hears:
            return
        for installer in self._all:
            last = self.journal.last(installer.kind)
            if last is not None and last.state in (CONFIRMED, FAILED) and not last.reported:
                await carrier.tell(report.news(last))
                told = last.next(last.state, count=last.count, code=last.code, reported=1)
                self.journal.append(told)

    def _selftest(self):
        """Raise unless this firmware can do what a node has to: keep files, run the model."""
        self._store.save("probe", b"probe")
        if self._store.load("probe") != b"probe":
            raise OtaError("flash", "the file system does not keep files")
        self._store.remove("probe")
        self.model.selftest()


def _fits(installer, custom, carrier):
    """Return whether the payload runs here; where somebody wants it there, that is asked later."""
    if carrier.asked:
        return True
    try:
        installer.check(custom)
    except OtaError:
        return False
    return True


def clock():
    """Return the time in UTC as YYYY-MM-DDTHH:MM:SSZ, or None if the clock was never set."""
    if not hasattr(time, "gmtime"):
        return None
    now = time.gmtime()
    return None if now[0] < _FIRST_YEAR else "%04d-%02d-%02dT%02d:%02d:%02dZ" % now[:6]


def read_settings(path):
    """Return the settings of a file.

    Raises:
        OtaError: settings: there is no such file, or it says what cannot be.
    """
    try:
        with open(path) as file:
            settings = json.load(file)
    except (OSError, ValueError):
        raise OtaError("settings", "there is no %s: the node was never provisioned" % path)
    wrong = settings_problem(settings)
    if wrong is not None:
        raise OtaError("settings", "%s in %s cannot be what it is" % (wrong, path))
    return settings
