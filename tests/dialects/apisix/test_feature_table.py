"""Every feature of the plug-in's list, and the test that shows it; each of them exists."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent

FEATURES = {
    "token in a header": "test_published_examples: test_s2_a_consumer_is_known_by_its_token",
    "token in the query": "test_published_examples: test_s3b_a_token_may_stand_in_the_query",
    "token in a cookie": "test_published_examples: test_s3c_a_token_may_stand_in_a_cookie",
    "names of these may be chosen": "test_published_examples: test_s3a_a_token_may_stand_in_a_named_field",
    "Bearer before it or nothing": "test_verification: test_a_scheme_before_the_token_is_taken_off",
    "the first place that is there": "test_verification: test_the_first_place_that_is_there_counts",
    "hidden header": "test_newer_examples: test_x6_a_hidden_field_is_not_sent_on",
    "hidden argument": "test_newer_examples: test_x6_a_hidden_argument_takes_no_other_along",
    "hidden cookie": "test_newer_examples: test_x6_a_hidden_cookie_takes_no_other_along",
    "HS": "test_verification: test_a_secret_verifies",
    "RS": "test_verification: test_a_public_key_verifies",
    "PS": "test_verification: test_a_public_key_verifies",
    "ES": "test_verification: test_a_public_key_verifies",
    "EdDSA": "test_verification: test_a_public_key_verifies",
    "base64 secret": "test_verification: test_a_secret_may_be_base64",
    "one algorithm": "test_verification: test_a_consumer_has_one_algorithm",
    "exp": "test_published_examples: test_s2_a_token_is_refused_when_it_has_expired",
    "nbf": "test_verification: test_a_token_is_good_in_its_time_and_needs_to_say_none",
    "grace period": "test_verification: test_a_grace_period_stretches_the_time",
    "claims_to_verify": "test_newer_examples: test_x8_a_claim_that_is_to_be_verified_has_to_be_there",
    "key_claim_name": "test_newer_examples: test_x7_another_claim_may_name_the_key",
    "consumer": "test_newer_examples: test_x1_a_consumers_own_key_names_no_credential",
    "credentials": "test_newer_examples: test_x1_a_credential_is_known_and_named",
    "anonymous consumer": "test_newer_examples: test_x5_who_fails_is_the_anonymous_consumer",
    "three identity headers": "test_newer_examples: test_x4_a_label_of_the_consumer_is_sent_and_none_of_the_credential",
    "identity headers of clients": "test_newer_examples: test_x10_nobody_says_himself_who_he_is",
    "merged plugins": "test_verification: test_what_the_consumer_says_counts_before_what_the_route_says",
    "limit of a consumer": "test_newer_examples: test_x5_each_consumer_has_its_own_limit_also_the_anonymous_one",
    "store_in_ctx": "test_verification: test_what_a_token_says_may_be_told_to_the_upstream",
    "realm and challenge": "test_newer_examples: test_x9_the_realm_is_told_with_every_refusal",
    "_meta": "test_verification: test_a_plugin_may_be_off_or_answer_otherwise",
    "sign endpoint": "test_published_examples: test_s1_the_signing_endpoint_is_published_and_knows_nobody",
    "extra payload": "test_signing: test_a_caller_may_add_claims_and_none_that_are_ours",
    "x5c": "test_signing: test_a_token_shows_the_public_key_it_is_verified_with",
    "generated secret": "test_signing: test_a_secret_is_made_for_who_has_none",
    "renamed path": "test_signing: test_the_endpoint_may_have_another_path",
    "guarded sign endpoint": "test_signing: test_another_plugin_may_guard_the_endpoint",
    "secrets: environment": "test_published_examples: test_s4_a_key_may_be_kept_in_a_variable",
    "secrets: Vault": "test_published_examples: test_s5_a_key_may_be_kept_in_a_vault_that_learns_it_later",
    "secrets: AWS": "test_secrets: test_a_secret_may_be_kept_in_aws",
    "secrets: GCP": "test_secrets: test_a_secret_may_be_kept_in_gcp",
    "encryption at rest": "test_secrets: test_a_written_secret_is_told_encrypted_and_shown_clear",
    "Admin API": "test_administration: test_objects_are_made_shown_changed_and_deleted",
    "duplicate keys": "test_administration: test_a_key_is_one_consumers_alone",
    "schema/validate": "test_administration: test_a_schema_is_checked_and_nothing_kept",
    "standalone and ADC files": "test_files: test_a_file_of_adc_is_served",
}


def test_the_list_is_whole() -> None:
    assert len(FEATURES) == 46


@pytest.mark.parametrize("shown_by", FEATURES.values(), ids=FEATURES.keys())
def test_a_feature_is_shown_by_a_test(shown_by: str) -> None:
    module, _, name = shown_by.partition(": ")
    assert name in _tests_of(module)


@cache
def _tests_of(module: str) -> frozenset[str]:
    tree = ast.parse((HERE / f"{module}.py").read_text())
    return frozenset(each.name for each in tree.body if isinstance(each, ast.FunctionDef))
