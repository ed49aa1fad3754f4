"""What is in the object files of a module: code, functions, what words refer to, loops' records."""

import io
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection
from elftools.elf.sections import SymbolTableSection

from wedau.build.bounds.errors import NoBoundError

_R_XTENSA_32 = 1
_R_XTENSA_SLOT0_OP = 20
_RECORDS = ".wd_loop"


class Place(NamedTuple):
    """An address: the object's number, the section's number in it, the offset there."""

    object: int
    section: int
    offset: int


class External(NamedTuple):
    """A name that no object of the module defines, and an offset to it."""

    name: str
    offset: int


# The passes of a loop that passes as often as its function's third argument says.
SIZE = 0xFFFFFFFF


@dataclass(frozen=True)
class Record:
    """A record of wd_loop.h: a loop, and how often it passes at most; 0 where it is reached."""

    loop: int
    passes: int


@dataclass(frozen=True)
class Function:
    """A function: its name, where it begins, and its bytes."""

    name: str
    start: Place
    size: int


@dataclass
class Objects:
    """All objects of a module, with the references between them resolved."""

    code: dict[tuple[int, int], bytes] = field(default_factory=dict)
    functions: dict[Place, Function] = field(default_factory=dict)
    references: dict[Place, Place | External] = field(default_factory=dict)
    records: dict[Place, list[Record]] = field(default_factory=dict)

    def function(self, name: str) -> Function:
        """Return the one function of that name, global or static.

        Raises:
            NoBoundError: there is none, or there are several.
        """
        found = [f for f in self.functions.values() if f.name == name]
        if len(found) != 1:
            raise NoBoundError(f"{len(found) or 'no'} functions are called {name}")
        return found[0]


def read(files: Sequence[bytes]) -> Objects:
    """Read Xtensa objects as the compiler made them.

    Raises:
        NoBoundError: one holds what the compilers known to Wedau do not make.
    """
    made = Objects()
    readers = [_Reader(number, data) for number, data in enumerate(files)]
    names: dict[str, Place] = {}
    for reader in readers:
        names |= reader.globals()
    for reader in readers:
        reader.read(made, names)
    return made


class _Reader:
    def __init__(self, number: int, data: bytes) -> None:
        self.number = number
        self.elf = ELFFile(io.BytesIO(data))
        self.sections = list(self.elf.iter_sections())
        symtab = self.elf.get_section_by_name(".symtab")
        if not isinstance(symtab, SymbolTableSection):
            raise NoBoundError("an object has no symbols")
        self.symtab = symtab

    def globals(self) -> dict[str, Place]:
        """Return where the names are that other objects may use."""
        found = {}
        for symbol in self.symtab.iter_symbols():
            if symbol["st_info"]["bind"] != "STB_LOCAL" and isinstance(symbol["st_shndx"], int):
                found[symbol.name] = self._place(symbol["st_shndx"], symbol["st_value"])
        return found

    def read(self, made: Objects, names: dict[str, Place]) -> None:
        for index, section in enumerate(self.sections):
            if section["sh_flags"] & 4 and section["sh_size"]:
                made.code[self.number, index] = section.data()
        for symbol in self.symtab.iter_symbols():
            if symbol["st_info"]["type"] == "STT_FUNC" and isinstance(symbol["st_shndx"], int):
                start = self._place(symbol["st_shndx"], symbol["st_value"])
                made.functions[start] = Function(symbol.name, start, symbol["st_size"])
        for section in self.sections:
            if isinstance(section, RelocationSection):
                self._references(made, names, section)
        self._records(made)

    def _place(self, section: int, offset: int) -> Place:
        return Place(self.number, section, offset)

    def _references(
        self, made: Objects, names: dict[str, Place], relocations: RelocationSection
    ) -> None:
        target = relocations["sh_info"]
        data = self.sections[target].data()
        for entry in relocations.iter_relocations():
            if entry["r_info_type"] not in (_R_XTENSA_32, _R_XTENSA_SLOT0_OP):
                continue
            symbol = self.symtab.get_symbol(entry["r_info_sym"])
            offset = entry["r_addend"]
            if entry["r_info_type"] == _R_XTENSA_32:
                offset += struct.unpack_from("<i", data, entry["r_offset"])[0]
            at = self._place(target, entry["r_offset"])
            if isinstance(symbol["st_shndx"], int):
                made.references[at] = self._place(symbol["st_shndx"], symbol["st_value"] + offset)
            elif symbol.name in names:
                there = names[symbol.name]
                made.references[at] = there._replace(offset=there.offset + offset)
            else:
                made.references[at] = External(symbol.name, offset)

    def _records(self, made: Objects) -> None:
        for index, section in enumerate(self.sections):
            if section.name != _RECORDS:
                continue
            for i, (word, loop, passes) in enumerate(struct.iter_unpack("<III", section.data())):
                at = made.references.get(self._place(index, 12 * i))
                if word or not isinstance(at, Place):
                    raise NoBoundError("a loop's record has no address")
                made.records.setdefault(at, []).append(Record(loop, passes))
