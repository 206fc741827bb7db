from __future__ import annotations

from typing import Any

from tests.unit.dialects.kong.kong_yml import not_exact, note, service, signer, translate
from tests.unit.dialects.kong.test_complaints import CERTIFICATE, PRIVATE_KEY

from jwtgate.dialects.dialect import Translation

HERE = "routes/r/plugins/jwt-signer/config/"
URI = {"access_token_jwks_uri": "https://a.b/certs"}
ASKED = {"access_token_introspection_endpoint": "https://a.b/i"}


def on(**config: Any) -> Translation:
    return translate(service(signer(**config)))


def issuer(**config: Any) -> dict[str, Any]:
    (found,) = on(**config).document["issuers"].values()
    return dict(found)


def asked(**config: Any) -> dict[str, Any]:
    return dict(issuer(**ASKED, **config)["introspection"])


def test_keys_are_fetched_where_the_address_says() -> None:
    found = issuer(**URI)
    assert found["keys"] == {"url": "https://a.b/certs"}
    assert found["iss_not_looked_at_for_legacy_issuer"]
    assert found["keys_fetched_again_after_wrong_signature"]
    assert set(found["algorithms"]) == {
        *(f"{kind}{bits}" for kind in ("RS", "ES", "PS") for bits in (256, 384, 512)), "EdDSA"
    }  # fmt: skip


def test_the_address_may_want_a_password_and_a_certificate() -> None:
    id_ = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
    config = {
        **URI,
        "access_token_jwks_uri_client_username": "u",
        "access_token_jwks_uri_client_password": "${env:X}",
        "access_token_jwks_uri_client_certificate": {"id": id_},
        "access_token_jwks_uri_rotate_period": 60,
    }
    certificates = [{"id": id_, "cert": CERTIFICATE, "key": PRIVATE_KEY}]
    (found,) = translate(service(signer(**config), certificates=certificates)).document["issuers"].values()
    assert (found["keys"]["username"], found["keys"]["password"]) == ("u", "$${env:X}")
    assert {"client_certificate", "client_key"} <= found["keys"].keys()
    assert found["refresh_seconds"] == 60


def test_how_keys_are_fetched_otherwise_is_told() -> None:
    lonely = on(**URI, access_token_jwks_uri_client_username="u", access_token_endpoints_ssl_verify=False)
    assert {place.removeprefix(HERE) for place in not_exact(lonely)} == {
        "access_token_jwks_uri_client_username",
        "access_token_jwks_uri_rotate_period",
        "access_token_endpoints_ssl_verify",
    }


def test_a_token_nobody_can_prove_is_nobodys() -> None:
    document = on().document
    assert document["routes"]["r"]["slots"]["access"]["issuers"] == ["nobody"]
    assert len({rule["equals"] for rule in document["issuers"]["nobody"]["claims"]}) == 2
    assert on(**ASKED, enable_access_token_introspection=False).document["issuers"].keys() == {"nobody"}


def test_a_signature_may_be_left_unverified() -> None:
    translation = on(verify_access_token_signature=False, verify_access_token_expiry=False)
    (found,) = translation.document["issuers"].values()
    assert found["signature_not_verified_for_legacy_issuer"]
    assert "keys" not in found
    assert note(translation, f"{HERE}verify_access_token_signature").dangerous
    assert note(translation, f"{HERE}verify_access_token_expiry").dangerous


def test_times_are_looked_at_as_told() -> None:
    found = issuer(**URI)
    assert (found["leeway_seconds"], found["exp_optional_for_legacy_tokens"]) == (0, True)
    assert "exp_not_looked_at_for_legacy_tokens" not in found
    assert found["nbf_not_looked_at_for_legacy_tokens"]
    found = issuer(**URI, verify_access_token_notbefore=True, access_token_notbefore_claim=["a", "b"])
    assert found["nbf_claim"] == ["a", "b"]
    assert "nbf_not_looked_at_for_legacy_tokens" not in found
    assert issuer(**URI, access_token_expiry_claim=["c"])["exp_claim"] == ["c"]
    off = issuer(**URI, access_token_expiry_claim=["c"], verify_access_token_expiry=False)
    assert (off["exp_not_looked_at_for_legacy_tokens"], "exp_claim" in off) == (True, False)


def test_a_long_leeway_is_told() -> None:
    assert note(on(**URI, access_token_leeway=301), f"{HERE}access_token_leeway").dangerous
    assert issuer(**URI, access_token_leeway=300)["leeway_seconds"] == 300
    assert f"{HERE}access_token_leeway" in not_exact(on(**URI, access_token_leeway=1.5))
    assert issuer(**URI, access_token_leeway=-5)["leeway_seconds"] == 0


def test_claims_may_have_the_listed_values() -> None:
    config = {
        "access_token_issuers_allowed": ["i"],
        "access_token_subjects_allowed": ["s"],
        "access_token_audiences_allowed": ["a"],
        "access_token_audience_claim": ["x", "aud"],
        "access_token_optional_claims": [["sub"]],
        "access_token_required_claims": [["y", "z"]],
    }
    assert issuer(**URI, **config)["claims"] == [
        {"claim": ["iss"], "one_of": ["i"]},
        {"claim": ["sub"], "one_of": ["s"], "if_present": True},
        {"claim": ["x", "aud"], "any_of": ["a"]},
        {"claim": ["y", "z"], "required": True},
    ]
    assert issuer(**URI, access_token_issuers_allowed=["i"], verify_access_token_issuer=False)["claims"] == []


def test_several_issuers_may_each_have_their_keys() -> None:
    several = [{"issuer": f"https://{name}", "jwks_uri": f"https://{name}/keys"} for name in "ab"]
    document = on(access_token_issuers=several).document
    assert {found["issuer"]: found["keys"]["url"] for found in document["issuers"].values()} == {
        "https://a": "https://a/keys",
        "https://b": "https://b/keys",
    }
    assert not any("iss_not_looked_at_for_legacy_issuer" in found for found in document["issuers"].values())


def test_an_endpoint_is_asked_twice_with_what_it_wants() -> None:
    found = asked(
        access_token_introspection_authorization="Basic YWRtaW46YWRtaW4=",
        access_token_introspection_body_args="a=1&b=x%20y&c=",
        access_token_introspection_hint="refresh_token",
        access_token_introspection_hint_parameter="hint",
        access_token_introspection_timeout=1500,
    )
    assert found["active_kept_for_legacy_upstream"]
    assert (found["endpoint"], found["attempts"], found["timeout_seconds"]) == ("https://a.b/i", 2, 1.5)
    assert (found["authorization"], "auth" in found) == ("Basic YWRtaW46YWRtaW4=", False)
    assert (found["body"], found["hint"], found["hint_parameter"]) == ({"a": "1", "b": "x y"}, "refresh_token", "hint")
    assert asked()["auth"] == "none"
    assert (asked()["hint"], asked(access_token_introspection_hint=None)["hint"]) == ("access_token", None)


def test_answers_are_judged_by_checks_of_their_own() -> None:
    found = asked(
        access_token_introspection_expiry_claim=["e"],
        access_token_introspection_leeway=7,
        access_token_introspection_issuers_allowed=["i"],
        access_token_issuers_allowed=["other"],
    )
    assert (found["claims"], found["leeway_seconds"]) == ({"exp": ["e"]}, 7)
    assert found["rules"] == [{"claim": ["iss"], "one_of": ["i"]}]
    assert found["nbf_not_looked_at_for_legacy_issuer"]
    assert asked(verify_access_token_introspection_expiry=False)["exp_not_looked_at_for_legacy_issuer"]


def test_an_answer_may_carry_a_jwt() -> None:
    found = asked(access_token_introspection_jwt_claim=["a", "jwt"])
    assert (found["jwt_claim"], found["inner_claims_not_checked_for_legacy_issuer"]) == (["a", "jwt"], True)
    doubted = asked(access_token_introspection_jwt_claim=["jwt"], trust_access_token_introspection=False)
    assert "inner_claims_not_checked_for_legacy_issuer" not in doubted


def test_answers_need_not_be_kept() -> None:
    assert asked(cache_access_token_introspection=False)["cache_seconds"] == 0
    assert "cache_seconds" not in asked()


def test_an_argument_without_a_value_is_told() -> None:
    told = not_exact(on(**ASKED, access_token_introspection_body_args="a="))
    assert f"{HERE}access_token_introspection_body_args" in told


def test_a_token_may_be_a_jwt_or_not() -> None:
    document = on(**URI, **ASKED).document
    assert len(document["routes"]["r"]["slots"]["access"]["issuers"]) == 2
