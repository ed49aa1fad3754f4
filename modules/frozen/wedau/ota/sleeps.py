"""Good decisions of a trial, added up over deep sleeps, in a small file."""

import json
import time

from wedau.ota.fields import SETTINGS_PATH
from wedau.ota.store import Store

_FILE = "trial.json"
_JUMP_S = 10 * 365 * 86400  # the clock was set meanwhile


def add(name, good):
    """Add good decisions to those of a trial; return their sum, and seconds since its first ones.

    Args:
        name: text that is another for each trial.
        good: decisions since the last call.
    """
    store = Store(SETTINGS_PATH.rpartition("/")[0])
    now = int(time.time())
    try:
        kept_name, kept, began = json.loads(store.load(_FILE) or b"null")
    except (TypeError, ValueError):
        kept_name = None
    if kept_name != name or not began <= now < began + _JUMP_S:
        kept, began = (kept if kept_name == name else 0), now
    store.save(_FILE, json.dumps([name, kept + good, began]).encode())
    return kept + good, now - began
