"""The fuzzer itself, in a process of its own: atheris, with inputs of JSON changed as JSON.

python engine.py TARGET planted|whole [options of libFuzzer] FOLDER
"""

import json
import random
import sys
from pathlib import Path

import atheris

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "modules" / "frozen"))  # in front of the host's package

with atheris.instrument_imports(include=["wedau"]):
    import planted
    import targets

JSON = ("metadata", "trust", "ddi")
_ODD = [None, True, -1, 0, 2, 1 << 31, 1 << 64, 0.5, 1e300, "", "x", "\0", "é", [], {}, [[]], [{}]]


def mutate(data: bytes, most: int, seed: int) -> bytes:
    """Change one of the JSON documents, a line each behind the first byte, or any bytes."""
    rng = random.Random(seed)
    lines = data[1:].split(b"\n")
    number = rng.randrange(len(lines))
    if rng.random() < 0.5:
        return bytes(atheris.Mutate(data, most))
    try:
        document = json.loads(lines[number])
    except (ValueError, RecursionError):
        return bytes(atheris.Mutate(data, most))
    changed = _changed(document, rng)
    lines[number] = json.dumps(changed, separators=(",", ":")).encode("utf-8", "replace")
    return (data[:1] + b"\n".join(lines))[:most]


def _changed(node: object, rng: random.Random) -> object:
    """Return the document with another value, name or length somewhere."""
    if not isinstance(node, dict | list) or not node or rng.random() < 0.1:
        return rng.choice(_ODD)
    if isinstance(node, list):
        at = rng.randrange(len(node))
        if rng.random() < 0.2:
            return node[:at] + node[at : at + 1] * rng.choice((0, 2, 40)) + node[at + 1 :]
        node[at] = _changed(node[at], rng)
        return node
    name = rng.choice(list(node))
    if rng.random() < 0.1:
        node.pop(name)
    elif rng.random() < 0.1:
        node[rng.choice(list(node))] = node[name]
    else:
        node[name] = _changed(node[name], rng)
    return node


def main() -> None:
    """Fuzz until libFuzzer's options say that it is enough; the process ends in here."""
    _, name, state, *options = sys.argv
    if state == "planted":
        planted.plant(name)
    run = targets.run
    mutator = {"custom_mutator": mutate} if name in JSON else {}
    atheris.Setup([sys.argv[0], *options], lambda data: run(name, data) and None, **mutator)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
