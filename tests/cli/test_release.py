"""`wedau release` and `wedau flash` from a release, as publishers and users meet them."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from outcomes import Refused, Wedau, refusal
from serial.tools import list_ports

import firmware_samples as samples
from mock_board import MockBoard
from release_server import Server, serve
from wedau import __version__

WRITTEN = sum(len(data) for _, data in samples.images().values())
XIAO = "SEEED_XIAO_ESP32S3"


@pytest.fixture(autouse=True)
def keys(place: Path, wedau: Wedau, monkeypatch: pytest.MonkeyPatch) -> None:
    """A publisher's key, and a cache that holds nothing."""
    monkeypatch.setenv("WEDAU_CACHE", str(place.parent / "cache"))
    monkeypatch.setenv("WEDAU_RELEASE_PASSPHRASE", "open sesame")
    monkeypatch.delenv("WEDAU_RELEASE_KEY", raising=False)
    done = wedau("release", "make-key", "own.pem")
    assert done.code == 0, done.err
    assert done.out.startswith("own.pem.pub: public key ")


@pytest.fixture
def released(place: Path, wedau: Wedau) -> Path:
    """A release, signed by its publisher."""
    samples.write(place / "release" / samples.BOARD)
    samples.write(place / "release" / XIAO, board=XIAO)
    (place / "release" / "wedau.whl").write_bytes(b"a wheel")
    done = wedau("release", "sign", "release", "--key", "own.pem")
    assert done.code == 0, done.err
    assert done.out.splitlines()[0] == f"Release    {__version__}"
    return place / "release"


@pytest.fixture
def server(released: Path) -> Iterator[Server]:
    with serve(released) as server:
        yield server


def flash(port: str, image: str, board: str = samples.BOARD, key: str = "own.pem.pub") -> list[str]:
    return ["flash", "--board", board, "--image", image, "--key", key, "--port", port]


def holds(board: MockBoard) -> bool:
    return all(
        board.flash.data[offset : offset + len(data)] == data
        for offset, data in samples.images().values()
    )


@pytest.mark.parametrize("over_web", [True, False])
def test_release_goes_the_whole_way_onto_a_board(
    wedau: Wedau, server: Server, over_web: bool
) -> None:
    image = server.address if over_web else "release"
    checked = wedau("release", "check", image, "--key", "own.pem.pub")
    assert checked.code == 0, checked.err
    assert f"Boards     {XIAO}, {samples.BOARD}" in checked.out
    board = MockBoard()
    with board.plugged_in("tcp") as port:
        done = wedau(*flash(port, image))
    assert done.code == 0, done.err
    assert holds(board)
    assert done.out == (
        f"{samples.BOARD} 1.28.0 is on the board at {port}: {WRITTEN:,} bytes written and "
        "verified, the files on it were left alone\n"
    )
    assert f"release {__version__}, signed by " in done.err


def test_release_is_flashed_again_without_the_server(wedau: Wedau, server: Server) -> None:
    with MockBoard().plugged_in("tcp") as port:
        assert wedau(*flash(port, server.address)).code == 0
        server.asked.clear()
        assert wedau(*flash(port, server.address)).code == 0
    assert server.asked == ["index.json", "index.json.sig"]


def test_damaged_release_leaves_the_board_alone(
    refused: Refused, released: Path, server: Server
) -> None:
    program = released / samples.BOARD / "micropython.bin"
    program.write_bytes(program.read_bytes()[:-1] + b"\x55")
    board = MockBoard()
    with board.plugged_in("tcp") as port:
        said = refused(*flash(port, server.address))
    assert said.error.endswith("micropython.bin is damaged: its hash is not that of the index")
    assert said.hint == "do not use it: get the release again from its publisher"
    assert board.flash.blocks == 0


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"dies_in": f"{samples.BOARD}/micropython.bin"}, "micropython.bin broke off"),
        ({"endless": "index.json"}, "index.json is too large: more than 1048576 bytes"),
        ({"redirects": {"index.json": "ftp://127.0.0.1/"}}, "unknown url type: ftp"),
        ({"address": "http://127.0.0.1:9"}, "index.json did not arrive: Connection refused"),
        ({"address": "ftp://127.0.0.1"}, "ftp://127.0.0.1 is no http or https address"),
    ],
)
def test_server_that_misbehaves_is_told_in_two_lines(
    refused: Refused, server: Server, change: dict[str, object], error: str
) -> None:
    for name, value in change.items():
        setattr(server, name, value)
    code = 2 if server.address.startswith("ftp") else 1
    board = MockBoard()
    with board.plugged_in("tcp") as port:
        assert refused(*flash(port, server.address), code=code).error.endswith(error)
    assert board.flash.blocks == 0


def test_release_without_a_trusted_key_is_refused(
    wedau: Wedau, refused: Refused, released: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = refused("release", "check", "release")
    assert said.error == "no key is trusted yet: this Wedau comes without one"
    assert "--key FILE" in said.hint
    assert wedau("release", "make-key", "other.pem").code == 0
    said = refused(*flash("x", "release", key="other.pem.pub"))
    assert said.error == "release/index.json is not signed by a key that is trusted"
    monkeypatch.setenv("WEDAU_RELEASE_KEY", "own.pem.pub")
    assert wedau("release", "check", "release").code == 0


def test_key_for_what_is_not_signed_is_refused(refused: Refused, place: Path) -> None:
    samples.write(place / "built")
    said = refused(*flash("x", "built"), code=2)
    assert said.error == "built is no release: it has no signed index.json for --key to check"


def test_release_without_the_board_names_the_others(refused: Refused, released: Path) -> None:
    said = refused(*flash("x", "release", board="UM_FEATHERS3"))
    assert said.error == f"release {__version__} has no firmware for UM_FEATHERS3"
    assert said.hint == f"it has: {XIAO}, {samples.BOARD}"


def test_private_key_comes_from_the_environment_for_a_workflow(
    wedau: Wedau, refused: Refused, released: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = refused("release", "sign", "release")
    assert said.error == "there is no private key to sign with"
    pem = Path("own.pem").read_text(encoding="ascii")
    monkeypatch.setenv("WEDAU_RELEASE_PRIVATE_KEY", pem)
    done = wedau("release", "sign", "release", "--release", "9.9.9", "--json")
    assert json.loads(done.out)["release"] == "9.9.9"
    secret = pem.splitlines()[1]
    assert not [x for x in ("open sesame", secret) if x in done.out + done.err]
    monkeypatch.setenv("WEDAU_RELEASE_PASSPHRASE", "wrong")
    said = refused("release", "sign", "release")
    assert said.error.startswith("WEDAU_RELEASE_PRIVATE_KEY cannot be used: the passphrase is")
    monkeypatch.delenv("WEDAU_RELEASE_PASSPHRASE")
    monkeypatch.setattr("sys.stdin", open("/dev/null"))  # noqa: PTH123, SIM115
    said = refused("release", "sign", "release")
    assert said.hint == "set WEDAU_RELEASE_PASSPHRASE"


def test_key_is_not_overwritten(refused: Refused) -> None:
    assert refused("release", "make-key", "own.pem").error == "own.pem is there already"


def test_damaged_firmware_is_not_signed(refused: Refused, released: Path) -> None:
    (released / XIAO / "micropython.bin").write_bytes(b"x")
    said = refused("release", "sign", "release", "--key", "own.pem")
    assert f"{XIAO}/manifest.json: micropython.bin has 1 bytes" in said.error


def test_openssl_agrees_with_the_signature(released: Path) -> None:
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "own.pem.pub", "-rawin"]
    files = ["-in", "release/index.json", "-sigfile", "release/index.json.sig"]
    subprocess.run([*command, *files], check=True, timeout=30)


def plugged(monkeypatch: pytest.MonkeyPatch, *numbers: tuple[str, int, int]) -> None:
    found = [SimpleNamespace(device=name, vid=vid, pid=pid) for name, vid, pid in numbers]
    monkeypatch.setattr(list_ports, "comports", lambda: found)


def test_board_is_told_by_its_usb_numbers(
    wedau: Wedau, refused: Refused, released: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    args = ("flash", "--image", "release", "--key", "own.pem.pub", "--port")
    board = MockBoard()
    with board.plugged_in("tcp") as port:
        plugged(monkeypatch, (port, 0x2886, 0x0056), ("other", 0x239A, 0x811B))
        done = wedau(*args, port)
        assert done.code == 0, done.err
        assert done.out.startswith(f"{XIAO} 1.28.0 is on the board at {port}")
    said = refused("flash", "--image", "release", code=2)
    assert said.error == f"it may be any of ADAFRUIT_FEATHER_ESP32S3, {XIAO}"
    plugged(monkeypatch, ("one", 0x303A, 0x1001))
    said = refused(*args, "one", code=2)
    assert said.error == "which board it is cannot be told from its USB numbers"
    assert said.hint.startswith("name it with --board")


def test_a_folder_that_may_not_be_read_is_not_signed_without_it(
    wedau: Wedau, released: Path, nobody: Path
) -> None:
    """A release comes first: what signing imports may lie where only root may read."""
    key, release = nobody / "own.pem", nobody / "release"
    assert wedau("release", "make-key", key).code == 0
    (release / "more").mkdir(parents=True)
    (release / "wedau.whl").write_bytes(b"a wheel")
    (release / "more").chmod(0)
    outcome = wedau("release", "sign", release, "--key", key)
    (release / "more").chmod(0o755)
    assert outcome.code == 1
    said = refusal(outcome.err)
    assert said.error == f"cannot read the folder {release / 'more'}: Permission denied"
    assert not (release / "index.json").exists()
