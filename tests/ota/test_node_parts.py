"""Parts of the node as plain Python: journal, archive, slots and goldens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wedau.ota import cpio as host_cpio
from wedau.ota import golden as host_golden
from wedau.ota import on_host

journal = on_host.load("journal")
cpio = on_host.load("cpio")
ddi = on_host.load("ddi")
http = on_host.load("http")
slots = on_host.load("slots")
OtaError = on_host.load("errors").OtaError


class Sector:
    """A sector of NOR flash that loses power at the n-th operation."""

    def __init__(self, power: list[int]) -> None:
        self.data, self.power = bytearray(b"\xff" * 4096), power

    def read(self, offset: int, buffer: bytearray) -> None:
        buffer[:] = self.data[offset : offset + len(buffer)]

    def write(self, offset: int, data: bytes) -> None:
        n = self._left(len(data))
        for i in range(n):
            self.data[offset + i] &= data[i]
        self._end(n < len(data))

    def erase(self, offset: int = 0) -> None:
        n = self._left(4096)
        self.data[:n] = b"\xff" * n
        self._end(n < 4096)

    def _left(self, length: int) -> int:
        self.power[0] -= 1
        return length if self.power[0] else length // 2

    def _end(self, cut: bool) -> None:
        if cut:
            raise RuntimeError("power")


def record(number: int) -> object:
    kind, state = 1 + number % 3, 1 + number % 5
    made = journal.Record(kind, state, number % 2, number + 1, 100, bytes(32), "saw", "1")
    made.seq, made.golden = 1, (32, 4, 7, 0xFFFFFFFF, -3)
    return made


@given(st.integers(1, 200))
def test_journal_keeps_all_that_was_written_before_a_power_cut(at: int) -> None:
    power = [at]
    sectors = [Sector(power), Sector(power)]
    written: dict[int, int] = {}
    kept = journal.Journal(sectors)
    number = 0
    try:
        for number in range(120):
            kept.append(record(number))
            written[1 + number % 3] = number + 1
    except RuntimeError:
        pass
    power[0] = 1 << 30
    again = journal.Journal(sectors)
    for kind, serial in written.items():
        last = again.last(kind)
        assert last.serial in (serial, number + 1)
        assert last.golden == (32, 4, 7, 0xFFFFFFFF, -3)


@given(st.binary(min_size=journal.RECORD_BYTES, max_size=journal.RECORD_BYTES))
def test_journal_takes_no_other_bytes_for_a_record(data: bytes) -> None:
    assert journal.unpack(data) is None
    good = record(3).pack()  # type: ignore[attr-defined]
    assert journal.unpack(good).pack() == good
    assert journal.unpack(good[:-1] + bytes([good[-1] ^ 1])) is None


@pytest.mark.parametrize("seq", [0, 0x80000000, 0xFFFFFFFF])
def test_journal_takes_no_record_with_a_number_out_of_range(seq: int) -> None:
    made = record(3)
    made.seq = seq  # type: ignore[attr-defined]
    assert journal.unpack(made.pack()) is None  # type: ignore[attr-defined]


def test_journal_ends_with_its_numbers() -> None:
    sectors = [Sector([1 << 30]), Sector([1 << 30])]
    made = record(3)
    made.seq = 0x7FFFFFFE  # type: ignore[attr-defined]
    sectors[0].write(0, made.pack())  # type: ignore[attr-defined]
    kept = journal.Journal(sectors)
    kept.append(record(4))
    with pytest.raises(OtaError, match="no more numbers"):
        kept.append(record(5))
    assert journal.Journal(sectors).last(2).serial == 5


@pytest.mark.parametrize("number", ["²", "1²", "-1", "", "0", "4294967296", 1.0, None, True])
def test_fleet_server_that_sends_no_number_of_an_action_is_refused(number: object) -> None:
    with pytest.raises(OtaError, match="bad action"):
        ddi._number(number)
    assert ddi._number("4294967295") == 4294967295


@pytest.mark.parametrize("sleep", ["0:0:²", "1:2", "::", "1:2:-3", "0001:00:00"])
def test_fleet_server_that_sends_no_time_to_sleep_is_passed_over(sleep: str) -> None:
    carrier = ddi.Ddi({"url": "http://a", "tenant": "t", "id": "n", "token": ""})
    carrier._note_sleep({"config": {"polling": {"sleep": sleep}}})
    assert carrier.poll_s is None


@pytest.mark.parametrize("port", ["", "0", "65536", "999999999", "-1", "²", "1 "])
def test_address_with_a_wrong_port_is_refused(port: str) -> None:
    with pytest.raises(OtaError):
        http.Address(f"http://host:{port}/file")
    assert http.Address("http://host:65535/file").port == 65535


def unpacked(data: bytes, piece: int) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytearray]] = []
    unpacker = cpio.Unpacker(
        lambda name, length: found.append((name, bytearray())),
        lambda view: found[-1][1].extend(view),
    )
    for at in range(0, len(data), piece):
        unpacker.write(data[at : at + piece])
    assert unpacker.done
    return [(name, bytes(content)) for name, content in found]


@given(st.lists(st.binary(max_size=300), max_size=5), st.integers(1, 500))
def test_archive_unpacks_in_pieces_of_any_size(contents: list[bytes], piece: int) -> None:
    files = [(f"lib/f{i}.py", content) for i, content in enumerate(contents)]
    assert unpacked(host_cpio.pack(files), piece) == files


@given(st.integers(0, 400), st.integers(0, 255))
def test_archive_with_another_byte_unpacks_or_is_refused(at: int, value: int) -> None:
    data = bytearray(host_cpio.pack([("a.py", b"1" * 30), ("b.py", b"2" * 9)]))
    data[at % len(data)] = value
    try:
        files = unpacked(bytes(data), 64)
    except (OtaError, AssertionError):
        return
    assert all(host_golden.node.is_path(name) for name, _ in files)


@pytest.mark.parametrize("name", ["../a", "/a", "a/../b", ".a", "a b", "a//b"])
def test_archive_with_a_path_out_of_its_folder_is_refused(name: str) -> None:
    data = host_cpio.pack([(name, b"x")])
    with pytest.raises(OtaError, match="bad name"):
        unpacked(data, 64)


def test_slot_takes_whole_sectors_only() -> None:
    writer = slots.Writer(slots.Area(None, 0, 3))
    with pytest.raises(OtaError, match="the slot"):
        writer.begin(3 * 4096 + 1)
    with pytest.raises(ValueError, match="not a sector"):
        writer.write(bytes(4097))
