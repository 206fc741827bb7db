"""Every feature of the list of ninety-five, and every published example, with the tests that show it."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
UNIT = HERE.parents[1] / "unit"

TOKEN_SOURCES = {
    "C01 bearer by default": "test_token_sources: test_7_8_9_10_a_bearer_token_is_looked_for_in_authorization",
    "C02 bearer": "test_token_sources: test_7_8_9_10_a_bearer_token_is_looked_for_in_authorization",
    "C03 the header Authorization": "test_token_sources: test_10_a_header_that_means_bearer_is_told_of",
    "C04 another header": "test_token_sources: test_11_another_header_is_taken_as_it_stands",
    "C05 cookie": "test_token_sources: test_12_a_cookie_is_found_by_its_exact_name",
    "C06 token_value": "test_token_sources: test_13_a_token_may_stand_in_the_query",
    "C07 token_value of a body": "test_token_sources: test_14_a_token_may_stand_in_a_body_of_json",
    "C08 one source": "test_token_sources: test_16_two_sources_do_not_start",
    "C09 DPoP": "test_dpop: test_a_token_comes_under_its_own_scheme",
}
KEYS = {
    "C10 HS256, HS384, HS512": "test_keys: test_21_a_key_serves_its_algorithm_and_no_other",
    "C11 RS256, RS384, RS512": "test_keys: test_21_a_key_serves_its_algorithm_and_no_other",
    "C12 ES256, ES384, ES512": "test_keys: test_21_a_key_serves_its_algorithm_and_no_other",
    "C13 key": "test_keys: test_a_secret_is_taken_as_it_stands",
    "C14 key_file": "test_keys: test_23_a_file_has_to_be_there_and_to_hold_something",
    "C15 PKCS1": "test_keys: test_22_a_public_key_may_be_written_in_any_form",
    "C16 PKIX": "test_keys: test_22_a_public_key_may_be_written_in_any_form",
    "C17 X.509": "test_keys: test_22_a_public_key_may_be_written_in_any_form",
    "C18 relative paths": "test_keys: test_21_a_key_serves_its_algorithm_and_no_other",
    "C19 values of the environment": "test_keys: test_22_and_in_any_text",
    "C20 the algorithm is fixed": "test_token_sources: test_20_nobody_may_leave_out_the_signature",
    "C21 heredocs": "test_keys: test_22_and_in_any_text",
    "C22 a JWK set over HTTP": "test_key_sets: test_25_a_key_is_found_by_its_kid",
    "C23 a JWK set in a file": "test_key_sets: test_26_a_set_may_be_a_file",
    "C24 a backend inside": "test_key_sets: test_31_the_backend_says_how_a_set_is_asked_for",
    "C25 a backend by name": "test_key_sets: test_31_the_backend_says_how_a_set_is_asked_for",
    "C26 jwks_ttl": "test_key_set_times: test_29_a_set_is_fetched_once_an_hour",
    "C27 jwks_max_stale": "test_key_sets: test_28_keys_are_used_until_they_are_stale",
    "C28 tries at the start": "test_key_sets: test_25_an_early_request_waits_for_three_tries",
    "C29 back-off": "state/keys/test_refresh_schedule: test_rel_30_failures_back_off_from_one_second_to_five_minutes",
    "C30 kid": "test_key_sets: test_25_a_key_is_found_by_its_kid",
    "C31 use": "test_key_sets: test_a_key_is_chosen_by_kid_use_and_alg",
    "C32 alg and kty": "test_key_sets: test_a_key_is_chosen_by_kid_use_and_alg",
    "C33 x5c": "test_key_sets: test_26_a_set_may_be_a_file",
    "C34 n and e": "test_key_sets: test_26_a_set_may_be_a_file",
    "C35 crv, x and y": "test_key_sets: test_26_with_keys_on_curves",
}
CLAIMS = {
    "C36 exp": "test_claims: test_a_token_whose_end_has_come_is_expired",
    "C37 nbf": "test_claims: test_a_token_begins_a_second_early",
    "C38 claims for each request": "test_claims: test_33_what_is_wanted_may_be_another_thing_for_each_request",
    "C39 iss": "test_claims: test_34_else_it_is_refused",
    "C40 aud": "test_claims: test_34_the_audience_is_one_of_those_named",
    "C41 required_claims": "test_claims: test_35_required_claims_must_be_there",
    "C42 claims in request.context": "test_claims: test_claims_are_published_as_they_are",
    "C43 permissions_claim": "test_permissions: test_36_a_claim_grants_permissions",
    "C44 permissions_map": "test_permissions: test_39_permissions_imply_others",
    "C45 permissions_map_file": "test_permissions: test_39_permissions_imply_others",
    "C46 recursion and cycles": "test_permissions: test_39_permissions_imply_others",
    "C47 roles_claim": "test_permissions: test_37_38_roles_grant_what_a_map_says",
    "C48 roles_map": "test_permissions: test_37_38_roles_grant_what_a_map_says",
    "C49 roles_map_file": "test_permissions: test_37_38_roles_grant_what_a_map_says",
    "C50 the role *": "test_permissions: test_37_the_star_is_there_even_where_roles_cannot_be_read",
    "C51 granted_permissions": "test_permissions: test_roles_come_after_the_claim_and_the_star_after_roles",
    "C52 required_permission": "test_permissions: test_40_a_permission_is_asked_for",
    "C53 by method": "test_permissions: test_41_each_method_may_ask_for_its_own",
    "C54 the method *": "test_permissions: test_41_the_star_stands_for_methods_that_are_not_named",
    "C55 by expression": "test_permissions: test_an_expression_names_the_permission",
    "C56 api and endpoint": "test_permissions: test_an_endpoint_replaces_what_its_api_asks_for",
}
ERRORS = {
    "C57 kinds and statuses": "test_logging: test_an_expired_token_is_of_a_kind_of_its_own",
    "C58 WWW-Authenticate": "test_token_sources: test_17_18_19_a_bearer_is_told_what_to_bring",
    "C59 none for other sources": "test_token_sources: test_11_another_header_is_taken_as_it_stands",
    "C60 handlers by kind": "test_error_handlers: test_49_a_handler_answers_for_its_kind_alone",
    "C61 wildcard": "test_error_handlers: test_50_a_wildcard_changes_every_answer",
    "C62 super-kind": "test_error_handlers: test_the_most_particular_handler_is_chosen",
    "C63 response of a handler": "test_error_handlers: test_a_handler_works_out_its_answer",
    "C64 modifiers of a handler": "test_error_handlers: test_a_handler_without_a_response_changes_the_usual_one",
    "C65 Couper-Error": "test_answers: test_a_field_says_what_kind_of_error_it_is",
    "C66 JSON and HTML": "test_answers: test_an_api_answers_in_json",
    "C67 error_file": "test_answers: test_the_nearest_file_of_ones_own_is_shown",
    "C68 insufficient_permissions": "test_error_handlers: test_an_endpoint_handles_before_its_api",
    "C69 private": "test_token_sources: test_4_answers_to_callers_are_private",
    "C70 disable_private_caching": "test_token_sources: test_6_private_caching_can_be_left_out",
    "C71 custom_log_fields": "test_logging: test_52_fields_of_a_block_and_of_its_handler_are_logged_together",
    "C72 log text and error_type": "test_logging: test_the_log_says_what_is_wrong_with_a_token",
}
SIGNING = {
    "C73 jwt_sign with jwt": "test_signing: test_42_a_block_signs_what_it_accepts",
    "C74 signing_key": "test_signing: test_43_a_block_signs_with_a_private_key",
    "C75 signing_key_file": "test_signing: test_43_a_block_signs_with_a_private_key",
    "C76 signing_ttl": "test_signing: test_48_lifetimes_may_be_written_in_any_unit",
    "C77 jwt_signing_profile": "test_signing: test_47_a_profile_says_headers_and_claims",
    "C78 claims of a profile": "test_signing: test_47_a_profile_says_headers_and_claims",
    "C79 headers of a profile": (
        "test_signing: test_47_members_are_sorted_and_escaped_and_whole_numbers_have_no_fraction"
    ),
    "C80 ttl": "test_signing: test_48_less_than_a_second_is_none_and_a_token_may_be_born_dead",
    "C81 merging": "test_signing: test_42_claims_of_the_block_come_first",
    "C82 the same bytes": "test_signing: test_46_a_token_is_the_same_byte_for_byte",
}
AROUND = {
    "C83 at every level": "test_token_sources: test_1_a_block_is_referenced_at_any_level",
    "C84 order and union": "test_combined: test_levels_are_added_up_in_order",
    "C85 disable_access_control": "test_combined: test_54_an_endpoint_may_be_open",
    "C86 credentials are not sent on": "test_forwarding: test_credentials_are_not_sent_on",
    "C87 order of checks": "test_answers: test_methods_come_after_tokens_and_before_permissions",
    "C88 introspection": "test_introspection: test_only_what_is_good_in_itself_is_asked_about",
    "C89 four methods": "test_introspection: test_a_client_may_show_a_token_of_its_own",
    "C90 cache": "test_introspection: test_an_answer_is_remembered_as_long_as_the_ttl",
    "C91 proofs": "test_dpop: test_a_proof_is_of_this_request_and_this_token",
    "C92 binding": "test_dpop: test_a_proof_is_of_the_key_of_the_token",
    "C93 htu": "test_dpop: test_addresses_are_compared_as_what_they_mean",
    "C94 messages": "test_mistakes: test_a_block_that_is_wrong_does_not_start",
    "C95 verify": "test_mistakes: test_a_file_can_be_verified_without_serving_it",
}
FEATURES = TOKEN_SOURCES | KEYS | CLAIMS | ERRORS | SIGNING | AROUND


@cache
def _tests(module: str) -> frozenset[str]:
    path = (UNIT if "/" in module else HERE) / f"{module}.py"
    return frozenset(each.name for each in ast.parse(path.read_text()).body if isinstance(each, ast.FunctionDef))


def test_the_table_is_whole() -> None:
    assert [name.split()[0] for name in FEATURES] == [f"C{number:02}" for number in range(1, 96)]


@pytest.mark.parametrize("shown_by", sorted(set(FEATURES.values())))
def test_a_feature_has_its_test(shown_by: str) -> None:
    module, name = shown_by.split(": ")
    assert name in _tests(module)


@pytest.mark.parametrize("number", [str(number) for number in range(1, 55)])
def test_an_example_has_its_tests(number: str) -> None:
    names = {name for path in HERE.glob("test_*.py") for name in _tests(path.stem)}
    numbered = {part for name in names for part in name.split("_") if part.isdecimal()}
    assert number in numbered
