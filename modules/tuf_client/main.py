"""What tools/tuf-client runs on MicroPython: reads given.json, prints "done" or why not."""

import asyncio
import hashlib
import json
import os

from wedau_ed25519 import verify
from wedau.ota.download import download
from wedau.ota.errors import OtaError
from wedau.ota.http import Http, quote
from wedau.ota.static import target_path
from wedau.ota.store import Store
from wedau.ota.trust import Trust

with open("given.json") as file:
    given = json.load(file)
http = Http()


class File:
    def __init__(self, path):
        self.path = path
        self.file = None

    def begin(self, length):
        self.close()
        self.file = open(self.path + ".new", "wb")

    def write(self, piece):
        self.file.write(piece)

    def close(self):
        if self.file:
            self.file.close()

    def keep(self):
        self.close()
        os.rename(self.path + ".new", self.path)


def holds(path, target):
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        return False
    got = "".join("%02x" % b for b in hashlib.sha256(data).digest())
    return target["hashes"].get("sha256") == got


async def fetch(name, most):
    return await http.get(given["metadata_url"] + quote(name), most)


async def get(trust, name):
    target = trust.targets["targets"].get(name)
    if target is None:
        raise OtaError("missing", "the repository has no target " + name)
    path = given["target_dir"] + "/" + name.replace("%", "%25").replace("/", "%2F")
    if holds(path, target):
        return
    url = given["target_url"] + quote(target_path(trust.root, name, target))

    def open_at(headers):
        return http.open(url, "GET", headers)

    file = File(path)
    try:
        await download(open_at, target, file, bytearray(4096))
        file.keep()
    finally:
        file.close()
        Store(given["target_dir"]).remove(path.rsplit("/", 1)[1] + ".new")


async def main():
    trust = Trust(Store(given["metadata_dir"]), verify, given["now"], lambda: None)
    await trust.refresh(fetch)
    for name in given["targets"]:
        await get(trust, name)


try:
    asyncio.run(main())
except OtaError as error:
    print("refused:", error.code, error)
else:
    print("done")
