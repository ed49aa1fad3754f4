"""The workflows: actionlint finds nothing, the steps are targets that exist, the pins hold."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from wedau.cli.app import app

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
SECRETS = {"WEDAU_RELEASE_PRIVATE_KEY", "WEDAU_RELEASE_PASSPHRASE"}
APT = "apt-get update && apt-get install -y --no-install-recommends "


def actionlint(path: Path) -> "subprocess.CompletedProcess[str]":
    program = shutil.which("actionlint", path=str(Path(sys.executable).parent))
    assert program, "pip install -e .[test]"
    return subprocess.run([program, str(path)], capture_output=True, text=True, timeout=60)


def jobs() -> list[tuple[str, dict[str, Any]]]:
    loaded = [(path.name, yaml.safe_load(path.read_text(encoding="utf-8"))) for path in WORKFLOWS]
    return [(f"{name}: {key}", job) for name, w in loaded for key, job in w["jobs"].items()]


def steps() -> list[dict[str, Any]]:
    return [step for _, job in jobs() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actionlint_finds_nothing(path: Path) -> None:
    done = actionlint(path)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("runs-on: ubuntu-24.04", "runs-on: ubuntu-2", "unknown"),
        ("needs: sign", "needs: singing", "does not exist"),
        ("needs.packages.outputs.boards", "needs.packages.outputs.board", "is not defined"),
        ("contents: read", "content: read", "unknown permission scope"),
        ("timeout-minutes: 15", "timeout-minute: 15", "unexpected key"),
    ],
)
def test_actionlint_finds_a_planted_mistake(
    tmp_path: Path, right: str, wrong: str, said: str
) -> None:
    text = (ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8")
    assert right in text
    path = tmp_path / ".github/workflows/release.yml"
    path.parent.mkdir(parents=True)
    path.write_text(text.replace(right, wrong), encoding="utf-8")
    done = actionlint(path)
    assert done.returncode == 1
    assert said in done.stdout


def test_each_step_is_what_a_person_runs() -> None:
    runs = [step["run"] for step in steps() if "run" in step]
    targets = [run for run in runs if not run.startswith(APT)]
    assert len(targets) >= 8
    for run in targets:
        words = re.fullmatch(r'make (?:--silent )?([a-z-]+)(?: >> "\$GITHUB_OUTPUT")?', run)
        assert words, f"{run!r} is no target of the Makefile"
        dry = subprocess.run(
            ["make", "--dry-run", words[1], "BOARD=ANY"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert dry.returncode == 0, dry.stderr


def test_targets_run_commands_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    root = typer.main.get_command(app)
    used = re.findall(r"\$\(BIN\)/wedau ([a-z-]+)(?: ([a-z-]+))?", makefile)
    assert len(used) >= 5
    for first, second in used:
        command = root.commands.get(first)  # type: ignore[attr-defined]
        assert command, f"make runs wedau {first}"
        below = getattr(command, "commands", {})
        assert not below or second in below, f"make runs wedau {first} {second}"


def test_actions_are_pinned_by_commit() -> None:
    for path in WORKFLOWS:
        for line in path.read_text(encoding="utf-8").splitlines():
            if "uses:" in line:
                assert re.search(r"uses: actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), (
                    line
                )


def test_permissions_are_the_least() -> None:
    for path in WORKFLOWS:
        workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert workflow["permissions"] == {"contents": "read"}
    wider = {name: job["permissions"] for name, job in jobs() if "permissions" in job}
    assert wider == {"release.yml: publish": {"pages": "write", "id-token": "write"}}


def test_secrets_are_seen_by_the_step_that_signs_only() -> None:
    for path in WORKFLOWS:
        assert set(re.findall(r"secrets\.(\w+)", path.read_text(encoding="utf-8"))) <= SECRETS
    seeing = [step for step in steps() if "secrets." in str(step)]
    assert [step["run"] for step in seeing] == ["make sign"]
    assert set(seeing[0]["env"]) == SECRETS


def test_what_the_page_loads_is_pinned_by_hash_and_names_no_server() -> None:
    lock = (ROOT / "firmware/web/package-lock.json").read_text(encoding="utf-8")
    assert lock.count('"integrity": "sha512-') == lock.count('"node_modules/')
    assert '"resolved"' not in lock
