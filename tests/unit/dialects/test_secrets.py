from __future__ import annotations

import pytest

from jwtgate.dialects.secrets import leniencies
from jwtgate.jose.key import Key

LONG = b"a-secret-that-is-long-enough-for-hs256"


@pytest.mark.parametrize(
    ("secret", "alg", "allowed"),
    [
        (LONG, "HS256", set()),
        (LONG, "HS512", {"short"}),
        (b"tR4!x", "HS256", {"short"}),
        (b"a" * 32, "HS256", {"guessable"}),
        (b"secret", "HS256", {"short", "guessable"}),
        (None, "HS256", {"short", "guessable"}),
    ],
)
def test_no_more_is_allowed_than_the_secret_needs(secret: bytes | None, alg: str, allowed: set[str]) -> None:
    found = leniencies(secret, alg)
    assert {name.partition("_")[0] for name in found} == allowed
    if secret is not None:
        assert Key.secret(secret, alg=alg, **found).signs(alg)
