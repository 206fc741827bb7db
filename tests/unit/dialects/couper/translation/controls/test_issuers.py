from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.dialects.couper.reading.couper_hcl import configuration
from tests.unit.dialects.couper.translated import BACKEND, KEY, dangerous, document, not_exact, refused, text, translate

from jwtgate.dialects.couper.translation.controls.issuers import has_one_basic_auth, users

URL = "https://as.example/keys"


def issuer(body: str = KEY, more: str = "", **how: Any) -> dict[str, Any]:
    found: dict[str, Any] = document(text(definitions=f'jwt "J" {{\n {body}\n }}', more=more), **how)["issuers"]["J"]
    return found


READ = {"unusable_skipped": True, "certificates_first": True}


def test_a_secret_is_that_of_one_algorithm() -> None:
    found = issuer()
    assert found["algorithms"] == ["HS256"]
    assert found["keys"] == {"secret": "y0urS3cretT08eU5edF0rC0uPerInThe3xamp1e"}
    assert "short_secret_allowed_for_legacy_credential" not in found


def test_a_weak_secret_is_allowed_by_name() -> None:
    found = issuer('signature_algorithm = "HS256"\n key = "asdf"')
    assert found["short_secret_allowed_for_legacy_credential"]


def test_tokens_are_looked_at_as_couper_does() -> None:
    found = issuer()
    assert found["leeway_seconds"] == 1
    assert found["audience"] == "any"
    assert {
        "iss_not_looked_at_for_legacy_issuer",
        "exp_optional_for_legacy_tokens",
        "exp_zero_counts_as_none_for_legacy_tokens",
        "iat_not_looked_at_for_legacy_tokens",
    } <= found.keys()


def test_tokens_that_never_expire_are_worth_a_second_look() -> None:
    assert 'jwt "J"' in dangerous(text())
    asking = f'jwt "J" {{\n {KEY}\n required_claims = ["exp"]\n }}'
    assert 'jwt "J"' not in dangerous(text(definitions=asking))
    assert issuer(f'{KEY}\n required_claims = ["a.b"]')["claims"] == [{"claim": ["a.b"], "required": True}]


def test_a_key_set_is_fetched_and_chosen_from_as_couper_does() -> None:
    found = issuer(f'jwks_url = "{URL}"\n jwks_ttl = "3s"\n jwks_max_stale = "2s"')
    assert found["algorithms"] == ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"]
    assert found["keys"] == {"url": URL, "any_media_type": True, **READ}
    assert (found["refresh_seconds"], found["max_stale_seconds"]) == (3.0, 3.0)
    assert (found["key_set_refreshed_early"], found["key_set_saved"]) == (False, False)
    assert (found["keys_by_kid_alone"], found["keys_must_say_use"]) == (True, True)
    assert found["keys_fetched_for_unknown_kid"] is False


def test_switches_change_how_keys_are_chosen_and_fetched() -> None:
    switches = "settings {\n jwks_accept_missing_use = true\n jwks_refetch_on_unknown_kid = true\n }"
    found = issuer(f'jwks_url = "{URL}"', switches)
    assert (found["keys_must_say_use"], found["keys_fetched_for_unknown_kid"]) == (False, True)


def test_a_key_set_fetched_without_tls_is_worth_a_second_look() -> None:
    source = text(definitions='jwt "J" {\n jwks_url = "http://as.example/keys"\n }')
    assert 'jwt "J"/jwks_url' in dangerous(source)
    assert document(source)["issuers"]["J"]["insecure_http"]


def test_a_key_set_of_a_file_may_have_keys_nobody_can_use(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text(json.dumps({"keys": []}))
    found = issuer('jwks_url = "keys.json"', folder=tmp_path)
    assert found["keys"] == {"file": str(tmp_path / "keys.json"), **READ}
    assert found["empty_key_set_allowed"] is True
    assert "refresh_seconds" not in found


def test_a_ttl_of_nothing_is_a_second() -> None:
    source = text(definitions=f'jwt "J" {{\n jwks_url = "{URL}"\n jwks_ttl = "0"\n }}')
    assert set(not_exact(translate(source))) == {'jwt "J"/jwks_ttl'}
    assert document(source)["issuers"]["J"]["refresh_seconds"] == 1.0


def test_a_backend_sets_the_fields_of_the_request_for_keys() -> None:
    backend = 'backend {\n origin = "https://as.example"\n set_request_headers = { x-probe = "1" }\n }'
    assert issuer(f'jwks_url = "{URL}"\n {backend}')["keys"]["headers"] == {"x-probe": "1"}


def test_time_limits_of_a_backend_are_told() -> None:
    backend = 'backend {\n origin = "https://as.example"\n timeout = "3s"\n }'
    source = text(definitions=f'jwt "J" {{\n jwks_url = "{URL}"\n {backend}\n }}')
    assert set(not_exact(translate(source))) == {'jwt "J"/backend/timeout'}


def test_certificates_of_the_settings_are_trusted() -> None:
    more = 'settings {\n ca_file = "ca.pem"\n }'
    assert issuer(f'jwks_url = "{URL}"', more)["ca_file"] == "ca.pem"
    assert "ca_file" not in issuer('jwks_url = "http://127.0.0.1:9/k"', more)


def test_a_backend_proves_who_asks_for_keys() -> None:
    backend = 'backend {\n origin = "https://as.example"\n basic_auth = "a:b"\n }'
    assert issuer(f'jwks_url = "{URL}"\n {backend}')["keys"]["headers"] == {"authorization": "Basic YTpi"}


@pytest.mark.parametrize("line", ["set_request_headers = { x-a = request.path }", 'path = "/b"'])
def test_what_a_backend_cannot_do_for_keys_is_refused(line: str) -> None:
    backend = f'backend {{\n origin = "https://as.example"\n {line}\n }}'
    found = refused(text(definitions=f'jwt "J" {{\n jwks_url = "{URL}"\n {backend}\n }}\n {BACKEND}'))
    assert len(found) == 1


def test_claims_and_roles_grant_permissions() -> None:
    maps = 'roles_map = { admin = ["a"], "*" = ["z"] }\n permissions_map = { a = ["b"] }'
    found = issuer(f'{KEY}\n permissions_claim = "scope"\n roles_claim = "r.x"\n {maps}')["permissions"]
    assert found == {
        "claim": ["scope"],
        "roles_claim": ["r.x"],
        "roles": {"admin": ["a"], "*": ["z"]},
        "implied": {"a": ["b"]},
    }
    assert "permissions" not in issuer()


def test_the_user_of_one_basic_auth_is_none_of_another() -> None:
    blocks = [f'basic_auth "{label}" {{\n user = "u"\n password = "p"\n }}' for label in ("a", "b")]
    one = configuration(text("response {}", definitions=blocks[0]))
    both = configuration(text("response {}", definitions="\n".join(blocks)))
    assert (has_one_basic_auth(one), has_one_basic_auth(both)) == (True, False)
    keys = [user.value["credentials"][user.name]["api_key"] for user in users(both)]
    assert keys == ["a dTpw", "b dTpw"]
    assert [user.value["credentials"]["a"] for user in users(one)] == [{"api_key": "dTpw", "claims": {"user": "u"}}]
