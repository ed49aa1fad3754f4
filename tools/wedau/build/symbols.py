"""What a linked firmware says of one of its sources."""

from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from wedau.errors import BuildError


def bytes_of_model(firmware: Path, name: str) -> int:
    """Return the bytes of code and tables that a model built into a firmware takes.

    Args:
        firmware: an ELF file with symbols, as wedau.build.simboard makes it.
        name: of the model; see wedau.build.usermod.

    Returns:
        The sizes of its functions and tables; not counted are the constants that instructions
        load, which the linker shares between sources.

    Raises:
        BuildError: no such model is in the firmware.
    """
    source = f"wedau_model_{name}"
    total, inside = 0, False
    with firmware.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        symbols = table.iter_symbols() if isinstance(table, SymbolTableSection) else iter(())
        for symbol in symbols:
            if symbol["st_info"]["type"] == "STT_FILE":
                inside = symbol.name == f"{source}.c"
                continue
            is_local = symbol["st_info"]["bind"] == "STB_LOCAL"
            is_own = symbol.name.startswith(f"wedau_forest_{name}_") or symbol.name == source
            if inside if is_local else is_own:
                total += int(symbol["st_size"])
    if not total:
        raise BuildError(f"{firmware} holds no model '{name}'", "build it in: wedau firmware build")
    return total
