"""Signatures and patches on boards: answers, costs, heap, and what wrong input does."""

import random
from collections.abc import Iterator
from pathlib import Path

import prepared
import pytest

import signatures
from wedau.build import runtime
from wedau.build.simboard import SimFirmware
from wedau.device import push
from wedau.device.link import Board, BoardError
from wedau.ota import delta
from wedau.sim import boards, unix

MODULES = ("wedau_ed25519", "wedau_delta")

APPLY = """
import gc, micropython
import wedau_delta
window, old, out = bytearray(wedau_delta.WINDOW_BYTES), bytearray(256), bytearray(1024)
was, made, at = open('/lib/was', 'rb').read(), None, 0

def read(offset, n):
    old[:n] = was[offset:offset + n]
def write(n):
    global at
    made[at:at + n] = out if n == len(out) else out[:n]
    at += n
def skip(offset, n):
    pass
def drop(n):
    pass
def begin(size, write=write):
    global made, at
    made, at = bytearray(size), 0
    return wedau_delta.patch(read, write, len(was), size, window, old, out)
"""


@pytest.fixture(scope="module")
def opened(
    either_firmware: SimFirmware, micropython: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Board]:
    folder = tmp_path_factory.mktemp("updates")
    files = {}
    for name in MODULES:
        built = runtime.build(name, arch="xtensawin", micropython=micropython, out=folder)
        files[built.path.name] = built.path.read_bytes()
    firmware = either_firmware
    with boards.board(firmware.elf, firmware.plugin) as sim, Board(sim.port) as board:
        prepared.with_modules(board, files)
        yield board


def verdicts(board: Board, cases: list[signatures.Signature]) -> list[bool]:
    """What the board says of each; a signature of a wrong length raises, which is a no."""
    said = []
    for start in range(0, len(cases), 20):
        rows = [(c.key, c.signature, c.message) for c in cases[start : start + 20]]
        said += board.literal(
            board.run(
                f"""
import wedau_ed25519
def verify(key, signature, message):
    try:
        return wedau_ed25519.verify(key, signature, message)
    except ValueError:
        return False
print([verify(*row) for row in {rows!r}])
""",
                timeout_s=120,
            )
        )
    return said


def test_published_signatures_are_judged_as_published(opened: Board, sign_input: str) -> None:
    cases = signatures.wycheproof() + signatures.rfc_8032()
    cases += [c for c in signatures.sign_input(sign_input)[::16] if len(c.message) < 1024]
    said = verdicts(opened, cases)
    assert [c.what for c, holds in zip(cases, said, strict=True) if holds != c.holds] == []


def test_all_signatures_of_sign_input_hold_on_unix(
    micropython: Path, sign_input: str, tmp_path: Path
) -> None:
    runtime.build("wedau_ed25519", arch="x64", micropython=micropython, out=tmp_path)
    cases = signatures.sign_input(sign_input)
    rows = [(c.key, c.signature, c.message) for c in cases]
    (tmp_path / "cases.py").write_text(f"rows = {rows!r}")
    said = unix.run(
        "import cases, wedau_ed25519\nprint(sum(wedau_ed25519.verify(*r) for r in cases.rows))",
        tmp_path,
    )
    assert said == "1024\n"


def test_a_signature_costs_few_instructions_and_no_heap(opened: Board) -> None:
    cost, holds = opened.literal(
        opened.run("""
import micropython, wedau_ed25519
from sim import count
key, signature, message = bytes(32), bytes(64), bytes(800)
import binascii
key = binascii.unhexlify('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c')
signature = binascii.unhexlify('92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da'
    '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00')
micropython.heap_lock()
wedau_ed25519.verify(key, signature, message)
micropython.heap_unlock()
holds, cost = count(wedau_ed25519.verify, key, signature, message)
print((cost, holds))
""")
    )
    assert not holds
    assert cost <= 16_000_000


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ("bytes(31), bytes(64), b''", "ValueError: a key has 32 bytes"),
        ("bytes(32), bytes(63), b''", "ValueError: a signature has 64 bytes"),
        ("bytes(32), bytes(64), 1", "TypeError: object with buffer protocol required"),
    ],
)
def test_what_is_no_signature_raises(opened: Board, arguments: str, error: str) -> None:
    with pytest.raises(BoardError, match=error):
        opened.run(f"import wedau_ed25519\nwedau_ed25519.verify({arguments})")


@pytest.fixture(scope="module")
def files() -> tuple[bytes, bytes, bytes]:
    """An old and a new payload of 12 kB, and the patch."""
    rng = random.Random(4)
    old = rng.randbytes(12_000)
    new = bytearray(old)
    for at in range(0, len(new), 400):
        new[at] ^= 0x55
    new[6000:6000] = rng.randbytes(300)
    patch = delta.make(old, bytes(new))
    assert patch is not None
    return old, bytes(new), patch


def test_a_patch_makes_the_new_file_without_heap(
    opened: Board, files: tuple[bytes, bytes, bytes]
) -> None:
    old, new, patch = files
    opened.soft_reset()
    push.push(opened, {"was": old, "new": new, "patch": patch})
    done, equal, locked, cost = opened.literal(
        opened.run(
            APPLY
            + f"""
from sim import count
chunks = []
with open('/lib/patch', 'rb') as file:
    while True:
        chunk = file.read(500)
        if not chunk:
            break
        chunks.append(chunk)
def feed(patch):
    for chunk in chunks:
        done = patch.feed(chunk)
    return done
done = feed(begin({len(new)}))
equal = made == open('/lib/new', 'rb').read()
read = skip
patch = begin({len(new)}, drop)
locked = None # in the dictionary before the heap is locked
micropython.heap_lock()
locked = feed(patch)
micropython.heap_unlock()
_, cost = count(feed, begin({len(new)}, drop))
print((done, equal, locked, cost))
""",
            timeout_s=120,
        )
    )
    assert (done, equal, locked) == (True, True, True)
    assert cost <= 200 * len(new)


def test_a_patch_that_failed_goes_on_with_nothing(
    opened: Board, files: tuple[bytes, bytes, bytes]
) -> None:
    opened.soft_reset()
    push.push(opened, {"was": files[0]})
    for begin, patch, error in (
        ("begin(4)", b"\x04\x05", "ValueError: the patch makes a file of another size"),
        (
            "wedau_delta.patch(read, write, -1, 1, window, old, out)",
            b"",
            "ValueError: a file of this size cannot be patched",
        ),
        ("wedau_delta.patch(read, write, 1, 1, old, old, out)", b"", "ValueError: a buffer"),
        ("wedau_delta.patch(read, write, 1, 1, window, 1, out)", b"", "TypeError: object with"),
    ):
        with pytest.raises(BoardError, match=error):
            opened.run(APPLY + f"patch = {begin}\npatch.feed({patch!r})")
    with pytest.raises(BoardError, match="ValueError: the patch has failed before"):
        opened.run(
            APPLY
            + """
patch = begin(4)
try:
    patch.feed(b'\\x05')
except ValueError:
    pass
patch.feed(b'\\x04')
"""
        )
