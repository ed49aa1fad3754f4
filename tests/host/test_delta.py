"""Patches: made by detools, applied by the C that the board runs."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wedau import _core
from wedau.ota import delta

PIECES = st.lists(
    st.one_of(
        st.binary(max_size=40), st.tuples(st.integers(0, 600), st.integers(0, 300)).map(tuple)
    ),
    max_size=8,
)


def rebuilt(old: bytes, pieces: list[bytes | tuple[int, int]]) -> bytes:
    """A new file out of pieces of the old one and others."""
    parts = [p if isinstance(p, bytes) else old[p[0] : p[0] + p[1]] for p in pieces]
    return b"".join(parts)


@settings(max_examples=200, deadline=None)
@given(old=st.binary(max_size=600), pieces=PIECES)
def test_patch_makes_the_new_file_of_the_old(
    old: bytes, pieces: list[bytes | tuple[int, int]]
) -> None:
    new = rebuilt(old, pieces)
    assert _core.delta_apply(old, delta._create(old, new), len(new)) == new


def example() -> tuple[bytes, bytes, bytes]:
    """An old and a new file that differ here and there, and the patch."""
    rng = random.Random(1)
    old = rng.randbytes(400)
    new = bytearray(old)
    new[50:55] = b"hello"
    new[200:200] = rng.randbytes(20)
    new[300:320] = b""
    patch = delta.make(old, bytes(new))
    assert patch is not None
    return old, bytes(new), patch


def test_patch_cut_off_anywhere_is_refused() -> None:
    old, new, patch = example()
    for length in range(len(patch)):
        with pytest.raises(ValueError):
            _core.delta_apply(old, patch[:length], len(new))


def test_patch_with_any_bit_flipped_is_refused_or_makes_a_file_of_the_size() -> None:
    """Some bits do not matter: the same bytes may lie at two places of heatshrink's window."""
    old, new, patch = example()
    refused = same = 0
    for bit in range(8 * len(patch)):
        wrong = bytearray(patch)
        wrong[bit // 8] ^= 1 << bit % 8
        try:
            made = _core.delta_apply(old, bytes(wrong), len(new))
            assert len(made) == len(new)
            same += made == new
        except ValueError:
            refused += 1
    assert refused > len(patch)
    assert same < 0.2 * 8 * len(patch)


def patch_of(*numbers: int | bytes, size: bytes = b"\x04") -> bytes:
    """A patch with these bytes in its stream, each a literal of heatshrink's."""
    stream = b"".join(bytes([n]) if isinstance(n, int) else n for n in numbers)
    bits = "".join(f"1{byte:08b}" for byte in stream)
    bits += "0" * (-len(bits) % 8)
    return b"\x04" + size + b"\x00" + int(bits or "0", 2).to_bytes(len(bits) // 8, "big")


def test_handmade_patch_is_understood() -> None:
    assert _core.delta_apply(b"abcd", patch_of(0, 2, 1, 1, 2, b"xy", 0), 4) == b"bcxy"
    assert _core.delta_apply(b"abcd", b"\x04\x00", 0) == b""


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        (patch_of(0, 0x42), "outside"),  # a difference of -2 bytes
        (patch_of(0, 0, 0x41), "outside"),  # -1 new bytes
        (patch_of(0, 5), "outside"),  # more than the new file has
        (patch_of(0, b"\xbf\xff\xff\xff\x03"), "outside"),
        (patch_of(0, b"\xbf\xff\xff\xff\x07"), "a number"),
        (patch_of(0, b"\x80\x80\x80\x80\x80\x80\x01"), "a number"),
        (patch_of(0, b"\x80\x00"), "a number"),  # not the shortest form
        (patch_of(0, 0x40), "a number"),  # -0
        (patch_of(0, 0, 0, 0x41), "outside"),  # before the old file
        (patch_of(0, 0, 0, 5), "outside"),  # behind it
        (patch_of(0, 0, 0, 3, 2), "outside"),  # 2 old bytes where there is 1
        (patch_of(1), "not a patch"),  # with a data format
        (patch_of(size=b"\x05"), "another size"),
        (patch_of(size=b"\x44"), "another size"),  # -4
        (b"\x04\x04\x90", "window"),  # of 13 bits
        (b"\x04\x04\x01", "window"),  # a lookahead as long as the window
        (b"\x14\x04\x00", "not a patch"),
        (b"\x01\x04\x00", "not a patch"),
        (patch_of(0, 0, 4, b"abcd", 0, 0), "follows"),
        (patch_of(0, 0, 4, b"abcd", 0) + b"\0", "follows"),
        (patch_of(0, 0, 4, b"abcd"), "cut off"),
        (b"", "cut off"),
    ],
)
def test_hostile_patch_is_refused(patch: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        _core.delta_apply(b"abcd", patch, 4)


def test_patch_between_unrelated_files_is_not_made() -> None:
    rng = random.Random(2)
    assert delta.make(rng.randbytes(5000), rng.randbytes(5000)) is None


def test_patch_is_made_where_it_is_smaller_than_70_percent_of_the_whole() -> None:
    rng = random.Random(4)
    old, made = rng.randbytes(4000), []
    for kept in range(0, 4000, 200):
        new = old[:kept] + rng.randbytes(4000 - kept)
        patch = delta.make(old, new)
        made.append(patch is not None)
        assert made[-1] == (len(delta._create(old, new)) < 0.7 * len(new))
    assert made == sorted(made) and set(made) == {False, True}


def test_patch_of_just_the_share_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    old, new, patch = example()
    monkeypatch.setattr(delta, "MAX_SHARE", len(patch) / len(new))
    assert delta.make(old, new) is None
    monkeypatch.setattr(delta, "MAX_SHARE", (len(patch) + 1) / len(new))
    assert delta.make(old, new) == patch


def test_patch_of_a_firmware_is_a_fraction_of_it() -> None:
    """1 MB of repetitive words, moved by an insertion, with references that moved along."""
    rng = random.Random(3)
    words = [rng.randbytes(4) for _ in range(3000)]
    old = b"".join(rng.choices(words, k=250_000))
    new = bytearray(old)
    for at in range(0, len(new), 500):
        new[at] = new[at] + 40 & 255
    new[100_000:100_000] = rng.randbytes(400)
    patch = delta.make(old, bytes(new))
    assert patch is not None
    assert len(patch) < 0.05 * len(new)
