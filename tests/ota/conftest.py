"""A repository with a model, an application and a firmware, and a client of it."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import repositories
from repositories import Made
from tuf_client import Client

from wedau.build.simboard import SimFirmware
from wedau.cli import ota_node, ota_samples
from wedau.cli.ota_node import Node, Repository
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


@pytest.fixture(scope="session")
def settled(
    whole_firmware: SimFirmware, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, Node]]:
    """The folder of a repository that is served, and a node that has its first model."""
    folder = tmp_path_factory.mktemp("node")
    repository = Repository.make(folder / "releases")
    repository.release(ota_samples.small_model("old"))
    with ota_node.serve(folder) as url:
        node = Node.provisioned(
            whole_firmware, folder / "flash.bin", repository.root, {"url": f"{url}/now"}
        )
        (folder / "now").symlink_to("releases")
        assert "confirmed" in node.run(ota_samples.SETTLE).output
        yield folder, node


@pytest.fixture
def place(settled: tuple[Path, Node], tmp_path: Path) -> tuple[Repository, Node]:
    """Copies of the repository, served in its place, and of the node."""
    folder, node = settled
    shutil.copytree(folder / "releases", tmp_path / "releases")
    (folder / "now").unlink()
    (folder / "now").symlink_to(tmp_path / "releases")
    shutil.copy(node.flash, tmp_path / "flash.bin")
    return Repository(tmp_path / "releases"), replace(node, flash=tmp_path / "flash.bin")
