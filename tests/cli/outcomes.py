"""What a command did: its output, its exit code, the two lines of an error."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Outcome:
    """What one command did."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Refusal:
    """The two lines of an error."""

    error: str
    hint: str


Wedau = Callable[..., Outcome]
Refused = Callable[..., Refusal]


def refusal(err: str) -> Refusal:
    """The error and the hint, which have to be the last two lines and the only such lines."""
    lines = err.splitlines()
    assert "Traceback" not in err
    assert [line.split(":")[0] for line in lines[-2:]] == ["error", "hint"], err
    assert not any(line.startswith(("error:", "hint:")) for line in lines[:-2]), err
    error, hint = (line.partition(": ")[2] for line in lines[-2:])
    assert "mistake in Wedau itself" not in error, err
    assert len(error) > 5
    assert len(hint) > 5
    return Refusal(error, hint)


def contents(folder: Path) -> dict[str, bytes | None]:
    """Every file below a folder with its content, every folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }
