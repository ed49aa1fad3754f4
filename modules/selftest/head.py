# Goes before each script of the suite, after `given`, the dict of its inputs.
#
# A script defines run(given) -> dict of literals. The host compares what is in it, exactly. A script
# whose board lacks what it is about returns {"skip": "the board has no ..."}.

import sys

sys.path.insert(0, given["folder"])


def refusal(function, *args):
    """Return the name of the exception that a call raises, and its text; None if it raises none."""
    try:
        function(*args)
    except Exception as error:
        return type(error).__name__, str(error)
    return None


def cost(function, *args):
    """Measure a call: microseconds, the loop around it included; exact instructions if it can be."""
    import time

    count, spent_us = 1, 0
    while spent_us < 20000 and count < 20000:
        count *= 4
        start = time.ticks_us()
        for _ in range(count):
            function(*args)
        spent_us = time.ticks_diff(time.ticks_us(), start)
    found = {"us": spent_us / count}
    try:
        import sim
    except ImportError:
        return found
    found["instructions"] = sim.count(function, *args)[1]
    return found


def locked(function, a, b=None, c=None, d=None):
    """Call with a heap that gives nothing, as in an interrupt handler."""
    import micropython

    micropython.heap_lock()  # a call with *args would need the heap
    try:
        if d is not None:
            return function(a, b, c, d)
        if c is not None:
            return function(a, b, c)
        return function(a) if b is None else function(a, b)
    finally:
        micropython.heap_unlock()


def native_answers(given):
    """Return what the module of native code answers for a few rows."""
    module = __import__(given["native"])
    return [module.predict(row) for row in given["native_rows"]]


def skip(reason):
    """Say that the board has not what the script is about."""
    return {"skip": reason}
