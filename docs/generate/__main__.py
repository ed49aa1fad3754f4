"""Make what is generated in the documents again: `python docs/generate [PART]...`.

commands: reference/command-line.md. figures: reference/figures.md and what the demo prints in the
README. outputs: what the commands print in all documents; FILE... limits it to these. families:
reference/families.md; alternatives: reference/alternatives.md and the rows as JSON beside it;
updates: reference/updates.md and its figures as JSON beside it, all or those of the commands that
are named, as in `updates ota fleet`; they take minutes, so they are made only when they are named.
"""

import sys
from pathlib import Path

import alternatives_table
import commands
import family_table
import figures
import pages
import session
import updates_table


def main() -> None:
    """Make all of it, or the parts that are named."""
    wanted = sys.argv[1:] or ["commands", "figures", "outputs"]
    if "commands" in wanted:
        pages.COMMAND_LINE.write_text(commands.text(), encoding="utf-8")
    if "figures" in wanted:
        measured = figures.measure()
        pages.FIGURES.write_text(figures.text(measured), encoding="utf-8")
        readme = pages.README.read_text(encoding="utf-8")
        pages.README.write_text(figures.put_printed(readme, measured.printed), encoding="utf-8")
    if "families" in wanted:
        pages.FAMILIES.write_text(family_table.make(), encoding="utf-8")
    if "alternatives" in wanted:
        made = alternatives_table.make(pages.ALTERNATIVES.with_suffix(".json"))
        pages.ALTERNATIVES.write_text(made, encoding="utf-8")
    if "updates" in wanted:
        only = [name for name in updates_table.COMMANDS if name in wanted]
        made = updates_table.make(pages.UPDATES.with_suffix(".json"), only)
        pages.UPDATES.write_text(made, encoding="utf-8")
    files = [Path(name).resolve() for name in wanted if name.endswith(".md")]
    for path in pages.with_commands() if "outputs" in wanted else files:
        print(f"running {path.relative_to(pages.ROOT)}", file=sys.stderr)
        session.write(path)


if __name__ == "__main__":
    main()
