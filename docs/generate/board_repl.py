"""Type a document's REPL lines at a board, and print them with the board's answers.

Usage: board_repl.py PORT < LINES
"""

import ast
import doctest
import sys

from wedau.device.link import Board, BoardError


def main() -> None:
    """Read lines that begin with ">>> " from stdin; answers among them are left out."""
    examples = doctest.DocTestParser().get_examples(sys.stdin.read())
    with Board(sys.argv[1]) as board:
        for example in examples:
            first, *more = example.source.rstrip("\n").split("\n")
            print(f">>> {first}", *(f"... {line}" for line in more), sep="\n")
            sys.stdout.write(answer(board, example.source))


def answer(board: Board, source: str) -> str:
    """Run one statement, or print what an expression gives."""
    try:
        return board.run(_printing(source))
    except BoardError as error:
        return f"{error.last_line}\n"


def _printing(source: str) -> str:
    statements = ast.parse(source).body
    if len(statements) != 1 or not isinstance(statements[0], ast.Expr):
        return source
    expression = ast.get_source_segment(source, statements[0].value)
    return f"_ = {expression}\nif _ is not None:\n print(repr(_))"


if __name__ == "__main__":
    main()
