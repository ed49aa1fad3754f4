"""The command line: parsing and rendering only."""


def main() -> None:
    """Run the command line and exit with the code that the house style gives."""
