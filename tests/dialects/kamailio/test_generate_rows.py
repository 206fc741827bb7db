"""The truth table of algorithms and keys: what signs, how long a signature is, and what is -1 instead of a crash."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from jwtgate.integrations.kamailio.calls import Calls

SIGNS = [
    *((alg, key, 342) for alg in ("RS256", "RS384", "RS512") for key in ("rsa", "rsa.old")),
    ("RS256", "small", 171),
    ("ES256", "p256", 86),
    ("ES256", "p256.old", 86),
    ("ES384", "p384", 128),
    ("ES512", "p521", 176),
    *((f"HS{bits}", key, size) for bits, size in ((256, 43), (384, 64), (512, 86))
      for key in ("secret", "text", "one", "nul", "newlines", "garbage")),
]  # fmt: skip
BY_PEM = [(f"HS{bits}", key, size) for bits, size in ((256, 43), (384, 64), (512, 86)) for key in ("rsa", "rsa.pub")]
REFUSED = [
    *((alg, "rsa", "alg-unknown") for alg in ("rs256", "RS257", "RS256 ", "EdDSA", "ES256K", "NONE", "", "none")),
    ("RS256", "missing", "key-unreadable"),
    ("RS256", "empty", "key-unreadable"),
    ("HS256", "empty", "key-unreadable"),
    *(("RS256", key, "key-unusable") for key in ("garbage", "rsa.pub", "p256", "text", "rsa.crt")),
    ("ES256", "rsa", "key-unusable"),
    ("ES256", "p256.pub", "key-unusable"),
    ("PS256", "rsa", "key-unusable"),
    # Older libraries of the reference sign with these; a signature of another curve is none of ES256.
    ("ES256", "p384", "key-unusable"),
    ("ES384", "p256", "key-unusable"),
    ("ES256", "k256", "key-unusable"),
]


@pytest.mark.parametrize(("alg", "key", "size"), SIGNS)
def test_this_key_signs(either: Calls, keys: dict[str, Path], alg: str, key: str, size: int) -> None:
    assert either.jwt_generate(str(keys[key]), alg, "a=b") == 1
    assert either.jwt.val is not None
    assert len(either.jwt.val.rpartition(".")[2]) == size


@pytest.mark.parametrize(("alg", "key", "size"), BY_PEM)
def test_sec_21_a_key_of_another_kind_is_a_secret_in_the_reference_alone(
    strict: Calls, compat: Calls, keys: dict[str, Path], alg: str, key: str, size: int
) -> None:
    assert compat.jwt_generate(str(keys[key]), alg, "a=b") == 1
    assert compat.jwt.val is not None
    assert len(compat.jwt.val.rpartition(".")[2]) == size
    assert (strict.jwt_generate(str(keys[key]), alg, "a=b"), strict.jwt.reason) == (-1, "key-unusable")


@pytest.mark.parametrize(("alg", "key", "reason"), REFUSED)
def test_this_key_does_not_sign_and_nothing_crashes(
    either: Calls, keys: dict[str, Path], alg: str, key: str, reason: str
) -> None:
    assert either.jwt_generate(str(keys["secret"]), "HS256", "a=b") == 1
    assert either.jwt_generate(str(keys[key]), alg, "a=b") == -1
    assert (either.jwt.val, either.jwt.reason) == (None, reason)


def test_a_key_behind_much_else_is_not_found(strict: Calls, compat: Calls, keys: dict[str, Path]) -> None:
    assert (strict.jwt_generate(str(keys["filler"]), "RS256", "a=b"), strict.jwt.reason) == (-1, "key-unreadable")
    assert (compat.jwt_generate(str(keys["filler"]), "RS256", "a=b"), compat.jwt.reason) == (-1, "key-unusable")


@pytest.mark.parametrize("key", ["garbage", "rsa.pub", "p256", "filler", "missing"])
def test_k_09_the_one_line_in_the_log_names_the_path_and_no_key(
    either: Calls, keys: dict[str, Path], key: str, caplog: pytest.LogCaptureFixture
) -> None:
    either.jwt_generate(str(keys[key]), "RS256", "a=b")
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert str(keys[key]) in record.getMessage()
    assert "BEGIN" not in record.getMessage()
    assert "not a key" not in record.getMessage()


@pytest.mark.parametrize(("alg", "key", "told"), [("RS256", "small", "1024"), ("HS512", "secret", "272")])
def test_a_key_below_the_sizes_of_rfc_7518_works_and_is_told_of_once(
    either: Calls, keys: dict[str, Path], alg: str, key: str, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        assert either.jwt_generate(str(keys[key]), alg, "a=b")
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert told in warnings[0]


def test_a_secret_that_ends_in_a_line_end_is_told_of_once(
    either: Calls, keys: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        assert either.jwt_generate(str(keys["secret-newline"]), "HS256", "a=b")
        assert either.jwt_verify(str(keys["secret-newline"]), "HS256", "a=b", either.jwt.val)
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert ["white space" in warning for warning in warnings] == [True]
