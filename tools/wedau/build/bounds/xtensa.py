"""Decode Xtensa instructions as far as control flow, calls and frames need it.

Source: Xtensa Instruction Set Architecture (ISA) Reference Manual, Cadence, chapters 3 and 7.
"""

from dataclasses import dataclass
from enum import Enum

from wedau.build.bounds.errors import NoBoundError


class Kind(Enum):
    """What an instruction does to the flow of control, and what else matters here."""

    PLAIN = "goes on"
    BRANCH = "branches or goes on"
    JUMP = "jumps"
    CALL = "calls a constant address"
    CALL_REGISTER = "calls the address in a register"
    RETURN = "returns"
    TRAP = "never goes on"
    LOOP = "begins a hardware loop"
    LOOP_MAYBE = "begins a hardware loop, or skips it"
    ENTRY = "makes a frame"
    MOVE_FRAME = "moves the frame"
    LITERAL = "loads a literal"
    LOAD = "loads a word"
    MOVE = "copies a register"
    CONSTANT = "sets a register"
    STORE = "stores a word"


@dataclass(frozen=True)
class Instruction:
    """One instruction.

    Attributes:
        kind: see Kind.
        length: 2 or 3 bytes.
        target: where it branches to, calls or loads from, or where its loop ends: an offset.
        register: the register that it writes (LITERAL, LOAD, MOVE, CONSTANT), stores (STORE) or
            calls (CALL_REGISTER).
        source: the register that it copies (MOVE), or loads or stores through (LOAD, STORE).
        value: bytes of the frame (ENTRY), the offset of a LOAD or STORE, the CONSTANT, the first
            register that a call changes (CALL, CALL_REGISTER).
        writes: registers that it may write otherwise.
    """

    kind: Kind
    length: int
    target: int = 0
    register: int = 0
    source: int = 0
    value: int = 0
    writes: frozenset[int] = frozenset()


# Special registers whose writing moves neither the flow of control nor the window:
# SAR, BR, ACCLO, ACCHI, MR0 to MR3.
_HARMLESS = frozenset([3, 4, 16, 17, 32, 33, 34, 35])


def decode(code: bytes, at: int) -> Instruction:
    """Decode the instruction at an offset of a section.

    Raises:
        NoBoundError: there is none, or it is one that compilers do not use in a module.
    """
    if at < 0 or at + 2 > len(code):
        raise NoBoundError(f"the code ends at {at:#x}")
    narrow = (code[at] & 15) >= 8
    length = 2 if narrow else 3
    if at + length > len(code):
        raise NoBoundError(f"the code ends within the instruction at {at:#x}")
    word = int.from_bytes(code[at : at + length], "little")
    op0 = word & 15
    found = _DECODERS[op0](word, at) if op0 in _DECODERS else None
    if found is None:
        raise NoBoundError(f"the instruction {word:#08x} at {at:#x} is not known")
    return found


def stack_address(code: bytes, at: int) -> int | None:
    """Return the offset from a1 of an address in the frame that an instruction makes, if it does.

    0 stands for any: what else than adding a constant is done with a1, or a narrower store there.
    """
    word = int.from_bytes(code[at : at + 3], "little")
    op0, (t, s, r) = word & 15, _fields(word)
    if op0 == 2 and s == 1 and r in (12, 13):
        return _signed(word >> 16 & 255, 8) * (256 if r == 13 else 1)
    if op0 == 11 and s == 1:
        return t or -1
    computes = op0 == 10 or (op0 == 0 and word >> 16 & 15 == 0 and word >> 20 & 15 >= 1)
    copies = op0 == 13 and r == 0 and s == 1
    stored = t == 1 and (op0 == 9 or (op0 == 2 and r == 6))
    narrower = s == 1 and op0 == 2 and r in (4, 5, 14, 15)
    return 0 if (computes and 1 in (s, t)) or copies or stored or narrower else None


def _fields(word: int) -> tuple[int, int, int]:
    """Return the fields t, s, r."""
    return word >> 4 & 15, word >> 8 & 15, word >> 12 & 15


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) & 1 else value


def _plain(length: int, *writes: int) -> Instruction:
    return Instruction(Kind.PLAIN, length, writes=frozenset(writes))


def _register_forms(word: int, at: int) -> Instruction | None:
    t, s, r = _fields(word)
    op1, op2 = word >> 16 & 15, word >> 20 & 15
    if op1 == 0 and op2 == 0:
        return _flow_forms(t, s, r)
    if op1 == 0 and op2 == 2 and s == t:
        return Instruction(Kind.MOVE, 3, register=r, source=s)
    if op1 == 0 and op2 == 4:
        return _plain(3, t) if r in (0, 1, 2, 3, 4, 14, 15) else None  # shift amounts, nsa, nsau
    if (op1 == 0 and op2 == 5) or (op1 == 1 and op2 == 15):  # TLB, caches
        return None
    if op1 == 1 and op2 == 6 and (word >> 8 & 255) not in _HARMLESS:  # XSR
        return None
    if op1 == 3 and op2 == 1 and (word >> 8 & 255) not in _HARMLESS:  # WSR
        return None
    if op1 == 9 or op1 > 11:  # L32E, S32E and what is reserved
        return None
    return _plain(3, t, s, r)


def _flow_forms(t: int, s: int, r: int) -> Instruction | None:
    """RST0/ST0: returns, calls through registers, nops, traps."""
    if r == 0 and t >> 2 == 3:
        return Instruction(Kind.CALL_REGISTER, 3, register=s, value=_first_changed(t & 3))
    if r == 0 and t in (8, 9):
        return Instruction(Kind.RETURN, 3)
    if r == 0 and t == 0 and s == 0:
        return Instruction(Kind.TRAP, 3)  # ill
    if r == 1:
        return Instruction(Kind.MOVE_FRAME, 3, writes=frozenset([t]))
    if r == 2:
        return _plain(3)  # barriers, nop
    if r in (8, 9, 10, 11):
        return _plain(3)  # any4, all4, any8, all8
    return None


def _first_changed(size: int) -> int:
    """The callee of call4, call8 and call12 changes the registers from a4, a8 and a12 on."""
    return 4 * size


def _literal(word: int, at: int) -> Instruction:
    offset = ((word >> 8) - 0x10000) * 4
    return Instruction(Kind.LITERAL, 3, target=((at + 3) & ~3) + offset, register=word >> 4 & 15)


def _memory(word: int, at: int) -> Instruction | None:
    t, s, r = _fields(word)
    if r == 2:
        return Instruction(Kind.LOAD, 3, register=t, source=s, value=4 * (word >> 16 & 255))
    if r == 10:  # movi
        value = _signed(s << 8 | word >> 16, 12)
        return Instruction(Kind.CONSTANT, 3, register=t, value=value)
    if r == 6:
        return Instruction(Kind.STORE, 3, register=t, source=s, value=4 * (word >> 16 & 255))
    if r in (4, 5, 15):  # other stores
        return _plain(3)
    return None if r in (3, 7, 8) else _plain(3, t)  # not reserved ones, caches


def _float_memory(word: int, at: int) -> Instruction | None:
    _, s, r = _fields(word)
    if r in (0, 4):
        return _plain(3)
    return _plain(3, s) if r in (8, 12) else None


def _multiply_accumulate(word: int, at: int) -> Instruction:
    return _plain(3, *_fields(word))


def _call(word: int, at: int) -> Instruction:
    offset = _signed(word >> 6, 18)
    first = _first_changed(word >> 4 & 3)
    return Instruction(Kind.CALL, 3, target=(at & ~3) + 4 * offset + 4, value=first)


def _immediate(word: int, at: int) -> Instruction | None:
    n, m = word >> 4 & 3, word >> 6 & 3
    if n == 0:
        return Instruction(Kind.JUMP, 3, target=at + 4 + _signed(word >> 6, 18))
    if n == 1:
        return Instruction(Kind.BRANCH, 3, target=at + 4 + _signed(word >> 12, 12))
    if n == 3 and m == 0:
        return Instruction(Kind.ENTRY, 3, register=word >> 8 & 15, value=8 * (word >> 12))
    if n == 3 and m == 1:
        return _boolean_or_loop(word, at)
    return Instruction(Kind.BRANCH, 3, target=at + 4 + _signed(word >> 16, 8))


def _boolean_or_loop(word: int, at: int) -> Instruction | None:
    r = word >> 12 & 15
    if r in (0, 1):
        return Instruction(Kind.BRANCH, 3, target=at + 4 + _signed(word >> 16, 8))
    if r in (8, 9, 10):
        kind = Kind.LOOP if r == 8 else Kind.LOOP_MAYBE
        return Instruction(kind, 3, target=at + 4 + (word >> 16))
    return None


def _compare(word: int, at: int) -> Instruction:
    return Instruction(Kind.BRANCH, 3, target=at + 4 + _signed(word >> 16, 8))


def _narrow_load(word: int, at: int) -> Instruction:
    t, s, r = _fields(word)
    return Instruction(Kind.LOAD, 2, register=t, source=s, value=4 * r)


def _narrow_store(word: int, at: int) -> Instruction:
    t, s, r = _fields(word)
    return Instruction(Kind.STORE, 2, register=t, source=s, value=4 * r)


def _narrow_add(word: int, at: int) -> Instruction:
    return _plain(2, _fields(word)[2])


def _narrow_immediate(word: int, at: int) -> Instruction:
    t, s, r = _fields(word)
    if t < 8:
        value = t << 4 | r  # movi.n: from -32 to 95
        return Instruction(Kind.CONSTANT, 2, register=s, value=value - 128 if value > 95 else value)
    return Instruction(Kind.BRANCH, 2, target=at + 4 + ((t & 3) << 4 | r))


def _narrow_move(word: int, at: int) -> Instruction | None:
    t, s, r = _fields(word)
    if r == 0:
        return Instruction(Kind.MOVE, 2, register=t, source=s)
    if r != 15:
        return None
    kinds = {0: Kind.RETURN, 1: Kind.RETURN, 3: Kind.PLAIN, 6: Kind.TRAP}
    return Instruction(kinds[t], 2) if t in kinds else None


_DECODERS = {
    0: _register_forms,
    1: _literal,
    2: _memory,
    3: _float_memory,
    4: _multiply_accumulate,
    5: _call,
    6: _immediate,
    7: _compare,
    8: _narrow_load,
    9: _narrow_store,
    10: _narrow_add,
    11: _narrow_add,
    12: _narrow_immediate,
    13: _narrow_move,
}
