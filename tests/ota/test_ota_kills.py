"""A command that is killed at any moment leaves a repository that clients take."""

import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import repositories
from repositories import Made
from tuf_client import Client

from wedau.cli.ota_node import serve
from wedau.ota import files, publishing, repository, upkeep

MODEL = "stable/models/saw/xtensawin/saw.mpy"
LATER = datetime.now(UTC) + timedelta(days=350)  # more than half of a timestamp's time


def release(made: Made) -> None:
    made.release(
        repositories.model(version="2.0.0"),
        repositories.app(version="2.0.0"),
        make_patch=lambda old, new: b"patch",
    )


def renew(made: Made) -> None:
    upkeep.renew(made.folder, made.keys, LATER)


def rotate(role: str) -> Callable[[Made], None]:
    def run(made: Made) -> None:
        upkeep.rotate(made.folder, role, made.keys, datetime.now(UTC), None)

    run.__name__ = f"rotate_{role}"
    return run


def publish(made: Made) -> None:
    publishing.publish(made.folder, made.folder.parent / "web", {}, datetime.now(UTC))


CHANGES = [release, renew, *(rotate(r) for r in ("root", "targets", "snapshot", "timestamp"))]


def killed(change: Callable[[Made], None], made: Made, at: int, when: str) -> bool:
    """Run in a process that is killed at its n-th write, before or after; False: it got through."""
    child = os.fork()
    if child == 0:
        _die_at(at, when)
        code = 1
        try:
            change(made)
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL), status
    return status != 0


def _die_at(at: int, when: str) -> None:
    """Let the n-th rename of a file into its place be the last thing of this process."""
    count = 0
    replace = Path.replace

    def counted(self: Path, target: Path) -> Path:
        nonlocal count
        count += 1
        if count == at and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = replace(self, target)
        if count == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    Path.replace = counted  # type: ignore[method-assign]


@pytest.mark.parametrize("change", CHANGES, ids=lambda c: c.__name__)
def test_killed_at_every_write_leaves_a_valid_repository(
    change: Callable[[Made], None], tmp_path: Path
) -> None:
    kills = 0
    for at in range(1, 30):
        made = _released(tmp_path / str(at))
        client = Client(tmp_path / f"{at}/client", made.root_bytes())
        with serve(made.folder) as url:
            client.refresh(url)
            if not killed(change, made, at, "before"):
                break
            kills += 1
            client.download(url, MODEL)
            assert repository.load(made.folder).outdated == ()
            change(made)
            client.download(url, MODEL)
    assert kills >= 2


def test_killed_publishing_leaves_what_clients_take(tmp_path: Path) -> None:
    kills = 0
    for at in range(1, 30):
        made = _released(tmp_path / str(at))
        publish(made)
        client = Client(made.folder.parent / "client", made.root_bytes())
        release(made)
        with serve(made.folder.parent / "web") as url:
            client.refresh(url)
            if not killed(publish, made, at, "before"):
                break
            kills += 1
            client.download(url, MODEL)
            publish(made)
            assert client.download(url, MODEL) == [made.target_bytes(MODEL)]
    assert kills >= 6


def test_rotation_of_a_lost_key_that_is_killed_is_finished_by_renew(tmp_path: Path) -> None:
    kills = 0
    for at in range(1, 10):
        made = _released(tmp_path / str(at))
        (made.folder / "keys/targets.pem").unlink()
        client = Client(made.folder.parent / "client", made.root_bytes())
        if not killed(rotate("targets"), made, at, "after"):
            break
        kills += 1
        upkeep.renew(made.folder, made.keys, LATER)
        if repository.root_versions(made.folder) == [1]:
            rotate("targets")(made)
        with serve(made.folder) as url:
            client.download(url, MODEL)
    assert kills >= 4


def test_two_changes_at_once_are_refused(released: Made) -> None:
    from wedau.errors import OtaError

    for change in CHANGES:
        with files.lock(released.folder), pytest.raises(OtaError, match="another command"):
            change(released)
        with files.lock(released.folder), pytest.raises(OtaError, match="another command"):
            publish(released)
    release(released)


def _released(folder: Path) -> Made:
    folder.mkdir()
    made = repositories.make(folder / "releases")
    made.release(repositories.model())
    return made
