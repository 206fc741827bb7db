"""Each dangerous setting is named, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jwtgate.config.dangers import dangers
from jwtgate.config.sections.document import Document

Load = Callable[[dict[str, Any]], Document]
ASKED = {"endpoint": "https://a.example", "auth": "none", "jwt_claim": "jwt"}
TWO = {"path": "/a", "auth": "required", "upstream": "echo"}
LIMIT = {"requests": 1, "window_seconds": 60}
EVERYTHING = {"audience": "a", "copy": "all", "lifetime": "incoming"}
SECRET = "Zm9vYmFyYmF6cXV4-quite-random-1234567890-abc"


def test_the_good_document_has_none(load: Load) -> None:
    assert dangers(load({})) == ()


def test_sec_162_calls_that_anybody_can_have_made_are_told(load: Load) -> None:
    calls = {"who": {"upstream": "echo", "for_answers": True}}
    found = dangers(load({"routes/orders/calls": calls, "routes/orders/answers": {"refusal": {"calls": "who"}}}))
    assert found == ("routes.orders.answers.refusal.calls: whoever is refused makes us ask an upstream",)


def test_sec_162_a_token_that_calls_pass_on_as_well_is_told(load: Load) -> None:
    calls = {"one": {"upstream": "echo", "passes_request_fields": True}, "two": {"upstream": "echo"}}
    assert dangers(load({"routes/orders/calls": calls})) == ()
    found = dangers(load({"routes/orders/calls": calls, "routes/orders/forward_token": True}))
    places = ["routes.orders.calls.one.passes_request_fields", "routes.orders.forward_token"]
    assert [sentence.partition(": ")[0] for sentence in found] == places


@pytest.mark.parametrize("source", [{"query": "t"}, {"value": {"cel": "request.query.t"}}])
@pytest.mark.parametrize(
    ("place", "value", "shown"),
    [
        ("calls", {"one": {"upstream": "echo", "query": {"request": "query"}}}, "calls.one.query"),
        ("headers/X-A", {"cel": "request.query.t"}, "headers.X-A"),
        ("request_headers", {"add": {"X-A": {"request": "url"}}}, "request_headers.add.X-A"),
        ("issue/set", {"t": {"cel": "request.query"}}, "issue[0].set.t"),
    ],
)
def test_sec_162_a_token_in_the_query_is_told_and_where_it_goes_on(
    load: Load, source: object, place: str, value: object, shown: str
) -> None:
    found = dangers(load({"routes/orders/from": source, f"routes/orders/{place}": value}))
    assert [sentence.partition(": ")[0] for sentence in found] == ["routes.orders.from", f"routes.orders.{shown}"]


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"issuers/main/audience": "any"}, "issuers.main.audience"),
        (
            {"routes/orders/calls": {"one": {"upstream": "echo", "headers": {"X-A": {"header": "Authorization"}}}}},
            "routes.orders.calls.one.headers.X-A",
        ),
        ({"routes/orders/from": {"value": {"request": "path"}}}, "routes.orders.from"),
        ({"routes/orders/from": {"value": {"cel": "request.path_parameters.t"}}}, "routes.orders.from"),
        ({"routes/orders/body_read_before_decision_bytes": 1}, "routes.orders.body_read_before_decision_bytes"),
        ({"issuers/main/exp_optional_for_legacy_tokens": True}, "issuers.main.exp_optional_for_legacy_tokens"),
        ({"issuers/main/insecure_http": True}, "issuers.main.insecure_http"),
        (
            {
                "routes/orders/empty_counts_as_absent_for_legacy_clients": True,
            },
            "routes.orders.empty_counts_as_absent_for_legacy_clients",
        ),
        (
            {
                "consumers/ann": {
                    "credentials": {"k": {"alg": "ES256", "keys": {"url": "http://a/k", "insecure_http": True}}}
                }
            },
            "consumers.ann.credentials.k.keys.insecure_http",
        ),
        (
            {
                "routes/orders/request_headers": {
                    "set": {"X-A": {"request": "path"}},
                    "add": {"X-B": {"claim": "b"}, "X-C": "c"},
                }
            },
            "routes.orders.request_headers.add.X-B",
        ),
        *(
            (
                {"routes/orders/request_headers": {"set": {"X-A": value, "X-C": "c"}}},
                "routes.orders.request_headers.set.X-A",
            )
            for value in ({"claim": "a"}, {"claims": True}, {"consumer": "name"}, {"permissions": True})
        ),
        *(
            ({f"issuers/main/{flag}": True}, f"issuers.main.{flag}")
            for flag in (
                "exp_not_looked_at_for_legacy_tokens",
                "nbf_not_looked_at_for_legacy_tokens",
                "iat_not_looked_at_for_legacy_tokens",
                "malformed_claims_count_as_absent_for_legacy_tokens",
                "long_leeway_allowed_for_legacy_tokens",
                "keys_fetched_again_after_wrong_signature",
            )
        ),
        *(
            ({"issuers/third": {**issuer, flag: True}}, f"issuers.third.{flag}")
            for issuer, flag in (
                (
                    {"audience": "a", "algorithms": "RS256", "keys": {"url": "https://x"}},
                    "iss_not_looked_at_for_legacy_issuer",
                ),
                ({"audience": "a", "issuer": "https://x"}, "signature_not_verified_for_legacy_issuer"),
            )
        ),
        *(
            ({"issuers/main/introspection": {**ASKED, flag: True}}, f"issuers.main.introspection.{flag}")
            for flag in (
                "inner_claims_not_checked_for_legacy_issuer",
                "exp_not_looked_at_for_legacy_issuer",
                "nbf_not_looked_at_for_legacy_issuer",
                "iat_not_looked_at_for_legacy_issuer",
            )
        ),
        (
            {"routes/orders/equal_tokens_count_once_for_legacy_clients": True},
            "routes.orders.equal_tokens_count_once_for_legacy_clients",
        ),
        (
            {"routes/orders/answers": {"refusal": {"body": {"refusal": "reason"}}}},
            "routes.orders.answers.refusal",
        ),
        (
            {"routes/orders/answers": {"*": {"headers": {"X-Why": {"cel": "refusal.reason"}}}}},
            "routes.orders.answers.*",
        ),
        ({"answers": {"token_refused": {"body": {"refusal": "claim"}}}}, "answers.token_refused"),
        ({"answers": {"signature_wrong": {"status": 401}}}, "answers.signature_wrong"),
        ({"issuers/main/empty_key_set_allowed": True}, "issuers.main.empty_key_set_allowed"),
        ({"routes/orders/from": ["bearer", {"query": "t"}]}, "routes.orders.from"),
        ({"routes/orders/issue/may_outlive_incoming_token": True}, "routes.orders.issue[0].may_outlive_incoming_token"),
        ({"routes/orders/forward_token": True}, "routes.orders.forward_token"),
        ({"routes/orders/forward_cors_preflight": True}, "routes.orders.forward_cors_preflight"),
        (
            {"routes/orders/first_source_wins_for_legacy_clients": True},
            "routes.orders.first_source_wins_for_legacy_clients",
        ),
        ({"routes/orders/answers": {"token_expired": {"status": 200}}}, "routes.orders.answers.token_expired.status"),
        ({"routes/orders/answers": {"signature_wrong": {"status": 401}}}, "routes.orders.answers.signature_wrong"),
        ({"routes/orders/answers": {"upstream_slow": {"status": 404}}}, "routes.orders.answers.upstream_slow.status"),
        ({"routes/orders/answers": {"refusal": {"status": {"cel": "200"}}}}, "routes.orders.answers.refusal.status"),
        (
            {"routes/a": {**TWO, "slots": {"b": {"issuers": ["main"], "answers": {"token_expired": {"status": 200}}}}}},
            "routes.a.slots.b.answers.token_expired.status",
        ),
        ({"paths": {"encoded_slashes": "keep"}}, "paths.encoded_slashes"),
        ({"store_away": "allow_all", "routes/orders/sensitive": True}, "store_away"),
        ({"routes/orders/rate_limit": {**LIMIT, "status": 200}}, "routes.orders.rate_limit.status"),
        ({"consumers/ann/rate_limit": {**LIMIT, "status": 299}}, "consumers.ann.rate_limit.status"),
        (
            {"routes/orders/issue": {**EVERYTHING, "copy_registered_for_legacy_upstream": True}},
            "routes.orders.issue[0].copy_registered_for_legacy_upstream",
        ),
        (
            {"routes/orders/issue": {**EVERYTHING, "no_exp_when_incoming_has_none_for_legacy_upstream": True}},
            "routes.orders.issue[0].no_exp_when_incoming_has_none_for_legacy_upstream",
        ),
        (
            {"routes/orders/issue": {**EVERYTHING, "unsigned_with_alg_for_legacy_upstream": "none"}},
            "routes.orders.issue[0].unsigned_with_alg_for_legacy_upstream",
        ),
        ({"signing/master_key": "m" * 32}, "signing.master_key"),
        ({"paths": {"parameters": "keep"}}, "paths.parameters"),
        ({"routes/orders/from": {"cookie": "t"}, "routes/orders/upgrade": "websocket"}, "routes.orders.upgrade"),
    ],
)
def test_sec_162_a_dangerous_setting_is_told_with_its_place(load: Load, changes: dict[str, Any], place: str) -> None:
    (sentence,) = dangers(load(changes))
    assert sentence.startswith(f"{place}: ")


@pytest.mark.parametrize(
    "answers",
    [
        {"token_refused": {"status": 303}},
        {"token_expired": {"status": 300}},
        {"refusal": {"body": "no"}},
        {"fault": {"status": 500}, "*": {"body": "no"}},
        {"fault": {"body": {"refusal": "reason"}}, "refusal": {"body": {"refusal": "sentence"}}},
        {"*": {"body": {"cel": "refusal.request_id"}}, "scope_refused": {"body": {"cel": "refusal.reason"}}},
    ],
)
def test_an_answer_that_misleads_nobody_is_no_danger(load: Load, answers: dict[str, Any]) -> None:
    assert dangers(load({"routes/orders/answers": answers})) == ()


def test_a_call_that_is_given_no_credential_is_no_danger(load: Load) -> None:
    call = {"upstream": "echo", "headers": {"X-A": {"header": "Accept"}, "Authorization": "Bearer ours"}}
    assert dangers(load({"routes/orders/calls": {"one": call}})) == ()


def test_sec_143_a_fault_that_looks_like_a_bad_token_is_told_in_every_way(load: Load) -> None:
    answers = {"fault": {"status": 401, "fault_may_answer_401_for_legacy_clients": True}}
    first, second = dangers(load({"routes/orders/answers": answers}))
    assert first.startswith("routes.orders.answers.fault.status: ")
    assert second.startswith("routes.orders.answers.fault.fault_may_answer_401_for_legacy_clients: ")


def test_an_api_key_is_meant_for_nobody_else(load: Load) -> None:
    assert dangers(load({"issuers/third": {"consumers": {"api_key": True}, "audience": "any"}})) == ()


def test_secrets_that_may_be_short_by_their_issuer_are_told(load: Load) -> None:
    partners = {"consumers": {"claim": "iss", "base64_for_legacy_credentials": True}, "audience": "us"}
    (sentence,) = dangers(load({"issuers/third": partners}))
    assert sentence.startswith("issuers.third.consumers.base64_for_legacy_credentials: ")


def test_sec_162_a_query_in_a_named_slot_is_told(load: Load) -> None:
    slots = {"a": {"issuers": "main", "from": {"query": "t"}}}
    (sentence,) = dangers(load({"routes/orders/issuers": ..., "routes/orders/slots": slots}))
    assert sentence.startswith("routes.orders.slots.a.from: ")


@pytest.mark.parametrize(
    ("algorithm", "keys", "held"),
    [
        ("HS256", {"secret": SECRET}, True),
        ("HS256", {"secret": "${env:S}"}, False),
        ("RS256", {"pem": "-----BEGIN PRIVATE KEY-----"}, True),
        ("RS256", {"pem": "-----BEGIN PUBLIC KEY-----"}, False),
        ("HS256", {"jwks": {"keys": [{"kty": "oct", "k": "abc"}]}}, True),
        ("HS256", {"jwks": {"keys": [{"kty": "oct", "k": "${env:K}"}]}}, False),
        ("RS256", {"jwks": [{"kty": "RSA", "n": "x", "d": "y"}]}, True),
        ("RS256", {"jwks": {"kty": "RSA", "n": "x"}}, False),
        ("RS256", {"jwks": {"keys": "odd"}}, False),
        ("RS256", {"file": "x"}, False),
    ],
)
def test_sec_162_a_secret_in_the_document_itself_is_told_and_never_shown(
    load: Load, algorithm: str, keys: dict[str, object], held: bool
) -> None:
    found = dangers(load({"issuers/main/algorithms": algorithm, "issuers/main/keys": keys}))
    assert len(found) == held
    assert SECRET not in "".join(found)


def test_sec_162_a_short_secret_is_told(load: Load) -> None:
    changes = {
        "issuers/main/algorithms": "HS256",
        "issuers/main/keys": {"secret": "${env:S}"},
        "issuers/main/short_secret_allowed_for_legacy_credential": True,
    }
    (sentence,) = dangers(load(changes))
    assert sentence.startswith("issuers.main.short_secret_allowed_for_legacy_credential: ")


ASKED = {"endpoint": "https://a.example", "auth": "none"}
PUBLIC: dict[str, Any] = {"listen": "0.0.0.0:1", "tls": {"certificate": "c", "private_key": "k"}}
TOKEN = {"token": "${env:T}"}
OPERATORS = {"alice": {"token_sha256": "0" * 64}}
SHORT = {"alg": "HS256", "secret": "${env:S}", "short_secret_allowed_for_legacy_credential": True}


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"admin": {**PUBLIC, "operators": OPERATORS}}, "admin.page"),
        (
            {"secret_stores": {"v": {"vault": {"address": "http://v", "auth": TOKEN, "insecure_http": True}}}},
            "secret_stores.v.vault.insecure_http",
        ),
        (
            {"issuers/o": {"audience": "a", "introspection": {**ASKED, "stale_if_error_seconds": 5}}},
            "issuers.o.introspection.stale_if_error_seconds",
        ),
        ({"signing/keys": {"a": {"url": "http://a", "insecure_http": True}}}, "signing.keys.a.insecure_http"),
        ({"signing/profiles": {"p": {"audience": "a", "kid": False}}}, "signing.profiles.p.kid"),
        (
            {"consumers": {"c": {"credentials": {"k": SHORT}}}},
            "consumers.c.credentials.k.short_secret_allowed_for_legacy_credential",
        ),
        *(
            ({"consumers": {"c": {"credentials": {"k": {"alg": "HS256", "secret": "${env:S}", name: True}}}}},
             f"consumers.c.credentials.k.{name}")
            for name in ("guessable_secret_allowed_for_legacy_credential", "long_leeway_allowed_for_legacy_tokens")
        ),
        ({"routes/orders/issue/kid": False}, "routes.orders.issue[0].kid"),
        *(
            ({f"routes/orders/issue/{key}": value}, f"routes.orders.issue[0].{key}")
            for key, value in {
                "x5t_of_hex_text_for_legacy_upstream": True,
                "encoding_unlike_rfc7515": "base64",
                "exp_in_milliseconds_for_legacy_upstream": True,
                "omit_for_legacy_upstream": ["iat"],
            }.items()
        ),
        ({"routes/orders/original_header": "X-Original"}, "routes.orders.original_header"),
        (
            {
                "consumers": {"c": {}}, "routes/orders/anonymous_consumer": "c",
                "routes/orders/anonymous_consumer_also_for_refused_tokens": True,
            },
            "routes.orders.anonymous_consumer_also_for_refused_tokens",
        ),
        (
            {"routes/m": {"path": "/m", "auth": "none",
                          "mint": {"profiles": ["p"], "unauthenticated_minting_allowed": True}},
             "signing/profiles": {"p": {"audience": "a"}}},
            "routes.m.mint.unauthenticated_minting_allowed",
        ),
        (
            {"routes/m": {"path": "/m", "auth": "required", "issuers": "main",
                          "mint": {"credentials": "own", "claims": "any"}}},
            "routes.m.mint.claims",
        ),
        (
            {"routes/m": {"path": "/m", "auth": "required", "issuers": "main", "mint": {"credentials": "any"}}},
            "routes.m.mint.credentials",
        ),
    ],
)  # fmt: skip
def test_sec_162_so_is_what_is_dangerous_about_callers_and_our_tokens(
    load: Load, changes: dict[str, Any], place: str
) -> None:
    (sentence,) = dangers(load(changes))
    assert sentence.startswith(f"{place}: ")


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"signing/keys": {"a": {"alg": "HS256", "secret": SECRET}}}, "signing.keys.a.secret"),
        (
            {"issuers/o": {"audience": "a", "introspection": {"endpoint": "https://a", "authorization": SECRET}}},
            "issuers.o.introspection.authorization",
        ),
        (
            {"consumers": {"c": {"credentials": {"k": {"alg": "HS256", "secret": SECRET}}}}},
            "consumers.c.credentials.k.secret",
        ),
        (
            {"consumers": {"c": {"credentials": {"k": {"alg": "HS256", "secret": SECRET},
                                                 "l": {"alg": "HS256", "secret": SECRET}}}}},
            "consumers: 2 secrets",
        ),
        ({"secret_stores": {"v": {"aws": {"access_key_id": "a", "secret_access_key": SECRET}}}},
         "secret_stores.v.aws.secret_access_key"),
    ],
)  # fmt: skip
def test_sec_162_every_secret_that_stands_in_the_document_is_told(
    load: Load, changes: dict[str, Any], place: str
) -> None:
    (sentence,) = dangers(load(changes))
    assert sentence.startswith(place)
    assert SECRET not in sentence


def test_sec_162_a_token_unlike_what_readers_expect_is_told(load: Load) -> None:
    mint = {
        "credentials": "own",
        "bare_token_for_legacy_reader": True,
        "x5c_holds_public_key_pem_for_legacy_reader": True,
    }
    route = {"path": "/mint", "auth": "required", "issuers": "main", "mint": mint}
    found = dangers(load({"routes/mint": route, "routes/orders/rate_limit": {**LIMIT, "status": 300}}))
    assert [sentence.partition(": ")[0] for sentence in found] == [
        "routes.mint.mint.bare_token_for_legacy_reader",
        "routes.mint.mint.x5c_holds_public_key_pem_for_legacy_reader",
    ]


KEYS = {"alg": "HS256", "secret": "${env:S}"}


@pytest.mark.parametrize(
    "flag",
    [
        "signs_any_claims_for_legacy_readers",
        "short_secret_allowed_for_legacy_readers",
        "guessable_secret_allowed_for_legacy_readers",
    ],
)
def test_a_key_that_is_trusted_with_too_much_is_named(load: Load, flag: str) -> None:
    assert not dangers(load({"signing/keys/own": KEYS}))
    (sentence,) = dangers(load({"signing/keys/own": {**KEYS, flag: True}}))
    assert sentence.startswith(f"signing.keys.own.{flag}: ")


def test_a_proof_that_is_taken_again_is_named(load: Load) -> None:
    assert not dangers(load({"routes/orders/dpop": {}}))
    (sentence,) = dangers(load({"routes/orders/dpop": {"replay_not_refused_for_legacy_clients": True}}))
    assert sentence.startswith("routes.orders.dpop.replay_not_refused_for_legacy_clients: ")


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ({"cache_control_not_looked_at_for_legacy_issuer": True}, "cache_control_not_looked_at_for_legacy_issuer"),
        (
            {"client_assertion": {"aud_left_out_for_legacy_issuer": True}},
            "client_assertion.aud_left_out_for_legacy_issuer",
        ),
        (
            {"client_assertion": {"weak_secret_allowed_for_legacy_issuer": True}},
            "client_assertion.weak_secret_allowed_for_legacy_issuer",
        ),
    ],
)
def test_what_is_lenient_in_asking_an_issuer_is_named(load: Load, asked: dict[str, Any], place: str) -> None:
    client = {"auth": "client_secret_jwt", "client_id": "me", "client_secret": "${env:S}"}
    usual = {"endpoint": "https://a.example", **client, "client_assertion": {}}
    assert not dangers(load({"issuers/main/introspection": usual}))
    (sentence,) = dangers(load({"issuers/main/introspection": {**usual, **asked}}))
    assert sentence.startswith(f"issuers.main.introspection.{place}: ")


def test_lenient_times_and_secrets_are_named(load: Load) -> None:
    flags = ("exp_optional_for_legacy_tokens", "exp_zero_counts_as_none_for_legacy_tokens")
    lenient = {f"issuers/main/{flag}": True for flag in flags}
    assert [each.split(":")[0] for each in dangers(load(lenient))] == [f"issuers.main.{flag}" for flag in flags]
    flags = ("short_secret_allowed_for_legacy_credential", "guessable_secret_allowed_for_legacy_credential")
    changes = {
        "issuers/main/algorithms": ["HS256"],
        "issuers/main/keys": {"secret": "${env:S}"},
        **{f"issuers/main/{flag}": True for flag in flags},
    }
    assert [each.split(":")[0] for each in dangers(load(changes))] == [f"issuers.main.{flag}" for flag in flags]
