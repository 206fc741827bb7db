"""Each dangerous setting is named, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jwtgate.config.dangers import dangers
from jwtgate.config.sections.document import Document

Load = Callable[[dict[str, Any]], Document]
SECRET = "Zm9vYmFyYmF6cXV4-quite-random-1234567890-abc"


def test_the_good_document_has_none(load: Load) -> None:
    assert dangers(load({})) == ()


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"issuers/main/audience": "any"}, "issuers.main.audience"),
        ({"issuers/main/exp_optional_for_legacy_tokens": True}, "issuers.main.exp_optional_for_legacy_tokens"),
        ({"issuers/main/insecure_http": True}, "issuers.main.insecure_http"),
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
        ({"paths": {"encoded_slashes": "keep"}}, "paths.encoded_slashes"),
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
    ],
)
def test_an_answer_that_misleads_nobody_is_no_danger(load: Load, answers: dict[str, Any]) -> None:
    assert dangers(load({"routes/orders/answers": answers})) == ()


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
