"""The real mpremote must not be able to tell the simulated board from another."""

import hashlib
import time
from pathlib import Path

from calls import Mpremote, call_mpremote

from wedau.sim.boards import SimBoard


def test_mpremote_exec_prints_the_output(mpremote: Mpremote) -> None:
    assert mpremote("exec", "print('a', 1 + 1)") == "a 2\n"


def test_mpremote_exec_reports_an_exception(mpremote: Mpremote) -> None:
    got = mpremote("exec", "print(1)\n1 / 0", code=1)
    assert got.startswith("1\nTraceback") and "ZeroDivisionError: divide by zero" in got


def test_mpremote_eval_returns_the_value(mpremote: Mpremote) -> None:
    assert mpremote("eval", "[2 ** 70, 1 / 4]") == "[1180591620717411303424, 0.25]\n"


def test_mpremote_run_runs_a_script(mpremote: Mpremote, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("\n".join(f"x{i} = {i}" for i in range(2000)) + "\nprint(x1999)\n")
    assert mpremote("run", str(script)) == "1999\n"


def test_mpremote_mount_imports_from_the_host(mpremote: Mpremote, tmp_path: Path) -> None:
    (tmp_path / "from_host.py").write_text("answer = 42\n")
    got = mpremote("mount", str(tmp_path), "exec", "import from_host; print(from_host.answer)")
    assert "42" in got.splitlines()  # in what order mpremote prints to a pipe varies
    got = mpremote("mount", str(tmp_path), "exec", "open('/remote/out.txt', 'w').write('x' * 999)")
    assert (tmp_path / "out.txt").read_text() == "x" * 999
    assert "Local directory" in got


def test_mpremote_cp_carries_files_both_ways(mpremote: Mpremote, tmp_path: Path) -> None:
    data = bytes(range(256)) * 200
    (tmp_path / "up.bin").write_bytes(data)
    mpremote("fs", "cp", str(tmp_path / "up.bin"), ":down.bin")
    mpremote("fs", "cp", ":down.bin", str(tmp_path / "back.bin"))
    assert (tmp_path / "back.bin").read_bytes() == data
    assert hashlib.sha256(data).hexdigest() in mpremote("fs", "sha256sum", ":down.bin")
    assert "51200 down.bin" in mpremote("fs", "ls")
    mpremote("fs", "rm", ":down.bin")
    assert "down.bin" not in mpremote("fs", "ls")


def test_mpremote_carries_folders(mpremote: Mpremote, tmp_path: Path) -> None:
    (tmp_path / "package" / "inner").mkdir(parents=True)
    (tmp_path / "package" / "__init__.py").write_text("from .inner import value\n")
    (tmp_path / "package" / "inner" / "__init__.py").write_text("value = 7\n")
    mpremote("fs", "cp", "-r", str(tmp_path / "package"), ":")
    assert mpremote("exec", "import package; print(package.value)") == "7\n"
    assert "inner" in mpremote("fs", "tree")
    mpremote("fs", "rm", "-r", ":package")
    assert "package" not in mpremote("fs", "ls")


def test_mpremote_df_shows_the_flash_of_an_8_mb_board(mpremote: Mpremote) -> None:
    assert "6291456" in mpremote("df")


def test_mpremote_mip_installs_a_local_package(mpremote: Mpremote, tmp_path: Path) -> None:
    (tmp_path / "local_thing.py").write_text("def f():\n    return 'installed'\n")
    (tmp_path / "package.json").write_text(
        '{"urls": [["local_thing.py", "local_thing.py"]], "version": "1"}'
    )
    mpremote("mip", "install", "--no-mpy", "package.json", cwd=tmp_path)
    assert mpremote("exec", "import local_thing; print(local_thing.f())") == "installed\n"
    mpremote("fs", "rm", ":/lib/local_thing.py")


def test_mpremote_resume_keeps_what_soft_reset_forgets(mpremote: Mpremote) -> None:
    mpremote("exec", "kept = 5")
    assert mpremote("resume", "exec", "print(kept)") == "5\n"
    mpremote("soft-reset")
    mpremote("resume", "exec", "kept", code=1)


def test_mpremote_interrupts_a_program_that_another_left_running(mpremote: Mpremote) -> None:
    for program in ("while True: pass", "import time\nwhile True: time.sleep(60)"):
        mpremote("exec", "--no-follow", program)
        assert mpremote("exec", "print('free')") == "free\n"


def test_mpremote_reset_boots_the_board_again(fresh_board: SimBoard) -> None:
    port = fresh_board.port
    call_mpremote(port, "exec", "with open('/main.py', 'w') as f: f.write('booted = 1')")
    call_mpremote(port, "reset")
    time.sleep(0.5)  # mpremote lets the board wait for 0.1 s before it resets
    asked = "import machine; print(machine.reset_cause() == machine.HARD_RESET, booted)"
    assert call_mpremote(port, "resume", "exec", asked) == "True 1\n"


def test_sim_epoch_is_that_of_the_esp32(mpremote: Mpremote) -> None:
    assert mpremote("exec", "import time; print(time.gmtime(0)[0])") == "2000\n"
