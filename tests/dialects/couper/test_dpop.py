"""Tokens that come with a proof: `beta_dpop`."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt as pyjwt
import pytest
from joserfc.jwk import ECKey, RSAKey
from tests.dialects.couper.couper_process import CouperProcess
from tests.dialects.couper.files import endpoint, file, jwt, mistakes
from tests.dialects.couper.key_forms import Private, jwk, pkcs8, private_key
from tests.dialects.couper.tokens import T1, token
from tests.dialects.dialect_process import Answer

ALGS = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512")
ALLOWED = f'DPoP algs="{" ".join(ALGS)}"'


def public(key: Private) -> dict[str, Any]:
    """The public half as a JWK of the proof."""
    return jwk(key, use=None, kid=None)


def thumbprint(key: Private) -> str:
    """That of RFC 7638."""
    held = (ECKey if public(key)["kty"] == "EC" else RSAKey).import_key(public(key))
    return held.thumbprint()


def bound(key: Private, **claims: Any) -> str:
    """A token that belongs to this key."""
    return token({"sub": "john.doe", "cnf": {"jkt": thumbprint(key)}, **claims})


class Asker:
    """Asks with a token and a proof of its own for each request."""

    def __init__(self, couper: CouperProcess) -> None:
        self.couper = couper
        self.numbers = iter(range(10**6))

    def proof(self, text: str, *, alg: str = "ES256", key: Private | None = None, **changes: Any) -> str:
        """A good proof for `/p`, but for these changes; those in upper case are of its header, None leaves one out."""
        key = key or private_key(alg)
        claims: dict[str, Any] = {
            "jti": f"number {next(self.numbers)}",
            "htm": "GET",
            "htu": f"{self.couper.proxy}/p",
            "iat": int(time.time()),
            "ath": base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode(),
        }
        header = {"typ": "dpop+jwt", "jwk": public(key)}
        header |= {name.lower(): value for name, value in changes.items() if name.isupper()}
        claims |= {name: value for name, value in changes.items() if name.islower()}
        kept = ({name: value for name, value in part.items() if value is not None} for part in (claims, header))
        claims, header = kept
        return pyjwt.encode(claims, pkcs8(key), algorithm=alg, headers=header)

    def ask(self, text: str, *proofs: str, path: str = "/p", more: tuple[str, ...] = ()) -> Answer:
        """The answer to a token with these proofs."""
        fields = [f"Authorization: DPoP {text}", *(f"DPoP: {proof}" for proof in proofs)]
        return self.couper.ask(path, *(part for field in fields for part in ("--header", field)), *more)


@pytest.fixture(scope="module")
def asker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    text = file(
        endpoint(),
        endpoint("/p/{name}"),
        endpoint("/claims", "claims"),
        definitions=(
            jwt("J", "beta_dpop = true"),
            jwt("claims", "beta_dpop = true", 'required_claims = ["role"]'),
        ),
    )
    with CouperProcess(tmp_path_factory.mktemp("couper"), text) as running:
        yield Asker(running)


def refused(asker: Asker, answer: Answer, kind: str, challenge: str) -> str:
    """The message of the log for an answer that is a refusal of this kind."""
    line = asker.couper.line(answer)
    assert (answer.status, line["error_type"]) == (401, kind), line
    assert answer.field("www-authenticate") == challenge
    assert answer.field("couper-error") == "access control error"
    message: str = line["message"]
    assert message.startswith("access control error: J: ")
    return message


def invalid(asker: Asker, answer: Answer) -> str:
    """The message for a token or a proof that is no good."""
    return refused(asker, answer, "jwt_token_invalid", f'{ALLOWED}, error="invalid_token"')


@pytest.mark.parametrize("alg", ALGS)
def test_a_token_is_good_with_a_proof_of_its_key(asker: Asker, alg: str) -> None:
    text = bound(private_key(alg))
    answer = asker.ask(text, asker.proof(text, alg=alg))
    assert (answer.status, answer.field("x-sub")) == (200, "john.doe")


def test_a_request_has_one_proof(asker: Asker) -> None:
    text = bound(private_key("ES256"))
    for proofs in ((), (asker.proof(text), asker.proof(text))):
        refused(asker, asker.ask(text, *proofs), "jwt_token_missing", ALLOWED)


def test_a_token_comes_under_its_own_scheme(asker: Asker) -> None:
    text = bound(private_key("ES256"))
    proof = ("--header", f"DPoP: {asker.proof(text)}")
    for arguments in (proof, ("--header", f"Authorization: Bearer {text}", *proof)):
        refused(asker, asker.couper.ask("/p", *arguments), "jwt_token_missing", ALLOWED)


CHANGES: dict[str, Callable[[], dict[str, Any]]] = {
    "typ": lambda: {"TYP": "JWT"},
    "no typ": lambda: {"TYP": None},
    "no jwk": lambda: {"JWK": None},
    "another jwk": lambda: {"JWK": public(private_key("ES384"))},
    "no jti": lambda: {"jti": None},
    "no htm": lambda: {"htm": None},
    "htm": lambda: {"htm": "POST"},
    "no htu": lambda: {"htu": None},
    "htu": lambda: {"htu": "http://127.0.0.1:1/p"},
    "path": lambda: {"htu": "/p"},
    "no iat": lambda: {"iat": None},
    "no ath": lambda: {"ath": None},
    "ath": lambda: {"ath": "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"},
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_proof_is_of_this_request_and_this_token(asker: Asker, name: str) -> None:
    text = bound(private_key("ES256"))
    message = invalid(asker, asker.ask(text, asker.proof(text, **CHANGES[name]())))
    assert "DPoP" in message


@pytest.mark.parametrize(("shift", "told"), [(-30, "DPoP proof too old"), (30, "DPoP proof too new")])
def test_a_proof_is_of_now(asker: Asker, shift: int, told: str) -> None:
    text = bound(private_key("ES256"))
    assert told in invalid(asker, asker.ask(text, asker.proof(text, iat=int(time.time()) + shift)))
    assert asker.ask(text, asker.proof(text, iat=int(time.time()) - 3)).status == 200


def test_a_proof_is_of_the_key_of_the_token(asker: Asker) -> None:
    text = bound(private_key("ES384"))
    assert "DPoP JWK thumbprint mismatch" in invalid(asker, asker.ask(text, asker.proof(text)))
    invalid(asker, asker.ask(T1, asker.proof(T1)))


def test_a_proof_is_signed_by_a_public_key(asker: Asker) -> None:
    text = token({"sub": "x", "cnf": {"jkt": "x"}})
    with_secret = pyjwt.encode({"jti": "x"}, "s" * 32, algorithm="HS256", headers={"typ": "dpop+jwt"})
    invalid(asker, asker.ask(text, with_secret))
    key = private_key("ES256")
    head, claims, _ = asker.proof(bound(key)).split(".")
    invalid(asker, asker.ask(bound(key), f"{head}.{claims}.{'A' * 86}"))
    invalid(asker, asker.ask(bound(key), "no proof"))


def test_an_expired_token_is_of_its_own_kind_with_a_proof_too(asker: Asker) -> None:
    text = bound(private_key("ES256"), exp=1)
    challenge = f'{ALLOWED}, error="invalid_token", error_description="The access token expired"'
    refused(asker, asker.ask(text, asker.proof(text)), "jwt_token_expired", challenge)


@pytest.mark.parametrize(
    ("path", "htu"),
    [
        ("/p?a=b", "{scheme}://{host}:{port}/p"),
        ("/p", "{scheme}://{host}:{port}/p?other#part"),
        ("/p", "HTTP://{host}:{port}/p"),
        ("/p/one", "{scheme}://{host}:{port}/x/../p/./one"),
        ("/p/~one", "{scheme}://{host}:{port}/p/%7Eone"),
        ("/p/%7eone", "{scheme}://{host}:{port}/p/~one"),
    ],
)
def test_addresses_are_compared_as_what_they_mean(asker: Asker, path: str, htu: str) -> None:
    scheme, _, rest = asker.couper.proxy.partition("://")
    host, _, port = rest.partition(":")
    text = bound(private_key("ES256"))
    proof = asker.proof(text, htu=htu.format(scheme=scheme, host=host, port=port))
    assert asker.ask(text, proof, path=path, more=("--path-as-is",)).status == 200
    assert asker.ask(text, asker.proof(text, htu=f"{asker.couper.proxy}/p/two"), path=path).status == 401


def test_the_usual_port_need_not_be_written(asker: Asker) -> None:
    text = bound(private_key("ES256"))
    host = ("--header", "Host: api.example")
    assert asker.ask(text, asker.proof(text, htu="http://API.example:80/p"), more=host).status == 200
    assert asker.ask(text, asker.proof(text, htu="http://api.example:81/p"), more=host).status == 401


def test_elliptic_keys_may_be_called_by_another_name(asker: Asker) -> None:
    key = private_key("ES256")
    members = {name: value for name, value in public(key).items() if name in ("crv", "x", "y")}
    other = {**members, "kty": "ECDSA"}
    written = json.dumps(dict(sorted(other.items())), separators=(",", ":")).encode()
    jkt = base64.urlsafe_b64encode(hashlib.sha256(written).digest()).rstrip(b"=").decode()
    for text in (bound(key), token({"sub": "john.doe", "cnf": {"jkt": jkt}})):
        assert asker.ask(text, asker.proof(text, JWK=other)).status == 200


def test_a_proof_may_come_twice(asker: Asker) -> None:
    text = bound(private_key("ES256"))
    proof = asker.proof(text)
    assert [asker.ask(text, proof).status for _ in range(3)] == [200] * 3


def test_claims_are_looked_at_as_well(asker: Asker) -> None:
    text = bound(private_key("ES256"))
    without = asker.ask(text, asker.proof(text, htu=f"{asker.couper.proxy}/claims"), path="/claims")
    assert asker.couper.line(without)["message"] == "access control error: claims: required claim is missing: role"
    text = bound(private_key("ES256"), role=1)
    assert asker.ask(text, asker.proof(text, htu=f"{asker.couper.proxy}/claims"), path="/claims").status == 200


@pytest.mark.parametrize("other", ["bearer = true", 'cookie = "c"', 'header = "h"', "token_value = request.query.t[0]"])
def test_a_proof_and_another_source_do_not_start(tmp_path: Path, other: str) -> None:
    said = mistakes(tmp_path, file(endpoint(), definitions=(jwt("J", "beta_dpop = true", other),)))
    assert "configuration error: J: only one of bearer, cookie, header or token_value attributes is allowed" in said
