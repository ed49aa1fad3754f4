"""What is asked of a goosebit: software, rollouts, devices.

Source: /docs of a running server; its interface is of version 1.
"""

import hashlib
import http.client
import json
import secrets
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from typing import Any

from wedau.errors import OtaError

_TIMEOUT_S = 60
TOKEN_BYTES = 16  # in hexadecimal digits as long as goosebit's field


class FleetClient:
    """A session at a fleet server.

    Args:
        url: of the server.
        user: who may write there.
        password: of the user.

    Raises:
        OtaError: in every method: the server does not answer, or refuses.
    """

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url.rstrip("/")
        self._token = ""
        form = urllib.parse.urlencode({"username": user, "password": password})
        kind = "application/x-www-form-urlencoded"
        self._token = self._send("POST", "/login", form.encode(), kind)["access_token"]

    def devices(self) -> list[dict[str, Any]]:
        """Return the nodes that the server knows, without their tokens."""
        found: list[dict[str, Any]] = self._get("/api/v1/devices")["devices"]
        return [{k: v for k, v in each.items() if k != "auth_token"} for each in found]

    def log(self, device: str) -> str:
        """Return what a node said of its last update."""
        path = f"/api/v1/devices/{urllib.parse.quote(device, safe='')}/log"
        return str(self._get(path)["log"] or "")

    def register(self, device: str, feed: str) -> str:
        """Let a node in; return its new token."""
        return self.register_all([device], feed)

    def register_all(self, devices: Sequence[str], feed: str) -> str:
        """Let nodes in that share a token; return it."""
        token = secrets.token_hex(TOKEN_BYTES)
        self._put("devices", devices=list(devices), feed=feed, auth_token=token)
        return token

    def force(self, devices: Sequence[str]) -> None:
        """Let nodes whose last update failed have the next one."""
        document = {"devices": list(devices), "force_update": True}
        self._json("PATCH", "/api/v1/devices", document)

    def software(self) -> list[dict[str, Any]]:
        """Return the files that the server has."""
        found: list[dict[str, Any]] = self._get("/api/v1/software")["software"]
        return found

    def rollouts(self) -> list[dict[str, Any]]:
        """Return which file goes to which feed, oldest first."""
        found: list[dict[str, Any]] = self._get("/api/v1/rollouts")["rollouts"]
        return sorted(found, key=lambda each: each["id"])

    def upload(self, name: str, data: bytes) -> int:
        """Upload a .swu file; return its number."""
        edge = secrets.token_hex(16)
        head = (
            f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        body = head.encode() + data + f"\r\n--{edge}--\r\n".encode()
        kind = f"multipart/form-data; boundary={edge}"
        return int(self._send("PUT", "/api/v1/software", body, kind)["id"])

    def roll_out(self, name: str, feed: str, software: int) -> None:
        """Offer a file to the nodes of a feed."""
        self._put("rollouts", name=name, feed=feed, software_id=software)

    def withdraw(self, software: int) -> None:
        """Remove a file, and what offers it."""
        ids = [each["id"] for each in self.rollouts() if each["software"]["id"] == software]
        self._json("DELETE", "/api/v1/rollouts", {"ids": ids})
        self._json("DELETE", "/api/v1/software", {"software_ids": [software]})

    def _get(self, path: str) -> Any:
        return self._send("GET", path, None, "")

    def _put(self, what: str, **document: Any) -> Any:
        return self._json("PUT", f"/api/v1/{what}", document)

    def _json(self, method: str, path: str, document: Any) -> Any:
        return self._send(method, path, json.dumps(document).encode(), "application/json")

    def _send(self, method: str, path: str, body: bytes | None, kind: str) -> Any:
        headers = {"Content-Type": kind} if kind else {}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            request = urllib.request.Request(f"{self.url}{path}", body, headers, method=method)
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:
                return json.loads(response.read())
        except urllib.error.HTTPError as error:
            raise self._refused(method, path, error) from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise OtaError(
                f"the fleet server at {self.url} does not answer: {error}",
                "start it with 'wedau ota serve', or check the address",
            ) from None

    def _refused(self, method: str, path: str, error: urllib.error.HTTPError) -> OtaError:
        if error.code == 401:
            return OtaError(
                f"the fleet server at {self.url} does not know this user and password",
                "set WEDAU_FLEET_USER and WEDAU_FLEET_PASSWORD to those of an administrator there",
            )
        said = error.read(200).decode("utf-8", "replace")
        return OtaError(
            f"the fleet server refuses {method} {path} with status {error.code}: {said}",
            "see its log; another version of goosebit than the one pinned here may run there",
        )


def sha1(data: bytes) -> str:
    """Return what the server knows a file by."""
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()
