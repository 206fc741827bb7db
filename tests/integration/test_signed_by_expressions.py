"""A token an expression has signed, with a key that permits it: quick or slow, in a header and in an answer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.rig import Client, Document, Gateway, Message, Upstream, document, request

from jwtgate.jose.key import generate_key
from jwtgate.jose.token import UnverifiedToken

RSA, EC = generate_key("RS256"), generate_key("ES256")
PERMITTED = {"signs_any_claims_for_legacy_readers": True, "published": False}
ALGS = {"quick": "ES256", "slow": "RS256", "closed": "ES256"}


def signed(key: str) -> dict[str, Any]:
    """A value: a token of a minute with the path as its subject."""
    profile = {"key": key, "alg": ALGS[key], "ttl_seconds": 60, "headers": '{kid = "mine"}'}
    expression = 'jwt_sign("p", {sub = request.path})'
    return {"language": "couper", "expression": expression, "given": {"profiles": {"p": profile}}}


def whole(upstream: str, folder: Path) -> Document:
    (folder / "rsa.pem").write_text(RSA.to_private_pem())
    made = document(upstream)
    made["signing"]["keys"] = {
        "default": {},
        "quick": {"alg": "ES256", "pem": EC.to_private_pem(), **PERMITTED},
        "slow": {"alg": "RS256", "file": str(folder / "rsa.pem"), **PERMITTED},
        "closed": {"alg": "ES256", "pem": EC.to_private_pem()},
    }
    for key in ALGS:
        headers = {"request_headers": {"set": {"X-Signed": signed(key)}}}
        made["routes"][key] = {"path": f"/{key}/*", "auth": "none", "upstream": "echo", **headers}
    answer = {"status": 200, "body": signed("slow"), "content_type": "application/jwt"}
    made["routes"]["answer"] = {"path": "/answer/*", "auth": "none", "respond": answer}
    return made


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def gateway(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Gateway(whole(upstream.url, tmp_path_factory.mktemp("keys"))) as gateway:
        yield gateway


def ask(gateway: Gateway, path: str) -> Message:
    with Client(gateway.port) as client:
        return client.ask(request(path))


def claims(text: str, alg: str) -> dict[str, Any]:
    key = RSA if alg == "RS256" else EC
    token = UnverifiedToken.parse(text)
    assert (token.alg, token.kid, token.typ) == (alg, "mine", "JWT")
    return dict(token.verify([key.public()], {alg}).claims)


@pytest.mark.parametrize("key", ["quick", "slow"])
def test_the_upstream_gets_what_an_expression_had_signed(gateway: Gateway, upstream: Upstream, key: str) -> None:
    upstream.forget()
    for path in (f"/{key}/a", f"/{key}/b"):
        assert ask(gateway, path).status == 200
    found = [claims(seen.value("X-Signed") or "", ALGS[key]) for seen in upstream.requests]
    assert [each["sub"] for each in found] == [f"/{key}/a", f"/{key}/b"]
    assert all(set(each) == {"sub", "exp"} for each in found)


def test_an_answer_may_be_what_an_expression_had_signed(gateway: Gateway) -> None:
    answer = ask(gateway, "/answer/a")
    assert answer.value("Content-Type") == "application/jwt"
    assert claims(answer.body.decode(), "RS256")["sub"] == "/answer/a"


def test_a_key_that_does_not_permit_it_signs_nothing(gateway: Gateway, upstream: Upstream) -> None:
    upstream.forget()
    answer = ask(gateway, "/closed/a")
    assert answer.status >= 500
    assert upstream.requests == []
    assert gateway.line_of(answer)["reason"] == "signer_unavailable"
