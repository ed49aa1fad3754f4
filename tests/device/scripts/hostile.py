# Runs on the board: each public function with every kind of wrong argument. What has to come is an
# exception; what goes wrong otherwise is printed. GROUP says which functions; test_hostile_board.py.
import gc
import math
import random
import uctypes
from array import array

LEGAL = (TypeError, ValueError, MemoryError, OverflowError, AttributeError, OSError, IndexError)
LEGAL += (NotImplementedError, KeyError, RuntimeError)


class Raises:
    def __int__(self):
        raise ValueError

    __float__ = __len__ = __index__ = __int__

    def __getitem__(self, i):
        raise IndexError

    def __eq__(self, other):
        raise KeyError


class Says(Raises):
    def __int__(self):
        return 7

    __index__ = __len__ = __int__

    def __float__(self):
        return 0.5


class Clears:
    # A number that empties its container when it is asked for its value.
    def __init__(self, given):
        self.given = given

    def __int__(self):
        self.given[:] = []
        self.given.extend(range(3))
        self.given.clear()
        return 40

    def __float__(self):
        return float(self.__int__())


def clearing(n, at, value):
    made = [value] * n
    made[at] = Clears(made)
    return made


class Bytes(bytearray):
    pass


def recursive():
    made = []
    made.append(made)
    return made


def floats(*values):
    return array("f", values)


# name, and what makes a new one
HOSTILE = [
    ("None", lambda: None),
    ("True", lambda: True),
    ("0", lambda: 0),
    ("1", lambda: 1),
    ("-1", lambda: -1),
    ("2**30", lambda: 2**30),
    ("-2**31-1", lambda: -(2**31) - 1),
    ("2**70", lambda: 2**70),
    ("1.5", lambda: 1.5),
    ("nan", lambda: math.nan),
    ("-inf", lambda: -math.inf),
    ("''", lambda: ""),
    ("text", lambda: "text"),
    ("long text", lambda: "/" + "x" * 3000),
    ("b''", lambda: b""),
    ("bytes", lambda: bytes(range(40))),
    ("bytearray()", lambda: bytearray()),
    ("bytearray(1)", lambda: bytearray(1)),
    ("bytearray(64)", lambda: bytearray(64)),
    ("huge bytearray", lambda: bytearray(20000)),
    ("memoryview", lambda: memoryview(b"12345678")),
    ("odd memoryview", lambda: memoryview(bytearray(101))[1:98]),
    ("uctypes", lambda: uctypes.bytearray_at(uctypes.addressof(KEPT), 16)),
    ("array b", lambda: array("b", bytes(8))),
    ("array f empty", lambda: floats()),
    ("array f 1", lambda: floats(1)),
    ("array f nan", lambda: floats(math.nan)),
    ("array f huge", lambda: array("f", bytes(20000))),
    ("array h empty", lambda: array("h")),
    ("array h 1", lambda: array("h", [1])),
    ("array h huge", lambda: array("h", bytes(20000))),
    ("array d", lambda: array("d", [1, 2, 3])),
    ("array q", lambda: array("q", [1, 2, 3])),
    ("array O", lambda: array("O", [1, 2, 3])),
    ("()", lambda: ()),
    ("(1,)", lambda: (1,)),
    ("(3 texts)", lambda: ("a", "b", "c")),
    ("[]", lambda: []),
    ("[None]", lambda: [None] * 3),
    ("[2**70]", lambda: [2**70, -(2**70), 1e300]),
    ("recursive", recursive),
    ("huge list", lambda: [0] * 5000),
    ("{}", lambda: {}),
    ("set", lambda: {1, 2, 3}),
    ("object", lambda: object()),
    ("type", lambda: int),
    ("module", lambda: gc),
    ("function", lambda: lambda *args: None),
    ("generator", lambda: (i for i in range(3))),
    ("range", lambda: range(8)),
    ("raises", Raises),
    ("says", Says),
    ("subclass", lambda: Bytes(40)),
    ("ellipsis", lambda: ...),
]
for _n in (1, 3, 4):
    for _at in range(_n):
        HOSTILE.append(("clears %d/%d" % (_at, _n), lambda n=_n, at=_at: clearing(n, at, 9)))
KEPT = bytearray(16)
ANY = {name for name, _ in HOSTILE}
EMPTY = {"''", "b''", "bytearray()", "array f empty", "array h empty"}
WRITABLE = {"bytearray(1)", "bytearray(64)", "huge bytearray", "odd memoryview", "uctypes", "subclass"}
WRITABLE |= {"array b", "array f 1", "array f nan", "array f huge", "array h 1", "array h huge"}
WRITABLE |= {"array d", "array q", "array O"}
READABLE = EMPTY | WRITABLE | {"text", "long text", "bytes", "memoryview"}
PATHS = {"''", "text", "long text", "b''", "bytes"}
HUGE = {"huge bytearray", "array f huge", "array h huge"}
ONE = {"True", "0", "1", "-1", "2**30", "-2**31-1", "2**70", "1.5", "says", "(1,)", "array f 1"}
ONE |= {"array h 1", "clears 0/1"}
THREE = {"clears 0/3", "clears 1/3", "clears 2/3"}


def call(f, args):
    # Without *args where it can be: that allocates.
    n = len(args)
    if n == 0:
        return f()
    if n == 1:
        return f(args[0])
    if n == 2:
        return f(args[0], args[1])
    if n == 3:
        return f(args[0], args[1], args[2])
    return f(*args)


def attempt(what, f, args, must_raise=False):
    print(what)  # the last line before a crash
    try:
        got = call(f, args)
    except LEGAL:
        return False
    except BaseException as error:
        print("WRONG", what, type(error).__name__, error)
        return False
    if must_raise:
        print("WRONG", what, "took it and gave", got)
    else:
        print("TAKEN", what)
    return True


class Function:
    # name; make() -> (callable, list of right arguments); same(result, args) -> what has to be the
    # same each time; takes: names of HOSTILE that are right, by argument; most: the least and the most
    # arguments; rounds: how often its bytes are damaged.
    def __init__(self, name, make, same=None, pairs=True, most=None, rounds=30, takes=()):
        self.name, self.make, self.pairs = name, make, pairs
        self.same = same or (lambda result, args: result)
        self.most, self.rounds, self.takes = most, rounds, dict(takes)
        self.right = self.check()

    def check(self):
        f, args = self.make()
        return repr(self.same(call(f, args), args))

    def still_right(self, after):
        now = self.check()
        if now != self.right:
            print("WRONG", self.name, "gives", now, "instead of", self.right, "after", after)


def one_wrong(function):
    n = len(function.make()[1])
    for at in range(n):
        for name, make in HOSTILE:
            f, args = function.make()
            args[at] = make()
            is_wrong = name not in function.takes.get(at, ())
            attempt("%s %d=%s" % (function.name, at, name), f, args, is_wrong)
        function.still_right("argument %d" % at)


def two_wrong(function):
    n = len(function.make()[1])
    for one in range(n):
        for other in range(one + 1, n):
            for i in range(one, len(HOSTILE), 5):
                for j in range(i % 7, len(HOSTILE), 7):
                    f, args = function.make()
                    args[one], args[other] = HOSTILE[i][1](), HOSTILE[j][1]()
                    name = "%s %d=%s %d=%s"
                    name %= (function.name, one, HOSTILE[i][0], other, HOSTILE[j][0])
                    attempt(name, f, args)
    function.still_right("pairs")


def wrong_count(function):
    # n arguments and those between least and most are right.
    n = len(function.make()[1])
    least, most = function.most or (n, n)
    for count in range(0, n + 3):
        f, args = function.make()
        args = (args + [1, None])[:count]
        attempt("%s with %d" % (function.name, count), f, args, not least <= count <= most)
    f, args = function.make()
    try:
        f(*args, nonsense=1)
        print("WRONG", function.name, "took a keyword")
    except TypeError:
        pass
    try:
        f(*[9] * 200)
        print("WRONG", function.name, "took 200 arguments")
    except TypeError:
        pass
    function.still_right("counts")


def the_same_twice(function):
    n = len(function.make()[1])
    for one in range(n):
        for other in range(n):
            f, args = function.make()
            args[one] = args[other]
            attempt("%s %d is %d" % (function.name, one, other), f, args)
    function.still_right("the same twice")


def shared_views(function):
    # Buffers that overlap by all but an item: what is written lies inside them.
    n = len(function.make()[1])
    for one in range(n):
        for other in range(n):
            f, args = function.make()
            a, b = args[one], args[other]
            if one == other or not isinstance(a, (array, bytearray)) or type(a) is not type(b):
                continue
            kind = "B" if isinstance(a, bytearray) else repr(a)[7]
            if kind != ("B" if isinstance(b, bytearray) else repr(b)[7]):
                continue
            size = max(len(a), len(b)) + 3
            whole = bytearray(size) if kind == "B" else array(kind, [0] * size)
            view = memoryview(whole)
            whole[0] = whole[size - 1] = 77
            args[one], args[other] = view[1 : 1 + len(a)], view[2 : 2 + len(b)]
            attempt("%s %d over %d" % (function.name, one, other), f, args)
            if whole[0] != 77 or (whole[size - 1] != 77):
                print("WRONG", function.name, one, other, "wrote outside")
    function.still_right("shared views")


def damaged(function):
    # Bytes with other bits, cut, longer, at any address; arrays of any bits.
    n = len(function.make()[1])
    for at in range(n):
        for i in range(function.rounds):
            f, args = function.make()
            right = args[at]
            if not isinstance(right, (bytes, bytearray, array)) or not len(right):
                break
            is_array = isinstance(right, array)
            changed = bytearray(right)
            for _ in range(random.getrandbits(3)):
                changed[random.getrandbits(16) % len(changed)] = random.getrandbits(8)
            if is_array:
                changed = array(repr(right)[7], changed)
            elif i % 5 == 1:
                changed = changed[: random.getrandbits(16) % (len(changed) + 1)]
            elif i % 5 == 2:
                changed = changed + bytes(i % 9)
            elif i % 5 == 3:
                moved = bytearray(len(changed) + 3)
                moved[i % 4 :] = changed
                changed = memoryview(moved)[i % 4 :]
            elif i % 5 == 4:
                changed = bytes(changed)
            args[at] = changed
            attempt("%s %d damaged %d" % (function.name, at, i), f, args)
    function.still_right("damage")


def fill_heap():
    # All that can be had, in a chain; its last links are the smallest.
    chain, size = None, 16384
    while size >= 16:
        try:
            chain = [chain, bytearray(size)]
        except MemoryError:
            size //= 2
    return chain


def nearly_full(function):
    for links in (0, 1, 2, 4, 16, 80):
        f, args = function.make()
        what = "%s with a full heap but %d" % (function.name, links)
        gc.collect()
        chain = fill_heap()
        for _ in range(links):
            if chain:
                chain = chain[0]
        outcome = 0
        try:
            call(f, args)
        except MemoryError:
            outcome = 1
        except OSError:
            outcome = 1
        except BaseException as error:
            outcome = error
        while chain:  # one by one: a stale pointer on the stack would keep them all
            link, chain = chain, chain[0]
            link[0] = link[1] = None
        gc.collect()
        print(what, "took it" if outcome == 0 else "raised")
        if outcome not in (0, 1):
            print("WRONG", what, type(outcome).__name__, outcome)
        function.still_right(what)


def objects(name, made):
    # What can be done to any object.
    for what, do in (
        ("()", lambda: made()),
        ("(1, 2)", lambda: made(1, 2)),
        ("[0]", lambda: made[0]),
        ("[0] = ", lambda: made.__setitem__(0, 1)),
        ("len", lambda: len(made)),
        ("iter", lambda: list(made)),
        ("int", lambda: int(made)),
        ("+", lambda: made + made),
        ("<", lambda: made < made),
        ("in", lambda: 1 in made),
        ("type()", lambda: type(made)()),
        ("type(1)", lambda: type(made)(1)),
        ("subclass", lambda: type("X", (type(made),), {})()),
        ("type.attr", lambda: type(made).push),
        ("attr", lambda: made.no_such_attribute),
        ("set", lambda: setattr(made, "push", 1)),
        ("set other", lambda: setattr(made, "other", 1)),
        ("del", lambda: delattr(made, "push")),
        ("bytes", lambda: bytes(made)),
        ("buffer", lambda: memoryview(made)),
    ):
        attempt("%s %s" % (name, what), do, [], True)
    for what, do in (
        ("repr", repr), ("str", str), ("hash", hash), ("bool", bool), ("id", id), ("dir", dir),
        ("==", lambda x: x == x), ("is", lambda x: x in [x]),
    ):
        attempt("%s %s" % (name, what), do, [made])


def run(functions):
    gc.collect()
    random.seed(1)
    for function in functions:
        gc.collect()
        one_wrong(function)
        wrong_count(function)
        the_same_twice(function)
        shared_views(function)
        damaged(function)
        if function.pairs:
            two_wrong(function)
        nearly_full(function)


def nothing(*args):
    pass


def of_features():
    import wedau_features as w

    recipe = RECIPE
    channels, length, n, work_floats = w.info(recipe)
    window = array("f", [(i * 7919 % 1000) / 100 for i in range(channels * length)])

    def sink(size):
        return array("f", bytes(4 * size))

    def make_extract():
        return w.extract, [recipe, array("f", window), sink(work_floats), sink(n)]

    def make_quantize():
        scale = array("f", [0.5] * 20)
        return w.quantize, [array("f", range(20)), scale, array("h", bytes(40))]

    def make_push():
        stream = w.stream(recipe, sink(n))
        for _ in range(length - 1):
            stream.push(ROW)
        return stream.push, [list(range(channels))]

    def make_push_array():
        stream = w.stream(recipe, sink(n))
        return stream.push, [array("h", range(channels))]

    def make_one_channel():
        stream = w.stream(RECIPE_1, sink(w.info(RECIPE_1)[2]))
        return stream.push, [1.5]

    ROW = tuple(range(channels))
    objects("stream", w.stream(recipe, sink(n)))
    out = sink(n)
    stream = w.stream(recipe, out)
    for _ in range(length - 1):
        stream.push(ROW)
    out.extend(array("f", bytes(4000)))  # the array moves and has another length
    attempt("out that grew", stream.push, [ROW], True)
    return [
        Function("info", lambda: (w.info, [recipe])),
        Function("extract", make_extract, lambda r, a: list(a[3]), takes={2: {"array f huge"}}),
        Function("quantize", make_quantize, lambda r, a: list(a[2])),
        Function("stream", lambda: (w.stream, [recipe, sink(n)]), lambda r, a: r.push(ROW)),
        Function("push", make_push, takes={0: THREE}),
        Function("push array", make_push_array, takes={0: THREE}),
        Function("push number", make_one_channel, takes={0: ONE}),
        Function("reset", lambda: (w.stream(recipe, sink(n)).reset, [])),
    ]


def of_trees():
    import wedau_trees as w

    with open("/model.wdt", "wb") as file:
        file.write(TREES)
    model = w.load(TREES)
    n, classes = len(model.info["features"]), len(model.labels)
    row = array("h", range(0, 10 * n, 10))
    objects("model", model)
    return [
        Function("load", lambda: (w.load, [bytearray(TREES)]), lambda r, a: r.predict(row)),
        Function("load path", lambda: (w.load, ["/model.wdt"]), lambda r, a: r.predict(row)),
        Function("load and use", lambda: (use_trees, [bytearray(TREES)]), rounds=200),
        Function("predict", lambda: (model.predict, [array("h", row)])),
        Function("predict floats", lambda: (model.predict, [array("f", row)])),
        Function(
            "predict_proba",
            lambda: (model.predict_proba, [array("h", row), array("f", bytes(4 * classes))]),
            lambda r, a: list(a[1]),
        ),
        Function("info", lambda: (lambda: model.info["name"], [])),
    ]


def use_trees(content):
    # What the loader takes has to work.
    import wedau_trees as w

    model = w.load(content)
    model.info
    n = len(model.info["features"])
    out = array("f", bytes(4 * len(model.labels)))
    model.predict_proba(array("h", [i * 997 % 65536 - 32768 for i in range(n)]), out)
    return model.predict(array("h", bytes(2 * n)))


def of_model():
    import saw

    n = len(saw.info["features"])
    row = array("h", range(0, 10 * n, 10))
    out = lambda: array("f", bytes(4 * len(saw.labels)))
    return [
        Function("predict", lambda: (saw.predict, [array("h", row)])),
        Function("predict floats", lambda: (saw.predict, [array("f", row)])),
        Function("proba", lambda: (saw.predict_proba, [array("h", row), out()]), lambda r, a: a[1]),
        Function("__getattr__", lambda: (saw.__getattr__, ["info"]), lambda r, a: r["name"]),
    ]


def of_delta():
    import wedau_delta as w

    def buffers():
        return [bytearray(w.WINDOW_BYTES), bytearray(50), bytearray(60)]

    def make_patch():
        return w.patch, [nothing, nothing, 500, NEW_SIZE] + buffers()

    def make_feed():
        window, old, out = buffers()
        made = bytearray(NEW_SIZE + 60)
        at = [0]

        def read(offset, n):
            old[:n] = OLD[offset : offset + n]

        def write(n):
            made[at[0] : at[0] + n] = out[:n]
            at[0] += n

        return w.patch(read, write, len(OLD), NEW_SIZE, window, old, out).feed, [bytearray(PATCH)]

    def callback(name, do):
        # A callback that does something to the patch, its buffers or the bytes that are being read.
        window, old, out = buffers()
        given = bytearray(PATCH)
        patch = None

        def both(*args):
            return do(patch, given, window, old, out)

        for read, write in ((both, nothing), (nothing, both), (both, both)):
            patch = w.patch(read, write, len(OLD), NEW_SIZE, window, old, out)
            attempt("callback " + name, patch.feed, [given])
            attempt("callback again " + name, patch.feed, [given])

    def raising(*args):
        raise ValueError

    def grow(buffer):
        buffer.extend(bytes(5000))

    sizes = {"0", "1"}
    takes = {0: ANY, 1: ANY, 2: sizes, 3: sizes, 4: HUGE, 5: WRITABLE, 6: WRITABLE}
    objects("patch", call(*make_patch()))
    callback("raises", raising)
    callback("feeds", lambda patch, given, *b: patch.feed(given))
    callback("feeds nothing", lambda patch, given, *b: patch.feed(b""))
    callback("grows what it reads", lambda patch, given, *b: grow(given))
    callback("shrinks what it reads", lambda patch, given, *b: given.__init__(b""))
    for i in range(3):
        callback("grows %d" % i, lambda patch, given, *b: grow(b[i]))
    for name, make in HOSTILE:
        callback("gives " + name, lambda *a: make())
    return [
        Function("patch", make_patch, lambda r, a: r.feed(b"\x04"), pairs=False, takes=takes),
        Function("feed", make_feed, takes={0: EMPTY}),
    ]


def of_ed25519():
    import wedau_ed25519 as w

    right = [KEY, SIGNATURE, b""]
    takes = {1: {"bytearray(64)"}, 2: READABLE}
    make = lambda: (w.verify, [bytearray(x) for x in right])
    return [Function("verify", make, rounds=5, takes=takes)]


def of_baseline():
    import wedau_baseline as w

    settings = (3, 32, 0.1, b"key")
    kept, learning = w.sizes(settings)
    rows = [array("f", [i % 7, i % 5, i % 3]) for i in range(33)]
    learnt = bytearray(learning)
    w.begin(settings, learnt)
    for row in rows:
        if not w.learn(learnt, row):
            break
    del row
    learnt = learnt[:kept]

    def begun():
        memory = bytearray(learning)
        w.begin(settings, memory)
        return memory

    def held():
        return bytearray(learnt)

    def row():
        return array("f", [1, 2, 3])

    def setting(i):
        f = lambda x: w.sizes(put(settings, i, x))
        takes = {0: ({"1"}, (), (), READABLE)[i]}
        return Function("sizes of %d" % i, lambda: (f, [settings[i]]), takes=takes)

    for at in range(3):
        items = list(settings)
        items[at] = Clears(items)
        attempt("settings that clear themselves at %d" % at, w.sizes, [items])
    return [
        Function("sizes", lambda: (w.sizes, [settings])),
        Function("begin", lambda: (w.begin, [settings, bytearray(learning)]), lambda r, a: a[1]),
        Function("check", lambda: (w.check, [settings, held()])),
        Function("learn", lambda: (w.learn, [begun(), row()])),
        Function("predict", lambda: (w.predict, [held(), row()])),
        Function(
            "score",
            lambda: (w.score, [held(), row(), array("f", [0])]),
            lambda r, a: a[2],
            takes={2: {"array f 1", "array f nan"}},
        ),
        Function("accidents", lambda: (w.accidents, [held()])),
    ] + [setting(i) for i in range(4)]


def put(items, i, value):
    return items[:i] + (value,) + items[i + 1 :]


def of_pipeline():
    import saw
    from wedau import Pipeline

    class Card:
        labels = saw.labels
        info = {"recipe": RECIPE, "features": ()}
        predict = saw.predict

    def whole():
        pipeline = Pipeline(recipe=RECIPE)
        for _ in range(pipeline.length - 1):
            pipeline.push(sample)
        return pipeline

    sample = tuple(range(Pipeline(recipe=RECIPE).channels))
    attempt("another model's recipe", Pipeline, [saw, RECIPE], True)
    attempt("no features", Pipeline, [Card], True)
    attempt("nothing", Pipeline, [], True)
    make = lambda: (Pipeline, [None, RECIPE])
    return [
        Function("Pipeline", make, lambda r, a: r.length, most=(2, 2), takes={0: {"None"}}),
        Function("push", lambda: (whole().push, [list(sample)]), takes={0: THREE}),
        Function("reset", lambda: (whole().reset, [])),
    ]


def of_learning():
    import os

    from wedau import Baseline

    def remove():
        for name in os.listdir("/"):
            if name not in KEEP:
                try:
                    os.remove(name)
                except OSError:
                    pass

    KEEP = set(os.listdir("/"))

    def make():
        remove()
        return Baseline, [3, 32, "b.wdb", 0.1, b"key"]

    def ready():
        remove()
        b = Baseline(3, 32, "b.wdb", 0.1)
        for i in range(40):
            b.learn(array("f", [i % 7, i % 5, i % 3]))
        return b

    def row():
        return array("f", [1, 2, 3])

    def new():
        remove()
        return Baseline(3, 32, "b.wdb", 0.1)

    takes = {0: {"1"}, 2: PATHS, 4: READABLE}
    learnt = ready()
    return [
        Function("Baseline", make, lambda r, a: r.needed, False, (1, 5), 10, takes),
        Function("learn", lambda: (new().learn, [row()]), rounds=5),
        Function("predict", lambda: (learnt.predict, [row()]), rounds=5),
        Function(
            "score",
            lambda: (learnt.score, [row(), array("f", [0])]),
            lambda r, a: a[1],
            pairs=False,
            rounds=5,
            takes={1: {"array f 1", "array f nan"}},
        ),
        Function("save", lambda: (ready().save, [])),
        Function("reset", lambda: (ready().reset, [])),
    ]


GROUPS = {
    "features": of_features,
    "trees": of_trees,
    "model": of_model,
    "delta": of_delta,
    "ed25519": of_ed25519,
    "baseline": of_baseline,
    "Pipeline": of_pipeline,
    "Baseline": of_learning,
}
run(GROUPS[GROUP]())
print("all done")
