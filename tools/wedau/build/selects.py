"""Rewrite the selects of float constants that LLVM's Xtensa back end cannot compile.

LLVM 22 turns ``x ? 2.0f : 0.5f`` into a load from a table of the two, and then has no instruction
for the table's address ("Cannot select ... TargetConstantPool"). The same choice between the
constants' bit patterns as integers is compiled well. What is not rewritten still fails loudly.
"""

import re
import struct

_CONSTANT = r"(0x[0-9A-Fa-f]+|-?\d[0-9.e+-]*)"
_VALUE = r"(%[\w.$-]+|true|false)"
_SELECT = re.compile(
    rf"^(\s*)(%[\w.$-]+) = select (?:[a-z]+ )*?i1 {_VALUE}, float {_CONSTANT}, float {_CONSTANT}"
    r"(?:, !.*)?$",
    re.MULTILINE,
)
_FROM_BIT = re.compile(
    rf"^(\s*)(%[\w.$-]+) = ([us])itofp (?:nneg )?i1 {_VALUE} to float(?:, !.*)?$", re.MULTILINE
)
_FROM_INTEGER = re.compile(
    r"^(\s*)(%[\w.$-]+) = ([us])itofp (?:nneg )?i(8|16|32) (%[\w.$-]+) to float(?:, !.*)?$",
    re.MULTILINE,
)


def rewrite(ir: str) -> str:
    """Return LLVM IR in which floats chosen from two constants are chosen as 32-bit integers.

    Args:
        ir: a module as ``clang -emit-llvm -S`` writes it.
    """

    def choose(match: re.Match[str]) -> str:
        indent, name, condition, yes, no = match.groups()
        return _integers(indent, name, condition, _bits(yes), _bits(no))

    def convert(match: re.Match[str]) -> str:
        indent, name, kind, condition = match.groups()
        one = struct.unpack("<I", struct.pack("<f", 1.0 if kind == "u" else -1.0))[0]
        return _integers(indent, name, condition, one, 0)

    return _FROM_BIT.sub(convert, _SELECT.sub(choose, ir))


def hide_integers(ir: str) -> str:
    """Return LLVM IR in which the compiler cannot see where an integer turned into a float is from.

    Without optimisation a truth value is widened first, and LLVM makes a select of that by itself.

    Args:
        ir: a module as ``clang -emit-llvm -S`` writes it.
    """

    def hide(match: re.Match[str]) -> str:
        indent, name, kind, width, value = match.groups()
        lines = []
        if width != "32":
            wide = f'%"wd.wide.{name[1:]}"'
            lines.append(f"{wide} = {'z' if kind == 'u' else 's'}ext i{width} {value} to i32")
            value = wide
        hidden = f'%"wd.hidden.{name[1:]}"'
        lines.append(f'{hidden} = call i32 asm "", "=r,0"(i32 {value})')
        lines.append(f"{name} = {kind}itofp i32 {hidden} to float")
        return "\n".join(indent + line for line in lines)

    return _FROM_INTEGER.sub(hide, ir)


def _integers(indent: str, name: str, condition: str, yes: int, no: int) -> str:
    chosen = f'%"wd.{name[1:]}"'
    return (
        f"{indent}{chosen} = select i1 {condition}, i32 {yes}, i32 {no}\n"
        f"{indent}{name} = bitcast i32 {chosen} to float"
    )


def _bits(constant: str) -> int:
    """Return a float constant's bit pattern; IR writes it in decimal, or in hex as a double."""
    if constant.startswith("0x"):
        value: float = struct.unpack("<d", int(constant, 16).to_bytes(8, "little"))[0]
        if value != value:  # keep the NaN's own bits; struct may quiet them
            double = int(constant, 16)
            return (double >> 63 << 31) | 0x7F800000 | (double >> 29 & 0x7FFFFF)
    else:
        value = float(constant)
    bits: int = struct.unpack("<I", struct.pack("<f", value))[0]
    return bits
