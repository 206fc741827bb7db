"""The sections `routes` and `upstreams`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jwtgate.config.sections.document import Document

Load = Callable[[dict[str, Any]], Document]
Find = Callable[[dict[str, Any]], list[str]]


@pytest.mark.parametrize(
    "path", ["/", "/*", "/a", "/a/", "/a/{id}", "/a/{id}/b/*", "/a%20b", "/a;b", "/a//b", "/a%2Fb"]
)
def test_a_template_is_taken_as_it_stands(load: Load, path: str) -> None:
    assert load({"routes/orders/path": path}).routes["orders"].templates == (path,)


@pytest.mark.parametrize(
    "path",
    ["", "a", "*", "/a*", "/*/a", "/a/**", "/{a", "/a{b}", "/{}", "/{a b}", "/a/../b", "/./a", "/ü", "/a b", "/%61",
     "/%2f", "/a?b", "/a#b", "/%zz", "/%2e%2e", "/a" * 65, 1, None, "\\a"],
)  # fmt: skip
def test_sec_110_a_template_no_request_could_match_is_refused(mistakes: Find, path: object) -> None:
    assert len(mistakes({"routes/orders/path": path})) == 1


def test_a_route_has_path_or_paths(mistakes: Find, load: Load) -> None:
    assert mistakes({"routes/orders/path": ...}) == ["routes.orders: needs exactly one of path, paths"]
    assert len(mistakes({"routes/orders/paths": ["/b"]})) == 1
    assert load({"routes/orders/path": ..., "routes/orders/paths": ["/b", "/c"]}).routes["orders"].templates == (
        "/b",
        "/c",
    )


def test_sec_111_a_route_that_says_nothing_of_auth_is_refused(mistakes: Find) -> None:
    assert mistakes({"routes/health/auth": ...}) == ["routes.health.auth: is missing"]
    assert mistakes({"routes/health/auth": "non"}) == [
        "routes.health.auth: must be 'required', 'optional' or 'none' (not 'non')"
    ]


@pytest.mark.parametrize("auth", ["required", "optional"])
def test_a_credential_comes_from_named_issuers(mistakes: Find, auth: str) -> None:
    changes = {"routes/orders/auth": auth, "routes/orders/issuers": ...}
    assert mistakes(changes) == ["routes.orders: needs issuers: the tokens of slot access must come from somebody"]
    assert mistakes({"routes/orders/issuers": []}) == ["routes.orders.issuers: must not be empty"]


@pytest.mark.parametrize(
    "described",
    [{"issuers": ["main"]}, {"from": "bearer"}, {"scope": "a"}, {"slots": {"a": {"issuers": "main"}}},
     {"issue": {"audience": "x"}}, {"audience": "x"}, {"claims": []}],
)  # fmt: skip
def test_a_route_without_auth_says_nothing_of_credentials(mistakes: Find, described: dict[str, object]) -> None:
    (mistake,) = mistakes({f"routes/health/{key}": value for key, value in described.items()})
    assert mistake.startswith("routes.health: asks for no credential (auth: none)")


def test_sec_97_rules_for_a_socket_need_a_socket(mistakes: Find, load: Load) -> None:
    for rule in ({"routes/orders/close_on_expiry": True}, {"routes/orders/upgrade_origins": "https://a.example"}):
        (mistake,) = mistakes(rule)
        assert mistake.endswith("upgrade_origins and close_on_expiry need upgrade: websocket")
        assert load({**rule, "routes/orders/upgrade": "websocket"})


@pytest.mark.parametrize("origin", ["a.example", "https://A.example", "https://a.example/", "*", "null"])
def test_sec_97_an_origin_is_written_as_browsers_write_it(mistakes: Find, origin: str) -> None:
    assert mistakes({"routes/orders/upgrade": "websocket", "routes/orders/upgrade_origins": [origin]})


def test_slots_and_the_shorthand_exclude_each_other(mistakes: Find) -> None:
    assert mistakes({"routes/orders/slots": {"a": {"issuers": "main"}}}) == [
        "routes.orders: describes its credential on the route and in slots; one of them is enough"
    ]


def test_a_slot_may_be_optional_by_itself(load: Load) -> None:
    slots = {"a": {"issuers": "main"}, "b": {"issuers": "other", "auth": "optional", "from": {"header": "X-B"}}}
    route = load({"routes/orders/issuers": ..., "routes/orders/slots": slots}).routes["orders"]
    assert [route.is_required(credential) for credential in route.credentials.values()] == [True, False]


@pytest.mark.parametrize("methods", ["get", "CONNECT", "TRACE", "GET ", [], ["GET", ""]])
def test_sec_93_methods_are_upper_case_and_never_connect_or_trace(mistakes: Find, methods: object) -> None:
    assert len(mistakes({"routes/orders/methods": methods})) == 1


def test_hosts_are_lower_case_and_may_begin_with_a_star(load: Load, mistakes: Find) -> None:
    assert load({"routes/orders/hosts": ["A.example", "*.B.example"]}).routes["orders"].hosts == (
        "a.example",
        "*.b.example",
    )
    for host in ("a.example:80", "*", "a.*", "é.example", "", "https://a"):
        assert len(mistakes({"routes/orders/hosts": host})) == 1


@pytest.mark.parametrize(
    "target", ["http://a/b", "http://a?b", "http://a/?", "ftp://a", "a:80", "http://u@a", "https://", None]
)
def test_a_target_is_an_address_without_a_path(mistakes: Find, target: object) -> None:
    (mistake,) = mistakes({"upstreams/echo/targets": [target]})
    assert mistake.startswith("upstreams.echo.targets[0]: must ")


def test_an_upstream_has_targets(mistakes: Find) -> None:
    assert mistakes({"upstreams/echo": {}}) == ["upstreams.echo.targets: is missing"]
    assert mistakes({"upstreams/echo/targets": []}) == ["upstreams.echo.targets: must not be empty"]


@pytest.mark.parametrize("realm", ['a"b', "a\\b", "", "a\nb", "é"])
def test_a_realm_can_be_quoted(mistakes: Find, realm: str) -> None:
    assert len(mistakes({"routes/orders/realm": realm})) == 1


def test_a_route_says_where_it_goes(mistakes: Find) -> None:
    assert mistakes({"routes/orders/upstream": ...}) == ["routes.orders: needs exactly one of upstream, mint, respond"]


@pytest.mark.parametrize(
    "mint", [{"profiles": ["machine"]}, {"credentials": "own"}, {"credentials": "any", "claims": ["iss", "aud"]}]
)
def test_a_route_forwards_or_mints(mistakes: Find, mint: dict[str, Any]) -> None:
    changes = {
        "signing/profiles": {"machine": {"audience": "a"}},
        "routes/mint": {"path": "/mint", "auth": "required", "issuers": "main", "mint": mint},
    }
    assert mistakes(changes) == []
    changes["routes/mint"]["upstream"] = "echo"
    assert mistakes(changes) == ["routes.mint: needs exactly one of upstream, mint, respond"]


@pytest.mark.parametrize(
    ("mint", "sentence"),
    [
        ({}, "needs profiles, or credentials: own or any"),
        ({"credentials": True}, "routes.mint.mint.credentials"),
        ({"profiles": ["machine"], "claims": ["iss"]}, "iss and aud are the gateway's own in tokens of a profile"),
        ({"credentials": "own", "claims": ["exp"]}, "are set by the gateway alone"),
        ({"credentials": "own", "claims": "all"}, "routes.mint.mint.claims"),
        ({"credentials": "own", "most_ttl_seconds": 0}, "must be at least 1"),
    ],
)
def test_sec_147_what_is_minted_is_bounded(mistakes: Find, mint: dict[str, Any], sentence: str) -> None:
    found = mistakes({"routes/mint": {"path": "/mint", "auth": "required", "issuers": "main", "mint": mint}})
    assert sentence in "".join(found)


def test_sec_147_minting_for_anybody_needs_long_words(mistakes: Find) -> None:
    route: dict[str, Any] = {"path": "/mint", "auth": "none", "mint": {"credentials": "any"}}
    (mistake,) = mistakes({"routes/mint": route})
    assert mistake.endswith("needs unauthenticated_minting_allowed in mint")
    for auth in ({"auth": "optional"}, {"auth": "required", "anonymous_consumer": "a"}):
        changes = {"routes/mint": {**route, **auth, "issuers": "main"}, "consumers": {"a": {}}}
        assert mistakes(changes) == [mistake]
    optional = {"a": {"issuers": "main", "auth": "optional"}}
    assert mistakes({"routes/mint": {**route, "auth": "required", "slots": optional}}) == [mistake]
    slots = {**optional, "b": {"issuers": "main", "from": {"header": "X-B"}}}
    assert mistakes({"routes/mint": {**route, "auth": "required", "slots": slots}}) == []
    route["mint"]["unauthenticated_minting_allowed"] = True
    assert mistakes({"routes/mint": route}) == []


def test_nobody_in_particular_has_no_credentials(mistakes: Find) -> None:
    mint = {"credentials": "own", "unauthenticated_minting_allowed": True}
    (mistake,) = mistakes({"routes/mint": {"path": "/mint", "auth": "none", "mint": mint}})
    assert mistake.endswith("so no caller has credentials of its own to mint with")


def test_a_route_that_mints_forwards_nothing(mistakes: Find) -> None:
    route = {"path": "/mint", "auth": "required", "mint": {"credentials": "own"}}
    slots = {"a": {"issuers": "main", "original_header": "X-A"}}
    (mistake,) = mistakes({"routes/mint": {**route, "slots": slots, "headers": {"X-B": "c"}, "forward_token": True}})
    assert mistake == (
        "routes.mint: answers by itself (mint), so headers, forward_token, slots.a.original_header can do nothing"
    )


def test_sec_76_a_route_that_asks_for_no_credential_is_not_sensitive(mistakes: Find) -> None:
    (mistake,) = mistakes({"routes/health/sensitive": True})
    assert mistake == "routes.health: asks for no credential (auth: none), so sensitive can do nothing"


def test_a_route_without_callers_grants_nothing(mistakes: Find) -> None:
    sentence = "asks for no credential (auth: none), so it has no callers to be granted something or to be anonymous"
    for keys in ({"permission": "a"}, {"anonymous_consumer": "a"}):
        found = mistakes({"consumers": {"a": {}}, **{f"routes/health/{key}": value for key, value in keys.items()}})
        assert found == [f"routes.health: {sentence}"]
    assert mistakes({"routes/health/require": "request.method == 'GET'"}) == []


def test_an_anonymous_consumer_is_named_before_it_is_used_for_more(mistakes: Find) -> None:
    assert mistakes({"routes/orders/anonymous_consumer_also_for_refused_tokens": True}) == [
        "routes.orders: anonymous_consumer_also_for_refused_tokens needs anonymous_consumer"
    ]


def test_sec_50_a_condition_is_compiled_while_loading(mistakes: Find, load: Load) -> None:
    assert load({"routes/orders/require": "now > 0"}).routes["orders"].require == ("now > 0",)
    names = "request, token, consumer, permissions, calls, now"
    assert mistakes({"routes/orders/require": ["now > 0", "nobody"]}) == [
        f"routes.orders.require[1]: names nobody; there are {names} (not 'nobody')"
    ]
    assert mistakes({"routes/orders/require": ["now >"]}) == [
        "routes.orders.require[0]: is not an expression (CEL) (not 'now >')"
    ]


def minting_by(**mint: object) -> dict[str, Any]:
    return {"routes/mint": {"path": "/mint", "auth": "required", "issuers": "main", "mint": mint}}


def test_a_token_may_be_asked_for_by_query(mistakes: Find) -> None:
    by_query = {"credential": "key", "claims": "payload"}
    legacy = {"bare_token_for_legacy_reader": True, "x5c_holds_public_key_pem_for_legacy_reader": True}
    assert mistakes(minting_by(credentials="any", claims="any", by_query=by_query, **legacy)) == []
    assert mistakes(minting_by(credentials="own", by_query={"credential": "key"})) == []


@pytest.mark.parametrize(
    ("mint", "sentence"),
    [
        ({"credentials": "any", "by_query": {}}, "by_query.credential: is missing"),
        ({"credentials": "any", "by_query": {"credential": "a b"}}, "by_query.credential"),
        ({"credentials": "any", "by_query": {"credential": "k", "claims": "k"}}, "need different parameters"),
        ({"profiles": ["a"], "by_query": {"credential": "k"}}, "needs credentials and has no profiles"),
        ({"profiles": ["a"], "bare_token_for_legacy_reader": True}, "none are offered"),
        (
            {"credentials": "any", "x5c_holds_public_key_pem_for_legacy_reader": True},
            "needs bare_token_for_legacy_reader",
        ),
    ],
)
def test_what_a_query_cannot_ask_for_is_refused(mistakes: Find, mint: dict[str, Any], sentence: str) -> None:
    found = mistakes(minting_by(**mint))
    assert any(sentence in mistake for mistake in found)
