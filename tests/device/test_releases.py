"""Releases that are whole, damaged, forged, cut off, or not a release at all."""

import dataclasses
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

import firmware_samples as samples
from release_server import Server, serve
from wedau.device import firmware, release_index, release_keys, releases
from wedau.device.release_index import File, Index, IndexFormatError
from wedau.errors import ReleaseError, UsageError

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEYS = (KEY.public_key(),)
WHEEL = "wedau-0.1.0-cp311-abi3-linux_x86_64.whl"
PROGRAM = f"{samples.BOARD}/micropython.bin"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A signed release with two boards and a wheel."""
    folder = tmp_path / "release"
    samples.write(folder / samples.BOARD)
    samples.write(folder / "OTHER_BOARD", board="OTHER_BOARD")
    (folder / WHEEL).write_bytes(b"a wheel")
    (folder / "mip" / "wedau").mkdir(parents=True)
    (folder / "mip/wedau/package.json").write_bytes(b"{}")
    releases.sign(folder, "0.1.0", KEY)
    return folder


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    with serve(folder) as server:
        yield server


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    cache = tmp_path / "cache"
    cache.mkdir()
    return cache


def refused(place: object, cache: Path) -> str:
    """What is said of a release that cannot be used; nothing half written may stay."""
    with pytest.raises(ReleaseError) as caught:
        releases.fetch(releases.find(str(place), KEYS), samples.BOARD, cache)
    said = caught.value.message
    assert "\n" not in said + caught.value.hint
    left = [path for path in cache.rglob("*") if path.is_file()]
    whole = [data for _, data in samples.images().values()]
    for path in left:
        assert path.name == "manifest.json" or path.read_bytes() in whole, path
    return said


@pytest.mark.parametrize("way", ["folder", "address", "address of the index", "with a slash"])
def test_release_is_the_same_from_a_folder_and_an_address(
    folder: Path, server: Server, cache: Path, way: str
) -> None:
    place = {
        "folder": str(folder),
        "address": server.address,
        "address of the index": f"{server.address}/index.json",
        "with a slash": f"{server.address}/",
    }[way]
    seen: list[tuple[int, int]] = []
    release = releases.find(place, KEYS)
    fetched = releases.fetch(release, samples.BOARD, cache, lambda *now: seen.append(now))
    loaded = firmware.load(fetched, samples.BOARD)
    assert [(i.offset, i.data) for i in loaded.images] == list(samples.images().values())
    assert release.index.release == "0.1.0"
    assert release.index.boards == ("OTHER_BOARD", samples.BOARD)
    assert release.signed_by == release_keys.fingerprint(KEYS[0])
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1]
    releases.check(release)


def test_fetched_files_are_kept_and_verified_again(server: Server, cache: Path) -> None:
    release = releases.find(server.address, KEYS)
    fetched = releases.fetch(release, samples.BOARD, cache)
    server.asked.clear()
    releases.fetch(release, samples.BOARD, cache)
    assert server.asked == []
    (fetched / "micropython.bin").write_bytes(b"overwritten by somebody")
    releases.fetch(release, samples.BOARD, cache)
    assert server.asked == [PROGRAM]
    assert firmware.load(fetched, samples.BOARD)


def test_tampered_index_is_refused_before_it_is_read(folder: Path, cache: Path) -> None:
    index = folder / "index.json"
    index.write_bytes(index.read_bytes().replace(b'"0.1.0"', b'"0.2.0"'))
    assert refused(folder, cache) == f"{index} is not signed by a key that is trusted"
    index.write_bytes(b"\xff not even JSON")
    assert refused(folder, cache) == f"{index} is not signed by a key that is trusted"


@pytest.mark.parametrize("signature", [b"", b"\0" * 64, b"\xff" * 64, b"\0" * 63])
def test_tampered_signature_is_refused(folder: Path, cache: Path, signature: bytes) -> None:
    (folder / "index.json.sig").write_bytes(signature)
    assert "is not signed by a key that is trusted" in refused(folder, cache)


def test_signature_of_another_key_is_refused(folder: Path, cache: Path) -> None:
    releases.sign(folder, "0.1.0", Ed25519PrivateKey.generate())
    assert "is not signed by a key that is trusted" in refused(folder, cache)


def test_one_of_several_keys_will_do(folder: Path) -> None:
    other = Ed25519PrivateKey.generate().public_key()
    found = releases.find(str(folder), (other, *KEYS))
    assert found.signed_by == release_keys.fingerprint(KEYS[0])
    with pytest.raises(ReleaseError):
        releases.find(str(folder), ())


@pytest.mark.parametrize("over_web", [False, True])
def test_tampered_file_is_refused(
    folder: Path, server: Server, cache: Path, over_web: bool
) -> None:
    place = server.address if over_web else str(folder)
    file, name = folder / PROGRAM, f"{place}/{PROGRAM}"
    data = file.read_bytes()
    file.write_bytes(data[:-1] + b"\x01")
    assert refused(place, cache) == f"{name} is damaged: its hash is not that of the index"
    file.write_bytes(data[:-1])
    assert refused(place, cache) == f"{name} ends after {len(data) - 1} of {len(data)} bytes"
    file.write_bytes(data + b"\0")
    assert refused(place, cache) == f"{name} has more than the {len(data)} bytes of the index"
    file.unlink()
    said = "cannot be had: the server says 404" if over_web else "cannot be read: No such file"
    assert f"{name} {said}" in refused(place, cache)
    file.write_bytes(data)
    assert releases.fetch(releases.find(place, KEYS), samples.BOARD, cache)


def test_check_finds_damage_in_any_file(folder: Path) -> None:
    release = releases.find(str(folder), KEYS)
    for path in [file.path for file in release.index.files]:
        data = (folder / path).read_bytes()
        (folder / path).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        with pytest.raises(ReleaseError, match=r"is damaged"):
            releases.check(release)
        (folder / path).write_bytes(data)
    releases.check(release)


@pytest.mark.parametrize("path", ["index.json", "index.json.sig", PROGRAM])
def test_server_that_dies_is_told_and_the_next_try_goes_on(
    server: Server, cache: Path, path: str
) -> None:
    server.dies_in = path
    assert refused(server.address, cache) == f"{server.address}/{path} broke off"
    server.dies_in = ""
    assert releases.fetch(releases.find(server.address, KEYS), samples.BOARD, cache)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("index.json", "is too large: more than 1048576 bytes"),
        ("index.json.sig", "is too large: more than 64 bytes"),
        (PROGRAM, "has more than the 70001 bytes of the index"),
    ],
)
def test_file_without_end_is_cut_off(server: Server, cache: Path, path: str, said: str) -> None:
    server.endless = path
    assert refused(server.address, cache) == f"{server.address}/{path} {said}"


def test_server_that_has_nothing(server: Server, cache: Path, tmp_path: Path) -> None:
    place = f"{server.address}/nothing"
    assert refused(place, cache) == f"{place}/index.json cannot be had: the server says 404"
    assert "did not arrive: Connection refused" in refused("http://127.0.0.1:9", cache)
    assert "cannot be read: No such file" in refused(tmp_path / "nothing", cache)


@pytest.mark.parametrize("where", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:,x"])
def test_redirect_to_anything_but_the_web_is_refused(
    server: Server, cache: Path, where: str
) -> None:
    server.redirects["index.json"] = where
    assert f"{server.address}/index.json" in refused(server.address, cache)


def test_redirect_within_the_web_is_followed(folder: Path, server: Server, cache: Path) -> None:
    with serve(folder) as mirror:
        server.redirects[PROGRAM] = f"{mirror.address}/{PROGRAM}"
        assert releases.fetch(releases.find(server.address, KEYS), samples.BOARD, cache)
        assert mirror.asked == [PROGRAM]
    server.redirects["index.json"] = "/index.json"
    assert "cannot be had: the server says 302" in refused(server.address, cache)


@pytest.mark.parametrize(
    "address",
    ["ftp://host/x", "file:///tmp", "https://", "https://user@host/", "https://host/?a", "://"],
)
def test_address_of_another_kind_is_refused(address: str) -> None:
    with pytest.raises(UsageError):
        releases.find(address, KEYS)


def test_slow_server_is_given_up(
    server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wedau.device.release_source._FILE_TIMEOUT_S", -1.0)
    said = refused(server.address, cache)
    assert said == f"{server.address}/index.json did not arrive: the server is too slow"


def test_board_that_is_missing_names_those_that_are_there(folder: Path, cache: Path) -> None:
    with pytest.raises(ReleaseError) as caught:
        releases.fetch(releases.find(str(folder), KEYS), "THIRD", cache)
    assert caught.value.message == "release 0.1.0 has no firmware for THIRD"
    assert caught.value.hint == f"it has: OTHER_BOARD, {samples.BOARD}"


def test_signing_twice_gives_the_same_bytes(folder: Path) -> None:
    before = [(folder / name).read_bytes() for name in ("index.json", "index.json.sig")]
    releases.sign(folder, "0.1.0", KEY)
    assert before == [(folder / name).read_bytes() for name in ("index.json", "index.json.sig")]
    assert not list(folder.glob(".new-*"))


def test_signing_refuses_what_a_release_may_not_hold(folder: Path, tmp_path: Path) -> None:
    def said() -> str:
        with pytest.raises(ReleaseError) as caught:
            releases.sign(folder, "0.1.0", KEY)
        return caught.value.message.removeprefix(f"{folder} cannot be released: ")

    odd = folder / "h\u00e9.txt"
    odd.write_bytes(b"")
    assert said() == "the path 'h\u00e9.txt' is not one of a release"
    odd.unlink()
    for where in ("/etc/passwd", "/etc"):
        (folder / "link").symlink_to(where)
        assert said() == "link is a link"
        (folder / "link").unlink()
    (folder / ".hidden").write_bytes(b"")
    assert said() == "the path '.hidden' is not one of a release"
    (folder / ".hidden").unlink()
    os.truncate(folder / WHEEL, release_index.LARGEST_FILE + 1)
    assert said() == f"{WHEEL} would have {release_index.LARGEST_FILE + 1} bytes"
    with pytest.raises(ReleaseError, match="it holds no files"):
        releases.sign(tmp_path / "nothing", "0.1.0", KEY)
    with pytest.raises(ReleaseError, match="release is 'v 1'"):
        releases.sign(folder / samples.BOARD, "v 1", KEY)


GOOD = Index(
    "0.1.0",
    ("A",),
    tuple(File(path, n, f"{n:064x}") for n, path in enumerate(("A/manifest.json", "A/x.bin", "w"))),
)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"index_version": 2}, "index_version is 2, this Wedau reads 1"),
        ({"release": "../1"}, "release is '../1'"),
        ({"release": 1}, "release is missing or of the wrong kind"),
        ({"boards": ["A", "A"]}, "a board is named twice"),
        ({"boards": ["B"]}, "B has no manifest.json"),
        ({"boards": ["../A"]}, "a board is '../A'"),
        ({"boards": [["A"]]}, "a board is no text"),
        ({"files": [3]}, "path is missing or of the wrong kind"),
        ({"files": [{}] * 5001}, "it names more than 5000 files"),
    ],
)
def test_index_with_a_mistake_is_refused(change: dict[str, Any], problem: str) -> None:
    content = json.loads(release_index.render(GOOD)) | change
    with pytest.raises(IndexFormatError) as caught:
        release_index.parse(json.dumps(content).encode())
    assert str(caught.value) == problem


PATHS = ["../x", "/x", "a//b", "a/../b", "a/.", "C:\\x", "a\\b", "a:b", "x.", "", "a/", "h\u00e9"]
PATHS += ["index.json", "index.json.sig", "a" * 101, "/".join("a" * 7), "a\0b", "a b", "~/x", "-x"]


@pytest.mark.parametrize("path", PATHS)
def test_path_that_leads_elsewhere_is_refused(path: str) -> None:
    assert not release_index.is_path(path)
    wrong = dataclasses.replace(GOOD, files=(*GOOD.files, File(path, 1, "0" * 64)))
    with pytest.raises(IndexFormatError, match="is not one of a release"):
        release_index.render(wrong)


@pytest.mark.parametrize(
    ("path", "problem"),
    [("w", "same path"), ("W", "same path"), ("A", "both a file and a folder"), ("w/x", "both")],
)
def test_paths_that_collide_are_refused(path: str, problem: str) -> None:
    content = json.loads(release_index.render(GOOD))
    content["files"].append({"path": path, "size": 1, "sha256": "0" * 64})
    with pytest.raises(IndexFormatError, match=problem):
        release_index.parse(json.dumps(content).encode())


PART = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,10}[a-z]", fullmatch=True)
FILES = st.builds(
    File,
    st.lists(PART, min_size=1, max_size=3).map("/".join),
    st.integers(0, release_index.LARGEST_FILE),
    st.binary(min_size=32, max_size=32).map(bytes.hex),
)


@given(st.lists(FILES, max_size=8), st.from_regex(r"[0-9]\.[0-9]{1,3}(\+[a-z]+)?", fullmatch=True))
@settings(deadline=None)
def test_index_that_is_written_reads_the_same(files: list[File], version: str) -> None:
    index = Index(version, (), tuple(sorted(files, key=lambda file: file.path)))
    try:
        data = release_index.render(index)
    except IndexFormatError as problem:
        assert "path" in str(problem) or "both" in str(problem)
        return
    assert release_index.parse(data) == index


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
KEYED = st.fixed_dictionaries(
    {"index_version": st.just(1) | JSON, "release": st.just("1") | JSON, "boards": JSON},
    optional={"files": st.lists(st.fixed_dictionaries({"path": JSON, "size": JSON})) | JSON},
)


@given(st.binary() | (JSON | KEYED).map(lambda value: json.dumps(value).encode()))
@settings(deadline=None)
def test_any_bytes_are_an_index_or_refused(data: bytes) -> None:
    parse_or_refuse(data)


def test_mutated_index_is_an_index_or_refused() -> None:
    good = release_index.render(GOOD)
    source = random.Random(4)
    for _ in range(3000):
        data = bytearray(good)
        for _ in range(source.randint(1, 4)):
            at = source.randrange(len(data))
            data[at : at + source.randint(0, 2)] = source.randbytes(source.randint(0, 2))
        parse_or_refuse(bytes(data))
    for nested in (b"[" * 100_000, b'{"a":' * 100_000, b"1" * 100_000):
        parse_or_refuse(nested)


def parse_or_refuse(data: bytes) -> None:
    """Whatever is taken stays within the folder and within the limits."""
    try:
        index = release_index.parse(data)
    except IndexFormatError as problem:
        assert "\n" not in str(problem)
        return
    for file in index.files:
        assert (Path("/r") / file.path).resolve().is_relative_to("/r")
        assert 0 <= file.size <= release_index.LARGEST_FILE


def test_key_is_made_once_encrypted_and_for_the_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "release.pem"
    public, key = release_keys.make(path, "open sesame")
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"ENCRYPTED" in path.read_bytes()
    assert release_keys.trusted(public) == (key,)
    private = release_keys.private(path.read_bytes(), "open sesame", "it")
    assert private.public_key() == key
    with pytest.raises(ReleaseError, match="the passphrase is wrong"):
        release_keys.private(path.read_bytes(), "sesame", "it")
    with pytest.raises(ReleaseError, match="is there already"):
        release_keys.make(path, "again")


def test_keys_come_from_one_place_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, first = release_keys.make(tmp_path / "one", "p")
    two, second = release_keys.make(tmp_path / "two", "p")
    monkeypatch.delenv("WEDAU_RELEASE_KEY", raising=False)
    with pytest.raises(ReleaseError, match="no key is trusted yet"):
        release_keys.trusted()
    monkeypatch.setenv("WEDAU_RELEASE_KEY", str(one))
    assert release_keys.trusted() == (first,)
    assert release_keys.trusted(two) == (second,)
    both = tmp_path / "both"
    both.write_bytes(b"for the change of keys\n" + one.read_bytes() + two.read_bytes())
    assert release_keys.trusted(both) == (first, second)


def test_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "release.pem"
    release_keys.make(path, "p")
    with pytest.raises(ReleaseError, match="holds no public key"):
        release_keys.trusted(path)
    damaged = tmp_path / "damaged"
    damaged.write_text("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
    with pytest.raises(ReleaseError, match="no Ed25519 public key"):
        release_keys.trusted(damaged)
    with pytest.raises(ReleaseError, match="cannot be read: No such file"):
        release_keys.trusted(tmp_path / "nothing")
    with pytest.raises(ReleaseError, match="it is no private key"):
        release_keys.private(damaged.read_bytes(), None, "it")
