"""Put clang's Xtensa literals where the linker wants them, and loops' records where they belong.

LLVM 22 writes ``.literal NAME, VALUE`` ahead of each function, and its own assembler then leaves
these words unaligned at the end of whatever section came before. Here each becomes an aligned word
in a real section: one for each function (so that unused ones can be dropped), or one for the file.

A record of modules/core/wd_loop.h is the address of the instruction that follows it, which must be
one of the same block: where the block ends with the record, it gets a nop.
"""

import re
from collections.abc import Iterator, Sequence

from wedau.errors import BuildError

_LITERAL = re.compile(r"\.literal\s+([^,\s]+),\s*(\S.*)$")
_SECTION = re.compile(r"\.section\s+([^,\s]+)")
_FUNCTION = re.compile(r"\.type\s+([^,\s]+),\s*@function")
_LABEL = re.compile(r"[^\s.#][^\s:]*:|\.L[^\s:]*:")
_LOOP_RECORD = ".pushsection .wd_loop,"
# The frame pointer is set up in a7, and then a7 is read as if it still held an argument.
_FRAME_POINTER = re.compile(r"or\s+a7, a1, a1$")
_LOST_ARGUMENT = re.compile(r"s32i\s+a7, a7, \d+$|or\s+a(?!1,)\d+, a7, a7$")


def place(assembly: str, *, per_function: bool) -> str:
    """Return clang's assembly with every literal in a ``.literal`` section.

    Args:
        assembly: what ``clang -S`` wrote.
        per_function: ``.literal.NAME`` beside ``.text.NAME``; False: one ``.literal``.

    Raises:
        BuildError: a function mixes variable arguments with alloca or an array of variable length
            (clang compiles that wrongly), a literal is written by hand in inline assembly, or one
            belongs to no function.
    """
    out: list[str] = []
    pending: list[tuple[str, str]] = []
    section, function, framed, inline = ".text", "", False, False
    for line in _anchored(assembly.split("\n")):
        code = line.split("#", 1)[0].strip() if not line.strip().startswith("#") else line.strip()
        if code in ("#APP", "#NO_APP"):
            inline = code == "#APP"
        elif inline:
            _refuse_inline_literal(code, function)
        elif code == ".literal_position":
            continue
        elif literal := _LITERAL.match(code):
            pending.append((literal[1], literal[2]))
            continue
        elif named := _SECTION.match(code):
            section = named[1]
        elif code in (".text", ".data", ".bss"):
            section = code
        elif begins := _FUNCTION.match(code):
            out += _words(pending, section, per_function)
            if begins[1] == "mpy_init" and not function and not per_function:
                out.append("\t.space 4")  # mpy_ld.py of MicroPython 1.28 cannot jump to offset 0
            function, framed = begins[1], False
            pending = []
        elif _FRAME_POINTER.match(code):
            framed = True
        elif framed and _LOST_ARGUMENT.match(code):
            _refuse_lost_argument(function)
        out.append(line)
    if pending:
        raise BuildError(
            f"clang wrote the literal {pending[0][0]} outside of any function",
            "this clang is newer than what Wedau knows; use clang 22 (WEDAU_CLANG)",
        )
    return "\n".join(out)


def _anchored(lines: Sequence[str]) -> Iterator[str]:
    """Yield the lines, and a nop where a block ends with a loop's record."""
    marked = inline = False
    for line in lines:
        code = line.strip()
        if code in ("#APP", "#NO_APP"):
            inline = code == "#APP"
        elif inline:
            marked = marked or code.startswith(_LOOP_RECORD)
        elif marked and _LABEL.match(code):
            yield "\tnop"
            marked = False
        elif code and not code.startswith(("#", ".")):
            marked = False
        yield line


def _words(literals: list[tuple[str, str]], section: str, per_function: bool) -> list[str]:
    if not literals:
        return []
    name = ".literal"
    if per_function and section.startswith(".text."):
        name += section.removeprefix(".text")
    lines = [f'\t.pushsection {name},"ax",@progbits', "\t.p2align 2"]
    for label, value in literals:
        lines += [f"{label}:", f"\t.long {value}"]
    return [*lines, "\t.popsection"]


def _refuse_inline_literal(code: str, function: str) -> None:
    if code.startswith(".literal"):
        raise BuildError(
            f"the inline assembly in {function or 'the file'} uses .literal",
            "load the constant in C and pass it to the assembly as an operand",
        )


def _refuse_lost_argument(function: str) -> None:
    raise BuildError(
        f"clang compiles {function}() wrongly: it has variable arguments together with "
        "alloca() or an array of variable length",
        "use an array of fixed length there, or move it to a function of its own",
    )
