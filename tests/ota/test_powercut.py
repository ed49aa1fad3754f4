"""Power cuts at operations of an update, in turns of the modes, and at some of the recovery."""

import pytest

from wedau.build.simboard import SimFirmware
from wedau.cli import powercut


@pytest.mark.parametrize("kind", powercut.UPDATES)
def test_power_cuts_leave_a_board_that_decides_and_updates(
    kind: str, whole_firmware: SimFirmware
) -> None:
    figures = powercut.measure(whole_firmware, [kind], step=4, every=20)
    assert figures.failures == []
    assert figures.operations[kind] > 20
    assert figures.cuts > 3 * figures.operations[kind]
    assert figures.foretold > figures.runs > 20
