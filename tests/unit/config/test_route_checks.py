"""Mistakes of a route that its own section cannot see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Find = Callable[[dict[str, Any]], list[str]]

ORDERS = {"path": "/orders/*", "auth": "required", "issuers": ["main"], "upstream": "echo"}


def test_unknown_names_are_refused_with_a_suggestion(mistakes: Find) -> None:
    assert mistakes({"routes/orders/upstream": "ecco", "routes/orders/issuers": ["mian", "zzz"]}) == [
        "routes.orders.upstream: there is no upstream of this name; did you mean echo?",
        "routes.orders.issuers[0]: there is no issuer of this name; did you mean main?",
        "routes.orders.issuers[1]: there is no issuer of this name",
    ]


def test_sec_43_two_issuers_of_one_slot_never_share_their_iss(mistakes: Find) -> None:
    same = {"issuers/other/issuer": "https://issuer.example"}
    assert mistakes({**same, "routes/orders/issuers": ["main", "other"]}) == [
        "routes.orders.issuers[1]: has the same iss as main, so a token could belong to either"
    ]
    assert mistakes(same) == []


def test_tokens_are_issued_only_with_the_section_signing(mistakes: Find) -> None:
    assert mistakes({"signing": ...}) == ["routes.orders.issue: needs the section signing, which says who we are"]


def test_two_slots_never_look_in_the_same_place(mistakes: Find) -> None:
    slots = {"a": {"issuers": "main"}, "b": {"issuers": "other", "from": [{"cookie": "t"}, "bearer"]}}
    assert mistakes({"routes/orders/issuers": ..., "routes/orders/slots": slots}) == [
        "routes.orders.slots.b.from: another slot of this route already looks there"
    ]


def test_two_slots_may_share_a_field_when_no_prefix_is_the_same(mistakes: Find) -> None:
    def slots(first: object, second: object) -> dict[str, Any]:
        places = ({"header": "X-T", "prefix": first}, {"header": "x-t", "prefix": second})
        named = {name: {"issuers": "main", "from": place} for name, place in zip("ab", places, strict=True)}
        return {"routes/orders/issuers": ..., "routes/orders/slots": named}

    assert mistakes(slots("A ", ["B ", "C "])) == []
    assert mistakes(slots(["A ", "B "], ["B ", "A "])) == [
        "routes.orders.slots.b.from: another slot of this route already looks there"
    ]


def test_values_of_answers_and_of_the_log_name_what_is_there(mistakes: Find) -> None:
    answers = {"refusal": {"body": {"path_parameter": "id"}, "headers": {"X-A": {"claim": "sub", "slot": "acess"}}}}
    log = {"order": {"path_parameter": "id"}, "who": {"claim": "sub"}}
    here = "routes.orders"
    assert mistakes({"routes/orders/answers": answers, "routes/orders/log": log}) == [
        f"{here}.log.order.path_parameter: not every path of the route has {{id}}",
        f"{here}.answers.refusal.headers.X-A.slot: there is no slot of this name; did you mean access?",
        f"{here}.answers.refusal.body.path_parameter: not every path of the route has {{id}}",
    ]
    assert mistakes({"routes/health/log": {"who": {"claim": "sub"}}}) == [
        "routes.health.log.who: asks for a claim, but the route asks for no credential"
    ]


def test_sec_144_nor_does_it_in_what_an_answer_logs(mistakes: Find) -> None:
    answers = {"*": {"log": {"a": {"header": "authorization"}}, "headers": {"X-A": {"header": "authorization"}}}}
    assert mistakes({"routes/orders/answers": answers}) == [
        "routes.orders.answers.*.log.a: holds a credential, which stands in no log"
    ]


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"rewrite": {"path": {"path_parameter": "id"}}}, "rewrite.path"),
        ({"rewrite": {"query": {"path_parameter": "id"}}}, "rewrite.query"),
        ({"upstream": ..., "respond": {"status": {"path_parameter": "id"}}}, "respond.status"),
        ({"upstream": ..., "respond": {"json": {"path_parameter": "id"}}}, "respond.json"),
        ({"answers": {"*": {"status": {"path_parameter": "id"}}}}, "answers.*.status"),
        ({"answers": {"*": {"log": {"a": {"path_parameter": "id"}}}}}, "answers.*.log.a"),
    ],
)
def test_values_wherever_they_stand_name_what_is_there(mistakes: Find, changes: dict[str, Any], place: str) -> None:
    here = {f"routes/health/{name}": value for name, value in changes.items()}
    assert mistakes(here) == [f"routes.health.{place}.path_parameter: not every path of the route has {{id}}"]


def test_sec_144_a_credential_stands_in_no_log(mistakes: Find) -> None:
    elsewhere = {"routes/orders/from": {"header": "X-Token"}}
    for name in ("Authorization", "cookie", "x-token"):
        assert mistakes({**elsewhere, "routes/orders/log": {"a": {"header": name}}}) == [
            "routes.orders.log.a: holds a credential, which stands in no log"
        ]
    assert mistakes({**elsewhere, "routes/orders/log": {"a": {"header": "User-Agent"}}}) == []


def test_sec_144_nor_does_one_that_a_value_finds(mistakes: Find) -> None:
    for place, log in (
        ({"header": "X-T"}, {"header": "x-t"}),
        ({"header": "X-T"}, {"cel": "request.headers['x-t']"}),
        ({"cel": "request.query.t"}, {"request": "url"}),
        ({"cel": "request.query.t"}, {"cel": "request.query.t"}),
    ):
        assert mistakes({"routes/orders/from": {"value": place}, "routes/orders/log": {"a": log}}) == [
            "routes.orders.log.a: holds a credential, which stands in no log"
        ], place


def test_sec_144_an_expression_brings_no_credential_into_a_log_either(mistakes: Find) -> None:
    places = {"routes/orders/from": [{"header": "X-Token"}, {"query": "token"}]}
    good = ("request.headers['user-agent']", "request.query.page", "request.path", "token.access.sub", "now")
    bad = ("request.headers['x-token']", "request.query.token", "has(request.query.token)", "request.headers",
           "request.query", "size(request)", "request.query[token.access.sub]")  # fmt: skip
    for text in good:
        assert mistakes({**places, "routes/orders/log": {"a": {"cel": text}}}) == [], text
    for text in bad:
        assert mistakes({**places, "routes/orders/log": {"a": {"cel": text}}}) == [
            "routes.orders.log.a: holds a credential, which stands in no log"
        ], text
    assert mistakes({"routes/orders/log": {"a": {"cel": "request.query"}}}) == []


def test_a_slot_that_is_not_there_cannot_be_named(mistakes: Find) -> None:
    assert mistakes({"routes/orders/issue/slot": "acces"}) == [
        "routes.orders.issue.slot: there is no slot of this name; did you mean access?"
    ]
    assert mistakes({"routes/orders/issue/add": {"x": {"claim": "a", "slot": "b"}}}) == [
        "routes.orders.issue.add.x.slot: there is no slot of this name"
    ]
    assert mistakes({"routes/orders/headers/X-B": {"claim": "a", "slot": "b"}}) == [
        "routes.orders.headers.X-B.slot: there is no slot of this name"
    ]


def test_two_entries_of_a_route_never_set_the_same_field(mistakes: Find) -> None:
    sentence = "another entry of this route sets the same field"
    assert mistakes({"routes/orders/headers/x.caller": "me"}) == [f"routes.orders.headers.x.caller: {sentence}"]
    assert mistakes({"routes/orders/headers/x_jwt_assertion": "me"}) == [
        f"routes.orders.headers.x_jwt_assertion: {sentence}"
    ]
    issue = [{"audience": "a"}, {"audience": "b"}]
    assert mistakes({"routes/orders/issue": issue}) == [f"routes.orders.issue[1].header: {sentence}"]


def test_a_route_without_credentials_has_no_claims_to_pass_on(mistakes: Find) -> None:
    assert mistakes({"routes/health/headers": {"X-A": {"claim": "sub"}, "X-B": "constant"}}) == [
        "routes.health.headers.X-A: asks for a claim, but the route asks for no credential"
    ]


def test_sec_112_a_field_we_set_is_never_forwarded_from_a_client(mistakes: Find) -> None:
    changes = {
        "routes/orders/issue": {"audience": "x", "header": "Authorization", "scheme": "Bearer"},
        "routes/raw": {**ORDERS, "path": "/raw", "forward_token": True},
    }
    (mistake,) = mistakes(changes)
    assert mistake.startswith("routes.raw.forward_token: cannot be: the gateway sets the field authorization on route")
    changes["routes/raw"]["from"] = {"cookie": "t"}
    assert mistakes(changes) == []


def test_an_issuer_of_each_kind_stands_once_in_a_slot(mistakes: Find) -> None:
    consumers = {"consumers": {"claim": "key"}, "audience": "a"}
    asked = {"audience": "a", "introspection": {"endpoint": "https://a.example", "auth": "none"}}
    changes = {"issuers/c1": consumers, "issuers/c2": consumers, "issuers/i1": asked, "issuers/i2": asked}
    assert mistakes({**changes, "routes/orders/issuers": ["main", "c1", "i1"]}) == []
    assert mistakes({**changes, "routes/orders/issuers": ["c1", "c2", "i1", "i2"]}) == [
        "routes.orders.issuers[1]: has tokens of any iss as c1 has, so a token could belong to either",
        "routes.orders.issuers[3]: has introspection as i1 has, so a token could belong to either",
    ]
    changes["issuers/c1"] = {**consumers, "issuer": "https://issuer.example"}
    assert mistakes({**changes, "routes/orders/issuers": ["main", "c1"]}) == [
        "routes.orders.issuers[1]: has the same iss as main, so a token could belong to either"
    ]


def test_introspection_is_asked_for_where_somebody_answers(mistakes: Find) -> None:
    assert mistakes({"routes/orders/introspect": "always"}) == [
        "routes.orders.introspect: none of the issuers has introspection"
    ]
    slots = {"a": {"issuers": ["main"], "introspect": "opaque"}}
    assert mistakes({"routes/orders/issuers": ..., "routes/orders/slots": slots}) == [
        "routes.orders.slots.a.introspect: none of the issuers has introspection"
    ]


def test_an_anonymous_consumer_is_somebody(mistakes: Find) -> None:
    asked = {"routes/orders/anonymous_consumer": "nobdy", "consumers": {"nobody": {}}}
    assert mistakes(asked) == [
        "routes.orders.anonymous_consumer: there is no consumer of this name; did you mean nobody?"
    ]
    assert mistakes({**asked, "consumer_files": ["more.jsonl"]}) == []
    assert mistakes({**asked, "admin": {"operators": {"a": {"token_sha256": "0" * 64}}}}) == []
    assert mistakes({**asked, "routes/orders/anonymous_consumer": "nobody"}) == []


def test_a_path_parameter_stands_in_every_path(mistakes: Find) -> None:
    changes = {
        "routes/orders/path": ...,
        "routes/orders/paths": ["/a/{id}", "/b/{id}/c"],
        "routes/orders/headers/X-Id": {"path_parameter": "id"},
        "routes/orders/permission": {"GET": {"path_parameter": "id"}},
    }
    assert mistakes(changes) == []
    assert mistakes({**changes, "routes/orders/paths": ["/a/{id}", "/b/{idx}"]}) == [
        "routes.orders.headers.X-Id.path_parameter: not every path of the route has {id}",
        "routes.orders.permission.GET.path_parameter: not every path of the route has {id}",
    ]


def test_a_permission_names_a_slot_that_is_there(mistakes: Find) -> None:
    assert mistakes({"routes/orders/permission": {"claim": "a", "slot": "b"}}) == [
        "routes.orders.permission.slot: there is no slot of this name"
    ]


def test_a_route_mints_what_a_profile_describes(mistakes: Find) -> None:
    route = {"path": "/m", "auth": "required", "issuers": "main", "mint": {"profiles": ["machin"]}}
    assert mistakes({"routes/mint": route, "signing/profiles": {"machine": {"audience": "a"}}}) == [
        "routes.mint.mint.profiles[0]: there is no signing profile of this name; did you mean machine?"
    ]


def test_the_original_stands_in_a_field_of_its_own(mistakes: Find) -> None:
    sentence = "another entry of this route sets the same field"
    assert mistakes({"routes/orders/original_header": "X_Caller"}) == [f"routes.orders.original_header: {sentence}"]
    slots = {
        "a": {"issuers": "main", "original_header": "X-Original"},
        "b": {"issuers": "main", "from": {"cookie": "b"}, "original_header": "x-original"},
    }
    assert mistakes({"routes/orders/issuers": ..., "routes/orders/slots": slots}) == [
        f"routes.orders.slots.b.original_header: {sentence}"
    ]


def test_sec_112_the_original_is_a_field_we_set(mistakes: Find) -> None:
    raw = {**ORDERS, "path": "/raw", "forward_token": True, "from": {"header": "X-Original"}}
    (mistake,) = mistakes({"routes/orders/original_header": "X-Original", "routes/raw": raw})
    assert mistake.startswith("routes.raw.forward_token: cannot be: the gateway sets the field x-original on route")


def test_a_route_without_credentials_knows_nothing_of_its_caller(mistakes: Find) -> None:
    for value in ({"consumer": "name"}, {"permissions": True}, {"claims": True}):
        (mistake,) = mistakes({"routes/health/headers": {"X-A": value}})
        assert mistake.endswith("but the route asks for no credential")
    assert mistakes({"routes/health/headers": {"X-A": {"header": "X-B"}}}) == []


def test_what_a_limit_is_counted_by_is_there(mistakes: Find) -> None:
    def by(value: object, route: str = "orders") -> dict[str, Any]:
        return {f"routes/{route}/rate_limit": {"requests": 1, "window_seconds": 1, "by": value}}

    assert mistakes(by({"claim": "tenant"})) == []
    here = "rate_limit.by"
    assert mistakes(by({"path_parameter": "id"})) == [
        f"routes.orders.{here}.path_parameter: not every path of the route has {{id}}"
    ]
    assert mistakes(by({"claim": "tenant"}, "health")) == [
        f"routes.health.{here}: asks for a claim, but the route asks for no credential"
    ]


def test_whoever_takes_tokens_of_any_issuer_stands_alone_in_that(mistakes: Find) -> None:
    keys = {"audience": "a", "algorithms": "RS256", "keys": {"url": "https://x"}}
    changes = {
        "issuers/any": {**keys, "iss_not_looked_at_for_legacy_issuer": True},
        "issuers/unsigned": {
            "audience": "a",
            "signature_not_verified_for_legacy_issuer": True,
            "iss_not_looked_at_for_legacy_issuer": True,
        },
        "issuers/callers": {"consumers": {"claim": "key"}, "audience": "a"},
    }
    for name in ("any", "unsigned", "callers"):
        assert mistakes({**changes, "routes/orders/issuers": ["main", name]}) == []
    assert mistakes({**changes, "routes/orders/issuers": ["any", "unsigned", "callers"]}) == [
        "routes.orders.issuers[1]: has tokens of any iss as any has, so a token could belong to either",
        "routes.orders.issuers[2]: has tokens of any iss as any has, so a token could belong to either",
    ]


def test_api_keys_stand_beside_issuers_whose_tokens_are_told_by_their_iss(mistakes: Find) -> None:
    changes = {
        "issuers/keys": {"consumers": {"api_key": True}, "audience": "any"},
        "issuers/callers": {"consumers": {"claim": "iss"}, "audience": "any"},
    }
    assert mistakes({**changes, "routes/orders/issuers": ["keys"]}) == []
    assert mistakes({**changes, "routes/orders/issuers": ["main", "keys"]}) == []
    assert mistakes({**changes, "routes/orders/issuers": ["keys", "callers"]}) == [
        "routes.orders.issuers[0]: takes API keys, which nobody can tell from tokens but by their iss; the others need "
        "issuer",
        "routes.orders.issuers[1]: has tokens of any iss as keys has, so a token could belong to either",
    ]


@pytest.mark.parametrize("how", ["opaque", "always", "additionally"])
def test_nobody_is_asked_about_what_stands_beside_api_keys(mistakes: Find, how: str) -> None:
    changes = {
        "issuers/keys": {"consumers": {"api_key": True}, "audience": "any"},
        "issuers/main/introspection": {"endpoint": "https://a.example", "auth": "none"},
        "routes/orders/introspect": how,
    }
    assert mistakes({**changes, "routes/orders/issuers": ["main"]}) == []
    assert mistakes({**changes, "routes/orders/issuers": ["main", "keys"]}) == [
        "routes.orders.issuers[1]: takes API keys, and nobody else is to be asked about those; main has introspection"
    ]


def test_sec_147_a_token_nobody_verified_mints_none_unless_anybody_may(mistakes: Find) -> None:
    unsigned = {"audience": "any", "issuer": "https://x", "signature_not_verified_for_legacy_issuer": True}
    minting = {"path": "/sign", "auth": "required", "issuers": ["main", "unsigned"]}
    for allowed in (False, True):
        mint = {"profiles": ["p"], "unauthenticated_minting_allowed": allowed}
        changes = {
            "issuers/unsigned": unsigned,
            "signing/profiles": {"p": {"audience": "x"}},
            "routes/sign": {**minting, "mint": mint},
        }
        sentence = "takes tokens anybody can make, so it needs unauthenticated_minting_allowed in mint"
        assert mistakes(changes) == ([] if allowed else [f"routes.sign.issuers[1]: {sentence}"])
        changes["routes/sign"] = {**minting, "issuers": ["main"], "mint": mint}
        assert mistakes(changes) == []


def test_slots_of_which_one_is_enough_may_look_in_the_same_place(mistakes: Find) -> None:
    slots = {"a": {"issuers": "main"}, "b": {"issuers": "other"}}
    changes = {"routes/orders/issuers": ..., "routes/orders/slots": slots}
    assert mistakes({**changes, "routes/orders/enough": "one_slot"}) == []
    assert mistakes(changes) == ["routes.orders.slots.b.from: another slot of this route already looks there"]


def test_two_slots_cannot_take_the_same_proof_once(mistakes: Find) -> None:
    route = {"path": "/two", "auth": "required", "upstream": "echo", "slots_may_share_a_place": True}
    once: dict[str, Any] = {}
    again = {"replay_not_refused_for_legacy_clients": True}

    def found(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
        slots = {"a": {"issuers": ["main"], "dpop": first}, "b": {"issuers": ["main"], "dpop": second}}
        return mistakes({"routes/two": {**route, "slots": slots}})

    (mistake,) = found(once, once)
    assert mistake == "routes.two.slots.b.dpop: another slot takes the same proof, which is taken once"
    assert found(once, again) == found(again, again) == []


def test_an_api_key_is_bound_to_nothing(mistakes: Find) -> None:
    keyed = {"audience": "any", "consumers": {"api_key": True}}
    (mistake,) = mistakes({"issuers/keyed": keyed, "routes/orders/issuers": "keyed", "routes/orders/dpop": {}})
    assert mistake.endswith("takes API keys, which are bound to no key that a proof could be made with")


def test_of_several_tokens_for_one_field_all_but_the_last_have_a_condition(mistakes: Find) -> None:
    def found(*conditions: str | None) -> list[str]:
        entries = [{"audience": "a", **({} if when is None else {"when": when})} for when in conditions]
        return mistakes({"routes/orders/issue": entries})

    assert found("now > 1", "now > 2", None) == []
    assert found("now > 1", "now > 2") == []
    repeated = "another entry of this route sets the same field"
    assert found(None, None) == [f"routes.orders.issue[1].header: {repeated}"]
    assert found(None, "now > 1") == [f"routes.orders.issue[1].header: {repeated}"]
    # The one that is made leaves no room for the others, and is known by its name as it is written.
    spelled = [{"audience": "a", "when": "now > 1", "header": name} for name in ("X-Token", "x-token")]
    assert mistakes({"routes/orders/issue": spelled}) == [f"routes.orders.issue[1].header: {repeated}"]


def test_calls_travel_over_http_2_alone(mistakes: Find) -> None:
    calls = {"routes/orders/grpc": True}
    assert mistakes(calls) == [
        "routes.orders.grpc: calls travel over HTTP/2 only, and echo lacks protocol: http2",
    ]
    assert mistakes({**calls, "upstreams/echo/protocol": "http2"}) == []


def test_no_connection_of_http_2_changes_its_protocol(mistakes: Find) -> None:
    upgrade = {"routes/orders/upgrade": "websocket"}
    assert mistakes(upgrade) == []
    assert mistakes({**upgrade, "upstreams/echo/protocol": "http2"}) == [
        "routes.orders.upgrade: no connection to echo can change its protocol: it is HTTP/2",
    ]
