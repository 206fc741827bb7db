"""Mistakes no section alone can see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jwtgate.config.checks import did_you_mean

Find = Callable[[dict[str, Any]], list[str]]

ORDERS = {"path": "/orders/*", "auth": "required", "issuers": ["main"], "upstream": "echo"}


def test_the_good_document_has_none(mistakes: Find) -> None:
    assert mistakes({}) == []


def test_sec_159_our_own_name_is_never_an_issuer(mistakes: Find) -> None:
    sentence = "issuers.main.issuer: is our own name; tokens we issued are never accepted here"
    assert mistakes({"signing/issuer": "https://issuer.example"}) == [sentence]
    assert mistakes({"routes/orders/issue/issuer": "https://issuer.example"}) == [sentence]


def test_a_signing_key_is_found_or_named(mistakes: Find) -> None:
    two = {"signing/keys": {"first": {}, "second": {}}}
    assert mistakes(two) == ["routes.orders.issue.key: there is no signing key of this name; name one of first, second"]
    assert mistakes({**two, "routes/orders/issue/key": "frist"}) == [
        "routes.orders.issue.key: there is no signing key of this name; did you mean first?"
    ]
    assert mistakes({**two, "routes/orders/issue/key": "second"}) == []
    assert mistakes({"signing/keys": {"only": {}}}) == []
    assert mistakes({"signing/keys": {"a": {}, "default": {}}}) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {}),
        ({}, {"path": "/orders/*"}),
        ({"methods": ["GET", "PUT"]}, {"methods": ["PUT"]}),
        ({"hosts": "A.example"}, {"hosts": ["b.example", "a.example"]}),
        ({"path": "/orders/{a}"}, {"path": "/orders/{b}"}),
        ({"path": "/x"}, {"path": ..., "paths": ["/y", "/x"]}),
    ],
)
def test_two_routes_never_take_the_same_requests(mistakes: Find, first: dict[str, Any], second: dict[str, Any]) -> None:
    routes = {f"routes/orders/{key}": value for key, value in first.items()}
    other = {key: value for key, value in {**ORDERS, **second}.items() if value is not ...}
    (mistake,) = mistakes({**routes, "routes/copy": other})
    assert mistake.startswith("routes.copy.path")
    assert "route orders already takes the same requests (/" in mistake


def test_routes_that_differ_in_method_host_or_path_stand_side_by_side(mistakes: Find) -> None:
    changes = {
        "routes/one": {**ORDERS, "methods": "GET"},
        "routes/two": {**ORDERS, "hosts": "a.example"},
        "routes/three": {**ORDERS, "path": "/orders/{id}"},
        "routes/four": {**ORDERS, "path": ..., "paths": ["/x", "/x"]},
    }
    del changes["routes/four"]["path"]
    assert mistakes(changes) == []


def test_an_address_is_listened_on_once(mistakes: Find) -> None:
    sentence = "the address is listened on twice"
    assert mistakes({"listen": ["127.0.0.1:80", "127.0.0.1:80"]}) == [f"listen[1]: {sentence}"]
    assert mistakes({"status_listen": "127.0.0.1:8080"}) == [f"status_listen: {sentence}"]
    assert mistakes({"listen": ["127.0.0.1:0", "127.0.0.1:0"]}) == []


def test_a_suggestion_is_made_only_where_it_costs_little() -> None:
    assert did_you_mean("ab", ["abc"]) == "; did you mean abc?"
    assert did_you_mean("ab", ["xyz"]) == ""
    assert did_you_mean("a" * 200, ["a" * 199]) == ""
    assert did_you_mean("ab", [f"ab{i}" for i in range(2001)]) == ""


def test_what_a_credential_is_named_belongs_to_one_consumer_and_its_own_name_need_not(mistakes: Find) -> None:
    def of(**members: object) -> dict[str, object]:
        return {"credentials": {"k": {"alg": "HS256", "secret": "${env:S}", **members}}}

    api = {"credentials": {"k": {"api_key": "a key of its own"}}}
    assert mistakes({"consumers": {"a": of(named="1"), "b": of(named="2"), "c": of(), "d": api}}) == []
    assert mistakes({"consumers": {"a": of(named="${vault:a#b}"), "b": of(named="${vault:a#b}")}}) == []
    taken = ["consumers.b.credentials.k: consumer a already has it"]
    assert mistakes({"consumers": {"a": of(named="1"), "b": of(named="1")}}) == taken
    assert mistakes({"consumers": {"a": of(), "b": of(named="k")}}) == taken
    assert mistakes({"consumers": {"a": api, "b": api}}) == taken


def test_what_a_consumer_is_found_by_belongs_to_one(mistakes: Find) -> None:
    secret = {"alg": "HS256", "secret": "${env:S}"}
    first = {"id": "1", "external_id": "e", "credentials": {"k": secret}}
    assert mistakes({"consumers": {"a": first, "b": first}}) == [
        "consumers.b.credentials.k: consumer a already has it",
        "consumers.b.id: consumer a already has it",
        "consumers.b.external_id: consumer a already has it",
    ]
    other = {"id": "e", "external_id": "1", "credentials": {"k2": secret}}
    assert mistakes({"consumers": {"a": first, "b": other, "c": {}, "d": {}}}) == []


def test_a_profile_is_signed_with_a_key_that_is_there(mistakes: Find) -> None:
    assert mistakes({"signing/profiles": {"p": {"audience": "a", "key": "defalt"}}}) == [
        "signing.profiles.p.key: there is no signing key of this name; did you mean default?"
    ]
    assert mistakes({"signing/profiles": {"p": {"audience": "a"}}}) == []


def test_sec_159_the_name_of_a_profile_is_ours_too(mistakes: Find) -> None:
    assert mistakes({"signing/profiles": {"p": {"audience": "a", "issuer": "https://issuer.example"}}}) == [
        "issuers.main.issuer: is our own name; tokens we issued are never accepted here"
    ]


@pytest.mark.parametrize("shown", ["x5c", "x5t", "x5t_s256"])
def test_a_certificate_is_shown_only_where_there_is_one(mistakes: Find, shown: str) -> None:
    assert mistakes({f"routes/orders/issue/{shown}": True}) == [
        "routes.orders.issue: shows the certificate of its key, but the signing key default has none"
    ]
    for keys in ({"file": "k.pem", "certificate_file": "c.pem"}, {"url": "https://a.example/keys"}):
        assert mistakes({f"routes/orders/issue/{shown}": True, "signing/keys": {"a": keys}}) == []


def test_the_admin_api_listens_where_nothing_else_does(mistakes: Find) -> None:
    admin = {"listen": "127.0.0.1:8080", "operators": {"a": {"token_sha256": "0" * 64}}}
    assert mistakes({"admin": admin}) == ["admin.listen: the address is listened on twice"]
