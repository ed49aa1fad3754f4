"""Imports point one way: cli -> {build, device, ota, sim, bench} -> convert -> train -> models."""

import ast
from collections.abc import Iterator
from pathlib import Path

import wedau

PACKAGE = Path(wedau.__file__).parent
PURE = {"train", "convert", "models", "report"}
INPUT_OUTPUT = {"build", "device", "ota", "sim", "bench"}
SHARED = {"errors", "files", "paths", "flash_map", "_core", "__init__"}
MAY_IMPORT = {
    **{name: SHARED | {name, "models"} for name in PURE - {"report"}},
    "convert": SHARED | {"convert", "train", "models"},
    "report": SHARED | {"report"},
    **{name: SHARED | PURE | {name} for name in INPUT_OUTPUT},
    "cli": SHARED | PURE | INPUT_OUTPUT | {"cli"},
    "__main__": {"cli"},
    "errors": set(),
    "files": {"errors"},
    "paths": {"errors"},
    "flash_map": set(),
    "__init__": set(),
}


def imported(path: Path) -> Iterator[str]:
    """Yield the part of wedau that each import in the file names, wherever it stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module == "wedau":
            names = [f"wedau.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        for name in names:
            if name.startswith("wedau."):
                yield name.split(".")[1].replace("__version__", "__init__")


def part(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def violations(files: Iterator[Path]) -> list[str]:
    return [
        f"{path.relative_to(PACKAGE)} imports wedau.{name}"
        for path in files
        for name in imported(path)
        if name not in MAY_IMPORT[part(path)]
    ]


def test_imports_point_one_way():
    files = [p for p in PACKAGE.rglob("*.py") if "_resources" not in p.parts]
    assert len(files) > 20
    assert violations(iter(files)) == []


def test_a_wrong_import_is_found(monkeypatch, tmp_path):
    wrong = tmp_path / "train" / "bad.py"
    wrong.parent.mkdir()
    wrong.write_text("def f():\n    from wedau.device import link\n", encoding="utf-8")
    monkeypatch.setitem(globals(), "PACKAGE", tmp_path)
    assert violations(iter([wrong])) == ["train/bad.py imports wedau.device"]
