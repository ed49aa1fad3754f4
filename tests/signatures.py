"""Ed25519 signatures, good and bad, that others published.

golden/wycheproof_ed25519.json is Project Wycheproof's, Apache License 2.0, Copyright Google LLC and
the C2SP authors (https://github.com/C2SP/wycheproof, testvectors_v1/ed25519_test.json), unchanged.
"""

import json
from dataclasses import dataclass
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden" / "wycheproof_ed25519.json"

# RFC 8032, section 7.1: TEST 1, 2, 3 and SHA(abc): key, message, signature.
_RFC_8032 = (
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
        "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
)


@dataclass(frozen=True)
class Signature:
    """A signature, and whether it is one of the message by the key."""

    key: bytes
    signature: bytes
    message: bytes
    holds: bool
    what: str


def rfc_8032() -> list[Signature]:
    """The examples of the standard."""
    return [
        Signature(bytes.fromhex(key), bytes.fromhex(signature), bytes.fromhex(message), True, "RFC")
        for key, message, signature in _RFC_8032
    ]


def wycheproof() -> list[Signature]:
    """The 151 cases of Project Wycheproof."""
    cases = []
    for group in json.loads(GOLDEN.read_text(encoding="utf-8"))["testGroups"]:
        key = bytes.fromhex(group["publicKey"]["pk"])
        for case in group["tests"]:
            signature, message = (bytes.fromhex(case[name]) for name in ("sig", "msg"))
            what = f"{case['tcId']} {case['comment']}"
            cases.append(Signature(key, signature, message, case["result"] == "valid", what))
    assert len(cases) == 151
    return cases


def sign_input(text: str) -> list[Signature]:
    """The 1,024 cases of the authors' sign.input: a line of secret, key, message, signature."""
    cases = []
    for line in text.splitlines():
        _, key, message, signed = (bytes.fromhex(field) for field in line.split(":")[:4])
        cases.append(Signature(key, signed[:64], message, True, "sign.input"))
    assert len(cases) == 1024
    return cases
