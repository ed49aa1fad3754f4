"""Signatures checked by the C core on the host, under the sanitizers."""

import hashlib
import random
import struct
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from test_core import CHECKS, CORE, HERE, SANITIZE, STRICT, run

import signatures
from signatures import Signature
from wedau.build import monocypher

SIGN = CORE / "sign"
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program that checks signatures."""
    built = tmp_path_factory.mktemp("ed25519") / "check"
    flags = ["-std=c99", f"-fsanitize={CHECKS}", *SANITIZE, f"-I{monocypher.folder()}"]
    sources = [HERE / "check_ed25519.c", SIGN / "wd_ed25519.c", SIGN / "wd_sha512.c"]
    run("gcc", *flags, *sources, "-o", built)
    return built


def check(program: Path, cases: list[Signature]) -> list[bool]:
    """Return whether the core says that each holds."""
    data = b"".join(
        c.key + c.signature + struct.pack("<I", len(c.message)) + c.message for c in cases
    )
    path = program.with_name("cases")
    path.write_bytes(data)
    digest, verdicts = run(program, path).split("\n")[:2]
    assert digest == hashlib.sha512(data).hexdigest()
    return [verdict == "1" for verdict in verdicts]


def test_every_published_signature_is_judged_as_published(program: Path, sign_input: str) -> None:
    cases = signatures.rfc_8032() + signatures.sign_input(sign_input)
    cases += [c for c in signatures.wycheproof() if len(c.signature) == 64]
    wrong = [
        c.what for c, said in zip(cases, check(program, cases), strict=True) if said != c.holds
    ]
    assert wrong == []


def test_one_flipped_bit_is_judged_as_another_library_judges_it(program: Path) -> None:
    rng = random.Random(1)
    cases = []
    for n in range(300):
        signer = Ed25519PrivateKey.from_private_bytes(rng.randbytes(32))
        message = rng.randbytes(n)
        parts = [signer.public_key().public_bytes_raw(), signer.sign(message), message]
        part = rng.randrange(3 if n else 2)
        number = int.from_bytes(parts[part], "little") ^ 1 << rng.randrange(8 * len(parts[part]))
        if n % 10:
            parts[part] = number.to_bytes(len(parts[part]), "little")
        cases.append(Signature(*parts, holds_elsewhere(*parts), f"{n} {part}"))
    assert check(program, cases) == [c.holds for c in cases]
    assert sum(c.holds for c in cases) == 30


def holds_elsewhere(key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def test_a_second_form_of_a_signature_is_refused(program: Path) -> None:
    signer = Ed25519PrivateKey.from_private_bytes(bytes(32))
    key, signature = signer.public_key().public_bytes_raw(), signer.sign(b"m")
    larger = (int.from_bytes(signature[32:], "little") + L).to_bytes(32, "little")
    cases = [Signature(key, signature[:32] + larger, b"m", False, "S + L")]
    # The neutral point as key and R fulfils the equation with S = 0 for every message. Its right
    # form is y = 1; the others are y + p and the wrong sign of x = 0.
    neutral = [(y | sign << 255).to_bytes(32, "little") for y in (1, 1 + P) for sign in (0, 1)]
    for form in neutral[1:]:
        cases.append(Signature(neutral[0], form + bytes(32), b"m", False, "R in another form"))
        cases.append(Signature(form, neutral[0] + bytes(32), b"m", False, "key in another form"))
    assert check(program, cases) == [False] * len(cases)


@pytest.mark.parametrize("compiler", ["gcc", "clang-22"])
def test_signature_check_compiles_without_a_warning(compiler: str, tmp_path: Path) -> None:
    """As a user C module is compiled, and our own file as strictly as the rest of the core."""
    flags = ["-std=gnu99", "-Wall", "-Wextra", "-Werror", f"-isystem{monocypher.folder()}"]
    flags += [f for f in STRICT if f not in ("-std=c99", "-pedantic", "-Wconversion")]
    run(compiler, *flags, "-Os", "-c", SIGN / "wd_ed25519.c", "-o", tmp_path / "out.o")
