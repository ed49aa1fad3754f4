"""Rows that board and laptop make alike, to see that a model answers here as it did there.

A golden is five whole numbers that are signed with the model: how many rows, how many features, the
seed, a CRC-32 of the answers, and for outputs the power of ten that they are counted in.
"""

import binascii
import struct
from array import array

_MODULUS = 65537
_HALVINGS = 8  # a row is as wide as the grid, half as wide and so on, then as wide again


def rows(count, n_features, seed):
    """Yield so many rows of the grid, each time the same array 'h'.

    Args:
        count: of rows.
        n_features: of the model.
        seed: 0 to 65536.
    """
    row = array("h", bytes(2 * n_features))
    state = seed
    for number in range(count):
        shift = number % _HALVINGS
        for i in range(n_features):
            state = (state * 75 + 74) % _MODULUS
            row[i] = (min(state, 65535) - 32768) >> shift
        yield row


def answers(model, golden):
    """Return the CRC-32 of what a model answers to the rows of a golden.

    Args:
        model: a module, with `labels` if it decides and without if it gives a number.
        golden: the five numbers.
    """
    count, n_features, seed, _, exponent = golden
    crc = 0
    out = array("f", (0.0,))
    for row in rows(count, n_features, seed):
        if hasattr(model, "labels"):
            answer = model.predict(row)
        else:
            answer = counted(model.predict(row, out)[0], exponent)
        crc = binascii.crc32(struct.pack("<i", answer), crc)
    return crc & 0xFFFFFFFF


def counted(output, exponent):
    """Return how many whole units of 10 ** exponent an output is; float32 is enough for it."""
    units = output / 10.0**exponent
    whole = int(units)
    return whole - 1 if units < whole else whole
