"""The section `issuers`: algorithms, audiences and keys that go together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jwtgate.config.sections.document import Document

Load = Callable[[dict[str, Any]], Document]
Find = Callable[[dict[str, Any]], list[str]]

SECRET = "Zm9vYmFyYmF6cXV4-quite-random-1234567890-abc"


def hmac(**keys: object) -> dict[str, Any]:
    return {"issuers/main/algorithms": ["HS256"], "issuers/main/keys": keys}


def test_sec_20_algorithms_must_be_named(mistakes: Find) -> None:
    assert mistakes({"issuers/main/algorithms": ...}) == [
        "issuers.main: needs algorithms, consumers or introspection: its tokens must be proven somehow"
    ]
    assert mistakes({"issuers/main/algorithms": []}) == ["issuers.main.algorithms: must not be empty"]


@pytest.mark.parametrize("alg", ["none", "None", "rs256", "ES521", "RS256 ", "A128KW", ""])
def test_sec_20_a_name_that_is_no_algorithm_is_refused(mistakes: Find, alg: str) -> None:
    (mistake,) = mistakes({"issuers/main/algorithms": ["RS256", alg]})
    assert mistake.startswith("issuers.main.algorithms[1]: must be one of HS256, ")


def test_algorithms_off_by_default_are_allowed_when_named(load: Load) -> None:
    document = load({"issuers/main/algorithms": ["EdDSA", "ES256K"]})
    assert document.issuers["main"].algorithms == ("EdDSA", "ES256K")


def test_sec_21_macs_and_signatures_never_mix(mistakes: Find) -> None:
    assert mistakes({"issuers/main/algorithms": ["RS256", "HS256"]}) == [
        "issuers.main: algorithms must not mix MACs (HS256, ...) with signatures"
    ]


def test_sec_21_a_secret_never_serves_a_signature(mistakes: Find) -> None:
    assert mistakes({"issuers/main/keys": {"secret": SECRET}}) == [
        "issuers.main: a secret serves a MAC only (HS256, HS384, HS512)"
    ]


@pytest.mark.parametrize("keys", [{"pem": "x"}, {"url": "https://a.example"}, {"discovery": "https://a.example"}])
def test_sec_21_public_keys_never_serve_a_mac(mistakes: Find, keys: dict[str, str]) -> None:
    (mistake,) = mistakes(hmac(**keys))
    assert mistake.startswith("issuers.main: a ")


def test_sec_21_a_mac_without_a_secret_is_refused(mistakes: Find) -> None:
    assert mistakes({"issuers/main/algorithms": ["HS256"]}) == [
        "issuers.main: a secret is never fetched; a MAC needs keys: {secret: ...}"
    ]


def test_sec_22_a_long_secret_is_taken(load: Load) -> None:
    keys = load(hmac(secret=SECRET)).issuers["main"].keys
    assert keys is not None
    assert keys.kind == "secret"


@pytest.mark.parametrize("secret", ["short", "your-256-bit-secret", "0123456789abcdef0123456789abcdef"])
def test_sec_22_a_short_or_well_known_secret_is_refused_and_never_quoted(mistakes: Find, secret: str) -> None:
    (mistake,) = mistakes(hmac(secret=secret))
    assert mistake == "issuers.main: the secret cannot be used: The key is too short or known to be weak."


def test_sec_22_the_long_name_allows_a_short_secret_and_no_well_known_one(load: Load, mistakes: Find) -> None:
    allowed = {"issuers/main/short_secret_allowed_for_legacy_credential": True}
    assert load({**hmac(secret="oddly short"), **allowed})
    assert len(mistakes({**hmac(secret="secret"), **allowed})) == 1
    (mistake,) = mistakes(allowed)
    assert mistake.startswith("issuers.main: short_secret_allowed_for_legacy_credential needs keys")


def test_sec_22_a_secret_in_base64url_is_measured_decoded(mistakes: Find) -> None:
    assert mistakes(hmac(secret="A" * 42 + "E", base64url=True)) == []
    assert len(mistakes(hmac(secret="q83v" * 10, base64url=True))) == 1
    assert mistakes(hmac(secret="not base64!", base64url=True)) == ["issuers.main: the secret is not base64url"]


def test_a_secret_serves_one_algorithm(mistakes: Find) -> None:
    changes = {"issuers/main/algorithms": ["HS256", "HS512"], "issuers/main/keys": {"secret": SECRET}}
    assert mistakes(changes) == ["issuers.main: a secret serves one algorithm; name one"]


def test_a_secret_that_is_referred_to_is_kept_as_a_reference(load: Load) -> None:
    keys = load(hmac(secret="${env:SECRET}")).issuers["main"].keys
    assert keys is not None
    assert keys.secret == "${env:SECRET}"


@pytest.mark.parametrize(
    "keys",
    [{}, {"url": "https://a.example", "file": "b"}, {"pem": "x", "secret": "y"}, {"base64url": True}],
)
def test_keys_are_in_exactly_one_place(mistakes: Find, keys: dict[str, object]) -> None:
    assert mistakes({"issuers/main/keys": keys}) == [
        "issuers.main.keys: needs exactly one of discovery, url, file, jwks, pem, secret"
    ]


@pytest.mark.parametrize("jwks", [{"keys": []}, {"kty": "RSA"}, [{"kty": "RSA"}]])
def test_keys_may_stand_in_the_document(load: Load, jwks: object) -> None:
    assert load({"issuers/main/keys": {"jwks": jwks}})


@pytest.mark.parametrize("jwks", [[], "x", 1, [1], None])
def test_anything_else_is_no_key_set(mistakes: Find, jwks: object) -> None:
    assert len(mistakes({"issuers/main/keys": {"jwks": jwks}})) == 1


def test_base64url_belongs_to_a_secret(mistakes: Find) -> None:
    assert mistakes({"issuers/main/keys": {"file": "x", "base64url": True}}) == [
        "issuers.main.keys: base64url stands beside secret only"
    ]


def test_discovery_needs_an_issuer_that_is_an_address(mistakes: Find) -> None:
    assert mistakes({"issuers/main/issuer": "somebody"}) == [
        "issuers.main: issuer is no address, so nothing can be discovered from it; add keys"
    ]
    assert mistakes({"issuers/main/issuer": "somebody", "issuers/main/keys": {"file": "x"}}) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"issuers/main/issuer": "http://issuer.example"},
        {"issuers/main/keys": {"url": "http://issuer.example/jwks"}},
        {"issuers/main/keys": {"discovery": "http://issuer.example/x"}},
    ],
)
def test_sec_60_plain_http_needs_its_long_name(mistakes: Find, changes: dict[str, Any]) -> None:
    (mistake,) = mistakes(changes)
    assert "keys are fetched by https" in mistake
    assert mistakes({**changes, "issuers/main/insecure_http": True}) == []


def test_sec_44_an_audience_must_be_said(mistakes: Find) -> None:
    assert mistakes({"issuers/main/audience": ...}) == ["issuers.main.audience: is missing"]
    assert mistakes({"issuers/main/audience": []}) == ["issuers.main.audience: must not be empty"]
    assert mistakes({"issuers/main/audience": None}) == ["issuers.main.audience: must name an audience, or say any"]
    assert mistakes({"issuers/main/audience": ["any", "b"]}) == ["issuers.main.audience: the word any stands alone"]


def test_sec_44_any_audience_is_said_in_words(load: Load) -> None:
    assert load({"issuers/main/audience": "any"}).issuers["main"].audience is None
    assert load({"issuers/main/audience": "one"}).issuers["main"].audience == ("one",)


@pytest.mark.parametrize("leeway", [-1, 301, 1.5, "30", True])
def test_sec_41_leeway_has_bounds(mistakes: Find, leeway: object) -> None:
    assert len(mistakes({"issuers/main/leeway_seconds": leeway})) == 1


def test_a_missing_type_is_optional_only_beside_a_type(mistakes: Find) -> None:
    assert mistakes({"issuers/main/type_optional": True}) == ["issuers.main: type_optional needs type"]
    assert mistakes({"issuers/main/type_optional": True, "issuers/main/type": "at+jwt"}) == []


def test_several_mistakes_of_one_issuer_are_said_together(mistakes: Find) -> None:
    (mistake,) = mistakes({"issuers/main/type_optional": True, "issuers/main/algorithms": ["RS256", "HS256"]})
    assert "mix" in mistake
    assert "type_optional" in mistake


CONSUMERS = {"consumers": {"claim": "key"}, "audience": "a"}
LEGACY = {"audience": "any", "algorithms": "RS256", "keys": {"url": "https://x/keys"}}
UNSIGNED = {"audience": "any", "signature_not_verified_for_legacy_issuer": True}
ASKED = {"endpoint": "https://a.example/introspect", "auth": "none"}


@pytest.mark.parametrize(
    "issuer",
    [
        CONSUMERS,
        {**CONSUMERS, "consumers": {"header": "kid"}, "issuer": "https://x"},
        {**CONSUMERS, "consumers": {"claim": "iss", "header": "iss"}},
        {"consumers": {"api_key": True}, "audience": "any"},
        {**LEGACY, "iss_not_looked_at_for_legacy_issuer": True},
        {"audience": "a", "issuer": "https://x", "signature_not_verified_for_legacy_issuer": True},
        {**UNSIGNED, "iss_not_looked_at_for_legacy_issuer": True},
        {**UNSIGNED, "iss_not_looked_at_for_legacy_issuer": True, "introspection": ASKED},
        {"audience": "a", "introspection": ASKED},
        {"audience": "a", "introspection": ASKED, "issuer": "somebody"},
        {"audience": "a", "issuer": "https://x", "introspection": {"discovered": True, "auth": "none"}},
        {"audience": "a", "issuer": "https://x", "algorithms": "RS256", "introspection": {**ASKED, "signed": True}},
        {"audience": "a", "issuer": "https://x", "algorithms": "RS256", "permissions": {"claim": "p"}},
        {"audience": "a", "issuer": "s", "algorithms": "RS256", "introspection": {"discovered": True, "auth": "none"},
         "keys": {"discovery": "https://x/y"}},
        {"audience": "a", "issuer": "s", "algorithms": "RS256",
         "keys": {"url": "https://a", "username": "u", "password": "p", "client_certificate": "c", "client_key": "k"}},
    ],
)  # fmt: skip
def test_tokens_are_proven_by_keys_by_consumers_or_by_asking(mistakes: Find, issuer: dict[str, Any]) -> None:
    assert mistakes({"issuers/third": issuer}) == []


@pytest.mark.parametrize(
    ("issuer", "sentence"),
    [
        ({"audience": "a"}, "needs algorithms, consumers or introspection"),
        ({"audience": "a", "algorithms": "RS256"}, "needs issuer, the exact iss of its tokens"),
        ({"audience": "a", "introspection": ASKED, "keys": {"file": "x"}}, "keys need algorithms"),
        ({**CONSUMERS, "algorithms": "RS256"}, "cannot stand beside consumers"),
        ({**CONSUMERS, "keys": {"file": "x"}}, "cannot stand beside consumers"),
        ({**CONSUMERS, "introspection": ASKED}, "tokens of consumers are not introspected"),
        ({**CONSUMERS, "consumers": {}}, "needs claim, header or api_key"),
        ({**CONSUMERS, "consumers": {"claim": "a", "api_key": True}}, "an API key has neither claim nor header"),
        ({**CONSUMERS, "consumers": {"api_key": False}}, "must be True"),
        ({**CONSUMERS, "consumers": {"api_key": True}}, "an API key is meant for no audience"),
        ({**CONSUMERS, "iss_not_looked_at_for_legacy_issuer": True}, "leave the flags out"),
        ({**CONSUMERS, "signature_not_verified_for_legacy_issuer": True}, "leave the flags out"),
        (LEGACY, "needs issuer, the exact iss of its tokens"),
        ({**LEGACY, "issuer": "https://x", "iss_not_looked_at_for_legacy_issuer": True}, "stands instead of issuer"),
        ({"audience": "a", "algorithms": "RS256", "iss_not_looked_at_for_legacy_issuer": True}, "needs keys"),
        ({**LEGACY, "keys": {"discovery": "https://x/y"}, "iss_not_looked_at_for_legacy_issuer": True}, "needs keys"),
        (UNSIGNED, "or iss_not_looked_at_for_legacy_issuer"),
        ({**UNSIGNED, "issuer": "https://x", "algorithms": "RS256"}, "has no use for keys and algorithms"),
        ({**UNSIGNED, "issuer": "https://x", "keys": {"file": "k"}}, "has no use for keys and algorithms"),
        ({"audience": "a", "introspection": {"discovered": True, "auth": "none"}}, "nothing can be discovered"),
        ({"audience": "a", "introspection": {**ASKED, "signed": True}}, "signed answers need algorithms"),
        ({"audience": "a", "introspection": {**ASKED, "endpoint": "http://a.example"}}, "tokens are sent by https"),
        ({"audience": "a", "issuer": "https://x", "algorithms": "RS256", "keys": {"file": "k", "username": "a"}},
         "stand beside url only"),
        ({"audience": "a", "issuer": "https://x", "algorithms": "RS256", "keys": {"url": "https://a", "password": "a"}},
         "username and password need each other"),
        ({"audience": "a", "issuer": "https://x", "algorithms": "RS256",
          "keys": {"url": "https://a", "client_key": "a"}}, "client_certificate and client_key need each other"),
    ],
)  # fmt: skip
def test_tokens_nobody_could_prove_are_refused(mistakes: Find, issuer: dict[str, Any], sentence: str) -> None:
    assert sentence in "".join(mistakes({"issuers/third": issuer}))


def test_plain_http_for_questions_needs_long_words(mistakes: Find) -> None:
    asked = {**ASKED, "endpoint": "http://a.example"}
    assert mistakes({"issuers/third": {"audience": "a", "introspection": asked, "insecure_http": True}}) == []


@pytest.mark.parametrize(
    ("flag", "other", "value"),
    [
        ("exp_not_looked_at_for_legacy_tokens", "exp_claim", "end"),
        ("exp_not_looked_at_for_legacy_tokens", "max_lifetime_seconds", 60),
        ("exp_not_looked_at_for_legacy_tokens", "max_remaining_seconds", 60),
        ("nbf_not_looked_at_for_legacy_tokens", "nbf_claim", "begin"),
        ("nbf_not_looked_at_for_legacy_tokens", "nbf_required", True),
        ("iat_not_looked_at_for_legacy_tokens", "max_age_seconds", 60),
        ("iat_not_looked_at_for_legacy_tokens", "max_lifetime_seconds", 60),
    ],
)
def test_what_is_not_looked_at_cannot_be_limited(mistakes: Find, flag: str, other: str, value: object) -> None:
    for name, alone in ((flag, True), (other, value)):
        assert mistakes({f"issuers/main/{name}": alone}) == []
    assert mistakes({f"issuers/main/{flag}": False, f"issuers/main/{other}": value}) == []
    assert mistakes({f"issuers/main/{flag}": True, f"issuers/main/{other}": value}) == [
        f"issuers.main: {flag} leaves nothing to do for {other}"
    ]


def test_sec_41_a_long_leeway_needs_long_words(mistakes: Find) -> None:
    sentence = "issuers.main: leeway_seconds beyond 300 needs long_leeway_allowed_for_legacy_tokens"
    asked = {**ASKED, "leeway_seconds": 301}
    for changes in ({"issuers/main/leeway_seconds": 301}, {"issuers/main/introspection": asked}):
        assert mistakes(changes) == [sentence]
        assert mistakes({**changes, "issuers/main/long_leeway_allowed_for_legacy_tokens": True}) == []
    longest = {"issuers/main/long_leeway_allowed_for_legacy_tokens": True}
    assert mistakes({**longest, "issuers/main/leeway_seconds": 366 * 86400}) == []
    (mistake,) = mistakes({**longest, "issuers/main/leeway_seconds": 366 * 86400 + 1})
    assert mistake.startswith("issuers.main.leeway_seconds")


def test_only_keys_that_are_fetched_can_be_fetched_again(mistakes: Find) -> None:
    flag = "keys_fetched_again_after_wrong_signature"
    assert mistakes({f"issuers/main/{flag}": True}) == []
    assert mistakes({f"issuers/main/{flag}": True, "issuers/main/keys": {"url": "https://x"}}) == []
    for issuer in ({**LEGACY, "issuer": "https://x", "keys": {"file": "k"}}, CONSUMERS):
        assert mistakes({"issuers/third": {**issuer, flag: True}}) == [
            f"issuers.third: {flag} needs keys that are fetched"
        ]


FETCHED = {"issuers/main/keys": {"url": "https://a.example/keys"}}


def test_what_is_meant_of_a_set_needs_a_set(load: Load, mistakes: Find) -> None:
    pem = {"issuers/main/keys": {"pem": "x"}}
    for flag in ("keys_by_kid_alone", "keys_must_say_use", "keys_without_alg_serve_every_algorithm"):
        for keys in (FETCHED, {"issuers/main/keys": {"file": "a.json"}}, {"issuers/main/keys": {"jwks": {"keys": []}}}):
            load({**keys, f"issuers/main/{flag}": True})
        assert mistakes({**pem, f"issuers/main/{flag}": True}) == [f"issuers.main: {flag} needs a key set"]
    flag = "keys_fetched_for_unknown_kid"
    load({**FETCHED, f"issuers/main/{flag}": False})
    assert mistakes({**pem, f"issuers/main/{flag}": False}) == [f"issuers.main: {flag} needs keys that are fetched"]


def test_keys_may_be_asked_for_with_fields_of_ours(load: Load, mistakes: Find) -> None:
    keys = {"url": "https://a.example/keys", "headers": {"X-Probe": "1"}}
    load({"issuers/main/keys": keys})
    assert mistakes({"issuers/main/keys": {"file": "a.json", "headers": {"X-Probe": "1"}}}) == [
        "issuers.main.keys: username, client_certificate, headers and any_media_type stand beside url only"
    ]


def test_useless_keys_are_left_out_of_sets_only(load: Load, mistakes: Find) -> None:
    load({"issuers/main/keys": {"file": "a.json", "unusable_skipped": True}})
    assert mistakes({"issuers/main/keys": {"pem": "x", "unusable_skipped": True}}) == [
        "issuers.main.keys: unusable_skipped stands beside url, file and jwks only"
    ]
    load({"issuers/main/keys": {"file": "a.json", "unusable_skipped": True, "certificates_first": True}})
    assert mistakes({"issuers/main/keys": {"file": "a.json", "certificates_first": True}}) == [
        "issuers.main.keys: certificates_first needs url or unusable_skipped"
    ]


def test_a_set_may_be_refreshed_each_second_and_dropped_at_once(load: Load, mistakes: Find) -> None:
    load({**FETCHED, "issuers/main/refresh_seconds": 1, "issuers/main/max_stale_seconds": 0})
    assert mistakes({**FETCHED, "issuers/main/refresh_seconds": 0.5})
    assert mistakes({**FETCHED, "issuers/main/max_stale_seconds": -1})


def test_an_exp_of_zero_counts_as_none_where_tokens_need_none(load: Load, mistakes: Find) -> None:
    flags = {"issuers/main/exp_zero_counts_as_none_for_legacy_tokens": True}
    load({**flags, "issuers/main/exp_optional_for_legacy_tokens": True})
    assert mistakes(flags) == [
        "issuers.main: exp_zero_counts_as_none_for_legacy_tokens needs exp_optional_for_legacy_tokens"
    ]


def test_sec_22_a_secret_everybody_tries_first_needs_the_long_name(load: Load, mistakes: Find) -> None:
    short = {**hmac(secret="secret"), "issuers/main/short_secret_allowed_for_legacy_credential": True}
    assert mistakes(short)
    load({**short, "issuers/main/guessable_secret_allowed_for_legacy_credential": True})
    assert mistakes({"issuers/main/guessable_secret_allowed_for_legacy_credential": True}) == [
        "issuers.main: guessable_secret_allowed_for_legacy_credential needs keys: {secret: ...}"
    ]
