from __future__ import annotations

from typing import Any

from tests.unit.dialects.couper.translated import KEY, document, not_exact, refused, text, translate

PROFILE = 'jwt_signing_profile {\n signature_algorithm = "HS256"\n'


def source(body: str) -> str:
    asked = f'beta_introspection {{\n endpoint = "https://as.example/i"\n client_id = "c"\n {body}\n }}'
    return text(definitions=f'jwt "J" {{\n {KEY}\n {asked}\n }}')


def introspection(body: str) -> dict[str, Any]:
    found = document(source(body))
    assert found["routes"]["/p"]["slots"]["J"]["introspect"] == "jwt_additionally"
    asked: dict[str, Any] = found["issuers"]["J"]["introspection"]
    return asked


def test_a_token_is_asked_about_after_all_that_is_checked_here() -> None:
    found = introspection('client_secret = "s"\n ttl = "10s"')
    assert (found["auth"], found["client_id"], found["client_secret"]) == ("basic", "c", "s")
    assert (found["endpoint"], found["hint"], found["cache_seconds"]) == ("https://as.example/i", None, 10.0)
    assert found["unknown_answers_are_failures"]


def test_without_a_ttl_nothing_is_kept() -> None:
    found = introspection('client_secret = "s"\n ttl = "0"')
    assert (found["cache_seconds"], found["negative_cache_seconds"]) == (0.0, 0.0)


def test_an_assertion_is_made_with_the_secret() -> None:
    found = introspection(
        f'endpoint_auth_method = "client_secret_jwt"\n client_secret = "asdf"\n ttl = "1s"\n {PROFILE} ttl = "20s"\n }}'
    )
    assert (found["auth"], found["client_assertion_alg"]) == ("client_secret_jwt", "HS256")
    told = found["client_assertion"]
    assert (told["lifetime_seconds"], told["jti_prefix"]) == (20, "client_assertion-")
    assert told["aud_left_out_for_legacy_issuer"]
    assert told["weak_secret_allowed_for_legacy_issuer"]


def test_an_assertion_says_whom_it_is_for_where_the_profile_does() -> None:
    profile = f'{PROFILE} ttl = "2h"\n claims = {{ aud = "as", sub = "x" }}\n headers = {{ kid = "k" }}\n }}'
    body = f'endpoint_auth_method = "client_secret_jwt"\n client_secret = "s"\n ttl = "1s"\n {profile}'
    told = introspection(body)["client_assertion"]
    assert (told["claims"], told["header"]) == ({"aud": "as"}, {"kid": "k"})
    assert not told["aud_left_out_for_legacy_issuer"]
    assert told["lifetime_seconds"] == 3600
    assert set(not_exact(translate(source(body)))) == {"beta_introspection/ttl"}


def test_an_assertion_that_varies_is_refused() -> None:
    profile = f'{PROFILE} ttl = "2s"\n claims = {{ aud = request.path }}\n }}'
    body = f'endpoint_auth_method = "client_secret_jwt"\n client_secret = "s"\n ttl = "1s"\n {profile}'
    assert refused(source(body)) == {"beta_introspection/claims"}


def test_of_a_backend_only_the_address_is_used() -> None:
    backend = 'backend {\n origin = "https://as.example"\n }'
    assert set(not_exact(translate(source(f'client_secret = "s"\n ttl = "1s"\n {backend}')))) == {
        "beta_introspection/backend"
    }
