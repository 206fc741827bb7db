"""Every feature of the list, and the test that shows it; each of them exists, and each scenario has one."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent

FEATURES = {
    "W01 enable": "test_header: test_s5_every_authenticated_request_has_one",
    "W02 header name": "test_header: test_s6_the_field_may_have_another_name",
    "W03 attach after auth": "test_header: test_s5_every_authenticated_request_has_one",
    "W04 strip client header": "test_header: test_s7_the_client_s_own_field_never_arrives",
    "W05 nothing for open resources": "test_header: test_s5_every_authenticated_request_has_one",
    "W06 three-part": "test_sample: test_s3_a_token_has_three_parts_the_last_empty_where_nothing_signs",
    "W07 two-part with trailing dot": "test_sample: test_s1_the_sample_of_the_documentation_byte_for_byte",
    "W08 base64": "test_signature: test_s26_the_usual_alphabet_is_the_standard_one",
    "W09 base64url": "test_signature: test_s26_any_library_reads_base64url",
    "W10 padding switch": "test_signature: test_s26_later_generations_pad_or_do_not",
    "W11 UTF-8 JSON": "test_user_claims: test_text_of_any_language_is_utf_8",
    "W12 typ/alg": "test_sample: test_s2_the_label_is_small_unless_it_is_asked_for",
    "W13 hexified x5t": "test_signature: test_s20_x5t_is_the_hexadecimal_text_of_the_thumbprint",
    "W14 RFC x5t": "test_signature: test_s20_or_the_thumbprint_itself",
    "W15 x5t#S256": "test_signature: test_s22_the_key_may_go_unnamed_and_the_thumbprint_may_be_a_longer_one",
    "W16 x5c": "test_signature: test_s21_the_certificate_stands_in_the_header_where_that_is_asked_for",
    "W17 kid": "test_signature: test_s22_the_key_is_named_as_it_is_published",
    "W18 NONE label": "test_sample: test_s1_the_sample_of_the_documentation_byte_for_byte",
    "W19 SHA256withRSA": "test_signature: test_s19_rs256_signs_whatever_is_asked_for",
    "W20 NONE": "test_sample: test_s2_sec_38_unsigned_tokens_are_refused_unless_the_document_says_so_twice",
    "W21 fallback": "test_signature: test_s19_an_algorithm_nobody_knows_is_told_when_serving",
    "W22 tenant keys": "test_signature: test_a_tenant_signs_for_its_own_users_where_that_is_asked_for",
    "W23 iss/exp": "test_standard_claims: test_s8_the_second_generation",
    "W24 iat/jti/sub": "test_standard_claims: test_s11_the_fourth_generation_says_more",
    "W25 the 13 dialect claims": "test_standard_claims: test_s11_the_fourth_generation_says_more",
    "W26 apiname/UUID": "test_standard_claims: test_s11_the_fourth_generation_says_more",
    "W27 application attributes": "test_standard_claims: test_s11_the_fourth_generation_says_more",
    "W28 dialect prefix rule": "test_user_claims: test_s17_the_dialect_stands_before_all_standard_claims",
    "W29 enduser/tenant rules": "test_standard_claims: test_the_end_user_of_the_fourth_generation",
    "W30 empty-value rules": "test_standard_claims: test_what_is_not_known_is_left_out",
    "W31 claim selection": "test_standard_claims: test_the_claims_may_be_chosen",
    "W32 retriever interface": "test_user_claims: test_s15_s16_a_retriever_of_one_s_own_is_made_ready_once",
    "W33 default retriever": "test_user_claims: test_s13_the_user_store_says_who_a_user_is",
    "W34 empty retriever": "test_user_claims: test_a_retriever_that_finds_nothing",
    "W35 grant cache source": "test_user_claims: test_s18_what_was_granted_with_a_token_may_be_converted",
    "W36 dialect conversion": "test_user_claims: test_s18_what_was_granted_with_a_token_may_be_converted",
    "W37 multi-valued split": "test_user_claims: test_s13_the_user_store_says_who_a_user_is",
    "W38 JSON object/array values": "test_incoming_jwt: test_s35_texts_become_what_they_stand_for",
    "W39 precedence": "test_user_claims: test_which_of_two_claims_of_one_name_stands",
    "W40 standard hook": "test_generators: test_s23_the_documented_example",
    "W41 custom hook": "test_generators: test_s23_the_documented_example",
    "W42 encode/sign/header hooks": "test_generators: test_a_class_that_cannot_be_used_is_refused",
    "W43 claim copy": "test_incoming_jwt: test_s33_claims_are_copied_save_those_that_must_not_be",
    "W44 restricted list": "test_incoming_jwt: test_s33_claims_are_copied_save_those_that_must_not_be",
    "W45 excluded list": "test_incoming_jwt: test_s33_claims_are_copied_save_those_that_must_not_be",
    "W46 issuer mapping": "test_incoming_jwt: test_s34_an_issuer_s_claims_are_renamed",
    "W47 consumer-key claim": "test_incoming_jwt: test_issuers_may_stand_in_records_with_a_certificate",
    "W48 scope/app-token detection": "test_incoming_jwt: test_a_jwt_of_an_application_is_told_by_its_claim",
    "W49 lifetime matrix": "test_lifetime: test_s28_s29_s30_a_token_lasts_as_the_caches_say",
    "W50 JWTExpiryTime": "test_lifetime: test_s28_s29_s30_a_token_lasts_as_the_caches_say",
    "W51 ms/s": "test_lifetime: test_the_first_generation_counts_milliseconds",
    "W52 backend-token cache": "test_lifetime: test_s31_an_expired_token_is_never_sent",
    "W53 claim cache": "test_user_claims: test_s32_claims_are_kept_for_a_while",
    "W54 cache switches": "test_standard_claims: test_s12_a_token_is_sent_again_where_the_cache_is_on",
    "W55 XML": "test_header: test_what_is_not_known_in_xml_is_told_and_changes_nothing",
    "W56 1.x synonyms": "test_header: test_the_names_of_the_first_generation_are_read",
    "W57 TOML": "test_standard_claims: test_s11_the_fourth_generation_says_more",
    "W58 class-name mapping": "test_generators: test_s25_a_class_nobody_knows_is_named_and_nothing_starts",
    "W59 defaults": "test_header: test_s4_switched_off_nothing_is_sent_nor_let_through",
    "W60 JWKS endpoint": "test_signature: test_s22_the_key_is_named_as_it_is_published",
    "W61 tenant JWKS": "test_signature: test_a_tenant_signs_for_its_own_users_where_that_is_asked_for",
    "W62 failure rules": "test_generators: test_a_generator_that_fails_has_the_request_refused",
}
SCENARIOS = range(1, 37)


@cache
def _tests(module: str) -> frozenset[str]:
    tree = ast.parse((HERE / f"{module}.py").read_text())
    return frozenset(each.name for each in tree.body if isinstance(each, ast.FunctionDef))


def test_the_table_is_whole() -> None:
    assert [name.split()[0] for name in FEATURES] == [f"W{number:02}" for number in range(1, 63)]


@pytest.mark.parametrize("shown_by", sorted(set(FEATURES.values())))
def test_a_feature_has_its_test(shown_by: str) -> None:
    module, name = shown_by.split(": ")
    assert name in _tests(module)


@pytest.mark.parametrize("number", SCENARIOS)
def test_a_scenario_has_its_tests(number: int) -> None:
    names = {name for path in HERE.glob("test_*.py") for name in _tests(path.stem)}
    assert any(f"_s{number}_" in name for name in names)
