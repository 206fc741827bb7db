"""A route that answers with tokens of ours: for whom it may, of what it may, and for no longer than it may."""

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from tests.integration.rig import LATER, OUR_ISS, Client, Document, Gateway, Message, chunked, document, request, token

from jwtgate.jose.encoding import base64url_decode
from jwtgate.jose.key import Key, generate_key
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


SIGNER_TOKEN = token(scope="sign", exp=LATER)


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
    ("bearer", "status"), [(None, 401), (token(scope="sign", exp=1), 401), (token(scope="other", exp=LATER), 403)]
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


PAIR = generate_key("RS256")


def legacy() -> Document:
    made = document("http://127.0.0.1:9")
    named = {"key_claim": "key", "ttl_seconds": 86400}
    made["consumers"] = {
        "jack": {"credentials": {"user-key": {"alg": "HS256", "secret": SECRET, **named}}},
        "jane": {
            "credentials": {
                "pair-key": {
                    "alg": "RS256",
                    "public_key": PAIR.to_pem(),
                    "private_key": PAIR.to_private_pem(),
                    **named,
                },
                "half-key": {"alg": "RS256", "public_key": PAIR.to_pem(), **named},
            }
        },
    }
    mint = {
        "credentials": "any",
        "claims": "any",
        "most_ttl_seconds": 100 * 366 * 86400,
        "unauthenticated_minting_allowed": True,
        "by_query": {"credential": "key", "claims": "payload"},
        "bare_token_for_legacy_reader": True,
        "x5c_holds_public_key_pem_for_legacy_reader": True,
    }
    answers = {
        "minting_credential_missing": {"status": 400, "body": "no key"},
        "minting_credential_unknown": {"status": 404},
        "minting_claims_refused": {"status": 500},
        "signer_unavailable": {"status": 503, "body": "failed to sign jwt"},
    }
    made["routes"] = {"sign": {"path": "/sign", "auth": "none", "mint": mint, "answers": answers}}
    return made


@pytest.fixture(scope="module")
def legacy_gateway() -> Iterator[Gateway]:
    with Gateway(legacy()) as gateway:
        yield gateway


def signed(gateway: Gateway, query: str, method: str = "GET") -> Message:
    with Client(gateway.port) as client:
        return client.ask(request(f"/sign?{query}", method=method))


def test_whoever_asks_by_query_is_given_the_token_alone(legacy_gateway: Gateway) -> None:
    payload = quote(quote(json.dumps({"uid": 10000, "exp": 1, "key": "other", "nbf": 5})))
    answer = signed(legacy_gateway, f"key=user-key&payload={payload}")
    assert (answer.status, answer.value("Content-Type")) == (200, "text/plain; charset=utf-8")
    made = UnverifiedToken.parse(answer.body.decode())
    claims = made.verify([Key.secret(SECRET.encode(), alg="HS256")], {"HS256"}).claims
    assert json.loads(base64url_decode(answer.body.decode().partition(".")[0])) == {"alg": "HS256", "typ": "JWT"}
    assert claims.keys() == {"uid", "nbf", "key", "exp"}
    assert (claims["uid"], claims["nbf"], claims["key"]) == (10000, 5, "user-key")
    assert abs(claims["exp"] - time.time() - 86400) < 60  # type: ignore[operator]


def test_a_token_of_a_key_pair_shows_its_public_key(legacy_gateway: Gateway) -> None:
    answer = signed(legacy_gateway, "key=pair-key")
    header = json.loads(base64url_decode(answer.body.decode().partition(".")[0]))
    assert header == {"alg": "RS256", "typ": "JWT", "x5c": [PAIR.to_pem()]}
    claims = UnverifiedToken.parse(answer.body.decode()).verify([PAIR.public()], {"RS256"}).claims
    assert claims.keys() == {"key", "exp"}


@pytest.mark.parametrize(
    ("query", "status", "body"),
    [
        ("", 400, b"no key"),
        ("key=", 404, None),
        ("key=nobody", 404, None),
        ("key=user-key&key=user-key", 404, None),
        ("key=user-key&payload=%5B1%5D", 500, None),
        ("key=user-key&payload=x", 500, None),
        ("key=half-key", 503, b"failed to sign jwt"),
    ],
)
def test_sec_147_what_a_query_cannot_have_is_answered_as_the_route_says(
    legacy_gateway: Gateway, query: str, status: int, body: bytes | None
) -> None:
    answer = signed(legacy_gateway, query)
    assert answer.status == status
    assert body is None or answer.body == body


def test_a_token_by_query_is_a_get_alone(legacy_gateway: Gateway) -> None:
    answer = signed(legacy_gateway, "key=user-key", "DELETE")
    assert (answer.status, answer.value("Allow")) == (405, "GET")
