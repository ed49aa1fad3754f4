"""What a repository refuses: texts, keys, damage; what it writes: patches, .swu files."""

import json
import os
import resource
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import repositories
from repositories import Made

from wedau.errors import OtaError, WedauError
from wedau.ota import cpio, creating, files, payloads, repository, swu
from wedau.ota.fields import node
from wedau.ota.keys import Keys

MODEL = "stable/models/saw/xtensawin/saw.mpy"
Publish = Callable[[Made], Path]


@pytest.mark.parametrize("text", ["Säge", "1.0\n", 'a"b', "a\\b", "", "x" * 41])
def test_text_that_is_not_plain_ascii_is_refused_by_name(released: Made, text: str) -> None:
    with pytest.raises(OtaError) as refused:
        payloads.app(_folder(released), "logger", text or " \t")
    assert repr(text or " \t") in refused.value.message


def _folder(made: Made, name: str = "main.py") -> Path:
    folder = made.folder.parent / "application"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("print(1)\n", encoding="ascii")
    return folder


def test_file_of_an_application_with_another_name_is_refused(released: Made) -> None:
    with pytest.raises(OtaError, match="name of the file 'größe.py'"):
        payloads.app(_folder(released, "größe.py"), None, "1")


def test_feed_that_is_no_plain_name_is_refused(released: Made) -> None:
    for feed in ("../beta", "bêta", ""):
        with pytest.raises(OtaError, match="the feed"):
            released.release(repositories.model(version="2"), feed=feed)


def test_content_of_a_model_may_be_any_text(released: Made) -> None:
    data = "Bandsäge läuft".encode()
    released.release(repositories.model(version="2", data=data))
    assert released.target_bytes(MODEL) == data


def test_application_is_packed_the_same_each_time_and_read_again(released: Made) -> None:
    folder = _folder(released)
    (folder / "lib").mkdir()
    (folder / "lib/a.py").write_bytes(b"a")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__/x.pyc").write_bytes(b"x")
    payload = payloads.app(folder, None, None)
    assert payload.name == "application"
    assert cpio.unpack(payload.data) == [("lib/a.py", b"a"), ("main.py", b"print(1)\n")]
    os.utime(folder / "main.py", (1, 1))
    assert payloads.app(folder, None, None) == payload


def test_firmware_says_its_version_and_a_boot_loader_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "micropython.bin"
    path.write_bytes(repositories.firmware_image("v1.28.0"))
    assert payloads.firmware(path, "SIM", None).version == "v1.28.0"
    path.write_bytes(b"\xe9" + bytes(4096))
    with pytest.raises(OtaError, match="not that of an application"):
        payloads.firmware(path, "SIM", None)


def test_serial_grows_with_each_release_of_a_name_in_whatever_feed(released: Made) -> None:
    (beta,) = released.release(repositories.model(version="2"), feed="beta")
    (again,) = released.release(repositories.model(version="2"), feed="beta")
    (stable,) = released.release(repositories.model(version="2"))
    (other,) = released.release(repositories.model("drill"))
    assert [r.custom["serial"] for r in (beta, again, stable, other)] == [2, 2, 3, 1]
    assert [r.is_new for r in (beta, again, stable, other)] == [True, False, True, True]


def test_patches_are_signed_and_go_with_the_release_that_they_make(released: Made) -> None:
    def patch(old: bytes, new: bytes) -> bytes | None:
        return b"from " + old[:9] + b" to " + new[:9]

    for version in ("2.0.0", "3.0.0", "4.0.0"):
        (done,) = released.release(repositories.model(version=version), make_patch=patch)
    targets = repository.load(released.folder).targets.signed.targets
    assert len(done.patches) == 2
    for delta, old in zip(done.custom["delta"], ("3.0.0", "2.0.0"), strict=True):
        assert targets[delta["path"]].custom == {"kind": "patch"}
        content = f"from saw {old} to saw 4.0.0".encode()
        assert released.target_bytes(delta["path"]) == content
    assert len([path for path in targets if path.endswith(".patch")]) == 2
    (done,) = released.release(repositories.model(version="5"), make_patch=lambda old, new: None)
    assert done.patches == {}
    assert not [p for p in repository.load(released.folder).targets.signed.targets if "patch" in p]


def test_changed_byte_of_the_metadata_is_found(released: Made) -> None:
    for path in (released.folder / "metadata").glob("*.json"):
        if path.name in ("1.targets.json", "1.snapshot.json"):
            continue  # of an older state
        data = path.read_bytes()
        for at in range(0, len(data), 7):
            path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
            try:
                repository.load(released.folder)
            except OtaError as error:
                assert path.name in error.message or "metadata" in error.message
            else:
                pytest.fail(f"{path.name}: byte {at} changed, and nobody noticed")
        path.write_bytes(data[:-1])
        with pytest.raises(OtaError):
            repository.load(released.folder)
        path.write_bytes(data)
    repository.load(released.folder)


def test_settings_that_are_damaged_are_refused(released: Made) -> None:
    path = released.folder / "settings.json"
    good = json.loads(path.read_text(encoding="ascii"))
    for bad in ("", "[]", "{}", "[" * 9999, json.dumps({**good, "expiry_days": {"root": 0}})):
        path.write_text(bad, encoding="ascii")
        with pytest.raises(OtaError, match="settings.json"):
            repository.load(released.folder)


def test_repository_of_a_newer_specification_says_so(released: Made) -> None:
    path = released.folder / "metadata/1.root.json"
    path.write_bytes(path.read_bytes().replace(b'"spec_version":"1.0', b'"spec_version":"2.0'))
    with pytest.raises(OtaError, match=r"of version 2\.0"):
        repository.load(released.folder)


def test_changed_payload_is_not_published(released: Made, publish: Publish) -> None:
    target = repository.load(released.folder).targets.signed.targets[MODEL]
    path = repository.target_path(released.folder, target)
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(OtaError, match="not the file that was signed"):
        publish(released)


def test_publishing_refuses_the_folder_of_another_repository_or_its_own(
    released: Made, publish: Publish, tmp_path: Path
) -> None:
    publish(released)
    with pytest.raises(OtaError, match="another repository"):
        publish(repositories.make(tmp_path / "other"))
    (tmp_path / "link").symlink_to(released.folder)
    (tmp_path / "web").rename(tmp_path / "away")
    (tmp_path / "web").symlink_to(tmp_path / "link/public")
    with pytest.raises(OtaError, match="inside the repository"):
        publish(released)


def test_missing_key_says_where_it_is_looked_for(released: Made) -> None:
    (released.folder / "keys/targets.pem").unlink()
    with pytest.raises(OtaError, match="key of targets must sign") as refused:
        released.release(repositories.model(version="2"))
    assert "WEDAU_OTA_KEY_TARGETS" in refused.value.hint


def test_key_from_the_environment_signs(released: Made) -> None:
    path = released.folder / "keys/targets.pem"
    environment = {"WEDAU_OTA_KEY_TARGETS": path.read_text(encoding="ascii")}
    path.unlink()
    role = repository.load(released.folder).root.signed.roles["targets"]
    keys = Keys(released.folder / "keys", environment, lambda what: None)
    assert len(keys.signers("targets", role.keyids)) == 1


def test_encrypted_key_needs_its_passphrase(tmp_path: Path) -> None:
    folder = tmp_path / "releases"
    creating.create(folder, creating.Plan("four random words"), datetime.now(UTC))
    key_ids = repository.load(folder).root.signed.roles["root"].keyids

    def signers(passphrase: str | None) -> list[Any]:
        return Keys(folder / "keys", {}, lambda what: passphrase).signers("root", key_ids)

    assert b"ENCRYPTED" in (folder / "keys/root.pem").read_bytes()
    assert len(signers("four random words")) == 1
    for wrong, message in (("four", "does not open"), (None, "there is no passphrase")):
        with pytest.raises(OtaError, match=message):
            signers(wrong)
    if os.name == "posix":
        assert (folder / "keys/root.pem").stat().st_mode & 0o077 == 0


def test_key_that_is_none_is_refused(released: Made) -> None:
    (released.folder / "keys/targets.pem").write_bytes(b"no key")
    with pytest.raises(OtaError, match="is no private key"):
        released.release(repositories.model(version="2"))


def test_full_disk_leaves_the_old_repository(released: Made) -> None:
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))  # a write beyond it fails
        try:
            released.release(repositories.model(version="2", data=bytes(9000)))
        except OtaError as error:
            os._exit(0 if "cannot be written" in error.message else 2)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    assert repository.load(released.folder).newest.signed.version == 2
    assert not list(released.folder.rglob(".new-*"))


def test_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OtaError, match="cannot be"):
        files.write(tmp_path / "file/a", b"")
    with pytest.raises(OtaError, match="cannot be"):
        repositories.make(tmp_path / "file/releases")


def test_new_repository_is_made_only_where_nothing_is(released: Made, tmp_path: Path) -> None:
    with pytest.raises(OtaError, match="is not empty"):
        repositories.make(released.folder)
    (tmp_path / "there").mkdir()
    repositories.make(tmp_path / "there")
    with pytest.raises(OtaError, match="4 of 3 keys"):
        repositories.make(tmp_path / "more", root_keys=3, root_threshold=4)


def test_swu_begins_with_its_description_and_carries_all_that_a_node_verifies(
    released: Made, publish: Publish
) -> None:
    web = publish(released)
    names = sorted(path.name for path in (web / "swu").iterdir())
    assert names == ["SIM-1.0.0.swu", "logger-1.0.0-app.swu", "saw-1.0.0-xtensawin.swu"]
    data = (web / "swu/saw-1.0.0-xtensawin.swu").read_bytes()
    assert data.startswith(b"070701")
    found = swu.read(data)
    assert list(found.metadata) == ["timestamp.json", "2.snapshot.json", "2.targets.json"]
    for name, content in found.metadata.items():
        assert content == (web / "metadata" / name).read_bytes()
    assert (found.path, found.payload) == (MODEL, released.target_bytes(MODEL))
    assert 'version = "1.0.0+model.saw.1";' in found.description
    assert "SIM: {" in found.description


def test_swu_of_a_replaced_release_is_removed(released: Made, publish: Publish) -> None:
    publish(released)
    released.release(repositories.model(version="2.0.0"))
    names = {path.name for path in (publish(released) / "swu").iterdir()}
    assert "saw-2.0.0-xtensawin.swu" in names
    assert "saw-1.0.0-xtensawin.swu" not in names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.2.3", "1.2.3+app.my-app.7"),
        ("1.2", "1.2.0+app.my-app.7"),
        ("3", "3.0.0+app.my-app.7"),
        ("1.2.3.4", "0.0.7+app.my-app.7"),
        ("v9", "0.0.7+app.my-app.7"),
        ("2026-11-22", "2026.0.0+app.my-app.7"),
    ],
)
def test_version_for_servers_is_one_that_they_take(text: str, expected: str) -> None:
    custom = {"kind": "app", "name": "my_app", "version": text, "serial": 7}
    assert swu.version(custom) == expected


def test_damaged_archive_is_refused() -> None:
    archive = cpio.pack([("a", b"content"), ("b", b"")])
    assert cpio.unpack(archive) == [("a", b"content"), ("b", b"")]
    for end in range(len(archive) - 124):
        with pytest.raises(WedauError):
            cpio.unpack(archive[:end])


def test_fields_are_checked_in_full() -> None:
    good = repositories.model().custom("stable", 3)
    path = node.path_of(good)
    assert node.problem(path, good) is None
    bad: list[tuple[str, Any]] = [
        ("kind", "x"), ("name", "../x"), ("name", 3), ("version", "ä"), ("serial", 0),
        ("serial", True), ("serial", 1 << 30), ("feed", ""), ("arch", 1), ("mpy", [6]),
        ("mpy", [6, "3"]), ("delta", {}), ("delta", [{"from": "x", "path": path}]),
        ("delta", [{"from": "0" * 64, "path": "/etc"}]),
    ]  # fmt: skip
    for field, value in bad:
        assert node.problem(path, {**good, field: value}) == field
        missing = {key: v for key, v in good.items() if key != field}
        optional = field in ("delta", "arch")
        assert (node.problem(path, missing) is None) == (field == "delta")
        assert optional or node.problem(path, missing) == field
    assert node.problem("stable/x", good) == "path"
    assert node.problem(path, None) == "custom"
    firmware = repositories.firmware().custom("stable", 1)
    assert node.problem(node.path_of(firmware), {**firmware, "board": ""}) == "board"
