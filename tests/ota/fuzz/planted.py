"""Defects, one for each target: a fuzzer that is worth its time finds them."""

from wedau.ota import cpio, ddi, http, journal, metadata, swu


def plant(name):
    """Take a check away from the parser that a target runs."""
    module, function, broken = _DEFECTS[name]
    assert hasattr(module, function)
    setattr(module, function, broken)


_DEFECTS = {
    "cpio": (cpio, "_name_room", lambda length: length + -(110 + length) % 4),
    "metadata": (metadata, "_is_int", lambda value, least: True),
    "trust": (metadata, "_check_meta", lambda signed, name: None),
    "journal": (journal, "_text", lambda field: field.rstrip(b"\0").decode()),
    "http": (http, "_text", lambda line: line.decode().rstrip("\r")),
    "swu": (swu, "_role", lambda name: name.split(".")[-2] if name[-5:] == ".json" else None),
    "ddi": (ddi, "_part", lambda document, name: document.get(name, {})),
}
