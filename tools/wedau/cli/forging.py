"""Forge updates in every way that we know of, and see whether a node takes one."""

import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from wedau.build.simboard import SimFirmware

# What a node may say to a forgery, by its kind.
CODES = {
    "one bit": {"signature", "format", "hash", "mismatch"},
    "no signature": {"signature", "length"},
    "wrong key": {"signature", "length", "hash"},
    "too few": {"signature"},
    "one key twice": {"signature", "format"},
    "older root": {"rollback"},
    "older timestamp": {"rollback"},
    "older snapshot": {"rollback"},
    "older targets": {"rollback"},
    "expired": {"expired"},
    "mixed": {"hash", "length", "mismatch"},
    "length": {"length", "format", "signature"},
    "endless": {"length"},
    "payload": {"length", "hash"},
    "architecture": {"architecture"},
    "mpy version": {"architecture"},
    "board": {"board"},
    "wrong answers": {"selftest"},
    "damaged": {"selftest"},
    "restarts": {"crash"},
    "crashes": {"crash"},
}


@dataclass
class Figures:
    """What was tried.

    Attributes:
        tried: forgeries.
        accepted: those that a node took, in whole or in part: has to be 0.
        changed: those that left anything forged on the node, or another model: has to be 0.
        misnamed: those that it refused for another reason than the right one: has to be 0.
        refused: how many were refused, by kind of forgery and by the node's word for it.
    """

    tried: int = 0
    accepted: int = 0
    changed: int = 0
    misnamed: int = 0
    refused: dict[str, Counter[str]] = field(default_factory=dict)

    def note(self, kind: str, code: str | None, changed: bool) -> None:
        """Count one; code None: it was accepted."""
        self.tried += 1
        self.changed += changed
        if code is None:
            self.accepted += 1
            return
        self.misnamed += code not in CODES[kind]
        self.refused.setdefault(kind, Counter())[code] += 1


def measure(
    firmware: SimFirmware | None,
    *,
    every: int = 1,
    say: Callable[[str], None] = lambda message: None,
) -> Figures:
    """Forge.

    Args:
        firmware: the simulated board's, with all modules; None: only what the node's Python, run
            on this machine, can tell.
        every: of the bits of the metadata each n-th is flipped.
        say: called with a sentence for people now and then.
    """
    from wedau.cli import forging_board, forging_lengths, forging_metadata
    from wedau.cli.forging_node import Situation

    figures = Figures()
    with tempfile.TemporaryDirectory(prefix="wedau-") as folder:
        situation = Situation(Path(folder), figures)
        forging_metadata.flip_bits(situation, every)
        say(f"{figures.tried:,} single bits flipped, {figures.accepted} accepted")
        forging_metadata.sign_otherwise(situation)
        forging_metadata.go_back(situation)
        forging_metadata.mix(situation)
        forging_lengths.stretch_metadata(situation)
        forging_lengths.stretch_payload(figures)
        if firmware is not None:
            forging_board.offer_all(Path(folder), firmware, figures, say)
    return figures
