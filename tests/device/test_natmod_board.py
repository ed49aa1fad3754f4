"""What the linker and the compiler must get right together, on the simulated board."""

import random
from pathlib import Path

from wedau.build import natmod
from wedau.device.link import Board
from wedau.device.push import push

HEAD = '#include "py/dynruntime.h"\n'


def function(name: str, body: str) -> str:
    """A Python function of one argument."""
    return (
        f"static mp_obj_t {name}(mp_obj_t x) {{ {body} }}\n"
        f"static MP_DEFINE_CONST_FUN_OBJ_1({name}_obj, {name});\n"
    )


def entry(*names: str) -> str:
    """The module's mpy_init(), with its functions."""
    stores = "".join(f"mp_store_global(MP_QSTR_{n}, MP_OBJ_FROM_PTR(&{n}_obj));" for n in names)
    arguments = "mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args"
    return (
        f"mp_obj_t mpy_init({arguments}) {{ MP_DYNRUNTIME_INIT_ENTRY {stores}"
        " MP_DYNRUNTIME_INIT_EXIT }"
    )


def run(board: Board, micropython: Path, folder: Path, code: str, *texts: str) -> str:
    """Build a module "m" of the C texts, push it, and run code that uses it."""
    paths = []
    for number, text in enumerate(texts):
        paths.append(folder / f"part{number}.c")
        paths[-1].write_text(text)
    built = natmod.build("m", paths, arch="xtensawin", micropython=micropython, out=folder)
    push(board, {"m.mpy": built.path.read_bytes()})
    output = board.run(f"import sys\nsys.modules.pop('m', None)\nimport m\n{code}", timeout_s=60)
    return output.strip().replace("\r", "")


def test_equal_names_and_offsets_in_two_sources_stay_apart(
    sim_board: Board, micropython: Path, tmp_path: Path
) -> None:
    """Static tables, strings, variables and functions at the same place in each object."""
    parts = [
        f"""
        static const int table[] = {{ {n}1, {n}2, {n}3 }};
        static const char *const names[] = {{ "part {n} a", "part {n} b" }};
        static int count;
        static __attribute__((noinline)) int twice(int i) {{ return 2 * i + {n}; }}
        static int (*const functions[])(int) = {{ twice, twice }};
        int get{n}(int i) {{
            count += {n};
            return table[i] + 1000 * functions[i & 1](i) + 100000 * count;
        }}
        const char *name{n}(int i) {{ return names[i]; }}
        """
        for n in (1, 2, 3)
    ]
    declarations = "".join(f"int get{n}(int); const char *name{n}(int);\n" for n in (1, 2, 3))
    body = "int i = (int)mp_obj_get_int(x); mp_obj_t t[] = {"
    for n in (1, 2, 3):
        body += f"mp_obj_new_int(get{n}(i)), mp_obj_new_str(name{n}(i & 1), 8),"
    body += "}; return mp_obj_new_tuple(6, t);"
    main = HEAD + declarations + function("get", body) + entry("get")
    answer = run(sim_board, micropython, tmp_path, "print(m.get(1), m.get(2))", main, *parts)

    def expected(i: int, calls: int) -> tuple[object, ...]:
        row: list[object] = []
        for n in (1, 2, 3):
            row.append(n * 10 + i + 1 + 1000 * (2 * i + n) + 100000 * calls * n)
            row.append(f"part {n} {'ab'[i & 1]}")
        return tuple(row)

    assert answer == f"{expected(1, 1)} {expected(2, 2)}"


def test_float_helpers_and_choices_work_in_a_module(
    sim_board: Board, micropython: Path, tmp_path: Path
) -> None:
    body = """
        float v = mp_obj_get_float_to_f(x);
        float r = v / 3.0f + (v > 2.0f ? 0.25f : -0.5f) + (float)(v == 4.0f);
        int64_t wide = (int64_t)(v * 1e9f) / 7 * 3;
        mp_obj_t t[] = { mp_obj_new_float_from_f(r), mp_obj_new_int((mp_int_t)(wide % 1000000)) };
        return mp_obj_new_tuple(2, t);"""
    main = HEAD + function("calculate", body) + entry("calculate")
    code = "for v in (4, 1.5): print('%.5f %d' % m.calculate(v))"
    wide = [int(v * 1e9) // 7 * 3 % 1000000 for v in (4, 1.5)]
    expected = f"2.58333 {wide[0]}\n0.00000 {wide[1]}"
    assert run(sim_board, micropython, tmp_path, code, main) == expected


def test_module_of_nearly_the_largest_size_works(
    sim_board: Board, micropython: Path, tmp_path: Path
) -> None:
    """Literals lie in front of all code: l32r and jumps reach across the whole module."""
    rng = random.Random(1)
    trees = []
    for number in range(12):
        leaves = [rng.getrandbits(20) for _ in range(600)]
        cases = "".join(
            f"if (a[{rng.randrange(8)}] == {1000 + i}) {{ return {leaf}; }}\n"
            for i, leaf in enumerate(leaves)
        )
        trees.append((leaves, f"int tree{number}(const short *a) {{ {cases} return -1; }}"))
    calls = "".join(f"sum += tree{n}(a);" for n in range(len(trees)))
    body = f"""
        short a[8]; int sum = 0;
        for (int i = 0; i < 8; i++) {{ a[i] = (short)mp_obj_get_int(x); }}
        {calls} return mp_obj_new_int(sum);"""
    declarations = "".join(f"int tree{n}(const short *);\n" for n in range(len(trees)))
    main = HEAD + declarations + function("total", body) + entry("total")
    code = "print([m.total(i) for i in (1000, 1299, 1599, 999)])"
    answer = run(sim_board, micropython, tmp_path, code, main, *(text for _, text in trees))
    sums = [sum(leaves[i] for leaves, _ in trees) for i in (0, 299, 599)]
    assert answer == str([*sums, -len(trees)])
    assert (tmp_path / "m.mpy").stat().st_size > 90_000
