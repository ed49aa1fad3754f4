"""The instructions that a function may pass, and in which order: its control-flow graph."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from wedau.build.bounds import xtensa
from wedau.build.bounds.errors import NoBoundError
from wedau.build.bounds.objects import External, Function, Objects, Place, Record
from wedau.build.bounds.xtensa import Instruction, Kind

FUNCTION_TABLE = "mp_fun_table"
_WORD_BYTES = 4


@dataclass(frozen=True)
class Firmware:
    """A function of the firmware, by its name in mp_fun_table."""

    name: str


# What a register may hold that matters here: an address, a function of the firmware, a number.
Value = Place | External | Firmware | int
# Beside the registers, words of the frame: 16 and the offset from a1.
Registers = dict[int, Value]
_STACK_POINTER = 1
_FRAME = 16


@dataclass
class Flow:
    """A function's instructions by their offset.

    Attributes:
        function: which function.
        next: for each instruction the ones that may follow; none after a return.
        calls: whom an instruction calls: a function of the module by its place, or the firmware.
        sizes: the third argument of a call where it is a constant.
        returns: the instructions that return.
        records: the loops' records at an instruction.
        frame_bytes: what its entry takes of the stack.
    """

    function: Function
    next: dict[int, set[int]] = field(default_factory=dict)
    calls: dict[int, Place | Firmware] = field(default_factory=dict)
    sizes: dict[int, int] = field(default_factory=dict)
    returns: set[int] = field(default_factory=set)
    records: dict[int, list[Record]] = field(default_factory=dict)
    frame_bytes: int = 0


def trace(
    objects: Objects, function: Function, table: Mapping[int, str], ends: Collection[str]
) -> Flow:
    """Follow a function from its first instruction along every branch.

    Args:
        objects: the module.
        function: one of its functions.
        table: the names of the functions in mp_fun_table by their index there.
        ends: names in mp_fun_table that never return: they raise.

    Raises:
        NoBoundError: an instruction, a jump or the target of a call is not known.
    """
    return _Tracer(objects, function, table, ends).run()


class _Tracer:
    """Constant propagation: what the registers hold for sure, at every instruction."""

    def __init__(
        self, objects: Objects, function: Function, table: Mapping[int, str], ends: Collection[str]
    ) -> None:
        self.objects = objects
        self.function = function
        self.table = table
        self.ends = ends
        self.code = objects.code[function.start.object, function.start.section]
        self.flow = Flow(function)
        self.held: dict[int, Registers] = {}
        self.decoded: dict[int, Instruction] = {}
        self.loop_starts: dict[int, int] = {}  # by the offset where the hardware loop ends
        self.queue: list[int] = []
        self.own_words = self._own_words()

    def run(self) -> Flow:
        start = self.function.start.offset
        first = self._decode(start)
        if first.kind is not Kind.ENTRY or first.register != 1:
            raise NoBoundError(f"{self.function.name}() does not begin with an entry")
        self.flow.frame_bytes = first.value
        self._reach(start, {})
        while self.queue:
            self._step(self.queue.pop())
        self._mark()
        return self.flow

    def _own_words(self) -> int:
        """Return below which offset from a1 nothing lies that pointers point to."""
        at, lowest = self.function.start.offset, 1 << 30
        end = at + self.function.size
        while at < end:
            try:
                instruction = xtensa.decode(self.code, at)
            except NoBoundError:
                return 0
            address = xtensa.stack_address(self.code, at)
            lowest = lowest if address is None else min(lowest, address)
            at += instruction.length
        return lowest

    def _decode(self, at: int) -> Instruction:
        if at not in self.decoded:
            begin = self.function.start.offset
            if not begin <= at < begin + self.function.size:
                raise NoBoundError(f"{self.function.name}() goes on outside of itself, at {at:#x}")
            self.decoded[at] = xtensa.decode(self.code, at)
        return self.decoded[at]

    def _reach(self, at: int, registers: Registers) -> None:
        """Keep what all ways to an instruction agree on; look at it again if that changed."""
        known = self.held.get(at)
        if known is None:
            agreed = registers
        else:
            agreed = {r: v for r, v in known.items() if registers.get(r) == v}
            if len(agreed) == len(known):
                return
        self.held[at] = agreed
        self.queue.append(at)

    def _step(self, at: int) -> None:
        instruction = self._decode(at)
        after = dict(self.held[at])
        goes_on = self._execute(at, instruction, after)
        follows = self._followers(at, instruction) if goes_on else set()
        self.flow.next.setdefault(at, set()).update(follows)
        for other in follows:
            self._reach(other, after)

    def _followers(self, at: int, instruction: Instruction) -> set[int]:
        kind, after = instruction.kind, at + instruction.length
        if kind in (Kind.RETURN, Kind.TRAP):
            return set()
        if kind is Kind.JUMP:
            return {instruction.target}
        follows = {after}
        if kind in (Kind.BRANCH, Kind.LOOP_MAYBE):
            follows.add(instruction.target)
        if kind in (Kind.LOOP, Kind.LOOP_MAYBE):
            self._begin_loop(instruction.target, after)
        if after in self.loop_starts:
            follows.add(self.loop_starts[after])
        return follows

    def _begin_loop(self, end: int, start: int) -> None:
        """From the last instruction of a hardware loop, the way leads back to its first."""
        if self.loop_starts.setdefault(end, start) != start:
            raise NoBoundError(f"two hardware loops end at {end:#x}")
        last = [at for at, found in self.decoded.items() if at + found.length == end]
        self.queue += [at for at in last if at in self.held]

    def _execute(self, at: int, instruction: Instruction, registers: Registers) -> bool:
        """Change the registers as the instruction does; False if it never goes on."""
        kind = instruction.kind
        if kind in (Kind.CALL, Kind.CALL_REGISTER):
            return self._call(at, instruction, registers)
        if kind is Kind.MOVE_FRAME:
            raise NoBoundError(f"{self.function.name}() has a frame of changing size")
        if kind is Kind.ENTRY and at != self.function.start.offset:
            raise NoBoundError(f"{self.function.name}() has two entries")
        if kind is Kind.RETURN:
            self.flow.returns.add(at)
        if kind is Kind.STORE:
            self._store(instruction, registers)
            return True
        value: Value | None = None
        if kind is Kind.LITERAL:
            value = self._literal(at)
        elif kind is Kind.LOAD and instruction.source == _STACK_POINTER:
            value = registers.get(_FRAME + instruction.value)
        elif kind is Kind.LOAD:
            value = self._load(registers.get(instruction.source), instruction.value)
        elif kind is Kind.MOVE:
            value = registers.get(instruction.source)
        elif kind is Kind.CONSTANT:
            value = instruction.value
        else:
            for register in instruction.writes:
                registers.pop(register, None)
            return True
        registers.pop(instruction.register, None)
        if value is not None:
            registers[instruction.register] = value
        return True

    def _store(self, instruction: Instruction, registers: Registers) -> None:
        if instruction.source != _STACK_POINTER:
            return
        value = registers.get(instruction.register)
        registers.pop(_FRAME + instruction.value, None)
        if value is not None and instruction.value + 4 <= self.own_words:
            registers[_FRAME + instruction.value] = value

    def _literal(self, at: int) -> Value | None:
        start = self.function.start
        word = self.objects.references.get(start._replace(offset=at))
        return self.objects.references.get(word) if isinstance(word, Place) else None

    def _load(self, base: Value | None, offset: int) -> Value | None:
        if isinstance(base, External) and base.name == FUNCTION_TABLE:
            index, odd = divmod(base.offset + offset, _WORD_BYTES)
            return Firmware(self.table[index]) if not odd and index in self.table else None
        return None

    def _call(self, at: int, instruction: Instruction, registers: Registers) -> bool:
        target: Value | None
        if instruction.kind is Kind.CALL:
            start = self.function.start
            known = self.objects.references.get(start._replace(offset=at))
            target = known or start._replace(offset=instruction.target)
        else:
            target = registers.get(instruction.register)
        if isinstance(target, External):
            target = Firmware(target.name)
        if not (isinstance(target, Firmware) or target in self.objects.functions):
            raise NoBoundError(f"{self.function.name}() calls through a pointer, at {at:#x}")
        assert isinstance(target, (Place, Firmware))
        self.flow.calls[at] = target
        size = registers.get(instruction.value + 4)  # the callee's a4
        self.flow.sizes.pop(at, None)
        if isinstance(size, int):
            self.flow.sizes[at] = size
        for register in [r for r in registers if instruction.value <= r < _FRAME]:
            del registers[register]
        return not (isinstance(target, Firmware) and target.name in self.ends)

    def _mark(self) -> None:
        start = self.function.start
        for place, records in self.objects.records.items():
            if place[:2] == start[:2] and place.offset in self.flow.next:
                self.flow.records[place.offset] = records
