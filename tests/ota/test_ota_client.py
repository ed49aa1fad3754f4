"""The repository is TUF as others speak it: python-tuf's own client updates from it."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import repositories
from repositories import Made
from tuf.api.exceptions import ExpiredMetadataError, RepositoryError, UnsignedMetadataError
from tuf.api.metadata import Metadata, Root
from tuf_client import Client

from wedau.cli.ota_node import serve
from wedau.errors import OtaError
from wedau.ota import repository, upkeep
from wedau.ota.fields import node

MODEL = "stable/models/saw/xtensawin/saw.mpy"
Publish = Callable[[Made], Path]


def now() -> datetime:
    return datetime.now(UTC)


def test_client_downloads_each_target_from_a_static_host(
    released: Made, client: Client, publish: Publish
) -> None:
    released.release(repositories.model(version="1.1.0"), feed="beta")
    released.release(repositories.model(arch=None))
    paths = list(repository.load(released.folder).targets.signed.targets)
    assert paths == sorted(paths)
    assert len(paths) == 5
    with serve(publish(released)) as url:
        got = client.download(url, *paths)
    assert got == [released.target_bytes(path) for path in paths]


def test_client_finds_no_private_key_where_it_was_published(
    released: Made, publish: Publish
) -> None:
    web = publish(released)
    assert {path.name for path in web.iterdir()} == {"metadata", "targets", "swu"}
    assert not any(b"PRIVATE KEY" in p.read_bytes() for p in web.rglob("*") if p.is_file())


@pytest.mark.parametrize("role", node.ROLES)
def test_client_follows_the_rotation_of_a_role(
    role: str, released: Made, client: Client, publish: Publish
) -> None:
    with serve(publish(released)) as url:
        client.download(url, MODEL)
        before = repository.load(released.folder).root.signed.roles[role].keyids
        done = upkeep.rotate(released.folder, role, released.keys, now(), None)
        assert done.pending is None
        assert repository.load(released.folder).root.signed.roles[role].keyids != before
        client.refresh(publish_to(publish, released, url))
        assert len(list((released.folder / "keys/retired").glob(f"{role}-*.pem"))) == 1
        released.release(repositories.model(version="2.0.0"))
        (got,) = client.download(publish_to(publish, released, url), MODEL)
    assert got == repositories.model(version="2.0.0").data


def publish_to(publish: Publish, made: Made, url: str) -> str:
    publish(made)
    return url


def test_client_that_slept_through_many_rotations_follows_them_all(
    released: Made, client: Client, publish: Publish
) -> None:
    for role in (*node.ROLES, *node.ROLES):
        upkeep.rotate(released.folder, role, released.keys, now(), None)
    with serve(publish(released)) as url:
        assert client.refresh(url)
    assert repository.root_versions(released.folder) == list(range(1, 10))


def test_root_of_two_of_three_keys_waits_for_the_second_signature(
    tmp_path: Path, publish: Publish
) -> None:
    made = repositories.make(
        tmp_path / "releases", root_keys=3, root_threshold=2, root_folder=tmp_path / "stick"
    )
    client = Client(tmp_path / "client", made.root_bytes())
    first, second, _ = sorted((tmp_path / "stick").glob("*.pem"))
    done = upkeep.rotate(made.folder, "targets", keys(made, first), now(), None)
    assert done.pending == made.folder / "pending.root.json"
    assert (done.signed, done.needed) == ((1, 1), (2, 2))
    assert repository.root_versions(made.folder) == [1]
    made.release(repositories.model())  # by the old key, while the new root waits
    elsewhere = tmp_path / "copy.json"
    elsewhere.write_bytes(done.pending.read_bytes())
    upkeep.sign_file(elsewhere, keys(made, second).given_signers())
    done.pending.write_bytes(elsewhere.read_bytes())
    assert upkeep.sign_root(made.folder, made.keys, now()).pending is None
    assert not done.pending.exists()
    with serve(publish(made)) as url:
        assert client.download(url, MODEL) == [repositories.model().data]


def keys(made: Made, *given: Path) -> repositories.Keys:
    return repositories.Keys(made.folder / "keys", {}, lambda what: None, given)


def test_root_with_too_few_signatures_is_refused_by_the_client(
    tmp_path: Path, publish: Publish
) -> None:
    made = repositories.make(tmp_path / "releases", root_keys=2, root_threshold=2)
    client = Client(tmp_path / "client", made.root_bytes())
    upkeep.rotate(made.folder, "root", made.keys, now(), None)
    web = publish(made)
    path = web / "metadata/2.root.json"
    root: Metadata[Root] = Metadata.from_bytes(path.read_bytes())
    old = Metadata[Root].from_bytes(made.root_bytes(1)).signed.roles["root"].keyids
    del root.signatures[old[0]]
    path.write_bytes(root.to_bytes())
    with serve(web) as url, pytest.raises(UnsignedMetadataError):
        client.refresh(url)


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_expired_role_is_refused_by_the_client_until_it_is_renewed(
    role: str, released: Made, client: Client, publish: Publish
) -> None:
    web = publish(released)
    released.expire(role)
    with pytest.raises(OtaError, match=f"{role} expired on"):
        publish(released)
    with serve(released.folder) as url, pytest.raises(ExpiredMetadataError):
        client.refresh(url)
    done = upkeep.renew(released.folder, released.keys, now())
    assert role in done.roles
    publish(released)
    with serve(web) as url:
        client.refresh(url)


def test_expired_root_stops_releases_until_it_is_renewed(
    released: Made, tmp_path: Path, publish: Publish
) -> None:
    released.expire("root")
    with pytest.raises(OtaError, match="the root of .* expired on"):
        released.release(repositories.model(version="2.0.0"))
    assert "root" in upkeep.renew(released.folder, released.keys, now()).roles
    released.release(repositories.model(version="2.0.0"))
    with serve(publish(released)) as url:
        Client(tmp_path / "new", released.root_bytes(1)).download(url, MODEL)


def test_release_without_the_online_keys_waits_for_renew(
    released: Made, client: Client, publish: Publish, tmp_path: Path
) -> None:
    aside = tmp_path / "publishing machine"
    aside.mkdir()
    for role in ("snapshot", "timestamp"):
        (released.folder / f"keys/{role}.pem").rename(aside / f"{role}.pem")
    (done,) = released.release(repositories.model(version="2.0.0"))
    assert done.waits
    with serve(publish(released)) as url:
        assert client.download(url, MODEL) == [repositories.model().data]
        both = keys(released, *sorted(aside.iterdir()))
        assert upkeep.renew(released.folder, both, now()).roles == ("snapshot", "timestamp")
        publish(released)
        assert client.download(url, MODEL) == [repositories.model(version="2.0.0").data]


def test_rolled_back_repository_is_refused_by_client_and_by_publish(
    released: Made, client: Client, publish: Publish, tmp_path: Path
) -> None:
    import shutil

    shutil.copytree(released.folder, tmp_path / "old")
    released.release(repositories.model(version="2.0.0"))
    with serve(publish(released)) as url:
        client.refresh(url)
    with pytest.raises(OtaError, match="is newer"):
        publish(Made(tmp_path / "old"))
    with serve(tmp_path / "old") as url, pytest.raises(RepositoryError):
        client.refresh(url)


def test_signed_bytes_are_found_as_they_are_in_every_file(released: Made) -> None:
    for path in (released.folder / "metadata").glob("*.json"):
        data = path.read_bytes()
        found: Metadata[Root] = Metadata.from_bytes(data)
        assert data.isascii()
        assert data.partition(b'"signed":')[2][:-1] == found.signed_bytes
