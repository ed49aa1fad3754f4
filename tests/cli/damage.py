"""Files that went wrong: bytes that turned, JSON with other values, tables of nobody's making."""

import contextlib
import copy
import io
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from outcomes import Outcome, contents, refusal

from wedau import cli

CODES = {0, 1, 2, 3, 4}
_BRIEFLY = 4000

Way = tuple[str | int, ...]


def examples(number: int) -> Callable[[Any], Any]:
    """The same examples in each run, this many."""
    return settings(
        max_examples=number,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def wedau(*args: object) -> Outcome:
    """Run a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.run([str(arg) for arg in args])
    return Outcome(code, out.getvalue(), err.getvalue())


def survives(folder: Path, *args: object, makes: tuple[str, ...] = ()) -> Outcome:
    """Run a command that may be done or refuse in two lines; if it refuses nothing has changed.

    Args:
        folder: what has to stay as it was.
        makes: names in it that the command may make if it is done.
    """
    before = contents(folder)
    outcome = wedau(*args)
    after = contents(folder)
    assert outcome.code in CODES, outcome
    if outcome.code == 0:
        assert "error:" not in outcome.err, outcome.err
        after = {k: v for k, v in after.items() if k.split("/")[0] not in makes}
        before = {k: v for k, v in before.items() if k.split("/")[0] not in makes}
    else:
        said = refusal(outcome.err)
        assert len(said.error) < _BRIEFLY, len(said.error)
        assert len(outcome.err.splitlines()) < 8, outcome.err
    assert after == before, outcome
    return outcome


# --- bytes -------------------------------------------------------------------------------------


def damaged(data: bytes) -> st.SearchStrategy[bytes]:
    """Bytes that were something once."""
    at = st.integers(0, max(0, len(data) - 1))
    span = st.tuples(at, st.integers(1, 64))
    return st.one_of(
        st.builds(lambda i, b: data[:i] + bytes([data[i] ^ b]) + data[i + 1 :], at, bits()),
        st.builds(lambda i: data[:i], at),
        st.builds(lambda s: data[: s[0]] + data[s[0] + s[1] :], span),
        st.builds(lambda s: data[: s[0]] + data[s[0] : s[0] + s[1]] + data[s[0] :], span),
        st.builds(lambda s: data[: s[0]] + bytes(s[1]) + data[s[0] + s[1] :], span),
        st.builds(lambda i, new: data[:i] + new + data[i:], at, st.binary(min_size=1)),
        st.sampled_from(_wholly_other(data)),
    )


def bits() -> st.SearchStrategy[int]:
    """What to change in a byte."""
    return st.integers(1, 255)


def _wholly_other(data: bytes) -> list[bytes]:
    text = data.decode("utf-8", "replace")
    return [
        b"",
        b"\0",
        b"\xef\xbb\xbf" + data,
        text.encode("utf-16"),
        text.encode("utf-8").replace(b"\n", b"\r"),
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"null",
        b"[]",
        b"{}",
        b'"text"',
        b"1e999",
        b"9" * 5000,
        random.Random(1).randbytes(3000),
        data + data,
    ]


# --- JSON --------------------------------------------------------------------------------------

OTHERS: list[Any] = [
    None,
    True,
    0,
    -1,
    1,
    2**31,
    2**63,
    10**40,
    -0.5,
    1e308,
    float("inf"),
    float("nan"),
    "",
    "x",
    "../../etc/passwd",
    "/dev/null",
    "a\nb",
    "\x00",
    "\ud800",
    "ü" * 300,
    "9" * 5000,
    [],
    [[]],
    [None],
    {},
    {"": {}},
]


def places(document: Any, path: Way = ()) -> Iterator[Way]:
    """The way to every value in a document."""
    yield path
    if isinstance(document, dict):
        for key, value in document.items():
            yield from places(value, (*path, key))
    elif isinstance(document, list):
        for i, value in enumerate(document[:8]):
            yield from places(value, (*path, i))


def miswritten(document: Any) -> st.SearchStrategy[Any]:
    """Documents with one to three values gone, of another kind, renamed or twice."""
    ways = [p for p in places(document) if p]
    change = st.tuples(
        st.sampled_from(ways),
        st.one_of(
            st.sampled_from(OTHERS).map(lambda v: ("set", v)),
            st.sampled_from([("gone", 0), ("twice", 0), ("renamed", 0), ("deep", 0)]),
        ),
    )
    return st.lists(change, min_size=1, max_size=3).map(lambda c: _changed(document, c))


def _changed(document: Any, changes: list[tuple[Way, tuple[str, Any]]]) -> Any:
    document = copy.deepcopy(document)
    for path, (what, value) in changes:
        with contextlib.suppress(KeyError, IndexError, TypeError):
            holder = document
            for key in path[:-1]:
                holder = holder[key]
            _change(holder, path[-1], what, value)
    return document


def _change(holder: Any, key: Any, what: str, value: Any) -> None:
    old = holder[key]
    if what == "set":
        holder[key] = copy.deepcopy(value)
    elif what == "gone":
        del holder[key]
    elif what == "deep":
        for _ in range(300):
            old = [old]
        holder[key] = old
    elif isinstance(holder, list):
        holder.insert(key, copy.deepcopy(old))
    else:
        holder[f"{key}_"] = old
        if what == "renamed":
            del holder[key]


def wrong_json(data: bytes) -> st.SearchStrategy[bytes]:
    """A JSON file, its values or its bytes changed."""
    document = json.loads(data)
    return st.one_of(miswritten(document).map(lambda d: json.dumps(d).encode()), damaged(data))


# --- tables ------------------------------------------------------------------------------------

_CELLS = st.one_of(
    st.sampled_from(
        ["", " ", "NaN", "nan", "inf", "-inf", "1e39", "1e-400", "1e400", "0x10", "1,5", "1_000"]
        + ["NA", "None", "true", "-", "--", "=1+1", "\0", '"', '""', "a\nb", "\ufeff", "٣", "½"]
        + ["1970-01-01", "12:30", "9" * 400, "x" * 70_000, "\ud83d\ude00", "‮abc", "\x1b[31m"]
    ),
    st.floats(width=32).map(str),
    st.integers(-(10**20), 10**20).map(str),
    st.text(max_size=6),
)
_HEADS = st.sampled_from(
    ["a", "b", "label", "label ", "Label", "", " ", "t_ms", "1", "a\nb", "x" * 5000, "ä", "\0"]
)


def near(table: bytes) -> st.SearchStrategy[bytes]:
    """A table with one to three cells changed."""
    rows = [line.split(",") for line in table.decode("utf-8").splitlines()]
    place = st.tuples(st.integers(0, len(rows) - 1), st.integers(0, len(rows[0]) - 1), _CELLS)
    return st.lists(place, min_size=1, max_size=3).map(lambda changes: _patched(rows, changes))


def _patched(rows: list[list[str]], changes: list[tuple[int, int, str]]) -> bytes:
    rows = [list(row) for row in rows]
    for row, column, cell in changes:
        rows[row][column] = cell
    lines = [",".join(_cell(cell, ",", True) for cell in row) for row in rows]
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogatepass")


@st.composite
def tables(draw: st.DrawFn) -> bytes:
    """A file that somebody might take for a CSV."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=300))
    heads = draw(st.lists(_HEADS, min_size=0, max_size=5))
    heads += draw(st.sampled_from([["label"], ["label"], ["v", "label"], []]))
    rows = draw(st.lists(_row(len(heads)), max_size=12))
    comma = draw(st.sampled_from([",", ",", ",", ";", "\t"]))
    end = draw(st.sampled_from(["\n", "\r\n", "\r", "\n\n"]))
    quote = draw(st.booleans())
    lines = [comma.join(_cell(c, comma, quote) for c in row) for row in [heads, *rows]]
    text = end.join(lines) + draw(st.sampled_from(["", end, '"', "\0"]))
    coding = draw(st.sampled_from(["utf-8"] * 5 + ["utf-8-sig", "utf-16", "latin-1", "utf-7"]))
    return text.encode(coding, "replace" if coding == "latin-1" else "surrogatepass")


def _row(width: int) -> st.SearchStrategy[list[str]]:
    plain = st.sampled_from(["1", "2.5", "-3", "idle", "cut", "7"])
    cells = st.one_of(plain, plain, plain, _CELLS)
    ragged = st.lists(cells, max_size=9)
    exact = st.lists(cells, min_size=width, max_size=width)
    return st.one_of(exact, exact, exact, exact, ragged)


def _cell(cell: str, comma: str, quote: bool) -> str:
    needs = any(c in cell for c in (comma, '"', "\n", "\r"))
    return '"' + cell.replace('"', '""') + '"' if quote and needs else cell
