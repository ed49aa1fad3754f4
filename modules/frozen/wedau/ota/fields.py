"""What a signed update says of itself: names, kinds, limits. The host reads this very file.

A target of the repository has a path, FEED/..., and these fields in its "custom":

kind     "model", "app", "firmware", or "patch" (nothing else then: a way to save bytes)
name     of the model, of the application; a firmware's is its board's
version  text for people
serial   number that grows with each release of this kind and name; never compared by people
feed     who is to get it: the first part of the path
arch     of a model in native code or bytecode: what may import it; a data file has none
mpy      with arch: version and sub-version of the .mpy format
golden   of a model: what it answers, for a self-test: [rows, features, seed, CRC-32, exponent]; see
         goldens.py
board    of a firmware: the only board that may have it
delta    patches that make this payload: [{"from": hash of the whole old payload, "path": target}]
"""

# Kinds of payloads
MODEL = "model"
APP = "app"
FIRMWARE = "firmware"
PATCH = "patch"

# Roles of the repository, in the order in which a client takes them
ROLES = ("root", "timestamp", "snapshot", "targets")

# Where the trust and the settings lie on a node
ROOT_PATH = "/ota/root.json"
SETTINGS_PATH = "/ota/settings.json"
TRUSTED_FOLDER = "/ota/meta"  # the newest metadata that the node verified

# Largest metadata file of each role
METADATA_BYTES = {"root": 16384, "timestamp": 4096, "snapshot": 4096, "targets": 16384}
MAX_ROOTS = 256  # new versions of root that a node follows at once
MAX_NAME = 32
MAX_VERSION = 40
MAX_PATH = 160
MAX_SERIAL = (1 << 30) - 1  # a small integer everywhere
MAX_DELTAS = 4
MAX_ROWS = 32  # of a golden
MAX_FEATURES = 1024
MAX_BYTES = 16 << 20  # of a payload: the whole flash of the largest board

# What a node may be told: name, default
SETTINGS = (
    ("carrier", "static"),  # or "ddi"
    ("url", ""),  # where metadata/ and targets/ are; of the DDI server
    ("tenant", "default"),  # DDI
    ("id", ""),  # of the node, for the server
    ("token", ""),  # DDI: what the node says to be let in
    ("feed", "stable"),
    ("board", ""),  # which firmware is for it
    ("model", ""),  # name of the model that it is to have; empty: the only one that there is
    ("app", ""),  # name of the application, likewise
    ("poll_s", 3600),
    ("confirm_after", 20),  # good predictions after which a new model is confirmed
    ("trial_s", 86400),  # after which what is on trial fails if nothing confirmed it
)
CARRIERS = ("static", "ddi")

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
_HEX = "0123456789abcdef"


def is_name(text, longest=MAX_NAME):
    """Whether it is a plain name: letters, digits, "_", "-", ".", no "." in front."""
    if not isinstance(text, str) or not 0 < len(text) <= longest or text[0] == ".":
        return False
    for letter in text:
        if letter not in _LETTERS:
            return False
    return True


def is_text(text, longest=MAX_VERSION):
    """Whether it is printable ASCII whose JSON is the same for every writer."""
    if not isinstance(text, str) or not 0 < len(text) <= longest:
        return False
    for letter in text:
        if not " " <= letter <= "~" or letter in '"\\':
            return False
    return True


def is_path(path):
    """Whether it is a target's path: plain names with "/" between them."""
    if not isinstance(path, str) or not 0 < len(path) <= MAX_PATH:
        return False
    for part in path.split("/"):
        if not is_name(part, MAX_PATH):
            return False
    return True


def is_hash(text):
    """Whether it is a SHA-256 in small hexadecimal digits."""
    if not isinstance(text, str) or len(text) != 64:
        return False
    for digit in text:
        if digit not in _HEX:
            return False
    return True


def is_number(value, lowest, highest):
    """Whether it is a whole number in a range; True and False are none."""
    return isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest


def path_of(custom):
    """Return the target's path that belongs to these fields; a patch's is PAYLOAD.HASH.patch."""
    kind, name, feed = custom["kind"], custom["name"], custom["feed"]
    if kind == MODEL and "arch" in custom:
        return "%s/models/%s/%s/%s.mpy" % (feed, name, custom["arch"], name)
    if kind == MODEL:
        return "%s/models/%s/data/%s.wdt" % (feed, name, name)
    if kind == APP:
        return "%s/apps/%s.cpio" % (feed, name)
    return "%s/firmware/%s.bin" % (feed, custom["board"])


def patch_path(path, old_sha256):
    """Return the path of the patch that makes a target's payload of an older one."""
    return "%s.%s.patch" % (path, old_sha256[:16])


def problem(path, custom):
    """Return what is wrong with a target's path and fields, or None; checks all of it."""
    if not is_path(path):
        return "path"
    if not isinstance(custom, dict):
        return "custom"
    kind = custom.get("kind")
    if kind == PATCH:
        return None if path.endswith(".patch") else "path"
    if kind not in (MODEL, APP, FIRMWARE):
        return "kind"
    for field in ("name", "feed"):
        if not is_name(custom.get(field)):
            return field
    if not is_text(custom.get("version")):
        return "version"
    if not is_number(custom.get("serial"), 1, MAX_SERIAL):
        return "serial"
    wrong = _problem_of_place(kind, custom) or _problem_of_delta(custom.get("delta", []))
    return wrong or (None if path == path_of(custom) else "path")


def _problem_of_place(kind, custom):
    """Check what says where the payload may run."""
    if kind == FIRMWARE:
        return None if is_name(custom.get("board"), 64) else "board"
    if kind == APP:
        return None
    if not _is_golden(custom.get("golden")):
        return "golden"
    if "arch" not in custom:
        return None
    if not is_name(custom["arch"]):
        return "arch"
    mpy = custom.get("mpy")
    if not isinstance(mpy, list) or len(mpy) != 2:
        return "mpy"
    return None if is_number(mpy[0], 0, 255) and is_number(mpy[1], 0, 3) else "mpy"


def _is_golden(golden):
    """Whether it is rows, features, seed, CRC and exponent, each within its range."""
    ranges = ((1, MAX_ROWS), (1, MAX_FEATURES), (0, 65536), (0, 0xFFFFFFFF), (-38, 38))
    if not isinstance(golden, list) or len(golden) != len(ranges):
        return False
    for value, limits in zip(golden, ranges):
        if not is_number(value, limits[0], limits[1]):
            return False
    return True


def _problem_of_delta(deltas):
    if not isinstance(deltas, list) or len(deltas) > MAX_DELTAS:
        return "delta"
    for delta in deltas:
        if not isinstance(delta, dict) or not is_hash(delta.get("from")):
            return "delta"
        if not is_path(delta.get("path")):
            return "delta"
    return None


def settings_problem(settings):
    """Return the name of the setting that is wrong, or None; all have to be there, others may."""
    if not isinstance(settings, dict):
        return "settings"
    for name, default in SETTINGS:
        value = settings.get(name)
        if isinstance(default, int):
            if not is_number(value, 1, MAX_SERIAL):
                return name
        elif not isinstance(value, str) or (value and not is_text(value, 256)):
            return name
    if settings["carrier"] not in CARRIERS:
        return "carrier"
    return None if is_name(settings["feed"]) else "feed"
