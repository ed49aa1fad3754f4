"""MicroPython's own examples of native modules, through our compiler, on the simulated board."""

from pathlib import Path

import pytest

from wedau.build import natmod
from wedau.device.link import Board
from wedau.device.push import push

# Module, its sources below examples/natmod, a script, and what it prints.
EXAMPLES = [
    (
        "features0",
        ["features0/features0.c"],
        "print(m.factorial(10))",
        "3628800",
    ),
    (
        "features1",
        ["features1/features1.c"],
        "m.access(2, 77); print(m.add(2, 3), m.fibonacci(20), m.access(), m.MSG, m.VAL,"
        " bytes(m.make_array()))",
        "5 6765 [0, 0, 77, 0] HELLO_MICROPYTHON 42 b'\\x00\\x10\\x00 '",
    ),
    (
        "features2",
        ["features2/main.c", "features2/prod.c", "features2/test.py"],
        "import array; a = array.array('f', (2, 3, 4)); m.productf(a);"
        "print(a[0], m.add(1.5, 2), m.round(2.5), m.round(-1.4))",
        "24.0 3.5 3.0 -1.0",
    ),
    (
        "features3",
        ["features3/features3.c"],
        "print(m.get_types()[3:5], m.get_const_objects(), m.make_dict('a', 1))",
        "(<class 'int'>, <class 'str'>) (None, False, True, b'', ()) {'a': 1}",
    ),
    (
        "features4",
        ["features4/features4.c"],
        "print(m.Factorial(5).calculate())\n"
        "try:\n  m.Factorial(-1)\nexcept m.FactorialError as e:\n  print(e)",
        "120\nargument must be zero or above",
    ),
    (
        "heapq_native",
        ["heapq/heapq.c"],
        "h = [5, 3, 8, 1]; m.heapify(h); m.heappush(h, 2);print([m.heappop(h) for _ in range(5)])",
        "[1, 2, 3, 5, 8]",
    ),
    (
        "random_native",
        ["random/random.c"],
        "m.seed(7); a = [m.getrandbits(16) for _ in range(50)]\n"
        "m.seed(7); print(a == [m.getrandbits(16) for _ in range(50)], len(set(a)) > 45,"
        " all(0 <= m.random() < 1 for _ in range(50)),"
        " sorted({m.randint(3, 5) for _ in range(99)}))",
        "True True True [3, 4, 5]",
    ),
    (
        "re_native",
        ["re/re.c"],
        "print(m.match('(a+)(b*)c', 'aabbbc').groups(), m.compile('[,;]').split('1,2;3'),"
        " m.search('x', 'abc'))",
        "('aa', 'bbb') ['1', '2', '3'] None",
    ),
]


@pytest.mark.parametrize(
    ("name", "sources", "code", "expected"), EXAMPLES, ids=[e[0] for e in EXAMPLES]
)
def test_example_of_micropython_works_on_the_board(
    name: str,
    sources: list[str],
    code: str,
    expected: str,
    tmp_path: Path,
    micropython: Path,
    sim_board: Board,
) -> None:
    paths = [micropython / "examples" / "natmod" / source for source in sources]
    built = natmod.build(name, paths, arch="xtensawin", micropython=micropython, out=tmp_path)
    push(sim_board, {f"{name}.mpy": built.path.read_bytes()})
    output = sim_board.run(f"import {name} as m\nprint('--')\n{code}", timeout_s=30)
    assert output.replace("\r\n", "\n").partition("--\n")[2].strip() == expected
