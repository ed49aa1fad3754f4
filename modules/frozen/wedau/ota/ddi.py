"""A fleet server that speaks the Direct Device Integration API: goosebit, Eclipse hawkBit.

Source: https://eclipse.dev/hawkbit/apis/ddi_api/
"""

import json

from wedau.ota.errors import OtaError
from wedau.ota.http import Address, Http, quote
from wedau.ota.swu import Swu

_MOST_BYTES = 8192  # of an answer
_ROUNDS = 4  # a server may ask for the identity, a consent and the like before it offers
_MAX_POLL_S = 7 * 86400
_MAX_ACTION = 0xFFFFFFFF
_DIGITS = "0123456789"  # isdigit() takes others, too
_STEPS = {"download": 1, "stored": 2, "trial": 3}
_GONE = (404, 409, 410)  # the server does not want to know any more


def authorization(token):
    """Return the header's value for a token: of the node, unless it says "GatewayToken ..."."""
    return token if not token or " " in token else "TargetToken " + token


class Ddi:
    """Carries updates from a fleet server, and the outcome to it. See wedau.ota.node."""

    hears = True

    def __init__(self, settings, tls=None, busy=None):
        """Nothing is requested yet.

        Args:
            settings: of the node: url, tenant, id, token.
            tls: SSLContext for https; see wedau.ota.http.Http.
            busy: function that returns the action whose payload is stored or on trial, or 0.
        """
        url = settings["url"]
        url = url if url[-1:] == "/" else url + "/"
        self._origin = Address(url).origin
        self._base = url + "%s/controller/v1/%s" % (quote(settings["tenant"]), quote(settings["id"]))
        self._http = Http(url, authorization(settings["token"]), tls)
        self._busy = busy or (lambda: 0)
        self._swu = None
        self.action, self.poll_s = 0, None

    async def begin(self, identity):
        """Ask what is to be done; True: there is an update to look at.

        Args:
            identity: dict of texts, see wedau.ota.report; sent when the server asks for it.

        Raises:
            OtaError: connection, format, length.
        """
        self.action, self.poll_s, self._swu = 0, None, None
        for _ in range(_ROUNDS):
            base = await self._get(self._base)
            self._note_sleep(base)
            links = _part(base, "_links")
            if not await self._answer(links, identity):
                break
        return "deploymentBase" in links and await self._look(links["deploymentBase"])

    async def fetch(self, name, most):
        """Return a file of metadata, or None if there is none; see wedau.ota.trust."""
        return await self._offered().fetch(name, most)

    async def open(self, path, headers=()):
        """Return the response with a payload; see wedau.ota.swu.Swu.open()."""
        return await self._offered().open(path, headers)

    @property
    def asked(self):
        """Whether the server wants something done."""
        return self.action != 0

    def has(self, path):
        """Return whether the file that is offered holds the target of this path."""
        return self._swu is not None and self._swu.path == path

    async def tell(self, news):
        """Say what happened to an action; without an action there is nobody to tell.

        Args:
            news: dict, see wedau.ota.report.news().

        Raises:
            OtaError: connection, format, length.
        """
        if not news["action"]:
            return
        state = news["state"]
        if state in _STEPS:
            status = _status("proceeding", "none", news)
            status["result"]["progress"] = {"cnt": _STEPS[state], "of": len(_STEPS) + 1}
        else:
            outcome = "success" if state == "confirmed" else "failure"
            status = _status("closed", outcome, news)
        await self._feedback("deploymentBase", news["action"], status)
        if state not in _STEPS and news["action"] == self.action:
            self.action = 0  # the server has heard the end of what it offered

    def _offered(self):
        if self._swu is None:
            raise OtaError("missing", "the server offers nothing")
        return self._swu

    async def _answer(self, links, identity):
        """Do what the server wants first; return whether to ask anew then."""
        if "configData" in links:
            await self._put(self._own(links["configData"]), {"mode": "merge", "data": _named(identity)})
            return True
        if "cancelAction" in links:
            await self._cancel(await self._get(self._own(links["cancelAction"])))
            return True
        if "confirmationBase" in links and "deploymentBase" not in links:
            return await self._consent(await self._get(self._own(links["confirmationBase"])))
        return False

    async def _cancel(self, document):
        """Let an action be canceled unless its payload is here already."""
        action = _number(_part(document, "cancelAction").get("stopId"))
        own = _number(document.get("id"))
        execution = "rejected" if action == self._busy() else "closed"
        await self._feedback("cancelAction", own, _status(execution, "success", None))

    async def _consent(self, document):
        """Agree to an update: what it may do is decided by its signatures."""
        if "confirmation" not in document:
            return False
        url = "%s/confirmationBase/%d/feedback" % (self._base, _number(document.get("id")))
        await self._put(url, {"confirmation": "confirmed"}, "POST")
        return True

    async def _look(self, link):
        """Take note of what is offered."""
        document = await self._get(self._own(link))
        deployment = _part(document, "deployment")
        if deployment.get("download") == "skip":
            return False
        if deployment.get("maintenanceWindow") == "unavailable":
            return False
        action = _number(document.get("id"))
        url = _file(deployment)
        self.action = action
        self._swu = Swu(lambda headers: self._http.open(url, "GET", headers))
        return True

    def _note_sleep(self, base):
        text = _part(_part(base, "config"), "polling").get("sleep", "")
        parts = text.split(":") if isinstance(text, str) else ()
        if len(parts) == 3 and all(0 < len(p) < 4 and not p.strip(_DIGITS) for p in parts):
            hours, minutes, seconds = [int(part) for part in parts]
            self.poll_s = max(1, min(_MAX_POLL_S, hours * 3600 + minutes * 60 + seconds))

    def _own(self, link):
        """Return the address of a link that leads to where this server was asked."""
        url = _href(link)
        if Address(url).origin != self._origin:
            raise OtaError("format", "the server sends the node elsewhere: " + Address(url).where)
        return url

    async def _get(self, url):
        data = await self._http.get(url, _MOST_BYTES)
        if data is None:
            raise OtaError("connection", "the server does not know this node, or what it offered")
        try:
            document = json.loads(data)
        except (ValueError, RuntimeError):
            document = None
        if not isinstance(document, dict):
            raise OtaError("format", "the server sent no JSON object")
        return document

    async def _feedback(self, what, action, status):
        url = "%s/%s/%d/feedback" % (self._base, what, action)
        await self._put(url, {"id": str(action), "status": status}, "POST")

    async def _put(self, url, document, method="PUT"):
        status, _ = await self._http.send(method, url, json.dumps(document).encode())
        if not 200 <= status < 300 and status not in _GONE:
            raise OtaError("connection", "the server answered with status %d" % status)


def _named(identity):
    """Return the identity under the names that servers look for as well."""
    named = dict(identity)
    named["hw_boardname"], named["hw_revision"] = identity.get("board") or "default", "default"
    return named


def _status(execution, outcome, news):
    status = {"execution": execution, "result": {"finished": outcome}, "details": []}
    if news is not None:
        status["details"] = ["%s: %s" % (name, news[name]) for name in sorted(news)]
    return status


def _part(document, name):
    """Return an object in an object; an empty one if there is none."""
    part = document.get(name)
    return part if isinstance(part, dict) else {}


def _href(link):
    url = link.get("href") if isinstance(link, dict) else None
    if not isinstance(url, str):
        raise OtaError("format", "the server sent a bad link")
    return url


def _number(value):
    """Return the number of an action; servers send it as text."""
    text = str(value) if type(value) in (int, str) else ""
    if not (0 < len(text) <= 10 and not text.strip(_DIGITS) and 0 < int(text) <= _MAX_ACTION):
        raise OtaError("format", "the server sent a bad action")
    return int(text)


def _file(deployment):
    """Return where the one .swu file of a deployment is."""
    chunks = deployment.get("chunks")
    for chunk in chunks if isinstance(chunks, list) else ():
        artifacts = chunk.get("artifacts") if isinstance(chunk, dict) else None
        for artifact in artifacts if isinstance(artifacts, list) else ():
            name = artifact.get("filename") if isinstance(artifact, dict) else None
            if isinstance(name, str) and name[-4:] == ".swu":
                links = _part(artifact, "_links")
                url = _href(links.get("download") or links.get("download-http"))
                Address(url)
                return url
    raise OtaError("format", "the server offers no .swu file")
