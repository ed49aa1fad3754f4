"""Check object files for native modules, and make clang's fit MicroPython's ``tools/mpy_ld.py``.

mpy_ld.py was written for what GCC makes of Xtensa. Three things are changed in an object:

1. l32r instructions: LLVM leaves an offset in the instruction, to which mpy_ld.py would add.
2. Literals that point into a section: the offset moves from the relocation into the word, where
   GCC has it.
3. Section names: ``.rodata`` with pointers becomes ``.data.rel.ro``, and each section gets a name
   of its own, since mpy_ld.py takes equal names and offsets in two objects for the same address.

Whatever else these steps rely on is checked; what is unknown is refused.
"""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import Relocation, RelocationSection
from elftools.elf.sections import Section, Symbol, SymbolTableSection

from wedau.build.targets import target
from wedau.errors import BuildError

_R_XTENSA_32 = 1
_R_XTENSA_ASM_EXPAND = 11
_R_XTENSA_SLOT0_OP = 20
_R_XTENSA_DIFFERENCES = frozenset([17, 18, 19, 57, 58, 59, 60, 61, 62])
_L32R = 1  # the low four bits of the instruction
_RELA_BYTES = 12

_ALLOC, _EXECUTABLE, _WRITABLE = 2, 4, 1
_KINDS = (".literal", ".text", ".rodata", ".data.rel.ro", ".bss")
_NEWER_COMPILER = "this compiler is newer than what Wedau knows; use clang 22 (WEDAU_CLANG)"


@dataclass(frozen=True)
class Symbols:
    """The global names that an object defines, and those that it needs."""

    defined: frozenset[str]
    undefined: frozenset[str]


def check(data: bytes, arch: str, name: str) -> Symbols:
    """Check that an object can become part of a native module.

    Args:
        data: the object file.
        arch: one of wedau.build.targets.TARGETS.
        name: the source's name, for messages.

    Raises:
        BuildError: it is not an object for that architecture, has writable initialised data, or has
            constants among the code (the ESP32-S3's instruction memory takes only 32-bit loads).
    """
    elf = _open(data, name)
    if elf["e_machine"] != target(arch).machine or elf["e_type"] != "ET_REL":
        raise BuildError(
            f"the compiler made no {arch} object of {name}",
            "run 'wedau doctor' to check the compilers",
        )
    symbols = _symbols(elf, name)
    for index, section in enumerate(elf.iter_sections()):
        if section["sh_flags"] & _ALLOC and section["sh_size"]:
            inside = [s.name for s in symbols if s["st_shndx"] == index and s.name]
            _check_section(section, inside, name)
            if arch == "xtensawin" and section["sh_flags"] & _EXECUTABLE:
                _check_code(section, [s for s in symbols if s["st_shndx"] == index], name)
    common = [s.name for s in symbols if s["st_shndx"] == "SHN_COMMON"]
    if common:
        raise BuildError(f"{name}: {common[0]} is a common symbol", "compile with -fno-common")
    return _global_names(symbols)


def adapt(data: bytes, tag: str, name: str) -> bytes:
    """Return a checked Xtensa object, changed so that mpy_ld.py links it rightly.

    Args:
        data: the object file, of clang or of GCC.
        tag: letters and digits, another one for each object of a module.
        name: the source's name, for messages.

    Raises:
        BuildError: the object holds something whose meaning to mpy_ld.py is not known.
    """
    elf = _open(data, name)
    sections = list(elf.iter_sections())
    _check_one_literal_section(sections, name)
    out = bytearray(data)
    pointers: set[int] = set()  # indices of the .rodata sections that hold pointers
    for relocations in sections:
        if isinstance(relocations, RelocationSection):
            target = sections[relocations["sh_info"]]
            if target["sh_flags"] & _ALLOC:
                symtab = sections[relocations["sh_link"]]
                for place, entry in _entries(relocations):
                    _adapt_entry(
                        out, place, entry, target, _Reference(sections, symtab, entry), name
                    )
                if target.name.startswith(".rodata") and relocations["sh_size"]:
                    pointers.add(relocations["sh_info"])
    _rename(out, elf, {i: _new_name(s, i, tag, i in pointers) for i, s in enumerate(sections)})
    return bytes(out)


class _Reference:
    """What a relocation points at."""

    def __init__(
        self, sections: list[Section], symtab: SymbolTableSection, entry: Relocation
    ) -> None:
        self.symbol: Symbol = symtab.get_symbol(entry["r_info_sym"])
        index = self.symbol["st_shndx"]
        self.section = sections[index].name if isinstance(index, int) else ""
        self.is_section = self.symbol["st_info"]["type"] == "STT_SECTION"
        self.is_local = self.symbol["st_info"]["bind"] == "STB_LOCAL"


def _adapt_entry(
    out: bytearray, place: int, entry: Relocation, target: Section, to: _Reference, name: str
) -> None:
    kind, where = entry["r_info_type"], target["sh_offset"] + entry["r_offset"]
    if target.name.startswith(".literal") and kind == _R_XTENSA_32:
        _adapt_literal(out, place, where, entry, to, name)
    elif target.name.startswith(".text") and kind == _R_XTENSA_SLOT0_OP:
        _adapt_instruction(out, where, target, to, name)
    elif target.name.startswith(".text") and (
        kind == _R_XTENSA_ASM_EXPAND or kind in _R_XTENSA_DIFFERENCES
    ):
        pass  # notes for a relaxing linker; mpy_ld.py skips them
    elif target.name.startswith((".rodata", ".data.rel.ro")) and kind == _R_XTENSA_32:
        if entry["r_offset"] % 4:
            raise BuildError(
                f"{name}: a constant holds a pointer at an odd address", "do not pack pointers"
            )
    else:
        raise BuildError(
            f"{name}: unknown relocation {kind} in {target.name} to {to.symbol.name or to.section}",
            _NEWER_COMPILER,
        )


def _adapt_literal(
    out: bytearray, place: int, where: int, entry: Relocation, to: _Reference, name: str
) -> None:
    if to.is_section:
        (word,) = struct.unpack_from("<I", out, where)
        struct.pack_into("<I", out, where, (word + entry["r_addend"]) & 0xFFFFFFFF)
        struct.pack_into("<i", out, place + 8, 0)
    elif to.is_local:
        raise BuildError(f"{name}: a literal names the local {to.symbol.name}", _NEWER_COMPILER)
    elif entry["r_addend"] and to.symbol.name != "mp_fun_table":
        raise BuildError(
            f"{name} uses an address within {to.symbol.name}, which mpy_ld.py would lose",
            f"make {to.symbol.name} static",
        )


def _adapt_instruction(
    out: bytearray, where: int, target: Section, to: _Reference, name: str
) -> None:
    if to.section.startswith(".literal") and to.is_section and out[where] & 15 == _L32R:
        out[where + 1] = out[where + 2] = 0
    elif to.section != target.name:
        raise BuildError(
            f"{name}: code in {target.name} refers to {to.symbol.name or to.section}",
            _NEWER_COMPILER,
        )


def _check_section(section: Section, symbols: list[str], name: str) -> None:
    if section["sh_flags"] & _WRITABLE and not section.name.startswith((".bss", ".data.rel.ro")):
        what = symbols[0] if symbols else f"the section {section.name}"
        raise BuildError(
            f"{name}: {what} is writable initialised data, which native modules cannot have",
            f"declare {what} const, or set it when the module is initialised",
        )
    if not section.name.startswith((*_KINDS, ".eh_frame", ".note")):
        raise BuildError(
            f"{name}: a native module cannot have the section {section.name}",
            "remove the section attribute, constructor or thread-local variable that makes it",
        )


def _check_code(section: Section, symbols: list[Symbol], name: str) -> None:
    if not section.name.startswith((".text", ".literal")):
        raise BuildError(f"{name}: code in the section {section.name}", "keep code in .text")
    for symbol in symbols:
        if symbol["st_info"]["type"] == "STT_OBJECT":
            raise BuildError(
                f"{name}: the constant {symbol.name} lies among the code, where the ESP32-S3 can "
                "only load whole words",
                f"remove the section attribute of {symbol.name}",
            )


def _check_one_literal_section(sections: list[Section], name: str) -> None:
    literals = [s for s in sections if s.name.startswith(".literal") and s["sh_size"]]
    if len(literals) > 1:
        raise BuildError(
            f"{name} has {len(literals)} literal sections, mpy_ld.py takes one",
            "compile with --literals=file and without -ffunction-sections",
        )


def _open(data: bytes, name: str) -> ELFFile:
    try:
        return ELFFile(io.BytesIO(data))
    except (ELFError, struct.error):
        raise BuildError(
            f"the compiler made no object file of {name}",
            "run 'wedau doctor' to check the compilers",
        ) from None


def _symbols(elf: ELFFile, name: str) -> list[Symbol]:
    table = elf.get_section_by_name(".symtab")
    if not isinstance(table, SymbolTableSection):
        raise BuildError(f"the object of {name} has no symbols", "compile without -s")
    return list(table.iter_symbols())


def _global_names(symbols: list[Symbol]) -> Symbols:
    names = [s for s in symbols if s.name and s["st_info"]["bind"] in ("STB_GLOBAL", "STB_WEAK")]
    undefined = frozenset(s.name for s in names if s["st_shndx"] == "SHN_UNDEF")
    return Symbols(frozenset(s.name for s in names) - undefined, undefined)


def _entries(relocations: RelocationSection) -> Iterator[tuple[int, Relocation]]:
    """Yield each relocation with its place in the file."""
    if relocations["sh_entsize"] != _RELA_BYTES:
        raise BuildError(f"unknown relocations in {relocations.name}", _NEWER_COMPILER)
    for i, entry in enumerate(relocations.iter_relocations()):
        yield relocations["sh_offset"] + i * _RELA_BYTES, entry


def _new_name(section: Section, index: int, tag: str, has_pointers: bool) -> str:
    if not section["sh_flags"] & _ALLOC or section.name.startswith(".literal"):
        return str(section.name)
    if has_pointers:
        return f".data.rel.ro.{tag}.{index}"
    kind = next((k for k in _KINDS if section.name.startswith(k)), section.name)
    return f"{kind}.{tag}.{index}"


def _rename(out: bytearray, elf: ELFFile, names: dict[int, str]) -> None:
    """Append a longer table of names and point the section headers at it.

    The old names stay in front: LLVM keeps the symbols' names in the same table.
    """
    table = bytearray(elf.get_section(elf["e_shstrndx"]).data())
    start, size = elf["e_shoff"], elf["e_shentsize"]
    for index, name in names.items():
        struct.pack_into("<I", out, start + index * size, len(table) if name else 0)
        table += name.encode() + b"\0" if name else b""
    struct.pack_into("<II", out, start + elf["e_shstrndx"] * size + 16, len(out), len(table))
    out += table
