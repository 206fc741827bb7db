import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jwtgate.cli.toolkit import tokens
from jwtgate.errors import ConfigError
from jwtgate.jose.key import Key, generate_key

from ..conftest import AUDIENCE, ISSUER, NOON


def _sign(path: Path, **changed: Any) -> str:
    wanted: dict[str, Any] = {"alg": None, "kid": None, "typ": "JWT", "ttl_seconds": 300, "now": NOON, **changed}
    return tokens.sign(wanted.pop("claims", {}), path, **wanted).text


def _verify(text: str, path: Path, **changed: Any) -> Any:
    asked: dict[str, Any] = {"algorithms": (), "issuer": None, "audiences": (), "types": (), "leeway_seconds": 30}
    return tokens.verify(text, path, **{**asked, "now": NOON, **changed})


def test_a_claim_is_json_where_it_is_json_and_else_text() -> None:
    given = ["a=1", "b=true", 'c=["x"]', "d=plain text", 'e="5"', "f=a=b", "g="]
    assert tokens.parse_claims("", given) == {
        "a": 1, "b": True, "c": ["x"], "d": "plain text", "e": "5", "f": "a=b", "g": "",
    }  # fmt: skip


def test_a_named_claim_stands_over_that_of_the_file() -> None:
    assert tokens.parse_claims('{"a": 1, "b": 2}', ["a=3"]) == {"a": 3, "b": 2}


@pytest.mark.parametrize(("text", "named"), [("[]", []), ('{"a": 1, "a": 2}', []), ("", ["a"]), ("", ["=1"])])
def test_claims_that_cannot_be_read_are_a_mistake(text: str, named: list[str]) -> None:
    with pytest.raises(ConfigError, match="--claim"):
        tokens.parse_claims(text, named)


def test_a_signed_token_has_its_times_and_an_id(key_file: Path) -> None:
    claims = _verify(_sign(key_file, claims={"sub": "bob"}), key_file).value["claims"]
    assert (claims["iat"], claims["exp"], claims["sub"]) == (NOON, NOON + 300, "bob")
    assert len(claims["jti"]) == 22


def test_times_given_as_claims_stay(key_file: Path) -> None:
    claims = _verify(_sign(key_file, claims={"iat": 1, "exp": NOON + 9}), key_file).value["claims"]
    assert (claims["iat"], claims["exp"]) == (1, NOON + 9)


def test_typ_and_kid_are_as_asked_for(key_file: Path) -> None:
    text = _sign(key_file, typ="at+jwt", kid="other")
    header = tokens.verifier.verify(
        text,
        Key.from_jwk(json.loads(key_file.read_text())).with_kid(None),
        algorithms=["ES256"],
        issuer=tokens.verifier.ANY,
        audience=tokens.verifier.ANY,
        now=NOON,
    ).header
    assert (header["typ"], header["kid"]) == ("at+jwt", "other")


def test_of_a_key_set_the_named_key_signs(key: Key, tmp_path: Path) -> None:
    path = tmp_path / "set.json"
    other = generate_key("Ed25519", kid="k2").bound_to("Ed25519")
    path.write_text(json.dumps({"keys": [key.to_private_jwk(), other.to_private_jwk()]}))
    text = _sign(path, kid="k2")
    assert _verify(text, path).value["header"] == {"alg": "Ed25519", "kid": "k2", "typ": "JWT"}


def test_a_key_that_does_not_say_its_algorithm_needs_one(tmp_path: Path) -> None:
    path = tmp_path / "rsa.pem"
    path.write_text(generate_key("RS256").to_private_pem())
    with pytest.raises(ConfigError, match="add --alg, one of PS256, PS384"):
        _sign(path)
    with pytest.raises(ConfigError, match="add --alg"):
        _verify("x", path)
    assert _verify(_sign(path, alg="PS384"), path, algorithms=["PS384"]).good


def test_a_public_key_cannot_sign(key: Key, tmp_path: Path) -> None:
    path = tmp_path / "public.pem"
    path.write_text(key.to_pem())
    with pytest.raises(ConfigError, match="its private half is needed"):
        _sign(path)


def test_a_secret_signs_and_verifies(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("correct horse battery staple, and some more")
    assert _verify(_sign(path, alg="HS256"), path, algorithms=["HS256"]).good


def test_a_good_token_is_shown_with_its_claims(key_file: Path, token: Callable[..., str]) -> None:
    answer = _verify(token(), key_file, issuer=ISSUER, audiences=(AUDIENCE,), types=("at+jwt",))
    assert answer.good
    assert answer.value["verified"] is True
    assert '"sub": "alice"' in answer.text


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"issuer": "https://other.example"}, "issuer_wrong"),
        ({"audiences": ("https://other.example",)}, "audience_wrong"),
        ({"types": ("JWT",)}, "type_wrong"),
        ({"now": NOON + 90}, "token_expired"),
        ({"leeway_seconds": 0, "now": NOON + 60}, "token_expired"),
    ],
)
def test_what_does_not_hold_is_refused_with_its_reason(
    asked: dict[str, Any], reason: str, key_file: Path, token: Callable[..., str]
) -> None:
    answer = _verify(token(), key_file, **asked)
    assert (answer.good, answer.value["verified"], answer.value["reason"]) == (False, False, reason)
    assert reason in answer.text


def test_a_signature_of_another_key_is_refused(tmp_path: Path, token: Callable[..., str]) -> None:
    path = tmp_path / "other.pem"
    path.write_text(generate_key("ES256").to_pem())
    assert _verify(token(), path).value["reason"] == "signature_wrong"


def test_a_public_key_never_verifies_a_mac(tmp_path: Path, key: Key, token: Callable[..., str]) -> None:
    path = tmp_path / "public.pem"
    path.write_text(key.to_pem())
    with pytest.raises(ConfigError, match="none of its keys is for HS256"):
        _verify(token(), path, algorithms=["HS256"])


def test_macs_and_signatures_are_never_allowed_together(key_file: Path, token: Callable[..., str]) -> None:
    with pytest.raises(ConfigError):
        _verify(token(), key_file, algorithms=["HS256", "ES256"])
