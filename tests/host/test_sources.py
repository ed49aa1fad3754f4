"""Getting MicroPython's source: each way, and what a failing one says."""

import hashlib
import io
import os
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from wedau.build import debian, sources
from wedau.errors import BuildError

VERSION_H = """
#define MICROPY_VERSION_MAJOR 1
#define MICROPY_VERSION_MINOR {minor}
#define MICROPY_VERSION_MICRO 1
"""


def fake_source(folder: Path, minor: int) -> Path:
    """A folder that looks like MicroPython 1.MINOR.1."""
    (folder / "py").mkdir(parents=True)
    (folder / "py" / "mpconfig.h").write_text(VERSION_H.format(minor=minor))
    return folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and no folder named in the environment."""
    monkeypatch.setenv("WEDAU_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("WEDAU_MICROPYTHON", raising=False)
    return tmp_path / "cache"


def use_pins(monkeypatch: pytest.MonkeyPatch, upstream: dict[str, str], *packages: object) -> None:
    pins = {"upstream": upstream, "debian": list(packages)}
    monkeypatch.setattr(sources, "_pins", lambda: pins)


def git_repository(folder: Path, minor: int) -> dict[str, str]:
    """A real repository with one tagged commit, and the pin for it."""
    fake_source(folder, minor)
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    for command in (
        ["init", "-q"],
        ["add", "."],
        [*identity, "commit", "-q", "-m", "one"],
        [*identity, "tag", "-a", "v1", "-m", "v1"],
    ):
        subprocess.run(["git", "-C", str(folder), *command], check=True, timeout=60)
    commit = subprocess.run(
        ["git", "-C", str(folder), "rev-parse", "HEAD"],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout.strip()
    return {
        "repository": folder.as_uri(),
        "tag": "v1",
        "version": f"1.{minor}.1",
        "commit": commit,
    }


def test_given_folder_is_used_and_its_version_read(cache: Path, tmp_path: Path) -> None:
    source = sources.micropython(fake_source(tmp_path / "mine", 27))
    assert (source.path, source.version) == (tmp_path / "mine", "1.27.1")
    assert str(tmp_path / "mine") in source.origin


def test_folder_of_the_environment_is_used(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEDAU_MICROPYTHON", str(fake_source(tmp_path / "mine", 26)))
    assert sources.micropython().version == "1.26.1"


def test_folder_without_micropython_is_refused(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="does not hold MicroPython's source"):
        sources.micropython(tmp_path)


def test_too_old_folder_is_refused_with_its_version(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"holds MicroPython 1\.24\.1; Wedau needs 1\.25"):
        sources.micropython(fake_source(tmp_path / "old", 24))


def test_git_source_is_fetched_once_then_cached(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin = git_repository(tmp_path / "upstream", 28)
    use_pins(monkeypatch, pin)
    said: list[str] = []
    first = sources.micropython(say=said.append)
    assert (first.version, len(said)) == ("1.28.1", 1)
    assert cache in first.path.parents
    (tmp_path / "upstream").rename(tmp_path / "away")
    assert sources.micropython(say=said.append) == first
    assert len(said) == 1


def test_moved_tag_is_refused_and_leaves_nothing(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin = git_repository(tmp_path / "upstream", 28) | {"commit": "0" * 40}
    use_pins(monkeypatch, pin)
    with pytest.raises(BuildError, match="the tag v1 is not the pinned commit 0000"):
        sources.micropython()
    assert list((cache / "micropython").iterdir()) == []


def test_every_source_failing_is_one_error_with_all_reasons(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin = git_repository(tmp_path / "upstream", 28) | {"repository": (tmp_path / "no").as_uri()}
    package = {"suite": "none", "version": "1.26.1", "package": "1.26.1+ds-1", "sha256": "0" * 64}
    use_pins(monkeypatch, pin, package)
    monkeypatch.setattr(debian, "mirrors", lambda folder: [])
    said: list[str] = []
    with pytest.raises(BuildError) as caught:
        sources.micropython(say=said.append)
    assert "no' does not appear to be a git repository" in caught.value.message
    assert "no Debian mirror is set up" in caught.value.message
    assert "WEDAU_MICROPYTHON" in caught.value.hint
    assert len(said) == 4


def test_missing_git_and_apt_are_reasons(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(BuildError) as caught:
        sources.micropython()
    assert "git is not installed" in caught.value.message
    assert "no apt-get" in caught.value.message


def debian_archive(folder: Path, *, minor: int = 26) -> tuple[debian.Mirror, str]:
    """A Debian archive in a folder, with one source package; and its tarball's SHA-256."""
    text = VERSION_H.format(minor=minor).encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:xz") as archive:
        info = tarfile.TarInfo(f"micropython-1.{minor}.1/py/mpconfig.h")
        info.size = len(text)
        archive.addfile(info, io.BytesIO(text))
    tarball = f"micropython_1.{minor}.1+ds.orig.tar.xz"
    pool = folder / "pool"
    pool.mkdir(parents=True)
    (pool / tarball).write_bytes(buffer.getvalue())
    sha256 = hashlib.sha256(buffer.getvalue()).hexdigest()
    dsc = pool / f"micropython_1.{minor}.1+ds-1.dsc"
    entry = f"{sha256} {len(buffer.getvalue())} {tarball}"
    dsc.write_text(
        f"Format: 3.0 (quilt)\nSource: micropython\nVersion: 1.{minor}.1+ds-1\n"
        f"Checksums-Sha256:\n {entry}\n"
    )
    index = folder / "dists" / "testing" / "main" / "source"
    index.mkdir(parents=True)
    dsc_sum = hashlib.sha256(dsc.read_bytes()).hexdigest()
    sources_file = (
        f"Package: micropython\nVersion: 1.{minor}.1+ds-1\nDirectory: pool\nFormat: 3.0 (quilt)\n"
        f"Checksums-Sha256:\n {dsc_sum} {dsc.stat().st_size} {dsc.name}\n {entry}\n"
    ).encode()
    (index / "Sources").write_bytes(sources_file)
    index_sum = hashlib.sha256(sources_file).hexdigest()
    (folder / "dists" / "testing" / "Release").write_text(
        "Suite: testing\nCodename: testing\nComponents: main\n"
        f"SHA256:\n {index_sum} {len(sources_file)} main/source/Sources\n"
    )
    return debian.Mirror(folder.as_uri(), ("Trusted: yes",)), sha256


@pytest.fixture
def open_tmp(tmp_path: Path) -> Path:
    """apt's downloader must be able to enter the folder."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.getuid():
            folder.chmod(folder.stat().st_mode | 0o055)
    return tmp_path


def test_debian_source_package_is_fetched_through_apt(
    cache: Path, open_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror, sha256 = debian_archive(open_tmp / "archive")
    monkeypatch.setattr(debian, "mirrors", lambda folder: [mirror])
    upstream = {"repository": (open_tmp / "no").as_uri(), "tag": "v1", "version": "1.28.0"}
    package = {"suite": "testing", "version": "1.26.1", "package": "1.26.1+ds-1"}
    use_pins(monkeypatch, upstream | {"commit": "0" * 40}, package | {"sha256": sha256})
    source = sources.micropython()
    assert source.version == "1.26.1"
    assert "Debian" in source.origin
    assert [path.name for path in (cache / "micropython").iterdir()] == [source.path.name]


def test_tarball_unpacks_on_a_python_without_filters(
    open_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Debian 12's Python 3.11.2 is one."""
    debian_archive(open_tmp / "archive")
    monkeypatch.delattr(tarfile, "data_filter", raising=False)
    (tarball,) = (open_tmp / "archive" / "pool").glob("*.orig.tar.xz")
    sources._unpack(tarball, open_tmp / "out")
    assert sources.version_of(open_tmp / "out" / "micropython-1.26.1") == "1.26.1"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda pin: pin | {"sha256": "0" * 64}, "not the pinned 0000"),
        (lambda pin: pin | {"package": "1.99.0+ds-1"}, "1.99.0"),
        (lambda pin: pin | {"suite": "nowhere"}, "nowhere"),
    ],
)
def test_debian_source_package_that_differs_is_refused(
    change: Callable[[dict[str, str]], dict[str, str]],
    message: str,
    cache: Path,
    open_tmp: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mirror, sha256 = debian_archive(open_tmp / "archive")
    monkeypatch.setattr(debian, "mirrors", lambda folder: [mirror])
    pin = change({"suite": "testing", "package": "1.26.1+ds-1", "sha256": sha256})
    work = open_tmp / "work"
    work.mkdir()
    with pytest.raises(BuildError, match=message):
        debian.fetch_orig("micropython", pin["package"], pin["suite"], pin["sha256"], work)


DEB822 = """
Types: deb deb-src
# a comment
URIs: http://one.example/debian http://two.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc

Types: deb
URIs: http://one.example/debian-security
Suites: bookworm-security
Components: main

Types: deb
Enabled: no
URIs: http://off.example/debian
Suites: bookworm
Components: main
"""
ONE_LINE = """
# deb http://comment.example/debian bookworm main
deb [arch=amd64 signed-by=/usr/share/keyrings/x.gpg] http://three.example/debian bookworm main
deb http://three.example/debian-security bookworm-security main
deb-src http://src.example/debian bookworm main
deb http://cloud.example/apt cloud-sdk main
"""


def test_mirrors_of_the_machine_are_found(tmp_path: Path) -> None:
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    (parts / "debian.sources").write_text(DEB822)
    (parts / "off.sources.disabled").write_text(DEB822)
    (tmp_path / "sources.list").write_text(ONE_LINE)
    found = {mirror.uri: mirror.fields for mirror in debian.mirrors(tmp_path)}
    assert list(found) == [
        "http://three.example/debian",
        "http://one.example/debian",
        "http://two.example/debian",
    ]
    assert found["http://three.example/debian"] == ("signed-by: /usr/share/keyrings/x.gpg",)
    assert found["http://one.example/debian"][0] == "Signed-By:"
    assert found["http://one.example/debian"][-1] == " abc"


def test_pinned_source_is_complete(micropython: Path) -> None:
    for path in ("py/py.mk", "tools/mpy_ld.py", "extmod/extmod.mk", "lib/littlefs/lfs2.c"):
        assert (micropython / path).is_file()
