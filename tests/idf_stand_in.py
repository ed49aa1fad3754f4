"""What stands in for ESP-IDF and Docker: small, but run by MicroPython's own Makefile and CMake."""

import os
import shutil
import sys
from pathlib import Path

_PROJECT = """\
function(idf_build_set_property)
endfunction()
macro(project name)
    _project(${name} NONE)
    get_filename_component(MICROPY_DIR ${CMAKE_CURRENT_LIST_DIR}/../.. ABSOLUTE)
    include(${MICROPY_DIR}/py/usermod.cmake)
    file(WRITE ${CMAKE_BINARY_DIR}/user_sources "${MICROPY_SOURCE_USERMOD}")
    file(WRITE ${CMAKE_BINARY_DIR}/manifest "${MICROPY_FROZEN_MANIFEST}")
    return()
endmacro()
"""

# Prints what ESP-IDF's own does, and refuses to where a test wants that.
_IDF_TOOLS = """\
import pathlib, sys
here = pathlib.Path(__file__).parent
if (here / "refuse").exists():
    sys.exit("ERROR: tool xtensa-esp-elf has no installed versions. Please run install.sh")
assert sys.argv[1:] == ["export", "--format", "key-value"]
print(f"ESP_IDF_VERSION=5.5\\nPATH={here}:$PATH")
"""

# Configures with the real cmake, then writes images as ESP-IDF's build would.
_IDF_PY = """\
#!{python}
import json, os, pathlib, re, subprocess, sys, time
sys.path[:0] = {paths}
import firmware_samples as samples
from wedau.build import partitions

here, args = pathlib.Path(__file__).parent, sys.argv[1:]
(here / "called.json").write_text(json.dumps([args, dict(os.environ), os.getcwd()]))
definitions = ["-D" + args[at + 1] for at, arg in enumerate(args) if arg == "-D"]
definitions += [arg for arg in args if arg.startswith("-DU")]
build = pathlib.Path(args[args.index("-B") + 1])
assert args[-1] == "build", args
subprocess.run(["cmake", "-S", ".", "-B", str(build), *definitions], check=True)
for path in (build / "user_sources").read_text().split(";"):
    assert pathlib.Path(path).is_file(), path
assert pathlib.Path((build / "manifest").read_text()).is_file()
lock = pathlib.Path("lockfiles/dependencies.lock.esp32s3")
lock.write_text(lock.read_text() + "# solved again\\n")
if (here / "fail").exists():
    print("[7/9] Building main.c.obj\\nmain.c:1:2: error: planted mistake\\nninja: stopped")
    sys.exit(1)
if (here / "wait").exists():
    (here / "waiting").write_text(str(os.getpid()))
    time.sleep(600)
kinds = dict(app=0, data=1)
subtypes = dict(ota=0, phy=1, nvs=2, undefined=6, fat=0x81, ota_0=0x10, ota_1=0x11)
parts = partitions.parse((build / "wedau_partitions.csv").read_text())
layout = {{p.name: (kinds[p.kind], subtypes[p.subtype], p.offset, p.size) for p in parts}}
text = (build / "sdkconfig.combined").read_text()
mb = int(re.findall(r"^CONFIG_ESPTOOLPY_FLASHSIZE_(\\d+)MB=y", text, re.MULTILINE)[-1])
size = int((here / "app_bytes").read_text())
program = samples.program(size, 5, flash_size_id=dict(zip((4, 8, 16), (2, 3, 4)))[mb])
files = {{
    "bootloader/bootloader.bin": (0, samples.program(9000, 4)),
    "partition_table/partition-table.bin": (0x8000, samples.table(layout)),
    "ota_data_initial.bin": (layout["otadata"][2], b"\\xff" * 0x2000),
    "micropython.bin": (layout["ota_0"][2] + int((here / "shift").read_text()), program),
}}
for name, (_, data) in files.items():
    (build / name).parent.mkdir(parents=True, exist_ok=True)
    (build / name).write_bytes(data)
(build / "sdkconfig").write_text(
    'CONFIG_IDF_TARGET="esp32s3"\\nCONFIG_BOOTLOADER_OFFSET_IN_FLASH=0x0\\n'
    "CONFIG_PARTITION_TABLE_OFFSET=0x8000\\n"
)
(build / "flasher_args.json").write_text(json.dumps({{
    "flash_settings": {{"flash_mode": "dio", "flash_size": f"{{mb}}MB", "flash_freq": "80m"}},
    "flash_files": {{hex(offset): name for name, (offset, _) in files.items()}},
    "extra_esptool_args": {{"chip": "esp32s3"}},
}}))
print("[9/9] done")
"""

# What MicroPython's makeimg.py needs of ESP-IDF.
_GEN_PARTITIONS = """\
import struct
APP_TYPE = 0
class Part:
    pass
class PartitionTable:
    @staticmethod
    def from_binary(data):
        parts = []
        for at in range(0, len(data), 32):
            if data[at:at + 2] != b"\\xaa\\x50":
                return parts
            part = Part()
            part.type = data[at + 2]
            part.offset, part.size = struct.unpack_from("<II", data, at + 4)
            part.name = data[at + 12:at + 28].rstrip(b"\\0").decode()
            parts.append(part)
"""

# Runs the command on this machine, with the container's path put back to the host's.
_DOCKER = """\
#!{python}
import json, os, pathlib, subprocess, sys
here, args = pathlib.Path(__file__).parent, sys.argv[1:]
with (here / "docker.json").open("a") as file:
    file.write(json.dumps(args) + "\\n")
if args[0] != "run":
    sys.exit(1 if (here / "stopped").exists() else 0)
host, inside = args[args.index("--volume") + 1].split(":")
image = next(at for at, arg in enumerate(args) if arg.startswith("espressif/idf"))
at_host = lambda text: text.replace(inside + "/", host + "/").replace("=" + inside, "=" + host)
given = [args[at + 1] for at in range(image) if args[at] == "--env"]
env = dict(pair.split("=", 1) for pair in map(at_host, given) if "=" in pair)
env |= {{"IDF_PATH": "{idf}", "PATH": "{idf}/tools:" + os.environ["PATH"]}}
command = [at_host(arg) for arg in args[image + 1:]]
for folder in ("boards", "modules", "models"):  # generated text names the container's path
    for path in pathlib.Path(host, folder).rglob("micropython.cmake"):
        path.write_text(at_host(path.read_text()))
sys.exit(subprocess.run(command, env=env).returncode)
"""

_MPY_CROSS = """\
all:
	@[ "$(origin BUILD)" = undefined ] && [ -z "$$CFLAGS_EXTRA" ]
	@mkdir -p build && touch build/mpy-cross
	@echo built mpy-cross
"""

TOOLS = ("make", "git", "cc", "gcc", "cmake", "sh", "bash", "env", "echo", "mkdir", "touch")


def idf(folder: Path, version: str = "5.5.2", app_bytes: int = 140_000) -> Path:
    """Write a stand-in for ESP-IDF; files in its tools/ say how it behaves."""
    tools = folder / "tools"
    (tools / "cmake").mkdir(parents=True)
    numbers = zip(("MAJOR", "MINOR", "PATCH"), version.split("."), strict=True)
    lines = [f"set(IDF_VERSION_{name} {number})" for name, number in numbers]
    (tools / "cmake/version.cmake").write_text("\n".join(lines))
    (tools / "cmake/project.cmake").write_text(_PROJECT)
    (tools / "idf_tools.py").write_text(_IDF_TOOLS)
    root = Path(__file__).resolve().parents[1]
    paths = [str(root / "tests"), str(root / "tools")]
    _program(tools / "idf.py", _IDF_PY.format(python=sys.executable, paths=paths))
    (tools / "app_bytes").write_text(str(app_bytes))
    (tools / "shift").write_text("0")
    (folder / "components/partition_table").mkdir(parents=True)
    (folder / "components/partition_table/gen_esp32part.py").write_text(_GEN_PARTITIONS)
    return folder


def docker(folder: Path, idf: Path) -> Path:
    """Write a program docker that notes what it is asked and runs it here; return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    _program(folder / "docker", _DOCKER.format(python=sys.executable, idf=idf))
    return folder


def programs(folder: Path) -> Path:
    """Make a folder with the programs that a build needs, and none else."""
    folder.mkdir()
    for name in TOOLS:
        place = shutil.which(name)
        assert place, name
        (folder / name).symlink_to(place)
    (folder / "python3").symlink_to(sys.executable)
    return folder


def micropython(folder: Path, real: Path, version: str = "1.28.0") -> Path:
    """Copy what the stand-in reads of MicroPython's source, and let it be another version."""
    caches = shutil.ignore_patterns("__pycache__", "build*", "managed_components")
    shutil.copytree(real / "ports/esp32", folder / "ports/esp32", ignore=caches)
    (folder / "ports/unix").mkdir()
    for name in ("py/makeversionhdr.py", "py/verbose.mk", "py/usermod.cmake", "tools/uf2conv.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(real / name, folder / name)
    shutil.copy(real / "tools/uf2families.json", folder / "tools")
    numbers = zip(("MAJOR", "MINOR", "MICRO"), version.split("."), strict=True)
    lines = [f"#define MICROPY_VERSION_{name} {number}" for name, number in numbers]
    text = "\n".join([*lines, "#define MICROPY_VERSION_PRERELEASE 0", ""])
    (folder / "py/mpconfig.h").write_text(text)
    (folder / "mpy-cross").mkdir()
    (folder / "mpy-cross/Makefile").write_text(_MPY_CROSS)
    for part in ("lib/berkeley-db-1.xx", "lib/micropython-lib"):
        (folder / part).mkdir(parents=True)
        (folder / part / "README.md").touch()
    os.utime(folder / "py/mpconfig.h", (1_700_000_000, 1_700_000_000))
    return folder


def _program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)
