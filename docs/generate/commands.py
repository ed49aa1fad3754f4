"""The reference of the command line, from the commands themselves."""

from pathlib import Path
from typing import Any

import typer.main

from wedau.cli.app import app

HEAD = """\
# Command line

<!-- Made by `make docs` from the commands themselves; do not edit. -->

Every command takes `--help`. `wedau --debug COMMAND` shows tracebacks. Results go to stdout,
progress and errors to stderr. `--json` prints one JSON document to stdout. What the exit codes mean
stands in [exit-codes.md](exit-codes.md).
"""

KINDS = {Path: "path", int: "whole number", float: "number"}


def text() -> str:
    """Return docs/reference/command-line.md."""
    group = typer.main.get_command(app)
    sections = [HEAD]
    for name, command in _walk("wedau", group):
        sections.append(_section(name, command))
    return "\n".join(sections)


def _walk(name: str, command: Any) -> list[tuple[str, Any]]:
    children = getattr(command, "commands", {})
    if not children:
        return [(name, command)]
    return [pair for child, sub in children.items() for pair in _walk(f"{name} {child}", sub)]


def _section(name: str, command: Any) -> str:
    arguments, options = [], []
    for parameter in command.params:
        if parameter.name == "help":
            continue
        rows = arguments if parameter.param_type_name == "argument" else options
        rows.append(_row(parameter))
    words = [_usage(p) for p in command.params if p.param_type_name == "argument"]
    usage = " ".join([name, *words, *(["[OPTIONS]"] if options else [])])
    table = ["| name | kind | default | what it is |", "|---|---|---|---|", *arguments, *options]
    lines = [f"## {name}", "", f"{command.help}", "", "```text", usage, "```", ""]
    return "\n".join([*lines, *(table if len(table) > 2 else []), ""])


def _usage(parameter: Any) -> str:
    name = f"{parameter.name}".upper()
    return name if parameter.required else f"[{name}]"


def _row(parameter: Any) -> str:
    named = parameter.param_type_name == "option"
    names = ", ".join(f"`{o}`" for o in parameter.opts) if named else f"`{parameter.name.upper()}`"
    default = parameter.default
    if parameter.required:
        shown = "required"
    elif default is None or default is False or default == ():
        shown = ""
    else:
        shown = f"`{default:g}`" if isinstance(default, float) else f"`{default}`"
    kind = KINDS.get(parameter.type_descriptor.annotation, "text")
    if getattr(parameter, "is_flag", False):
        kind = "flag"
    repeated = ", may be repeated" if getattr(parameter, "multiple", False) else ""
    return f"| {names} | {kind}{repeated} | {shown} | {getattr(parameter, 'help', '') or ''} |"
