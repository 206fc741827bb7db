"""Every feature of the three lists, and the tests that show it; each of them exists."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent

JWT_SIGNER = {
    "two tokens": "test_two_tokens: test_e4_both_tokens_are_signed_again",
    "request header choice": "test_signing_again: test_another_header_may_bring_the_token",
    "magic header forms": "test_signing_again: test_a_header_may_name_its_scheme",
    "optional": "test_signing_again: test_a_token_that_may_be_missing_may_not_be_bad",
    "JWT and opaque are told apart": "test_two_tokens: test_e4_each_of_the_two_must_be_there_and_good",
    "signature by JWKS": "test_signing_again: test_e1_one_jwt_is_verified_and_signed_again",
    "JWKS with Basic authentication": "test_key_sets: test_keys_are_fetched_with_a_name_and_a_password",
    "JWKS with mutual TLS": "test_trust: test_keys_are_fetched_with_a_certificate",
    "JWKS reloaded from time to time": "test_key_sets: test_keys_of_an_issuer_are_fetched_again_after_a_while",
    "JWKS reloaded after a failure": "test_key_sets: test_keys_that_changed_under_the_same_name_are_fetched_again",
    "TLS verify switch": ("test_trust: test_an_issuer_nobody_vouches_for_is_not_believed_even_where_that_is_asked_for"),
    "HS switch": ("test_key_sets: test_a_mac_is_refused_even_where_it_is_asked_for_since_a_secret_is_never_fetched"),
    "introspection": "test_introspection: test_e2_an_opaque_token_is_introspected_and_signed_again",
    "introspection: authorization": "test_introspection: test_e2_an_opaque_token_is_introspected_and_signed_again",
    "introspection: body arguments": "test_introspection: test_e15_body_arguments_and_the_hint_are_sent",
    "introspection: hint": "test_introspection: test_e15_no_hint_is_sent_where_there_is_none",
    "introspection: nested JWT": "test_introspection: test_a_jwt_within_the_answer_gives_the_claims",
    "introspection: timeout and retry": "test_introspection: test_an_endpoint_that_is_slow_is_not_waited_for",
    "introspection: cache": "test_introspection: test_e2_an_answer_is_remembered",
    "introspection: trust": "test_introspection: test_a_jwt_within_the_answer_is_checked_where_it_is_not_trusted",
    "expiry": "test_claims: test_claims_are_checked",
    "not before": "test_claims: test_claims_are_checked",
    "issuer": "test_claims: test_claims_are_checked",
    "subject": "test_claims: test_claims_are_checked",
    "audience": "test_claims: test_claims_are_checked",
    "required claims": "test_claims: test_a_required_claim_may_be_nested",
    "optional claims": "test_claims: test_claims_are_checked",
    "scopes: and, or": "test_claims: test_e10_words_are_all_wanted_and_entries_are_alternatives",
    "nested paths": "test_claims: test_e9_a_nested_claim_holds_the_scope",
    "consumer mapping": "test_claims: test_e13_a_claim_finds_a_consumer",
    "signing with twelve algorithms": ("test_key_sets: test_e12_new_tokens_are_signed_with_the_algorithm_asked_for"),
    "named key set": "test_key_sets: test_e8_a_set_comes_to_be_by_its_name",
    "external key set": "test_key_sets: test_e8_a_set_may_be_somebody_else_s",
    "upstream header": "test_two_tokens: test_a_new_token_may_have_the_header_the_other_came_in",
    "original header": "test_signing_again: test_an_original_token_is_forwarded_where_that_is_asked_for",
    "issuer rewritten": "test_signing_again: test_e1_one_jwt_is_verified_and_signed_again",
    "upstream leeway": "test_signing_again: test_e11_the_expiry_is_shifted",
    "claims added, set, removed": "test_claims: test_e14_claims_are_added_set_and_removed",
    "realm": "test_signing_again: test_e1_the_realm_may_be_named",
    "JWKS Admin API with rotation": "test_key_sets: test_e7_a_rotated_set_keeps_its_last_keys_once",
}
JWT = {
    "query": "test_oss_jwt: test_tokens_may_stand_in_query_cookie_and_header",
    "cookie": "test_oss_jwt: test_tokens_may_stand_in_query_cookie_and_header",
    "header": "test_oss_jwt: test_tokens_may_stand_in_query_cookie_and_header",
    "several tokens are refused": "test_oss_jwt: test_two_different_tokens_are_refused",
    "key claim in payload or header": "test_oss_jwt: test_the_key_may_be_named_by_another_claim_or_by_the_header",
    "credentials made, read, changed, deleted": "test_oss_jwt: test_changes_of_credentials_hold_at_once",
    "generated key and secret": "test_oss_jwt: test_e16_from_nothing_to_a_consumer_s_token",
    "thirteen algorithms": "test_oss_jwt: test_each_of_thirteen_algorithms_is_spoken",
    "base64 secret": "test_oss_jwt: test_secrets_may_be_written_in_base64",
    "exp": "test_oss_jwt: test_times_are_checked_where_that_is_asked_for",
    "nbf": "test_oss_jwt: test_times_are_checked_where_that_is_asked_for",
    "maximum expiration": "test_oss_jwt: test_times_are_checked_where_that_is_asked_for",
    "preflight": "test_oss_jwt: test_a_preflight_may_pass",
    "anonymous": "test_oss_jwt: test_an_anonymous_consumer_stands_in",
    "and, or with other plug-ins": "test_oss_jwt: test_with_an_anonymous_consumer_each_one_suffices",
    "identity headers": "test_oss_jwt: test_tokens_may_stand_in_query_cookie_and_header",
    "realm": "test_oss_jwt: test_a_challenge_names_the_realm",
    "declarative config": "test_oss_jwt: test_a_file_is_served_as_it_stands",
    "changes hold at once": "test_oss_jwt: test_changes_of_credentials_hold_at_once",
    "a consumer's credentials go with it": "test_oss_jwt: test_a_consumer_s_credentials_go_with_it",
}
DIALECT = {
    "Admin API with forms and JSON": "test_admin_api: test_a_plugin_may_come_as_json_as_a_form_and_in_parts",
    "plug-ins by scope": "test_admin_api: test_the_nearest_plugin_holds",
    "services and routes": "test_admin_api: test_every_verb_of_a_service_and_a_route",
    "consumers": "test_admin_api: test_consumers_are_made_changed_and_deleted",
    "error format": "test_admin_api: test_errors_have_numbers",
    "paging": "test_admin_api: test_lists_are_paged",
    "kong.yml": "test_oss_jwt: test_a_file_is_served_as_it_stands",
    "/config": "test_oss_jwt: test_e16_the_same_as_a_whole_configuration",
}
SCENARIOS = {number: f"test_e{number}_" for number in range(1, 17)}


@cache
def _tests(module: str) -> frozenset[str]:
    tree = ast.parse((HERE / f"{module}.py").read_text())
    return frozenset(each.name for each in tree.body if isinstance(each, ast.FunctionDef))


@pytest.mark.parametrize(("table", "count"), [(JWT_SIGNER, 40), (JWT, 20), (DIALECT, 8)])
def test_a_table_is_whole(table: dict[str, str], count: int) -> None:
    assert len(table) == count


@pytest.mark.parametrize("shown_by", sorted({*JWT_SIGNER.values(), *JWT.values(), *DIALECT.values()}))
def test_a_feature_has_its_test(shown_by: str) -> None:
    module, name = shown_by.split(": ")
    assert name in _tests(module)


@pytest.mark.parametrize("beginning", SCENARIOS.values())
def test_a_scenario_has_its_tests(beginning: str) -> None:
    names = {name for path in HERE.glob("test_*.py") for name in _tests(path.stem)}
    assert any(name.startswith(beginning) for name in names)
