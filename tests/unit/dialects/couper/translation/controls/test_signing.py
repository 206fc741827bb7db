from __future__ import annotations

from tests.unit.dialects.couper.translated import KEY, document, draft, text

from jwtgate.dialects.couper.translation.controls.signing import know_signers

PROFILE = 'jwt_signing_profile "S" {\n signature_algorithm = "HS256"\n key = "$3cRe4"\n ttl = "60.6s"\n'
OPEN = "response {}"


def test_a_profile_is_a_key_and_what_expressions_are_given() -> None:
    found = draft(text(OPEN, definitions=f'{PROFILE} claims = {{ a = 1 }}\n headers = {{ kid = "k" }}\n }}'))
    know_signers(found)
    key = found.signing_keys["S"]
    assert (key["alg"], key["secret"], key["signs_any_claims_for_legacy_readers"]) == ("HS256", "$3cRe4", True)
    assert key["short_secret_allowed_for_legacy_readers"]
    assert found.profiles["S"] == {"key": "S", "ttl_seconds": 60, "claims": "{ a = 1 }", "headers": '{ kid = "k" }'}


def test_an_access_control_signs_where_it_has_a_ttl() -> None:
    found = document(text(definitions=f'jwt "J" {{\n {KEY}\n signing_ttl = "1h"\n }}'))
    assert set(found["signing"]["keys"]) == {"J"}
    assert "signing" not in document(text())


def test_a_profile_and_an_access_control_of_the_same_label_are_both_known() -> None:
    found = document(
        text(definitions=f'jwt "S" {{\n {KEY}\n }}\n {PROFILE} }}', endpoint='access_control = ["S"]\n response {}')
    )
    assert set(found["signing"]["keys"]) == set(found["issuers"]) == {"S"}
