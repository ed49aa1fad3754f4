"""What a board did is found again where a flash is the same in all that the board read."""

import pytest

from wedau.errors import SimError
from wedau.sim.nor import Operation, Read
from wedau.sim.recall import Recall

SIZE = 3 * 4096


def flash(**places: bytes) -> bytes:
    """A flash of zeros, with bytes at places such as at_4096."""
    data = bytearray(SIZE)
    for place, content in places.items():
        at = int(place.removeprefix("at_"))
        data[at : at + len(content)] = content
    return bytes(data)


def test_bytes_that_were_not_read_make_no_difference() -> None:
    recall: Recall[str] = Recall()
    recall.add(flash(at_10=b"ab"), [Read(10, 2), Operation(20, b"x")], "done")
    assert recall.find(flash(at_10=b"ab")) == "done"
    assert recall.find(flash(at_10=b"ab", at_12=b"c", at_20=b"y")) == "done"
    assert recall.find(flash(at_10=b"ac")) is None
    assert recall.find(flash()) is None


def test_what_was_erased_first_makes_no_difference() -> None:
    recall: Recall[str] = Recall()
    steps = [Read(0, 1), Operation(4096, None), Operation(4096, b"new"), Read(4090, 20)]
    recall.add(flash(at_4090=b"123456old"), steps, "done")
    assert recall.find(flash(at_4090=b"123456other")) == "done"
    assert recall.find(flash(at_4090=b"12345xold")) is None


def test_what_was_programmed_over_makes_a_difference_once_it_is_read() -> None:
    recall: Recall[str] = Recall()
    recall.add(flash(), [Operation(50, b"new")], "not read")
    assert recall.find(flash(at_50=b"old")) == "not read"
    recall = Recall()
    recall.add(flash(), [Operation(50, b"new"), Read(50, 3)], "read")
    assert recall.find(flash(at_50=b"old")) is None


def test_each_answer_leads_on_by_its_own_way() -> None:
    recall: Recall[str] = Recall()
    recall.add(flash(at_0=b"a"), [Read(0, 1), Read(100, 1)], "a")
    recall.add(flash(at_0=b"b"), [Read(0, 1), Read(200, 1), Read(0, 1)], "b")
    assert recall.find(flash(at_0=b"a", at_200=b"x")) == "a"
    assert recall.find(flash(at_0=b"b", at_100=b"x")) == "b"
    assert recall.find(flash(at_0=b"b", at_200=b"x")) is None


@pytest.mark.parametrize(
    "steps", [[Read(0, 1)], [Read(0, 1), Read(7, 1)], [Read(0, 1), Read(5, 2)]]
)
def test_boards_that_do_otherwise_are_found_out(steps: list[Operation | Read]) -> None:
    recall: Recall[str] = Recall()
    recall.add(flash(), [Read(0, 1), Read(5, 1)], "first")
    with pytest.raises(SimError, match="did not do the same"):
        recall.add(flash(), steps, "second")
