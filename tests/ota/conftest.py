"""A repository with a model, an application and a firmware, and a client of it."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import repositories
from repositories import Made
from tuf_client import Client

from wedau.ota import publishing


@pytest.fixture
def empty(tmp_path: Path) -> Made:
    """An empty repository."""
    return repositories.make(tmp_path / "releases")


@pytest.fixture
def released(empty: Made) -> Made:
    """A repository with one payload of each kind."""
    empty.release(repositories.model(), repositories.app(), repositories.firmware())
    return empty


@pytest.fixture
def client(tmp_path: Path, empty: Made) -> Client:
    """A client that trusts the first root of the repository."""
    return Client(tmp_path / "client", empty.root_bytes(1))


@pytest.fixture
def publish(tmp_path: Path) -> Callable[[Made], Path]:
    """Publish a repository into a folder; returns that."""

    def run(made: Made) -> Path:
        boards = {"xtensawin": ["SIM"]}
        return publishing.publish(made.folder, tmp_path / "web", boards, datetime.now(UTC)).folder

    return run
