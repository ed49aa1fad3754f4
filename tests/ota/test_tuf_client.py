"""The node's TUF client on MicroPython: the cases of TUF's conformance suite, with Ed25519 keys."""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import DelegatedRole, Delegations, MetaFile, TargetFile
from tuf_server import EXPIRES, PAST, Client, Repository, served

from wedau.paths import cache_dir, resource

ALL = ("root", "targets", "snapshot", "timestamp")
LATER = EXPIRES - timedelta(days=12)


@pytest.fixture
def repository() -> Repository:
    return Repository()


@pytest.fixture
def url(repository: Repository) -> Iterator[str]:
    with served(repository) as url:
        yield url


@pytest.fixture
def client(repository: Repository, url: str, tmp_path: Path) -> Client:
    return Client(tmp_path, url, repository.files["metadata/1.root.json"])


def changed(data: bytes, change: Callable[[Any], None]) -> bytes:
    """A file with other content, in the same form."""
    document = json.loads(data)
    change(document)
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()


def test_refresh_asks_for_the_files_in_their_order(client: Client, repository: Repository):
    assert client.refresh() == ""
    assert repository.asked() == [
        "2.root.json",
        "timestamp.json",
        "1.snapshot.json",
        "1.targets.json",
    ]
    assert client.versions() == {"root": 1, "timestamp": 1, "snapshot": 1, "targets": 1}
    assert client.refresh() == ""
    assert repository.asked() == ["2.root.json", "timestamp.json"]


def test_refresh_keeps_the_very_bytes(client: Client, repository: Repository):
    data = repository.files["metadata/timestamp.json"] + b" \n"
    repository.files["metadata/timestamp.json"] = data
    assert client.refresh() == ""
    assert (client.trusted / "timestamp.json").read_bytes() == data


def test_first_root_without_a_version_asks_for_nothing(
    repository: Repository, url: str, tmp_path: Path
):
    root = changed(repository.files["metadata/1.root.json"], lambda d: d["signed"].pop("version"))
    assert Client(tmp_path, url, root).refresh() == "format"
    assert repository.asked() == []


def test_first_root_with_a_wrong_signature_asks_for_nothing(
    repository: Repository, url: str, tmp_path: Path
):
    def forge(document: Any) -> None:
        document["signatures"][0]["sig"] = "00" * 64

    root = changed(repository.files["metadata/1.root.json"], forge)
    assert Client(tmp_path, url, root).refresh() == "signature"
    assert repository.asked() == []


UNSIGNED = {
    "root": {"root": 1},
    "timestamp": {"root": 2},
    "snapshot": {"root": 2, "timestamp": 2},
    "targets": {"root": 2, "timestamp": 2, "snapshot": 2},
}


@pytest.mark.parametrize("role", UNSIGNED)
def test_role_that_is_not_signed_is_refused(client: Client, repository: Repository, role: str):
    repository.signers[role].clear()
    repository.publish(*ALL)
    assert client.refresh() == "signature"
    assert client.versions() == UNSIGNED[role]


@pytest.mark.parametrize("role", UNSIGNED)
def test_role_that_another_key_signed_is_refused(client: Client, repository: Repository, role: str):
    repository.signers[role] = [repository.new_key()]
    repository.publish(*ALL)
    assert client.refresh() == "signature"
    assert client.versions() == UNSIGNED[role]


@pytest.mark.parametrize("role", ["root", "snapshot", "targets"])
def test_version_other_than_the_one_asked_for_is_refused(
    client: Client, repository: Repository, role: str
):
    assert client.refresh() == ""
    repository.publish(*(r for r in ALL if r not in (role, "timestamp")))
    repository.signed[role].version += 2
    data = repository.sign(role)
    repository.signed[role].version -= 1
    repository.serve(role, data)
    if role == "targets":
        repository.publish("snapshot")
    repository.publish("timestamp")
    assert client.refresh() == ("rollback" if role == "root" else "mismatch")
    assert client.versions()[role] == 1


def test_timestamp_of_the_same_version_is_not_taken(client: Client, repository: Repository):
    assert client.refresh() == ""
    repository.signed["timestamp"].snapshot_meta = MetaFile(100)
    repository.publish("timestamp", bump=False)
    repository.asked()
    assert client.refresh() == ""
    assert repository.asked() == ["2.root.json", "timestamp.json"]
    kept = json.loads((client.trusted / "timestamp.json").read_bytes())
    assert kept["signed"]["meta"]["snapshot.json"]["version"] == 1


def test_hashes_of_metadata_are_checked(client: Client, repository: Repository):
    repository.with_hashes = True
    repository.publish("targets", "snapshot", "timestamp")
    assert client.refresh() == ""
    repository.publish("targets")
    repository.signed["snapshot"].meta["targets.json"].hashes["sha256"] = "0" * 64
    repository.publish("snapshot", "timestamp")
    assert client.refresh() == "hash"
    assert client.versions() == {"root": 1, "timestamp": 3, "snapshot": 3, "targets": 2}


def test_hash_of_the_snapshot_is_checked(client: Client, repository: Repository):
    repository.with_hashes = True
    repository.publish("snapshot", "timestamp")
    assert client.refresh() == ""
    repository.publish("snapshot")
    repository.signed["timestamp"].snapshot_meta.hashes["sha256"] = "0" * 64
    repository.publish("timestamp")
    assert client.refresh() == "hash"
    assert client.versions() == {"root": 1, "timestamp": 3, "snapshot": 2, "targets": 1}


def test_length_of_metadata_is_checked(client: Client, repository: Repository):
    repository.with_hashes = True
    repository.publish("snapshot")
    repository.signed["timestamp"].snapshot_meta.length -= 1
    repository.publish("timestamp")
    assert client.refresh() == "length"
    assert "snapshot" not in client.versions()


def test_unknown_fields_are_part_of_what_is_signed(client: Client, repository: Repository):
    root = repository.signed["root"]
    root.unrecognized_fields["custom-field"] = {"a": [1, 2, {"b": None}]}
    root.roles["root"].unrecognized_fields["another-field"] = "value"
    repository.publish("root")
    assert client.refresh() == ""
    assert client.versions()["root"] == 2


def test_unknown_fields_of_a_key_change_nothing(client: Client, repository: Repository):
    key = repository.new_key()
    key.public_key.unrecognized_fields = {"keyid_hash_algorithms": "md5", "x": {"a": 1}}
    repository.signed["root"].roles["snapshot"].keyids.clear()
    repository.signers["snapshot"].clear()
    repository.add_key("snapshot", key)
    repository.publish("root", "snapshot", "timestamp")
    assert client.refresh() == ""
    assert client.versions() == {"root": 2, "timestamp": 2, "snapshot": 2, "targets": 1}


def test_repository_without_consistent_snapshots_has_plain_names(
    repository: Repository, url: str, tmp_path: Path
):
    repository.signed["root"].consistent_snapshot = False
    repository.add_target("models/saw.mpy", b"content")
    repository.publish("targets", "snapshot", "timestamp", "root", bump=False)
    for name in list(repository.files):
        plain = re.sub(r"(1\.|[0-9a-f]{64}\.)(?!root)", "", name)
        repository.files[plain] = repository.files[name]
    client = Client(tmp_path, url, repository.files["metadata/1.root.json"])
    assert client.download("models/saw.mpy") == ""
    assert repository.requests[:4] == [
        "metadata/2.root.json",
        "metadata/timestamp.json",
        "metadata/snapshot.json",
        "metadata/targets.json",
    ]
    assert repository.requests[4:] == ["targets/models/saw.mpy"]


def test_delegations_are_never_followed(client: Client, repository: Repository):
    role = DelegatedRole("delegated", [], 1, False, paths=["*"])
    targets = repository.signed["targets"]
    targets.delegations = Delegations(keys={}, roles={"delegated": role})
    targets.add_key(repository.new_key().public_key, "delegated")
    repository.signed["snapshot"].meta["delegated.json"] = MetaFile(1)
    repository.publish("targets", "snapshot", "timestamp")
    assert client.download("saw.mpy") == "missing"
    assert not any("delegated" in path for path in repository.requests)
    assert client.versions() == {"root": 1, "timestamp": 2, "snapshot": 2, "targets": 2}


@pytest.mark.parametrize("role", ["snapshot", "targets", "timestamp"])
def test_file_that_is_not_there_is_named(client: Client, repository: Repository, role: str):
    assert client.refresh() == ""
    if role == "targets":
        repository.signed["snapshot"].meta["targets.json"] = MetaFile(2)
        repository.publish("snapshot", "timestamp")
    elif role == "snapshot":
        repository.signed["timestamp"].snapshot_meta = MetaFile(2)
        repository.publish("timestamp")
    else:
        del repository.files["metadata/timestamp.json"]
    assert client.refresh() == "missing"


def test_file_of_another_role_is_refused(client: Client, repository: Repository):
    repository.add_key("snapshot", repository.signers["timestamp"][0])
    repository.publish("root")
    snapshot = repository.signed["snapshot"]
    snapshot.meta = {"snapshot.json": MetaFile(1)}
    snapshot.version += 1
    repository.files["metadata/timestamp.json"] = repository.sign("snapshot")
    assert client.refresh() == "format"
    assert client.versions() == {"root": 2}


def test_root_that_has_expired_is_kept_and_stops_the_rest(client: Client, repository: Repository):
    assert client.refresh() == ""
    repository.signed["root"].expires = PAST
    repository.publish(*ALL)
    assert client.refresh() == "expired"
    assert client.versions() == {"root": 2, "timestamp": 1, "snapshot": 1, "targets": 1}


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_role_that_has_expired_is_refused(client: Client, repository: Repository, role: str):
    assert client.refresh() == ""
    repository.signed[role].expires = PAST
    repository.publish("targets", "snapshot", "timestamp")
    assert client.refresh() == "expired"
    assert client.versions()[role] == 1


def test_server_that_stands_still_is_noticed(client: Client, repository: Repository):
    assert client.refresh() == ""
    assert client.refresh(EXPIRES - timedelta(seconds=1)) == ""
    assert client.refresh(EXPIRES) == "expired"


def test_expired_files_are_replaced_by_newer_ones(client: Client, repository: Repository):
    repository.signed["root"].expires = EXPIRES - timedelta(days=20)
    repository.signed["timestamp"].expires = EXPIRES - timedelta(days=20)
    repository.publish("root", "timestamp")
    assert client.refresh() == ""
    assert client.refresh(LATER) == "expired"
    repository.signed["root"].expires = repository.signed["timestamp"].expires = EXPIRES
    repository.publish(*ALL)
    assert client.refresh(LATER) == ""
    assert client.versions() == {"root": 3, "timestamp": 3, "snapshot": 2, "targets": 2}


def test_older_timestamp_is_refused(client: Client, repository: Repository):
    repository.publish("timestamp")
    assert client.refresh() == ""
    repository.signed["timestamp"].version = 1
    repository.publish("timestamp", bump=False)
    assert client.refresh() == "rollback"
    assert client.versions()["timestamp"] == 2


@pytest.mark.parametrize("with_hashes", [False, True])
def test_older_snapshot_is_refused(client: Client, repository: Repository, with_hashes: bool):
    repository.with_hashes = with_hashes
    repository.publish("snapshot", "timestamp")
    assert client.refresh() == ""
    repository.asked()
    repository.signed["snapshot"].version = 1
    repository.publish("snapshot", bump=False)
    repository.publish("timestamp")
    assert client.refresh() == "rollback"
    assert client.versions() == {"root": 1, "timestamp": 2, "snapshot": 2, "targets": 1}
    assert repository.asked() == ["2.root.json", "timestamp.json"]


@pytest.mark.parametrize("with_hashes", [False, True])
def test_older_targets_are_refused(client: Client, repository: Repository, with_hashes: bool):
    repository.with_hashes = with_hashes
    repository.publish("targets", "snapshot", "timestamp")
    assert client.refresh() == ""
    repository.signed["targets"].version = 1
    repository.publish("targets", bump=False)
    repository.publish("snapshot", "timestamp")
    assert client.refresh() == "rollback"
    assert client.versions() == {"root": 1, "timestamp": 3, "snapshot": 2, "targets": 2}


def test_role_that_vanishes_from_the_snapshot_is_refused(client: Client, repository: Repository):
    repository.signed["snapshot"].meta["delegated.json"] = MetaFile(1)
    repository.publish("snapshot", "timestamp")
    assert client.refresh() == ""
    del repository.signed["snapshot"].meta["delegated.json"]
    repository.publish("snapshot", "timestamp")
    assert client.refresh() == "rollback"
    assert client.versions()["snapshot"] == 2


def test_repository_recovers_from_a_version_far_too_high(client: Client, repository: Repository):
    for role in ("targets", "snapshot", "timestamp"):
        repository.signed[role].version = 99
    repository.publish("targets", "snapshot", "timestamp")
    assert client.refresh() == ""
    for role in ("targets", "snapshot", "timestamp"):
        repository.rotate(role)
        repository.signed[role].version = 0
    repository.publish(*ALL)
    assert client.refresh() == ""
    assert client.versions() == {"root": 2, "timestamp": 1, "snapshot": 1, "targets": 1}


ANNOUNCED_BY = {
    "targets": ["snapshot"],
    "snapshot": ["snapshot", "timestamp"],
    "timestamp": ["timestamp"],
}


@pytest.mark.parametrize("role", ANNOUNCED_BY)
def test_role_recovers_with_new_keys_for_those_that_announce_it(
    client: Client, repository: Repository, role: str
):
    repository.signed[role].version = 99
    repository.publish("targets", "snapshot", "timestamp")
    assert client.refresh() == ""
    assert client.versions()[role] == 100
    for rotated in ANNOUNCED_BY[role]:
        repository.rotate(rotated)
    repository.signed[role].version = 0
    repository.publish(*ALL)
    assert client.refresh() == ""
    assert client.versions()[role] == 1


@pytest.mark.parametrize("role", ["targets", "snapshot"])
def test_role_recovers_by_no_other_keys(client: Client, repository: Repository, role: str):
    repository.signed[role].version = 99
    repository.publish("targets", "snapshot", "timestamp")
    assert client.refresh() == ""
    repository.rotate("targets")
    repository.signed[role].version = 0
    repository.publish(*ALL)
    assert client.refresh() == "rollback"
    assert client.versions()[role] == 100


ROTATIONS: dict[str, list[tuple[tuple[int, ...], int, tuple[int, ...]]]] = {
    "one key": [((1,), 1, (1,)), ((2,), 1, (2, 1)), ((2,), 1, (2,))],
    "one key among strangers": [
        ((1,), 1, (3, 1, 4)),
        ((2,), 1, (3, 2, 1, 4)),
        ((2,), 1, (3, 2, 4)),
    ],
    "three of five": [
        ((0, 1, 2, 3, 4), 3, (0, 2, 4)),
        ((0, 1, 2, 3, 4), 3, (0, 4, 1)),
        ((0, 1, 2, 3, 4), 3, (0, 1, 3)),
    ],
    "three of five, one replaced": [
        ((0, 1, 2, 3, 4), 3, (0, 2, 4)),
        ((0, 1, 3, 4, 5), 3, (0, 4, 1)),
    ],
    "three of five, all replaced": [
        ((0, 1, 2, 3, 4), 3, (0, 2, 4)),
        ((5, 6, 7, 8, 9), 3, (0, 2, 4, 5, 6, 7)),
        ((5, 6, 7, 8, 9), 3, (5, 6, 7)),
    ],
    "higher threshold": [((1, 2, 3), 1, (1,)), ((1, 2, 3), 2, (1, 2))],
    "lower threshold": [((1, 2, 3), 2, (1, 2)), ((1, 2, 3), 1, (1, 2)), ((1, 2, 3), 1, (1,))],
}
REFUSED: dict[str, list[tuple[tuple[int, ...], int, tuple[int, ...]]]] = {
    "not by the old key": [((1,), 1, (1,)), ((2,), 1, (2, 3, 4))],
    "not by the new key": [((1,), 1, (1,)), ((2,), 1, (1, 3, 4))],
    "too few of the new": [((0, 1, 2, 3, 4), 3, (0, 2, 4)), ((0, 1, 3, 4, 5), 3, (0, 2, 4))],
    "too few of the old": [((0, 1, 2, 3, 4), 3, (0, 2, 4)), ((0, 1, 3, 4, 5), 3, (0, 4, 5))],
    "new threshold not reached": [((1, 2, 3), 1, (1,)), ((1, 2, 3), 2, (2,))],
    "old threshold not reached": [((1, 2, 3), 2, (1, 2)), ((1, 2, 3), 1, (1,))],
}


def set_keys(
    repository: Repository,
    role: str,
    keys: list[CryptoSigner],
    rule: tuple[tuple[int, ...], int, tuple[int, ...]],
) -> None:
    counted, threshold, signing = rule
    root = repository.signed["root"]
    root.roles[role].keyids.clear()
    root.roles[role].threshold = threshold
    for number in counted:
        root.add_key(keys[number].public_key, role)
    repository.signers[role] = [keys[number] for number in signing]


@pytest.mark.parametrize("case", [*ROTATIONS, *REFUSED])
def test_root_keys_change_only_with_the_consent_of_both(
    repository: Repository, url: str, tmp_path: Path, case: str
):
    steps = (ROTATIONS | REFUSED)[case]
    keys = [repository.new_key() for _ in range(10)]
    repository.signed["root"].version = 0
    for step in steps:
        set_keys(repository, "root", keys, step)
        repository.publish("root")
    repository.publish("targets", "snapshot", "timestamp")
    client = Client(tmp_path, url, repository.files["metadata/1.root.json"])
    assert client.refresh() == ("signature" if case in REFUSED else "")
    assert client.versions()["root"] == len(steps) - (case in REFUSED)


KEYS_OF_ROLES = {
    "another key": (((2,), 1, (2,)), True),
    "unknown keys sign as well": (((1,), 1, (3, 1, 4)), True),
    "three of five": (((0, 1, 2, 3, 4), 3, (2, 3, 4)), True),
    "not the new key": (((2,), 1, (1, 3, 4)), False),
    "one of three is no key": (((0, 1, 3, 4, 5), 3, (0, 2, 4)), False),
    "one is missing": (((0, 1, 3, 4, 5), 3, (0, 4)), False),
}


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
@pytest.mark.parametrize("case", KEYS_OF_ROLES)
def test_keys_of_a_role_are_those_of_the_newest_root(
    client: Client, repository: Repository, case: str, role: str
):
    rule, accepted = KEYS_OF_ROLES[case]
    assert client.refresh() == ""
    keys = [repository.new_key() for _ in range(6)]
    set_keys(repository, role, keys, rule)
    repository.publish(*ALL)
    assert client.refresh() == ("" if accepted else "signature")
    assert client.versions()[role] == 1 + accepted


def test_more_keys_are_needed_than_there_are(client: Client, repository: Repository):
    repository.signed["root"].roles["snapshot"].threshold = 2
    repository.publish("root", "snapshot", "timestamp")
    assert client.refresh() == "signature"
    assert client.versions() == {"root": 2, "timestamp": 2}


def test_one_key_under_two_names_counts_once(client: Client, repository: Repository):
    key = repository.signers["snapshot"][0].public_key

    def double(document: Any) -> None:
        document["signatures"].append({**document["signatures"][0], "keyid": "f" * 64})

    root = repository.signed["root"]
    twin = type(key)("f" * 64, key.keytype, key.scheme, key.keyval)
    root.add_key(twin, "snapshot")
    root.roles["snapshot"].threshold = 2
    repository.publish("root", "snapshot", "timestamp")
    version = repository.signed["snapshot"].version
    path = f"metadata/{version}.snapshot.json"
    repository.files[path] = changed(repository.files[path], double)
    assert client.refresh() == "signature"


def test_two_signatures_of_one_key_are_refused(client: Client, repository: Repository):
    def repeat(document: Any) -> None:
        document["signatures"] *= 2

    path = "metadata/1.snapshot.json"
    repository.files[path] = changed(repository.files[path], repeat)
    assert client.refresh() == "format"
    assert "snapshot" not in client.versions()


@pytest.mark.parametrize("signature", ["", "00" * 64, "xyz", "0" * 127, "00" * 65])
def test_wrong_signature_beside_a_right_one_does_no_harm(
    client: Client, repository: Repository, signature: str
):
    def spoil(document: Any) -> None:
        document["signatures"][0]["sig"] = signature

    repository.add_key("timestamp")
    repository.publish("root", "timestamp")
    path = "metadata/timestamp.json"
    repository.files[path] = changed(repository.files[path], spoil)
    assert client.refresh() == ""


@pytest.mark.parametrize(("keytype", "scheme"), [("rsa", "rsassa-pss-sha256"), ("ed25519", "x")])
def test_keys_of_another_kind_never_count(
    client: Client, repository: Repository, keytype: str, scheme: str
):
    key = repository.signers["timestamp"][0].public_key
    repository.signed["root"].keys[key.keyid] = type(key)(key.keyid, keytype, scheme, key.keyval)
    repository.publish("root")
    assert client.refresh() == "signature"


@pytest.mark.parametrize("path", ["saw.mpy", "path/to/a/saw.mpy", "a b#c?d%2Fe", "../saw"])
def test_target_is_downloaded(client: Client, repository: Repository, path: str):
    if path == "../saw":
        repository.add_target("up/saw", b"content")
        target = repository.signed["targets"].targets.pop("up/saw")
        repository.signed["targets"].targets[path] = target
        hashed = next(iter(target.hashes.values()))
        repository.files[f"targets/../{hashed}.saw"] = b"content"
    else:
        repository.add_target(path, b"content of the file")
        for name in list(repository.files):
            if name.startswith("targets/"):
                repository.files[quote(name)] = repository.files[name]
    repository.publish("targets", "snapshot", "timestamp")
    assert client.download(path) == ""
    files = [p for p in client.downloads.rglob("*") if p.is_file()]
    assert [p.parent for p in files] == [client.downloads]
    assert files[0].read_bytes() in (b"content of the file", b"content")


def test_target_is_downloaded_once(client: Client, repository: Repository):
    repository.add_target("saw.mpy", b"content")
    repository.publish("targets", "snapshot", "timestamp")
    assert client.download("saw.mpy") == client.download("saw.mpy") == ""
    assert len(repository.asked(start="targets/")) == 1


def test_target_that_changes_takes_the_place_of_the_old_one(client: Client, repository: Repository):
    for content in (b"first", b"second", b"third"):
        repository.add_target("saw.mpy", content)
        repository.add_target(f"with-{content.decode()}", b"content")
        repository.publish("targets", "snapshot", "timestamp")
        assert client.download("saw.mpy", f"with-{content.decode()}") == ""
        assert (client.downloads / "saw.mpy").read_bytes() == content
    assert len(list(client.downloads.iterdir())) == 4


def test_targets_behind_one_that_is_refused_are_not_asked_for(
    client: Client, repository: Repository
):
    repository.add_target("saw.mpy", b"content")
    repository.publish("targets", "snapshot", "timestamp")
    assert client.download("nothing", "saw.mpy") == "missing"
    assert list(client.downloads.iterdir()) == []
    assert not any(path.startswith("targets/") for path in repository.requests)


@pytest.mark.parametrize("hashes", [["sha256"], ["sha256", "sha512"]])
def test_target_may_have_further_hashes(client: Client, repository: Repository, hashes: list[str]):
    signed = TargetFile.from_data("saw.mpy", b"content", hashes).hashes
    repository.add_target("saw.mpy", b"content", hashes=signed)
    repository.publish("targets", "snapshot", "timestamp")
    assert client.download("saw.mpy") == ""
    assert repository.asked(start="targets/") == [f"{signed['sha256']}.saw.mpy"]


def test_target_that_was_not_signed_is_refused_and_the_old_one_stays(
    client: Client, repository: Repository
):
    repository.add_target("saw.mpy", b"content")
    repository.publish("targets", "snapshot", "timestamp")
    assert client.download("saw.mpy") == ""
    repository.add_target("saw.mpy", b"new one")
    repository.publish("targets", "snapshot", "timestamp")
    for path in list(repository.files):
        if path.startswith("targets/"):
            repository.files[path] = b"malware"
    assert client.download("saw.mpy") == "hash"
    assert [p.read_bytes() for p in client.downloads.iterdir()] == [b"content"]


@pytest.mark.parametrize(
    ("data", "code"), [(b"cont", "length"), (b"content and more", "length"), (b"conTent", "hash")]
)
def test_target_of_another_length_is_refused(
    client: Client, repository: Repository, data: bytes, code: str
):
    repository.add_target("saw.mpy", b"content")
    repository.publish("targets", "snapshot", "timestamp")
    path = next(p for p in repository.files if p.startswith("targets/"))
    repository.files[path] = data
    assert client.download("saw.mpy") == code
    assert list(client.downloads.iterdir()) == []


@pytest.mark.parametrize("algorithm", ["blake9", "sha512"])
def test_target_without_a_sha256_is_refused(client: Client, repository: Repository, algorithm: str):
    hashes = {algorithm: hashlib.sha512(b"content").hexdigest()}
    repository.add_target("saw.mpy", b"content", hashes=hashes)
    repository.publish("targets", "snapshot", "timestamp")
    assert client.download("saw.mpy") == "hash"
    assert list(client.downloads.iterdir()) == []


def test_unknown_target_is_missing_but_the_metadata_is_refreshed(client: Client):
    assert client.download("nothing") == "missing"
    assert client.versions() == {"root": 1, "timestamp": 1, "snapshot": 1, "targets": 1}


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets", "root"])
def test_endless_file_is_refused(client: Client, repository: Repository, role: str):
    repository.publish(*ALL)
    version = repository.signed[role].version
    name = "timestamp" if role == "timestamp" else f"{version}.{role}"
    path = f"metadata/{name}.json"
    repository.files[path] = repository.files[path] + b" " * 20000
    assert client.refresh() == "length"


def test_cases_that_are_not_supported_are_listed_with_their_reason():
    page = resource("docs", "explanation", "trust.md").read_text("utf-8")
    lines = resource("tools", "tuf-client.xfails").read_text("utf-8").splitlines()
    cases = [line for line in lines if line and line[0] != "#"]
    rows = [row.split("|") for row in page.splitlines() if row.startswith("| `test_")]
    assert {case.partition("[")[0] for case in cases} == set(
        re.findall(r"`(test_\w+)", " ".join(row[1] for row in rows))
    )
    assert sum(int(row[2]) for row in rows) == len(cases)
    assert f"these {len(cases)} are not supported" in page


PROGRAM = [sys.executable, str(resource("tools", "tuf-client"))]


def test_executable_speaks_the_protocol(repository: Repository, url: str, tmp_path: Path):
    (tmp_path / "root.json").write_bytes(repository.files["metadata/1.root.json"])
    repository.add_target("a folder/saw.mpy", b"content")
    path = next(path for path in repository.files if path.startswith("targets/"))
    repository.files[quote(path)] = repository.files[path]
    repository.publish("targets", "snapshot", "timestamp")
    where = ["--metadata-url", f"{url}metadata", "--target-dir", "new/downloads"]
    where += ["--target-base-url", f"{url}targets"]

    def call(*arguments: str) -> int:
        command = [*PROGRAM, "--metadata-dir", "trusted", *arguments]
        done = subprocess.run(command, cwd=tmp_path, timeout=60, capture_output=True, text=True)
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode

    assert call("init", "nothing.json") == 1
    assert call("--metadata-url", f"{url}metadata", "refresh") == 1
    assert call("init", "root.json") == 0
    assert repository.asked() == []
    assert call("--metadata-url", f"{url}metadata", "refresh") == 0
    assert call("--metadata-url", f"{url}nothing", "refresh") == 1
    assert call("refresh") == 2
    assert call(*where, "--target-name", "a folder/saw.mpy", "download") == 0
    (got,) = (tmp_path / "new" / "downloads").iterdir()
    assert got.read_bytes() == b"content"
    both = ["--target-name", "a folder/saw.mpy", "--target-name", "nothing"]
    assert call(*where, *both, "download") == 1


def test_clients_that_start_together_for_the_first_time_build_what_they_need_once(
    repository: Repository, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "root.json").write_bytes(repository.files["metadata/1.root.json"])
    for name in ("micropython", "monocypher"):
        (tmp_path / "cache").mkdir(exist_ok=True)
        (tmp_path / "cache" / name).symlink_to(cache_dir(name))
    monkeypatch.setenv("WEDAU_CACHE", str(tmp_path / "cache"))

    def start(number: int, *arguments: str) -> subprocess.Popen[bytes]:
        command = [*PROGRAM, "--metadata-dir", f"trusted-{number}", *arguments]
        return subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL)

    for arguments in (("init", "root.json"), ("--metadata-url", f"{url}metadata", "refresh")):
        together = [start(number, *arguments) for number in range(4)]
        assert [client.wait(timeout=120) for client in together] == [0, 0, 0, 0]
    assert len(list((tmp_path / "cache" / "tuf-client").glob("*.mpy"))) == 1
