"""Small files that change as a whole: after a power cut there is the old one or the new one."""

import os


class Store:
    """Files in a folder of a file system that renames atomically, such as littlefs."""

    def __init__(self, folder):
        self._folder = folder

    def load(self, name):
        """Return the bytes of a file, or None if there is none."""
        try:
            with open(self._folder + "/" + name, "rb") as file:
                return file.read()
        except OSError:
            return None

    def save(self, name, data):
        """Write a file; it has the old content until it has all of the new.

        Raises:
            OSError: the file system is full or failed.
        """
        path = self._folder + "/" + name
        with self._new(path + ".new") as file:
            if file.write(data) != len(data):
                raise OSError(28)  # no space left
        os.rename(path + ".new", path)

    def remove(self, name):
        """Remove a file if it is there."""
        try:
            os.remove(self._folder + "/" + name)
        except OSError:
            pass

    def _new(self, path):
        try:
            return open(path, "wb")
        except OSError:  # the first file of the folder
            self._make_folder()
            return open(path, "wb")

    def _make_folder(self):
        path = ""
        for part in self._folder.split("/"):
            path += part
            if part:
                try:
                    os.mkdir(path)
                except OSError:
                    pass  # it is there; if not, open() says so
            path += "/"
