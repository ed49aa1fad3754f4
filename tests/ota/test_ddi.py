"""The exchange with fleet servers, against answers as hawkBit's documentation shows them."""

import asyncio
import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from ddi_server import Asked, Recorded, serve, served

from wedau.ota import on_host, swu

ddi, download, errors = (on_host.load(name) for name in ("ddi", "download", "errors"))
NODE = "/acme/controller/v1/node-1"
PATH = "stable/models/saw/xtensawin/saw.mpy"
PAYLOAD = bytes(range(256)) * 200
CUSTOM = {"kind": "model", "name": "saw", "version": "1.0.0", "serial": 1, "feed": "stable"}
IDENTITY = {"id": "node-1", "board": "SIM", "arch": "xtensawin"}
METADATA = {
    "2.root.json": b"root two",
    "timestamp.json": b"stamp",
    "1.snapshot.json": b"snap",
    "1.targets.json": b"targets",
}
SHA256 = hashlib.sha256(PAYLOAD).hexdigest()
PREFIXED = f"stable/models/saw/xtensawin/{SHA256}.saw.mpy"
SWU = swu.write(PATH, CUSTOM, PAYLOAD, SHA256, METADATA, ["SIM"])
TARGET = {"length": len(PAYLOAD), "hashes": {"sha256": SHA256}}
NEWS = {"action": 7, "kind": "model", "name": "saw", "version": "1.0.0", "serial": 1, "tries": 1}


def base(**links: str) -> dict[str, Any]:
    return {
        "config": {"polling": {"sleep": "00:10:05"}},
        "_links": {name: {"href": f"BASE{NODE}/{path}"} for name, path in links.items()},
    }


def deployment(link: str = "download", url: str = "BASE/file.swu", **how: str) -> dict[str, Any]:
    artifact = {
        "filename": "saw-1.0.0.swu",
        "hashes": {"sha1": "x", "md5": "x", "sha256": "x"},
        "size": len(SWU),
        "_links": {link: {"href": url}, "md5sum-http": {"href": f"{url}.MD5SUM"}},
    }
    chunk = {"part": "bApp", "version": "1", "name": "saw", "artifacts": [artifact]}
    return {
        "id": "7",
        "deployment": {"download": "forced", "update": "forced", **how, "chunks": [chunk]},
    }


@pytest.fixture
def server() -> Iterator[Recorded]:
    """A server with one deployment."""
    recorded = Recorded(
        {
            f"GET {NODE}": base(deploymentBase="deploymentBase/7?c=-212"),
            f"GET {NODE}/deploymentBase/7?c=-212": deployment(),
            "GET /file.swu": SWU,
        }
    )
    with serve(recorded):
        yield recorded


def carrier(server: Recorded, **more: Any) -> Any:
    settings = {"url": server.url, "tenant": "acme", "id": "node-1", "token": "secret"}
    return ddi.Ddi({**settings, **more.pop("settings", {})}, **more)


def begin(found: Any) -> bool:
    return bool(asyncio.run(found.begin(IDENTITY)))


class Sink:
    """Keeps what comes."""

    data = b""

    def begin(self, length: int) -> None:
        self.data = b""

    def write(self, piece: memoryview) -> None:
        self.data += bytes(piece)


def fetched(found: Any, path: str = PREFIXED) -> bytes:
    async def run() -> bytes:
        assert await found.fetch("2.root.json", 100) == METADATA["2.root.json"]
        assert await found.fetch("3.root.json", 100) is None
        assert await found.fetch("timestamp.json", 100) == METADATA["timestamp.json"]
        sink = Sink()
        await download.download(lambda h: found.open(path, h), TARGET, sink, bytearray(4096))
        return sink.data

    return asyncio.run(run())


def refusal(run: Any) -> str:
    with pytest.raises(errors.OtaError) as caught:
        asyncio.run(run)
    return str(caught.value.code)


def test_deployment_is_fetched_and_its_action_and_sleep_are_noted(server: Recorded) -> None:
    found = carrier(server)
    assert begin(found)
    assert (found.action, found.poll_s) == (7, 605)
    assert fetched(found) == PAYLOAD


def test_download_goes_on_where_it_broke_off(server: Recorded) -> None:
    found = carrier(server)
    begin(found)
    asyncio.run(found.fetch("2.root.json", 100))
    server.cut = 30000
    sink = Sink()
    opening = download.download(lambda h: found.open(PATH, h), TARGET, sink, bytearray(4096))
    asyncio.run(opening)
    assert sink.data == PAYLOAD
    *_, first, again = server.asked
    start = SWU.index(PAYLOAD)
    assert first.headers["Range"] == f"bytes={start}-"
    assert again.headers["Range"] == f"bytes={start + 28672}-"  # of the sector
    assert again.headers["If-Range"] == first.headers["If-Range"]


def test_download_of_another_file_than_before_is_refused(server: Recorded) -> None:
    """The rollout changed in between: what comes now does not continue what came before."""
    newer = swu.write(PATH, CUSTOM, PAYLOAD[::-1], SHA256, {**METADATA, "x.json": b""}, ["SIM"])
    server.answers["GET /file.swu"] = [SWU, SWU, newer]
    found = carrier(server)
    begin(found)
    asyncio.run(found.fetch("2.root.json", 100))
    server.cut = 30000
    opening = download.download(lambda h: found.open(PATH, h), TARGET, Sink(), bytearray(4096))
    assert refusal(opening) == "mismatch"


def test_server_that_mixes_two_files_is_found_out_by_the_hash(server: Recorded) -> None:
    newer = swu.write(PATH, CUSTOM, PAYLOAD[::-1], SHA256, METADATA, ["SIM"])

    def mixes(asked: Asked) -> tuple[int, dict[str, str], bytes]:
        asked.headers.pop("If-Range", None)
        return served(newer if len(server.asked) > 4 else SWU, asked)

    server.answers["GET /file.swu"] = mixes
    found = carrier(server)
    begin(found)
    asyncio.run(found.fetch("2.root.json", 100))
    server.cut = 30000
    opening = download.download(lambda h: found.open(PATH, h), TARGET, Sink(), bytearray(4096))
    assert refusal(opening) == "hash"


def test_token_goes_to_the_server_and_to_no_other_host(server: Recorded) -> None:
    elsewhere = Recorded({"GET /file.swu": SWU})
    with serve(elsewhere):
        link = deployment(url=f"{elsewhere.url}/file.swu")
        server.answers[f"GET {NODE}/deploymentBase/7?c=-212"] = link
        found = carrier(server)
        begin(found)
        assert fetched(found) == PAYLOAD
    assert {each.headers.get("Authorization") for each in server.asked} == {"TargetToken secret"}
    assert len(elsewhere.asked) == 2
    assert not any("Authorization" in each.headers for each in elsewhere.asked)


def test_token_does_not_follow_a_redirect_to_another_host(server: Recorded) -> None:
    elsewhere = Recorded({"GET /cdn.swu": SWU})
    with serve(elsewhere):
        to = {"Location": f"{elsewhere.url}/cdn.swu"}
        server.answers["GET /file.swu"] = lambda asked: (302, to, b"")
        found = carrier(server)
        begin(found)
        assert fetched(found) == PAYLOAD
    assert elsewhere.asked and not any("Authorization" in e.headers for e in elsewhere.asked)


def test_gateway_token_is_sent_as_it_is(server: Recorded) -> None:
    begin(carrier(server, settings={"token": "GatewayToken abc"}))
    assert server.asked[0].headers["Authorization"] == "GatewayToken abc"


def test_link_that_leads_to_another_server_is_refused(server: Recorded) -> None:
    server.answers[f"GET {NODE}"] = {"_links": {"configData": {"href": "http://evil.example/x"}}}
    assert refusal(carrier(server).begin(IDENTITY)) == "format"
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        7,
        {"_links": {"deploymentBase": {}}},
        {"_links": {"deploymentBase": {"href": 7}}},
        {"_links": {"deploymentBase": "x"}},
        {"_links": {"deploymentBase": {"href": "ftp://x/y"}}},
        {"_links": {"deploymentBase": {"href": "http://a b/c"}}},
    ],
)
def test_answer_that_is_none_is_refused(server: Recorded, answer: Any) -> None:
    server.answers[f"GET {NODE}"] = answer
    assert refusal(carrier(server).begin(IDENTITY)) == "format"


@pytest.mark.parametrize("id", ["", "-1", "x", "99999999999", None, True, "4294967296"])
def test_action_that_is_no_number_is_refused(server: Recorded, id: Any) -> None:
    server.answers[f"GET {NODE}/deploymentBase/7?c=-212"] = {**deployment(), "id": id}
    assert refusal(carrier(server).begin(IDENTITY)) == "format"


def test_endless_answer_is_refused(server: Recorded) -> None:
    server.answers[f"GET {NODE}"] = {"_links": {}, "padding": "x" * 100_000}
    assert refusal(carrier(server).begin(IDENTITY)) == "length"


def test_identity_is_sent_when_the_server_asks_and_only_then(server: Recorded) -> None:
    offered = server.answers[f"GET {NODE}"]
    server.answers[f"GET {NODE}"] = [base(configData="configData"), offered]
    assert begin(carrier(server))
    (put,) = server.of("PUT")
    assert put.path == f"{NODE}/configData"
    assert put.json == {
        "mode": "merge",
        "data": {**IDENTITY, "hw_boardname": "SIM", "hw_revision": "default"},
    }


def test_plain_link_of_hawkbit_is_taken_where_it_has_no_other(server: Recorded) -> None:
    server.answers[f"GET {NODE}/deploymentBase/7?c=-212"] = deployment("download-http")
    found = carrier(server)
    assert begin(found)
    assert fetched(found) == PAYLOAD


@pytest.mark.parametrize("how", [{"download": "skip"}, {"maintenanceWindow": "unavailable"}])
def test_deployment_that_is_not_due_is_left_alone(server: Recorded, how: dict[str, str]) -> None:
    server.answers[f"GET {NODE}/deploymentBase/7?c=-212"] = deployment(**how)
    found = carrier(server)
    assert not begin(found)
    assert found.action == 0


def test_installed_base_is_no_offer(server: Recorded) -> None:
    server.answers[f"GET {NODE}"] = base(installedBase="installedBase/6")
    assert not begin(carrier(server))


@pytest.mark.parametrize(("busy", "execution"), [(0, "closed"), (11, "rejected")])
def test_cancel_is_granted_unless_the_payload_is_here(
    server: Recorded, busy: int, execution: str
) -> None:
    server.answers[f"GET {NODE}"] = [base(cancelAction="cancelAction/12"), base()]
    server.answers[f"GET {NODE}/cancelAction/12"] = {"id": "12", "cancelAction": {"stopId": "11"}}
    assert not begin(carrier(server, busy=lambda: busy))
    (post,) = server.of("POST")
    assert post.path == f"{NODE}/cancelAction/12/feedback"
    assert post.json["status"]["execution"] == execution


def test_consent_is_given_where_the_server_asks_for_it(server: Recorded) -> None:
    asks, offered = base(confirmationBase="confirmationBase/7"), server.answers[f"GET {NODE}"]
    server.answers[f"GET {NODE}"] = [asks, offered]
    document = {"id": "7", "confirmation": deployment()["deployment"]}
    server.answers[f"GET {NODE}/confirmationBase/7"] = document
    assert begin(carrier(server))
    (post,) = server.of("POST")
    assert post.path == f"{NODE}/confirmationBase/7/feedback"
    assert post.json == {"confirmation": "confirmed"}


@pytest.mark.parametrize(
    ("state", "execution", "finished"),
    [
        ("download", "proceeding", "none"),
        ("stored", "proceeding", "none"),
        ("trial", "proceeding", "none"),
        ("confirmed", "closed", "success"),
        ("failed", "closed", "failure"),
    ],
)
def test_news_are_told_as_the_server_expects_them(
    server: Recorded, state: str, execution: str, finished: str
) -> None:
    asyncio.run(carrier(server).tell({**NEWS, "state": state, "code": "crash"}))
    (post,) = server.of("POST")
    assert post.path == f"{NODE}/deploymentBase/7/feedback"
    status = post.json["status"]
    assert (status["execution"], status["result"]["finished"]) == (execution, finished)
    assert "code: crash" in status["details"]
    assert len(status["details"]) == len(NEWS) + 2


def test_news_that_no_server_waits_for_are_not_told(server: Recorded) -> None:
    asyncio.run(carrier(server).tell({**NEWS, "action": 0, "state": "failed", "code": "crash"}))
    assert server.asked == []


@pytest.mark.parametrize("status", [404, 410])
def test_news_of_an_action_that_is_gone_are_told_once(server: Recorded, status: int) -> None:
    path = f"POST {NODE}/deploymentBase/7/feedback"
    server.answers[path] = lambda asked: (status, {}, b"")
    asyncio.run(carrier(server).tell({**NEWS, "state": "confirmed", "code": ""}))
    server.answers[path] = lambda asked: (500, {}, b"")
    telling = carrier(server).tell({**NEWS, "state": "confirmed", "code": ""})
    assert refusal(telling) == "connection"


def test_payload_of_another_target_is_missing(server: Recorded) -> None:
    found = carrier(server)
    begin(found)
    assert refusal(found.open("stable/models/saw/xtensawin/other.mpy", ())) == "missing"


def test_root_files_that_the_node_has_are_not_kept(server: Recorded) -> None:
    many = {f"{n}.root.json": bytes(4000) for n in range(2, 60)}
    server.answers["GET /file.swu"] = swu.write(
        PATH, CUSTOM, PAYLOAD, SHA256, {**many, "timestamp.json": b"t"}, ["SIM"]
    )
    found = carrier(server)
    begin(found)
    assert asyncio.run(found.fetch("60.root.json", 16384)) is None
    assert asyncio.run(found.fetch("timestamp.json", 100)) == b"t"


def damaged(change: str) -> bytes:
    """A .swu file that is none any more."""
    if change == "no description":
        return SWU[SWU.index(b"070701", 10) :]
    if change == "cut":
        return SWU[:700]
    if change == "magic":
        return SWU.replace(b"070701", b"070707")
    if change == "digit":
        return SWU[:54] + b"-0000001" + SWU[62:]
    if change == "huge name":
        return SWU[:94] + b"0FFFFFFF" + SWU[102:]
    if change == "huge file":
        return SWU[:54] + b"7FFFFFFF" + SWU[62:]
    if change == "path":
        return SWU.replace(b"2.root.json\0", b"../oot.json\0")
    return SWU.replace(b"000081A4", b"0000A1A4")  # a symbolic link


@pytest.mark.parametrize(
    "change",
    ["no description", "cut", "magic", "digit", "huge name", "huge file", "path", "link"],
)
def test_file_that_is_no_swu_is_refused(server: Recorded, change: str) -> None:
    server.answers["GET /file.swu"] = damaged(change)
    found = carrier(server)
    begin(found)
    assert refusal(found.fetch("2.root.json", 16384)) == "format"


def test_metadata_that_are_too_long_are_refused(server: Recorded) -> None:
    for files in (
        {"timestamp.json": bytes(5000)},
        {f"{n}.root.json": bytes(9000) for n in range(9)},
    ):
        server.answers["GET /file.swu"] = swu.write(PATH, CUSTOM, b"", SHA256, files, ["SIM"])
        found = carrier(server)
        begin(found)
        assert refusal(found.fetch("1.root.json", 16384)) == "length"
