"""Fuzz the node's parsers of bytes from outside; see docs/explanation/hard-to-break.md.

    make fuzz
    python tests/ota/fuzz [TARGET ...] [--executions 10000000] [--seed 1] [--json]

The same seed leads to the same inputs. A finding is any exception but the node's own refusal, more
than five seconds, or more memory than a parser may take; the input and the log are kept.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "modules" / "frozen"))  # in front of the host's package
import seeds  # noqa: E402
import targets  # noqa: E402

_SECONDS = 5  # for one input
_HEAP_MB = 512  # of the whole process: a parser that keeps what it took is found, too


def main() -> int:
    """Fuzz the targets that are asked for; 0: nothing was found."""
    parser = argparse.ArgumentParser(description="Fuzz the node's parsers of bytes from outside.")
    parser.add_argument("target", nargs="*", choices=[[], *targets.TARGETS], default=[])
    parser.add_argument("--executions", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "fuzz")
    parser.add_argument("--planted", action="store_true", help="with a defect that it has to find")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows = []
    for name in given.target or targets.TARGETS:
        rows.append(fuzz(name, given))
        if not given.json:
            print(
                "{target:10} {executions:>10,} executions  {findings} findings".format(**rows[-1])
            )
            print("".join(f"  {line}\n" for line in rows[-1]["found"]), end="", flush=True)
    if given.json:
        print(json.dumps({"seed": given.seed, "targets": rows}, indent=2))
    return int(any(row["findings"] for row in rows))


def fuzz(name: str, given: argparse.Namespace) -> dict[str, object]:
    """Run one fuzzer, then the inputs that it kept on MicroPython; return what came of it."""
    folder = given.folder / name
    shutil.rmtree(folder, ignore_errors=True)
    corpus = folder / "corpus"
    corpus.mkdir(parents=True)
    for number, seed in enumerate(seeds.of(name)):
        (corpus / f"seed-{number}").write_bytes(seed)
    options = [
        f"-runs={given.executions}",
        f"-seed={given.seed}",
        f"-max_len={seeds.LONGEST[name]}",
        f"-timeout={_SECONDS}",
        f"-rss_limit_mb={_HEAP_MB}",
        f"-artifact_prefix={folder}/",
        "-print_final_stats=1",
    ]
    state = "planted" if given.planted else "whole"
    command = [sys.executable, HERE / "engine.py", name, state, *options, corpus]
    with (folder / "log").open("w", encoding="utf-8", errors="replace") as log:
        done = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=False)
    said = (folder / "log").read_text(encoding="utf-8", errors="replace")
    found = [] if done.returncode == 0 else [_reason(said), *_kept(folder)]
    numbers = dict(re.findall(r"^stat::(\w+): +(\d+)$", said, re.MULTILINE))
    seconds = re.findall(r"^Done \d+ runs in (\d+) second", said, re.MULTILINE)
    inputs = [str(path) for path in sorted(corpus.iterdir())] + found[1:]
    found += on_micropython(name, state, inputs, folder)
    return {
        "target": name,
        "executions": int(numbers.get("number_of_executed_units", 0)),
        "seconds": int(seconds[0]) if seconds else None,
        "inputs_on_micropython": len(inputs),
        "findings": int(bool(found)),
        "found": found,
    }


def on_micropython(name: str, state: str, inputs: list[str], folder: Path) -> list[str]:
    """Run what the fuzzer kept once more, on MicroPython; return what was found."""
    (folder / "inputs").write_text("\n".join(inputs), encoding="utf-8")
    program = [HERE / "again.py", ROOT / "modules" / "frozen", name, state, folder / "inputs"]
    command = [sys.executable, "-m", "micropython_unix", *program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if done.stdout.strip() == f"{len(inputs)} inputs":
        return []
    said = (done.stdout + done.stderr).strip().splitlines() or ["nothing"]
    return [f"on MicroPython: {said[0]}", said[-1]]


def _reason(said: str) -> str:
    """Return the exception of a log, or the fuzzer's own last word."""
    lines = said.splitlines() or ["the fuzzer said nothing"]
    for at, line in enumerate(lines[:-1]):
        if "Uncaught Python exception" in line:
            return lines[at + 1]
    return next((line for line in reversed(lines) if "ERROR" in line), lines[-1])


def _kept(folder: Path) -> list[str]:
    return [str(p) for p in folder.iterdir() if p.name.startswith(("crash-", "timeout-", "oom-"))]


if __name__ == "__main__":
    sys.exit(main())
