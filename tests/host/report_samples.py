"""Reports to test with. Run it to regenerate the golden file:

python tests/host/report_samples.py > tests/golden/report_v1.json
"""

from dataclasses import replace

from wedau.report import Alarms, Build, Data, Feature, Regression, Report

EXERCISES = ("PEN", "ABD", "FEL", "IR", "ER", "TRAP", "ROW")

FULL = Report(
    name="saw",
    version="3",
    wedau_version="0.1.0",
    kind="random forest, 20 trees, depth 8, 3526 nodes",
    labels=("idle", "cut", "jam"),
    features=(
        Feature("acc_x.std", "g", 0.5),
        Feature("acc_x.mean", "g", 0.125),
        Feature("zero_crossings", None, 0.375),
    ),
    data=Data(
        source="saw.csv",
        sha256="0123456789abcdef" * 4,
        rows=400,
        recordings=12,
        columns=("acc_x",),
        rate_hz=50.0,
        window_ms=4000.0,
        hop_ms=2000.0,
        group_column="machine",
        groups_held_out=("3", "7"),
    ),
    accuracy_unseen=0.84,
    judged="Two of six machines were kept out of the training.",
    confusion=((40, 0, 0), (3, 27, 10), (0, 3, 17)),
    held_out=100,
    boundary_inputs=1234,
    differences=0,
    builds=(
        Build(
            arch="xtensawin",
            compiler="clang 22.1.8",
            board="simulated ESP32-S3",
            module_bytes=41234,
            text_bytes=28616,
            rodata_bytes=10240,
            heap_bytes=18344,
            call_heap_bytes=0,
            flash_bytes=41234,
            static_ram_bytes=0,
            ram_bytes=18568,
            stack_bytes=224,
            instructions_mean=1111.4,
            instructions_min=912,
            instructions_max=1302,
            instructions_worst_bound=1382,
            instructions_worst_bound_floats=12345,
            instructions_worst_found=1340,
            import_instructions=1804321,
            board_heap_bytes=204800,
        ),
        Build(arch="x64", compiler="gcc 12.2.0"),
    ),
    notes=("Instructions were counted on the simulated board.",),
)

BARE = Report(
    name="saw",
    version="1",
    wedau_version="0.1.0",
    kind="random forest",
    labels=("a", "b"),
    features=(Feature("x"),),
    data=Data("data.csv"),
)


POINTS = tuple((float(v), v + (v % 7 - 3) / 10) for v in range(40))

VALUES = replace(
    FULL,
    kind="gradient boosting, regression, 30 trees, depth 3, 436 nodes",
    labels=(),
    accuracy_unseen=None,
    confusion=None,
    regression=Regression("load", "kg", 0.875, 1.25, 0.0, 39.0, POINTS),
)

ALARMS = replace(
    FULL,
    kind="isolation forest, 25 trees",
    labels=("normal", "anomaly"),
    confusion=((98, 2), (5, 15)),
    accuracy_unseen=113 / 120,
    alarms=Alarms(0.02, 0.75),
)


def with_labels(labels: tuple[str, ...]) -> Report:
    """Return FULL with other classes, some of them mistaken for their neighbour."""
    n = len(labels)
    confusion = [[0] * n for _ in labels]
    for i in range(n):
        confusion[i][i] = 30 + i
        confusion[i][(i + 1) % n] += i % 5
    return replace(FULL, labels=labels, confusion=confusion)


if __name__ == "__main__":
    print(FULL.to_json(), end="")
