"""python-tuf's own client."""

from pathlib import Path

from tuf.ngclient import Updater


class Client:
    """A node as python-tuf plays it: it keeps what it trusts in a folder, from update to update."""

    def __init__(self, folder: Path, root: bytes) -> None:
        self._folder = folder
        self._root = root
        for name in ("metadata", "targets"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    def refresh(self, url: str) -> Updater:
        """Follow the metadata; raises what python-tuf does."""
        updater = Updater(
            str(self._folder / "metadata"),
            f"{url}/metadata/",
            str(self._folder / "targets"),
            f"{url}/targets/",
            bootstrap=self._root,
        )
        updater.refresh()
        return updater

    def download(self, url: str, *paths: str) -> list[bytes]:
        """Update, and download targets."""
        updater = self.refresh(url)
        found = []
        for path in paths:
            info = updater.get_targetinfo(path)
            assert info is not None, path
            found.append(Path(updater.download_target(info)).read_bytes())
        return found
