"""Updates over the air, as the application sees them.

    import wedau.ota
    wedau.ota.start()        # in asyncio, first of all: the model is there from then on
    import saw
    ...
    wedau.ota.good()         # after each decision that made sense

or, in a program that sleeps deeply between its decisions, ``wedau.ota.boot()`` first and
``wedau.ota.check()`` before it sleeps. Nothing happens at import.
"""

_node = None  # wedau.ota.node.Node after boot()
_restart = None
_good = 0
_last = None  # the last error of a poll
_TICK_S = 60  # how often a trial is looked after, at least


def boot(restart=None):
    """Take up what the last run left: the model is mounted, what is new is on trial.

    Args:
        restart: function that restarts the board; default: machine.reset.

    Raises:
        OtaError: settings: the node was never provisioned, or has no partitions for models.
    """
    global _node, _restart
    if _node is not None:
        return
    import machine

    _restart = restart or machine.reset
    node = make_node()
    if node.boot(_began(machine)):
        _restart()
    _node = node


def start(restart=None):
    """Boot, and look for updates for ever in an asyncio task; returns that task.

    Args:
        restart: as for boot().

    Raises:
        OtaError: as boot().
    """
    import asyncio

    boot(restart)
    return asyncio.create_task(_run())


def check(restart=None):
    """Look for updates once, for at most some minutes; the board restarts if there is one.

    Args:
        restart: as for boot().

    Returns:
        None, or the OtaError that says why nothing was stored.

    Raises:
        OtaError: as boot().
    """
    import asyncio

    boot(restart)
    _keep_count()
    return asyncio.run(_poll())[0]


def good():
    """Count a decision that made sense: after confirm_after of them what is new is confirmed."""
    global _good
    if _node is None or not _node.on_trial:
        return
    _good += 1
    if _good >= _node.settings["confirm_after"]:
        confirm()


def confirm():
    """Confirm what is on trial: the application is sure of it."""
    if _node is not None:
        _node.confirm()


def fail():
    """Refuse what is on trial: the board restarts with what it had."""
    if _node is not None and _node.on_trial:
        _node.fail("refused")
        _restart()


def status():
    """Return what is there and what happened: news of each kind, "trial", and "error" of a poll."""
    from wedau.ota import report

    if _node is None:
        return {}
    found = {"trial": _node.on_trial, "good": _good, "error": _last and _last.code}
    found.update(report.all_news(_node.journal))
    return found


def _began(machine):
    """Return how this run began: a watchdog and the program restart the board, too, power does not.

    A brownout looks like a loss of power here.
    """
    from wedau.ota.install import POWERED, RESTARTED, WOKEN

    cause = machine.reset_cause()
    if cause == getattr(machine, "DEEPSLEEP_RESET", None):
        return WOKEN
    return POWERED if cause == getattr(machine, "PWRON_RESET", None) else RESTARTED


def make_node():
    """Return this board's node; nothing is decided yet.

    Raises:
        OtaError: as boot().
    """
    import esp32
    from wedau_ed25519 import verify

    from wedau.ota import fields, node, slots
    from wedau.ota.journal import Journal
    from wedau.ota.store import Store

    settings = node.read_settings(fields.SETTINGS_PATH)
    sectors, areas = slots.find(esp32.Partition)
    folder, _, root = fields.ROOT_PATH.rpartition("/")
    first = Store(folder)
    return node.Node(
        settings,
        Journal(sectors),
        areas,
        esp32.Partition,
        Store(fields.TRUSTED_FOLDER),
        lambda: first.load(root),
        verify,
    )


def _carrier(settings):
    from wedau.ota.http import Http

    if settings["carrier"] == "ddi":
        from wedau.ota.ddi import Ddi

        return Ddi(settings, busy=_node.busy)
    from wedau.ota.static import Static

    return Static(Http(settings["url"]), settings["url"])


async def _poll():
    """Look for updates once; return the OtaError that ended it or None, and the server's poll_s."""
    global _last
    from wedau.ota.errors import OtaError

    carrier, restart, _last = None, False, None
    try:
        carrier = _carrier(_node.settings)
        restart = await _node.poll(carrier)
    except OtaError as error:
        _last = error
    if restart:
        _restart()
    return _last, carrier and carrier.poll_s


async def _run():
    """Poll for ever, and end a trial that nothing confirms."""
    import asyncio
    import time

    poll_s = trial_s = 0
    while True:
        if poll_s <= 0:
            poll_s = (await _poll())[1] or _node.settings["poll_s"]
        began = time.ticks_ms()
        await asyncio.sleep(min(poll_s, _TICK_S, _node.settings["trial_s"]))
        passed = time.ticks_diff(time.ticks_ms(), began) / 1000
        poll_s -= passed
        trial_s = trial_s + passed if _node.on_trial else 0
        if trial_s >= _node.settings["trial_s"]:
            _end_trial()


def _keep_count():
    """Add up the good decisions of a trial over deep sleeps, and end one that lasts too long."""
    global _good
    from wedau.ota import sleeps

    if not _node.on_trial:
        return
    good, trial_s = sleeps.add(_node.trial_name(), _good)
    _good = 0
    if good >= _node.settings["confirm_after"]:
        confirm()
    elif trial_s >= _node.settings["trial_s"]:
        _end_trial()


def _end_trial():
    _node.fail("unconfirmed")
    _restart()
