"""Run the command line as ``python -m wedau``."""

from wedau.cli import main

main()
