from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import pytest

import jwtgate
from jwtgate import ANY, Key, KeyRefused, KeySet, TokenRefused
from jwtgate.jose.encoding import JSON, base64url_decode

NOON = 1_800_000_000
EC = jwtgate.generate_key("ES256", kid="k1")
OTHER = jwtgate.generate_key("ES256", kid="k2")
SECRET = jwtgate.generate_key("HS256")


def claims(**changed: JSON) -> dict[str, JSON]:
    return {"iss": "https://issuer.example", "aud": "orders", "sub": "ann", "exp": NOON + 60, **changed}


def judge(
    token: str,
    key: Key | KeySet = EC,
    *,
    issuer: str | jwtgate.verifier.Any = "https://issuer.example",
    audience: str | list[str] | jwtgate.verifier.Any = "orders",
    algorithms: list[str] | None = None,
    types: tuple[str, ...] = (),
    leeway_seconds: int = 30,
    exp_required: bool = True,
) -> Mapping[str, JSON]:
    return jwtgate.verify(
        token,
        key,
        algorithms=algorithms or ["ES256"],
        issuer=issuer,
        audience=audience,
        types=types,
        leeway_seconds=leeway_seconds,
        exp_required=exp_required,
        now=NOON,
    ).claims


def reason(act: Callable[[], object]) -> str:
    with pytest.raises((TokenRefused, KeyRefused)) as refused:
        act()
    return refused.value.reason


def test_a_signed_token_gives_back_its_claims_and_its_header() -> None:
    token = jwtgate.verify(
        jwtgate.sign(claims(), EC, alg="ES256", typ="at+jwt"),
        EC.public(),
        algorithms=["ES256"],
        issuer="https://issuer.example",
        audience="orders",
        types=["at+jwt"],
        now=NOON,
    )
    assert token.claims == claims()
    assert token.header == {"alg": "ES256", "kid": "k1", "typ": "at+jwt"}


def test_a_header_may_have_further_parameters_and_none_that_says_how_to_verify() -> None:
    token = jwtgate.sign(claims(), EC, alg="ES256", typ=None, header={"cty": "text", "x5t": "abc"})
    header = json.loads(base64url_decode(token.partition(".")[0]))
    assert header == {"alg": "ES256", "kid": "k1", "cty": "text", "x5t": "abc"}
    assert judge(token) == claims()
    for name in ("alg", "crit", "b64"):
        with pytest.raises(ValueError, match=name):
            jwtgate.sign(claims(), EC, alg="ES256", header={name: "none"})


def test_the_clock_is_read_where_no_time_is_given() -> None:
    long_ago = jwtgate.sign(claims(exp=1), EC, alg="ES256")
    assert (
        reason(lambda: jwtgate.verify(long_ago, EC, algorithms=["ES256"], issuer=ANY, audience=ANY)) == "token_expired"
    )


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ({"iss": "https://issuer.example/"}, "issuer_wrong"),
        ({"aud": "stock"}, "audience_wrong"),
        ({"exp": NOON - 30}, "token_expired"),
        ({"exp": None}, "time_malformed"),
        ({"nbf": NOON + 31}, "token_not_yet_valid"),
        ({"cnf": {"jkt": "x"}}, "proof_missing"),
    ],
)
def test_sec_3_what_the_gateway_refuses_is_refused_for_the_same_reason(changed: dict[str, JSON], refused: str) -> None:
    token = jwtgate.sign(claims(**changed), EC, alg="ES256")
    assert reason(lambda: judge(token)) == refused


def test_any_issuer_and_any_audience_have_to_be_said() -> None:
    token = jwtgate.sign(claims(iss="somebody", aud=["a", "b"]), EC, alg="ES256")
    assert judge(token, issuer=ANY, audience=ANY)["iss"] == "somebody"
    assert judge(token, issuer=ANY, audience=["b", "c"])["aud"] == ["a", "b"]


def test_leeway_and_a_missing_end_are_settings_with_bounds() -> None:
    late = jwtgate.sign(claims(exp=NOON - 40), EC, alg="ES256")
    assert judge(late, leeway_seconds=60)
    with pytest.raises(ValueError, match="leeway_seconds"):
        judge(late, leeway_seconds=301)
    endless = {name: value for name, value in claims().items() if name != "exp"}
    token = jwtgate.sign(endless, EC, alg="ES256")
    assert reason(lambda: judge(token)) == "time_missing"
    assert judge(token, exp_required=False) == endless


def test_sec_20_the_caller_chooses_the_algorithm_and_the_token_does_not() -> None:
    token = jwtgate.sign(claims(), EC, alg="ES256")
    assert reason(lambda: judge(token, algorithms=["RS256"])) == "alg_not_allowed"
    assert reason(lambda: judge(jwtgate.sign(claims(), SECRET, alg="HS256"))) == "alg_not_allowed"


@pytest.mark.parametrize("algorithms", [[], "ES256", ["HS256", "ES256"]])
def test_sec_21_a_list_of_algorithms_that_could_never_be_meant_is_an_error(algorithms: list[str]) -> None:
    with pytest.raises(ValueError, match="algorithms"):
        jwtgate.verify("a.b.c", EC, algorithms=algorithms, issuer=ANY, audience=ANY)


def test_a_kid_that_names_another_key_is_unknown() -> None:
    token = jwtgate.sign(claims(), EC, alg="ES256", kid="k9")
    assert reason(lambda: judge(token)) == "key_unknown"
    assert reason(lambda: judge(token, KeySet([EC, OTHER]))) == "key_unknown"


def test_a_key_set_finds_the_key_by_its_kid() -> None:
    assert judge(jwtgate.sign(claims(), OTHER, alg="ES256"), KeySet([EC.public(), OTHER.public()]))["sub"] == "ann"


def test_a_type_that_is_asked_for_must_be_there() -> None:
    assert reason(lambda: judge(jwtgate.sign(claims(), EC, alg="ES256", typ=None), types=("at+jwt",))) == "type_wrong"


def test_sec_1_a_jws_over_any_bytes_gives_back_those_bytes() -> None:
    token = jwtgate.sign_jws(b"\x00 not JSON", EC, alg="ES256")
    payload, header = jwtgate.verify_jws(token, EC.public(), algorithms=["ES256"])
    assert payload == b"\x00 not JSON"
    assert header["alg"] == "ES256"
    assert reason(lambda: jwtgate.verify_jws(token, OTHER, algorithms=["ES256"])) == "key_unknown"


def test_sec_1_the_bare_primitive_says_true_or_false() -> None:
    data, signature = jwtgate.sign_jws(b"x", EC, alg="ES256").rsplit(".", 1)
    raw = base64url_decode(signature)
    assert jwtgate.check_signature("ES256", EC.public(), data.encode(), signature=raw)
    assert not jwtgate.check_signature("ES256", EC.public(), data.encode() + b"x", signature=raw)


def test_sec_1_keys_and_key_sets_are_imported_or_refused() -> None:
    key = jwtgate.import_key(EC.to_private_jwk(), kid="renamed")
    assert (key.kid, jwtgate.thumbprint(key)) == ("renamed", jwtgate.thumbprint(EC))
    assert jwtgate.import_key(EC.to_pem(), alg="ES256", kid="k1").kid == "k1"
    assert jwtgate.import_key(EC.to_jwk(), alg="ES256").alg == "ES256"
    assert len(jwtgate.import_key_set(json.dumps({"keys": [EC.to_jwk(), OTHER.to_jwk()]}).encode())) == 2
    assert reason(lambda: jwtgate.import_key({"kty": "EC", "crv": "P-256"})) == "key_malformed"


def test_a_key_that_declares_no_algorithm_has_to_be_told() -> None:
    undeclared = jwtgate.import_key({name: value for name, value in EC.to_private_jwk().items() if name != "alg"})
    with pytest.raises(ValueError, match="alg"):
        jwtgate.sign(claims(), undeclared)
    assert jwtgate.sign(claims(), EC)
