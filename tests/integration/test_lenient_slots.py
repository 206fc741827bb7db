"""Credentials read as older clients send them, and claims that have to equal what a request says."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from jwtgate.jose.key import Key
from jwtgate.jose.token import sign_token

from .rig import Client, Document, Gateway, Upstream, gateway_and_upstream, request

SECRET = "asdf"
KEY = Key.secret(
    SECRET.encode(),
    alg="HS256",
    short_secret_allowed_for_legacy_credential=True,
    guessable_secret_allowed_for_legacy_credential=True,
)
SLOT = {
    "issuers": ["legacy"],
    "first_source_wins_for_legacy_clients": True,
    "empty_counts_as_absent_for_legacy_clients": True,
}


def route(path: str, source: object, **more: object) -> Document:
    """A route with one slot that reads its credential as older clients send it."""
    slot = {**SLOT, "from": source, **{name: more.pop(name) for name in ("claims_equal",) if name in more}}
    return {"path": path, "auth": "required", "slots": {"access": slot}, "upstream": "echo", **more}


def two(first: object, second: object) -> Document:
    slots = {"first": {**SLOT, "from": first}, "second": {**SLOT, "from": second}}
    return {"auth": "required", "slots": slots, "slots_may_share_a_place": True, "upstream": "echo"}


BY_SCHEME = {"scheme": "Bearer"}
BY_QUERY = {"value": {"cel": "'tok' in request.query ? request.query.tok : null"}}
CHANGES: Document = {
    "issuers": {
        "legacy": {
            "iss_not_looked_at_for_legacy_issuer": True,
            "audience": "any",
            "algorithms": ["HS256"],
            "keys": {"secret": SECRET},
            "leeway_seconds": 1,
            "short_secret_allowed_for_legacy_credential": True,
            "guessable_secret_allowed_for_legacy_credential": True,
            "exp_optional_for_legacy_tokens": True,
            "exp_zero_counts_as_none_for_legacy_tokens": True,
            "iat_not_looked_at_for_legacy_tokens": True,
            "permissions": {"claim": "scope"},
        }
    },
    "answers": {"*": {"headers": {"X-Reason": {"refusal": "reason"}}}},
    "routes": {
        "scheme": route("/scheme", BY_SCHEME, headers={"X-Permissions": {"permissions": True}}),
        "field": route("/field", {"header": "X-Token"}),
        "cookie": route("/cookie", {"cookie": "tok"}),
        "query": route("/query", BY_QUERY),
        "equal": route("/equal", BY_SCHEME, claims_equal={"constant": {"sub": "john.doe"}}),
        "team": route("/{team}/x", BY_SCHEME, claims_equal={"cel": "{'team': request.path_parameters.team}"}),
        "named": route("/named", BY_SCHEME, claims_equal={"constant": {"iss": "I", "aud": "A"}}),
        "odd": route("/odd", BY_SCHEME, claims_equal={"constant": {"iss": 1}}),
        "methods": route("/methods", BY_SCHEME, methods_permitted=["GET"], permission={"*": "foo"}),
        "two": {"path": "/two", **two(BY_SCHEME, {"cookie": "tok"})},
        "twice": {"path": "/twice", **two(BY_SCHEME, BY_SCHEME)},
    },
}


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Gateway, Upstream]]:
    with gateway_and_upstream(**CHANGES) as both:
        yield both


@pytest.fixture
def client(both: tuple[Gateway, Upstream]) -> Iterator[Client]:
    both[1].forget()
    with Client(both[0].port) as client:
        yield client


def a_token(**claims: Any) -> str:
    return sign_token({"sub": "john.doe", "scope": "foo bar", **claims}, KEY, alg="HS256")


def ask(client: Client, target: str, *fields: str, method: str = "GET") -> tuple[int, str]:
    answer = client.ask(request(target, *fields, method=method))
    return answer.status, "".join(answer.values("x-reason"))


def bearer(**claims: Any) -> str:
    return f"Authorization: Bearer {a_token(**claims)}"


@pytest.mark.parametrize("before", ["Bearer ", "bEaReR ", "Bearer    "])
def test_a_scheme_in_any_case_with_any_blanks_presents_the_token(client: Client, before: str) -> None:
    assert ask(client, "/scheme", f"Authorization: {before}{a_token()}") == (200, "")


@pytest.mark.parametrize("value", ["Basic abc", "Bearer", None])
def test_another_scheme_or_none_presents_nothing(client: Client, value: str | None) -> None:
    fields = () if value is None else (f"Authorization: {value}",)
    assert ask(client, "/scheme", *fields) == (401, "credential_missing")


def test_a_field_is_taken_as_it_stands(client: Client) -> None:
    assert ask(client, "/field", f"X-Token: {a_token()}") == (200, "")
    assert ask(client, "/field", f"X-Token: Bearer {a_token()}") == (401, "token_malformed")
    assert ask(client, "/field", "X-Token:") == (401, "credential_missing")


def test_the_first_cookie_of_a_name_counts(client: Client) -> None:
    assert ask(client, "/cookie", f"Cookie: a=b; tok={a_token()}; tok=x") == (200, "")
    assert ask(client, "/cookie", f"Cookie: TOK={a_token()}") == (401, "credential_missing")
    assert ask(client, "/cookie", "Cookie: tok=") == (401, "credential_missing")


def test_a_value_of_the_request_presents_the_token_each_time_anew(client: Client) -> None:
    for _ in range(2):
        assert ask(client, f"/query?tok={a_token()}") == (200, "")
        assert ask(client, "/query") == (401, "credential_missing")
        assert ask(client, "/query?tok=a.b.c") == (401, "token_malformed")


def test_sec_116_a_token_that_a_value_found_is_not_sent_on(both: tuple[Gateway, Upstream], client: Client) -> None:
    assert ask(client, f"/query?a=b&tok={a_token()}&c=d") == (200, "")
    assert both[1].one_request().start == b"GET /query?a=b&c=d HTTP/1.1"


def test_claims_have_to_equal_what_the_document_says(client: Client) -> None:
    assert ask(client, "/equal", bearer()) == (200, "")
    assert ask(client, "/equal", bearer(sub="jane")) == (401, "claim_wrong")
    assert ask(client, "/equal", f"Authorization: Bearer {sign_token({}, KEY, alg='HS256')}") == (
        401,
        "claim_missing",
    )


def test_or_what_each_request_says(client: Client) -> None:
    for _ in range(2):
        assert ask(client, "/a/x", bearer(team="a")) == (200, "")
        assert ask(client, "/b/x", bearer(team="a")) == (401, "claim_wrong")


def test_an_expected_audience_is_one_of_the_tokens(client: Client) -> None:
    assert ask(client, "/named", bearer(iss="I", aud=["Z", "A"])) == (200, "")
    assert ask(client, "/named", bearer(iss="I", aud="Z")) == (401, "audience_wrong")
    assert ask(client, "/named", bearer(aud="A")) == (401, "issuer_wrong")
    assert ask(client, "/odd", bearer(iss="I")) == (500, "expected_claims_malformed")


def test_a_token_without_an_end_and_one_that_ends_at_zero_are_good(client: Client) -> None:
    assert ask(client, "/scheme", bearer(exp=0)) == (200, "")
    assert ask(client, "/scheme", bearer(exp=int(time.time()) + 60, iat=2**33)) == (200, "")
    assert ask(client, "/scheme", bearer(exp=1)) == (401, "token_expired")


@pytest.mark.parametrize("scope", ["foo bar", ["foo", "bar"]])
def test_permissions_come_as_words_or_as_a_list(client: Client, both: tuple[Gateway, Upstream], scope: object) -> None:
    assert ask(client, "/scheme", bearer(scope=scope)) == (200, "")
    assert both[1].requests[-1].values("x-permissions") == ["foo,bar"]


def test_methods_are_judged_once_the_caller_is_known(client: Client) -> None:
    assert ask(client, "/methods", method="PUT") == (401, "credential_missing")
    for _ in range(2):
        assert ask(client, "/methods", bearer()) == (200, "")
        assert ask(client, "/methods", bearer(), method="PUT") == (405, "method_not_permitted")
        assert ask(client, "/methods", bearer(scope="x"), method="PUT") == (405, "method_not_permitted")
        assert ask(client, "/methods", bearer(scope="x")) == (403, "permission_missing")


def test_each_slot_needs_its_own_credential(client: Client) -> None:
    cookie = f"Cookie: tok={a_token()}"
    assert ask(client, "/two", bearer(), cookie) == (200, "")
    assert ask(client, "/two", bearer()) == (401, "credential_missing")
    assert ask(client, "/two", cookie) == (401, "credential_missing")
    assert ask(client, "/twice", bearer()) == (200, "")
