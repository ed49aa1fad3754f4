"""Download a pinned source package of Debian through apt; the machine's own lists stay untouched.

apt is run with a sources list, package lists and a cache of our own. The mirror, its proxy and its
keys are those that the machine already uses.
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from wedau.errors import BuildError

_UPDATE_TIMEOUT_S = 300
# Names of the suites of Debian's main archive; the machine's own codename is added.
_SUITES = frozenset(
    ["stable", "oldstable", "testing", "unstable", "sid", "bookworm", "trixie", "forky"]
)
# Fields of a sources entry that ours replace; all others (keys, trust) are kept.
_REPLACED = frozenset(["types", "suites", "components", "enabled", "architectures", "uris"])
_ONE_LINE = re.compile(r"deb\s+(?:\[([^]]*)\]\s+)?(\S+)\s+(\S+)\s+(.*)$")


@dataclass(frozen=True)
class Mirror:
    """A Debian archive that this machine already uses: its address, and its other fields' lines."""

    uri: str
    fields: tuple[str, ...]


def fetch_orig(package: str, version: str, suite: str, sha256: str, work: Path) -> Path:
    """Download a source package's upstream tarball.

    Args:
        package: its name, such as "micropython".
        version: Debian's version, such as "1.26.1+ds-1".
        suite: where that version is, such as "forky".
        sha256: what the tarball must hash to, in hex.
        work: an existing folder to work in; the tarball stays there.

    Returns:
        The tarball's path.

    Raises:
        BuildError: apt is missing or fails, no mirror is known, or the hash differs.
    """
    if not shutil.which("apt-get"):
        raise BuildError("this system has no apt-get", "use Debian, or another source")
    reasons = []
    for mirror in mirrors(Path("/etc/apt")):
        with tempfile.TemporaryDirectory(dir=work, prefix="apt-") as folder:
            try:
                _download(package, version, _configure(mirror, suite, Path(folder)), work)
                return _checked(work, sha256)
            except BuildError as error:
                reasons.append(error.message)
    raise BuildError(
        "; ".join(dict.fromkeys(reasons)) or "no Debian mirror is set up in /etc/apt",
        "add a Debian mirror to the machine's apt sources, or use another source",
    )


def mirrors(folder: Path) -> list[Mirror]:
    """Return the archives of binary packages, component main, in apt's configuration.

    Args:
        folder: apt's configuration, ``/etc/apt``.
    """
    found = []
    for path in [folder / "sources.list", *sorted(folder.glob("sources.list.d/*"))]:
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if path.suffix == ".list":
            found += _from_lines(text)
        elif path.suffix == ".sources":
            found += _from_stanzas(text)
    return list(dict.fromkeys(found))


def _from_lines(text: str) -> list[Mirror]:
    found = []
    for line in text.splitlines():
        entry = _ONE_LINE.match(line.split("#", 1)[0].strip())
        if entry and _is_main(entry[3], entry[4]):
            fields = [
                f"{name}: {value}"
                for name, _, value in (o.partition("=") for o in (entry[1] or "").split())
                if name.lower() in ("signed-by", "trusted")
            ]
            found.append(Mirror(entry[2], tuple(fields)))
    return found


def _from_stanzas(text: str) -> list[Mirror]:
    found = []
    for stanza in re.split(r"\n\s*\n", text):
        lines = [line for line in stanza.splitlines() if not line.startswith("#")]
        fields: dict[str, list[str]] = {}
        name = ""
        for line in lines:
            if not line[:1].isspace():
                name = line.partition(":")[0].strip().lower()
                fields[name] = []
            if name:
                fields[name].append(line)
        values = {n: " ".join(v).partition(":")[2].split() for n, v in fields.items()}
        if "deb" not in values.get("types", []) or values.get("enabled", ["yes"]) == ["no"]:
            continue
        components = " ".join(values.get("components", []))
        if any(_is_main(suite, components) for suite in values.get("suites", [])):
            kept = tuple(line for n, v in fields.items() if n not in _REPLACED for line in v)
            found += [Mirror(uri, kept) for uri in values.get("uris", [])]
    return found


def _is_main(suite: str, components: str) -> bool:
    codename = platform.freedesktop_os_release().get("VERSION_CODENAME")
    return "main" in components.split() and (suite in _SUITES or suite == codename)


def _configure(mirror: Mirror, suite: str, folder: Path) -> list[str]:
    """Write a sources list below the folder and return apt-get's command line so far."""
    stanza = ["Types: deb-src", f"URIs: {mirror.uri}", f"Suites: {suite}", "Components: main"]
    parts = folder / "sources.list.d"
    for path in (parts, folder / "state" / "lists" / "partial", folder / "cache/archives/partial"):
        path.mkdir(parents=True)
    (parts / "wedau.sources").write_text("\n".join([*stanza, *mirror.fields]) + "\n")
    options = {
        "Dir::Etc::sourcelist": "/dev/null",
        "Dir::Etc::sourceparts": parts,
        # A frozen mirror's lists may be past their date; the pinned hash of the tarball decides.
        "Acquire::Check-Valid-Until": "false",
        "Dir::State": folder / "state",
        "Dir::Cache": folder / "cache",
        "Acquire::Languages": "none",
        "Acquire::Retries": "2",
        "Acquire::http::Timeout": "20",
        "APT::Get::List-Cleanup": "false",
    }
    if os.geteuid() == 0:  # apt's unprivileged user may not write to our folders
        options["APT::Sandbox::User"] = "root"
    command = ["apt-get", "-q"]
    for name, value in options.items():
        command += ["-o", f"{name}={value}"]
    return command


def _download(package: str, version: str, apt: list[str], work: Path) -> None:
    _run([*apt, "update", "--error-on=any"], work)
    _run([*apt, "source", "--download-only", "--only-source", f"{package}={version}"], work)


def _run(command: list[str], work: Path) -> None:
    environment = os.environ | {"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        result = subprocess.run(
            command,
            cwd=work,
            env=environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=_UPDATE_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BuildError(f"apt-get did not finish in {_UPDATE_TIMEOUT_S} s", "try again") from None
    if result.returncode:
        errors = [line[3:] for line in result.stderr.splitlines() if line.startswith("E: ")]
        said = (
            errors[0].rstrip(".")
            if errors
            else f"apt-get failed with exit code {result.returncode}"
        )
        raise BuildError(said, "check the machine's network and its apt sources")


def _checked(work: Path, sha256: str) -> Path:
    found = sorted(work.glob("*.orig.tar.*"))
    if not found:
        raise BuildError("apt-get brought no upstream tarball", "use another source")
    digest = hashlib.sha256(found[0].read_bytes()).hexdigest()
    if digest != sha256:
        raise BuildError(
            f"{found[0].name} has the SHA-256 {digest}, not the pinned {sha256}",
            "do not use it: the mirror or the pin is wrong",
        )
    return found[0]
