"""A route that answers with tokens of ours: for whom it may, of what it may, and for no longer than it may."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.integration.rig import OUR_ISS, Client, Document, Gateway, Message, chunked, document, request, token

from jwtgate.jose.key import Key
from jwtgate.jose.key_set import KeySet
from jwtgate.jose.token import UnverifiedToken, VerifiedToken

SECRET = "a secret of a consumer of the tests, all their own"
JSON = "Content-Type: application/json"


def whole() -> Document:
    made = document("http://127.0.0.1:9")
    made["signing"] = {
        "issuer": OUR_ISS,
        "keys": {"default": {}},
        "profiles": {
            "robots": {"key": "default", "audience": "https://robots.internal", "ttl_seconds": 300},
            "hidden": {"key": "default", "audience": "https://hidden.internal", "ttl_seconds": 300},
        },
    }
    credentials = {"ann-secret": {"alg": "HS256", "secret": SECRET, "ttl_seconds": 900, "key_claim": "kid"}}
    others = {"bob-secret": {"alg": "HS256", "secret": f"not {SECRET}"}}
    made["consumers"] = {
        "ann": {"external_id": "alice", "credentials": credentials},
        "bob": {"credentials": others},
    }
    mint = {"profiles": ["robots"], "credentials": "own", "claims": ["sub", "room"], "most_ttl_seconds": 600}
    who = {"auth": "required", "issuers": ["main"], "consumer": {"claim": "sub", "required": False}}
    made["routes"] = {"sign": {"path": "/sign", **who, "scope": "sign", "mint": mint}}
    return made


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with Gateway(whole()) as gateway:
        yield gateway


SIGNER_TOKEN = token(scope="sign")


def ask(gateway: Gateway, asked: Any, *fields: str, bearer: str | None = SIGNER_TOKEN, method: str = "POST") -> Message:
    body = asked if isinstance(asked, bytes) else json.dumps(asked).encode()
    with Client(gateway.port) as client:
        return client.ask(request("/sign", *(fields or (JSON,)), method=method, bearer=bearer, body=body))


def ours(gateway: Gateway, text: str) -> VerifiedToken:
    """The token, verified with the keys the gateway publishes."""
    with Client(gateway.port) as client:
        published = client.ask(request("/.well-known/jwks.json")).body
    unverified = UnverifiedToken.parse(text)
    keys = KeySet.parse_local(published).candidates(unverified.alg, unverified.kid)
    return unverified.verify(keys, {"ES256"})


def test_a_token_of_a_profile_verifies_with_our_published_keys(gateway: Gateway) -> None:
    answer = ask(gateway, {"profile": "robots", "claims": {"sub": "r2", "room": 7}, "ttl_seconds": 60})
    assert (answer.status, answer.value("Cache-Control")) == (200, "no-store")
    told = json.loads(answer.body)
    claims = ours(gateway, told["token"]).claims
    assert (claims["iss"], claims["aud"], claims["sub"], claims["room"]) == (
        OUR_ISS,
        "https://robots.internal",
        "r2",
        7,
    )
    assert told["expires_in"] == 60
    # It ends so long after it was asked for, and may be signed in the next second.
    assert claims["exp"] - claims["iat"] in (59, 60)  # type: ignore[operator]


def test_a_token_of_a_credential_is_what_its_consumer_would_make(gateway: Gateway) -> None:
    answer = ask(gateway, {"credential": "ann-secret", "claims": {"room": 7}}, JSON, "Accept: text/plain")
    made = UnverifiedToken.parse(answer.body.decode()).verify([Key.secret(SECRET.encode(), alg="HS256")], {"HS256"})
    assert (made.claims["kid"], made.claims["room"]) == ("ann-secret", 7)
    assert made.claims["exp"] - made.claims["iat"] == 600  # type: ignore[operator]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"profile": "hidden"}, 400),
        ({"profile": "nobody"}, 400),
        ({"credential": "nobody"}, 400),
        ({"credential": "bob-secret"}, 400),
        ({"profile": "robots", "claims": {"admin": True}}, 400),
        ({"profile": "robots", "claims": {"iss": "https://evil.example"}}, 400),
        ({"profile": "robots", "alg": "none"}, 400),
        (b"{", 400),
        (b"", 400),
        (b" " * 65537, 413),
    ],
)
def test_sec_147_what_may_not_be_chosen_is_refused(gateway: Gateway, asked: Any, status: int) -> None:
    assert ask(gateway, asked).status == status


@pytest.mark.parametrize(
    ("bearer", "status"), [(None, 401), (token(scope="sign", exp=1), 401), (token(scope="other"), 403)]
)
def test_sec_147_who_may_not_sign_is_refused(gateway: Gateway, bearer: str | None, status: int) -> None:
    assert ask(gateway, {"profile": "robots"}, bearer=bearer).status == status


def test_a_page_of_another_origin_cannot_ask_by_itself(gateway: Gateway) -> None:
    refused = ask(gateway, {"profile": "robots"}, "Content-Type: text/plain")
    assert refused.status == 400
    assert gateway.line_of(refused)["detail"] == {"cause": "Content-Type is not application/json"}
    assert ask(gateway, b"", method="GET").status == 405


def test_a_body_in_pieces_and_a_request_behind_it(gateway: Gateway) -> None:
    body = json.dumps({"profile": "robots"}).encode()
    head = request("/sign", JSON, "Transfer-Encoding: chunked", method="POST", bearer=SIGNER_TOKEN)
    whole = head + chunked(body[:5], body[5:])
    with Client(gateway.port) as client:
        assert client.ask(whole, 40, len(head), len(head) + 7, len(whole) - 2).status == 200
        assert client.ask(request("/livez")).status == 200


def test_no_token_stands_in_the_log(gateway: Gateway) -> None:
    answer = ask(gateway, {"profile": "robots", "claims": {"sub": "someone-secret"}})
    lines = gateway.raw_log()
    assert json.loads(answer.body)["token"].encode() not in lines
    assert b"someone-secret" not in lines
