"""What is said between processes shows no key and no token, whoever writes it down."""

import pytest

from jwtgate.control.workers.messages import Found, SentCredential, SentKey, SentKeySet, SentSigner, Signing, Wanted
from jwtgate.gateway.mint import Minted, NeedMinted
from jwtgate.policy.callers import Consumer
from jwtgate.policy.facts import Introspected, NeedIntrospection

KEY = SentKey({"kty": "oct", "k": "c2VjcmV0"})


@pytest.mark.parametrize(
    "message",
    [
        KEY,
        Signing({"default": SentSigner(KEY, "HS256")}, b"{}"),
        Found(1, SentCredential("key-1", "c-1", Consumer("ann", "1"), frozenset({"HS256"}), SentKeySet((KEY,)), None)),
        Found(1, Minted("c2VjcmV0", 60)),
        Found(1, Introspected(True, {"sub": "c2VjcmV0"}, 0)),
        Wanted(1, 1, NeedIntrospection("main", "c2VjcmV0")),
        Wanted(1, 1, NeedMinted("key-1", None, {"sub": "c2VjcmV0"}, 60)),
    ],
)
def test_sec_35_nothing_secret_is_shown_by_a_message(message: object) -> None:
    assert "c2VjcmV0" not in repr(message)
