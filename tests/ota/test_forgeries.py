"""Forgeries: a share of each kind of `wedau bench forgeries`, on this machine and on a board."""

from pathlib import Path

import pytest

from wedau.build.simboard import SimFirmware
from wedau.cli import forging
from wedau.cli.forging import Figures
from wedau.cli.forging_node import Situation


@pytest.mark.timeout(300)
def test_forgeries_of_every_kind_are_refused_for_the_right_reason(
    whole_firmware: SimFirmware,
) -> None:
    figures = forging.measure(whole_firmware, every=251)
    assert (figures.accepted, figures.changed, figures.misnamed) == (0, 0, 0), figures
    assert set(figures.refused) == set(forging.CODES)
    assert figures.tried == sum(codes.total() for codes in figures.refused.values()) > 150


def test_what_a_node_takes_counts_as_accepted(tmp_path: Path) -> None:
    figures = Figures()
    situation = Situation(tmp_path, figures)
    situation.attempt("mixed", situation.new)
    assert (figures.tried, figures.accepted, figures.changed) == (1, 1, 0)
    situation.attempt("mixed", situation.old, has={**situation.newest, "x.json": b"forged"})
    assert figures.accepted == 1


def test_refusal_for_another_reason_is_noticed() -> None:
    figures = Figures()
    figures.note("expired", "signature", False)
    figures.note("expired", "expired", True)
    assert (figures.accepted, figures.changed, figures.misnamed) == (0, 1, 1)
