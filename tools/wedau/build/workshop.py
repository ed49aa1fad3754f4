"""Where firmware is built: with an ESP-IDF of this machine, or in Espressif's container image."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from wedau.build import idf
from wedau.build.idf import Idf
from wedau.errors import BuildError

_DOCKER_TIMEOUT_S = 60
_END_S = 10
_PROGRESS = re.compile(r"\[(\d+)/(\d+)\]")
_INSIDE = "/wedau"
_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_PLAIN_PATH = re.compile(r"[\w./+@,=~-]+")  # make, cmake and a shell have to agree on it


@dataclass(frozen=True)
class Local:
    """An ESP-IDF of this machine."""

    idf: Idf

    @property
    def version(self) -> str:
        """ESP-IDF's version."""
        return self.idf.version

    def __str__(self) -> str:
        return f"ESP-IDF {self.version} in {self.idf.path}"

    @property
    def is_usable(self) -> bool:
        """Whether a build may be tried."""
        return True

    def root(self, work: Path) -> str:
        """Return what a work folder is called for the commands."""
        return str(work)

    def wrapped(self, command: list[str], work: Path, settings: dict[str, str]) -> list[str]:
        """Return the command as it is started."""
        return command

    def environment(self, settings: dict[str, str]) -> dict[str, str]:
        """Return the environment of the commands.

        Raises:
            BuildError: ESP-IDF's tools are not installed.
        """
        return idf.environment(self.idf) | settings

    def check(self, work: Path) -> None:
        """Check that a build can run here in a work folder.

        Raises:
            BuildError: make or a compiler is missing, the system cannot do it, or a path has
                spaces or the like.
        """
        if sys.platform == "win32":
            raise BuildError(
                "MicroPython's build for the ESP32 needs a Unix shell, which Windows has not",
                "install Docker Desktop and give --docker, or work in WSL",
            )
        missing = [tool for tool in ("make", "git") if not shutil.which(tool)]
        missing += [] if shutil.which("cc") or shutil.which("gcc") else ["cc"]
        if missing:
            raise BuildError(
                f"not found: {', '.join(missing)}, needed to build firmware", "install it"
            )
        for path in (self.idf.path, work):
            if not _PLAIN_PATH.fullmatch(str(path)):
                raise BuildError(
                    f"make cannot work in {path}: the path has a space or another special sign",
                    "move ESP-IDF, or set WEDAU_CACHE to a folder with a plain path",
                )

    def end(self) -> None:
        """End what outlives the command that was started."""


@dataclass(frozen=True)
class Container:
    """Espressif's official image, run by Docker."""

    image: str
    version: str

    def __str__(self) -> str:
        return f"ESP-IDF {self.version} in the container image {self.image}"

    @property
    def is_usable(self) -> bool:
        """Whether Docker runs."""
        return docker_problem() is None

    @property
    def _name(self) -> str:
        return f"wedau-firmware-{os.getpid()}"

    def root(self, work: Path) -> str:
        """Return what a work folder is called for the commands: the same on every machine."""
        return _INSIDE

    def wrapped(self, command: list[str], work: Path, settings: dict[str, str]) -> list[str]:
        """Return the command as it is started."""
        variables = settings | {
            "HOME": f"{_INSIDE}/home",
            "LC_ALL": "C.UTF-8",
            "IDF_GIT_SAFE_DIR": "*",  # its own repository belongs to root
        }
        return [
            *["docker", "run", "--rm", "--init", "--name", self._name, *_user()],
            *["--volume", f"{work}:{_INSIDE}", "--workdir", _INSIDE],
            *[part for name in _PROXIES if os.environ.get(name) for part in ("--env", name)],
            *[part for name in variables for part in ("--env", f"{name}={variables[name]}")],
            self.image,
            *command,
        ]

    def environment(self, settings: dict[str, str]) -> dict[str, str]:
        """Return the environment of docker itself; the commands get theirs with wrapped()."""
        return dict(os.environ)

    def check(self, work: Path) -> None:
        """Check that Docker runs.

        Raises:
            BuildError: it is not installed, or does not answer.
        """
        problem = docker_problem()
        if problem:
            raise BuildError(f"Docker cannot be used: {problem}", "install and start Docker")

    def end(self) -> None:
        """End the container, which may outlive the command that started it."""
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            command = ["docker", "rm", "--force", self._name]
            subprocess.run(command, capture_output=True, timeout=_DOCKER_TIMEOUT_S, check=False)


Workshop = Local | Container


def container() -> Container:
    """Return the pinned image."""
    pins = idf.pins()
    return Container(pins["image"], pins["version"])


def choose(micropython: str, given: Path | None, docker: bool) -> Workshop | None:
    """Choose where to build: what was asked for, IDF_PATH, an installed ESP-IDF, or Docker.

    Nothing is started, and Docker's program is only looked for.

    Args:
        micropython: the version that is to be built.
        given: folder of an ESP-IDF.
        docker: use the container image.

    Returns:
        None if there is nothing.

    Raises:
        BuildError: what was asked for is none, or does not fit to this MicroPython.
    """
    asked = given or (None if docker else os.environ.get("IDF_PATH"))
    if docker:
        idf.check_pair(micropython, container().version)
        return container()
    if asked:
        found = idf.given(Path(asked))
        idf.check_pair(micropython, found.version)
        return Local(found)
    every = idf.installed() if sys.platform != "win32" else []
    fitting = [each for each in every if idf.is_supported(micropython, each.version)]
    if fitting:
        return Local(max(fitting, key=lambda each: each.version == container().version))
    if shutil.which("docker"):
        return container()
    if every:  # say what is wrong with it
        idf.check_pair(micropython, every[0].version)
    return None


def nothing_found() -> BuildError:
    """Return the error for a machine without ESP-IDF and without Docker that runs."""
    return BuildError(
        "there is no ESP-IDF, which compiles firmware for the ESP32-S3, and Docker, "
        f"which could run Espressif's image of it, cannot be used: {docker_problem()}",
        idf.ways_to_get(),
    )


def docker_problem() -> str | None:
    """Return why Docker cannot be used, or None if it runs."""
    if not shutil.which("docker"):
        return "it is not installed"
    try:
        done = _docker("info", "--format", "{{.ServerVersion}}")
    except (OSError, subprocess.TimeoutExpired):
        return "it does not answer"
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return None if done.returncode == 0 else (lines or ["it does not answer"])[-1].strip()


def _user() -> list[str]:
    """Return the options by which what the container writes belongs to who runs this."""
    if sys.platform != "linux" or _is_rootless():
        return []
    return ["--user", f"{os.getuid()}:{os.getgid()}"]


def _is_rootless() -> bool:
    """Say whether Docker runs as the user: the container's root is the user then."""
    host = os.environ.get("DOCKER_HOST", "")
    return host.startswith("unix:///run/user/")


def _docker(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["docker", *arguments],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        encoding="utf-8",
        errors="replace",
        timeout=_DOCKER_TIMEOUT_S,
        check=False,
    )


def run(
    command: list[str],
    environment: dict[str, str],
    log: Path,
    on_progress: Callable[[int, int], None],
) -> int:
    """Run a command, keep all that it prints, and end it with all its children on any error.

    Args:
        command: program and arguments.
        environment: all of it.
        log: file that what it prints is appended to.
        on_progress: called with what of how much is done, where the command tells.

    Returns:
        Its exit code.

    Raises:
        BuildError: it cannot be started.
    """
    with log.open("a", encoding="utf-8") as file, _started(command, environment) as process:
        assert process.stdout is not None
        for line in process.stdout:
            file.write(line)
            match = _PROGRESS.match(line)
            if match:
                on_progress(int(match[1]), int(match[2]))
        return process.wait()


@contextlib.contextmanager
def _started(command: list[str], environment: dict[str, str]) -> "Iterator[subprocess.Popen[str]]":
    program = shutil.which(command[0], path=environment.get("PATH")) or command[0]
    try:
        process = subprocess.Popen(
            [program, *command[1:]],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,  # so that its children can be ended with it
        )
    except OSError as error:
        raise BuildError(
            f"{command[0]} cannot be started: {error.strerror}", "install it"
        ) from None
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                _end(process)


def _end(process: "subprocess.Popen[str]") -> None:
    """End a process and its children: politely, then by force."""
    if sys.platform == "win32":
        process.kill()
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_END_S)
        os.killpg(process.pid, signal.SIGKILL)  # what is left of its children
