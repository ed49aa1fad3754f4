"""Tables of all kinds of rubbish: training is done or refuses in two lines, and leaves nothing."""

import shutil
from pathlib import Path

import damage
import pytest
import samples
from hypothesis import given
from outcomes import contents

TRAIN = ("train", "data.csv", "-o", "saw", "--trees", "2")


@damage.examples(25)
@given(data=damage.tables())
@pytest.mark.parametrize("options", [(), ("--time", "t_ms"), ("--model", "linear")])
def test_no_table_is_too_odd_to_be_told(place: Path, options: tuple[str, ...], data: bytes) -> None:
    (place / "data.csv").write_bytes(data)
    damage.survives(place, *TRAIN, *options, makes=("saw",))
    shutil.rmtree(place / "saw", ignore_errors=True)


@damage.examples(25)
@given(data=damage.near(samples.table_bytes()))
def test_a_good_table_with_odd_cells_is_trained_on_or_refused(place: Path, data: bytes) -> None:
    (place / "data.csv").write_bytes(data)
    done = damage.survives(place, *TRAIN, makes=("saw",))
    if done.code == 0:
        assert sorted(contents(place / "saw")) == ["held_out.csv", "model.json", "trees.json"]
    shutil.rmtree(place / "saw", ignore_errors=True)


@damage.examples(20)
@given(data=damage.damaged(samples.table_bytes()))
def test_a_good_table_with_other_bytes_is_trained_on_or_refused(place: Path, data: bytes) -> None:
    (place / "data.csv").write_bytes(data)
    damage.survives(place, *TRAIN, makes=("saw",))
    shutil.rmtree(place / "saw", ignore_errors=True)


@damage.examples(12)
@given(data=damage.tables())
def test_no_list_of_labels_is_too_odd_to_be_told(place: Path, data: bytes) -> None:
    if not (place / "data").exists():
        samples.recordings(place / "data", 100, labelled=False)
    (place / "data" / "labels.csv").write_bytes(data)
    command = ("train", "data", "-o", "saw", "--trees", "2", "--time", "t_ms")
    damage.survives(place, *command, makes=("saw",))


def test_a_line_that_nobody_reads_to_its_end_is_shortened(place: Path) -> None:
    (place / "data.csv").write_text("x" * 50_000 + ",b\n1,2\n", encoding="utf-8")
    said = damage.survives(place, *TRAIN)
    assert said.code == 1
    assert " ... " in said.err
