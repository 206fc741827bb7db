"""Slots: where a credential may stand, and whose tokens are accepted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jwtgate.config.sections.document import Document

Load = Callable[[dict[str, Any]], Document]
Find = Callable[[dict[str, Any]], list[str]]


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("bearer", "bearer"),
        ({"header": "X-T", "prefix": "T "}, "header"),
        ({"cookie": "t"}, "cookie"),
        ({"query": "t"}, "query"),
    ],
)
def test_a_credential_stands_in_one_of_four_places(load: Load, source: object, place: str) -> None:
    assert [found.place for found in load({"routes/orders/from": source}).routes["orders"].places] == [place]


def test_a_field_may_have_one_prefix_of_several(load: Load) -> None:
    for prefix, expected in (("T ", ("T ",)), (["T ", ""], ("T ", ""))):
        (place,) = load({"routes/orders/from": {"header": "authorization", "prefix": prefix}}).routes["orders"].places
        assert place.prefix == expected


@pytest.mark.parametrize(
    "source",
    ["baerer", 1, None, [], {}, {"header": "a", "cookie": "b"}, {"cookie": "a", "prefix": "b"},
     {"bearer": True, "prefix": ""}, {"header": "a", "prefix": []}, {"header": "a", "prefix": ["é"]}, {"header": "a b"},
     {"query": "a b"}, {"cookie": "a=b"}, {"bearer": False}, {"header": None}],
)  # fmt: skip
def test_any_other_place_is_refused(mistakes: Find, source: object) -> None:
    (mistake,) = mistakes({"routes/orders/from": source})
    assert mistake.startswith("routes.orders.from")


@pytest.mark.parametrize(
    ("scope", "all_of", "any_of"),
    [
        ("a b", ("a", "b"), ()),
        (["a", "b"], ("a", "b"), ()),
        ({"all": ["a"], "any": ["b", "c"]}, ("a",), ("b", "c")),
        ([], (), ()),
    ],
)
def test_scope_is_all_of_one_list_and_any_of_another(
    load: Load, scope: object, all_of: tuple[str, ...], any_of: tuple[str, ...]
) -> None:
    found = load({"routes/orders/scope": scope}).routes["orders"].scope
    assert found is not None
    assert (found.all, found.any) == (all_of, any_of)


@pytest.mark.parametrize("scope", [None, 1, ["a b"], ['a"b'], ["é"], {"al": ["a"]}, {"all": "a"}, {"claim": "a..b"}])
def test_scope_that_cannot_be_granted_is_refused(mistakes: Find, scope: object) -> None:
    (mistake,) = mistakes({"routes/orders/scope": scope})
    assert mistake.startswith("routes.orders.scope")


def test_sec_44_any_audience_is_never_said_of_a_slot(mistakes: Find, load: Load) -> None:
    assert mistakes({"routes/orders/audience": "any"}) == [
        "routes.orders.audience: any audience is said of an issuer, never here (not 'any')"
    ]
    assert load({"routes/orders/audience": "x"}).routes["orders"].audience == ("x",)


@pytest.mark.parametrize(
    ("claim", "paths"),
    [
        ("sub", (("sub",),)),
        ("a.b", (("a", "b"),)),
        (["sub", "a.b"], (("sub",), ("a", "b"))),
        ([["a", "b"], "c"], (("a", "b"), ("c",))),
    ],
)
def test_a_consumer_is_found_by_one_claim_or_several_in_order(load: Load, claim: object, paths: object) -> None:
    found = load({"routes/orders/consumer": {"claim": claim}}).routes["orders"].consumer
    assert found is not None
    assert found.claim == paths
    assert (found.by, found.required, found.numbers) == (("external_id", "name"), True, False)


@pytest.mark.parametrize(
    "consumer", [{}, {"claim": []}, {"claim": "a", "by": []}, {"claim": "a", "by": "email"}, {"claim": "a..b"}, "sub"]
)
def test_anything_else_finds_no_consumer(mistakes: Find, consumer: object) -> None:
    (mistake,) = mistakes({"routes/orders/consumer": consumer})
    assert mistake.startswith("routes.orders.consumer")


@pytest.mark.parametrize("header", ["Host", "X-Forwarded-For", "a b", ""])
def test_the_original_is_kept_in_a_field_we_may_set(mistakes: Find, header: str) -> None:
    assert len(mistakes({"routes/orders/original_header": header})) == 1
    assert mistakes({"routes/orders/original_header": "X-Original"}) == []


def test_an_entry_of_any_may_ask_for_several_words_together(load: Load, mistakes: Find) -> None:
    found = load({"routes/orders/scope": {"any": ["a b", "c"]}}).routes["orders"].scope
    assert found is not None
    assert found.any == ("a b", "c")
    for entry in ("", " ", " a", "a ", "a\tb", 'a "b"'):
        (mistake,) = mistakes({"routes/orders/scope": {"any": [entry]}})
        assert mistake.startswith("routes.orders.scope.any[0]")


def test_blanks_after_a_prefix_are_those_of_a_field(load: Load, mistakes: Find) -> None:
    source = {"header": "authorization", "prefix": "Bearer ", "blanks_after_prefix": True}
    (place,) = load({"routes/orders/from": source}).routes["orders"].places
    assert place.blanks_after_prefix
    assert mistakes({"routes/orders/from": {"cookie": "t", "blanks_after_prefix": True}}) == [
        "routes.orders.from: prefix and blanks_after_prefix stand beside header only"
    ]


FIRST, EQUAL = "first_source_wins_for_legacy_clients", "equal_tokens_count_once_for_legacy_clients"


def test_of_several_tokens_the_first_or_the_same_may_be_meant_and_not_both(mistakes: Find) -> None:
    for name in (FIRST, EQUAL):
        assert mistakes({f"routes/orders/{name}": True}) == []
    assert mistakes({f"routes/orders/{FIRST}": True, f"routes/orders/{EQUAL}": True}) == [
        f"routes.orders: {FIRST} and {EQUAL} exclude each other"
    ]


ASKED = {"audience": "a", "introspection": {"endpoint": "https://a.example", "auth": "none"}}


def test_what_is_asked_of_introspected_tokens_needs_one_who_is_asked(load: Load, mistakes: Find) -> None:
    instead = {"scope": "a", "claims": [{"claim": "t", "equals": "x"}], "consumer": {"claim": "sub"}}
    both = {"issuers/third": ASKED, "routes/orders/issuers": ["main", "third"]}
    for value in (instead, {}):
        asked = load({**both, "routes/orders/introspected": value}).routes["orders"].introspected
        assert asked is not None
        assert len(asked.claims) == (1 if value else 0)
        assert mistakes({"routes/orders/introspected": value}) == [
            "routes.orders.introspected: none of the issuers has introspection"
        ]
    (mistake,) = mistakes({**both, "routes/orders/introspected": {"audience": "x"}})
    assert mistake.startswith("routes.orders.introspected.audience")


def test_one_slot_may_be_enough_and_nothing_between(load: Load, mistakes: Find) -> None:
    assert load({}).routes["orders"].enough == "all_slots"
    assert load({"routes/orders/enough": "one_slot"}).routes["orders"].enough == "one_slot"
    (mistake,) = mistakes({"routes/orders/enough": "two_slots"})
    assert mistake.startswith("routes.orders.enough")


def test_a_token_with_a_proof_stands_in_authorization(load: Load, mistakes: Find) -> None:
    assert load({"routes/orders/dpop": {}}).routes["orders"].fields == ("Authorization", "DPoP")
    (mistake,) = mistakes({"routes/orders/dpop": {}, "routes/orders/from": {"cookie": "t"}})
    assert mistake.endswith("so dpop and from exclude each other")


@pytest.mark.parametrize("value", ["x", 7, {"constant": "x"}, {"header": "X-T"}, {"cel": "request.query.t"}])
def test_a_credential_may_be_a_value(load: Load, value: object) -> None:
    (found,) = load({"routes/orders/from": {"value": value}}).routes["orders"].places
    assert (found.place, found.value is not None) == ("value", True)


def test_a_credential_may_be_whatever_follows_a_scheme(load: Load) -> None:
    slot = load({"routes/orders/from": {"scheme": "Bearer"}}).routes["orders"]
    assert ([found.place for found in slot.places], slot.fields) == (["scheme"], ("Authorization",))


@pytest.mark.parametrize(
    "source",
    [
        {"scheme": "a b"},
        {"scheme": ""},
        {"scheme": "Bearer", "prefix": "a"},
        {"scheme": "Bearer", "header": "a"},
        {"value": {}},
        {"value": {"claim": "a", "header": "b"}},
        {"value": "x", "cookie": "t"},
    ],
)
def test_no_scheme_and_no_value_is_refused(mistakes: Find, source: object) -> None:
    assert mistakes({"routes/orders/from": source})


def test_claims_equal_a_value(load: Load, mistakes: Find) -> None:
    slot = load({"routes/orders/claims_equal": {"constant": {"sub": "a"}}}).routes["orders"]
    assert slot.claims_equal is not None
    assert mistakes({"routes/orders/claims_equal": {"sub": "a"}})


def two_slots(source: object, **route: object) -> dict[str, object]:
    slot = {"issuers": ["main"], "from": source}
    return {
        **{f"routes/orders/{name}": ... for name in ("issuers", "issue", "headers")},
        "routes/orders/slots": {"a": slot, "b": slot},
        **{f"routes/orders/{name}": value for name, value in route.items()},
    }


@pytest.mark.parametrize("source", ["bearer", {"scheme": "Bearer"}, {"header": "X-T"}])
def test_two_slots_share_a_place_where_the_document_says_so(load: Load, mistakes: Find, source: object) -> None:
    assert mistakes(two_slots(source)) == ["routes.orders.slots.b.from: another slot of this route already looks there"]
    load(two_slots(source, slots_may_share_a_place=True))


def test_values_and_schemes_of_two_names_are_no_place_that_is_shared(load: Load) -> None:
    load(two_slots({"value": {"header": "X-T"}}))
    changes = two_slots("bearer")
    slots = {
        name: {"issuers": ["main"], "from": {"scheme": scheme}} for name, scheme in (("a", "Bearer"), ("b", "Basic"))
    }
    load({**changes, "routes/orders/slots": slots})


def behind_another(second: dict[str, object], first: dict[str, object] | None = None) -> dict[str, object]:
    slots = {"a": {"issuers": ["main"], **(first or {})}, "b": {"issuers": ["main"], "from": {"cookie": "t"}, **second}}
    return {**two_slots("bearer"), "routes/orders/slots": slots}


def test_a_value_of_a_slot_may_look_at_the_slots_before_it(load: Load, mistakes: Find) -> None:
    for value in ({"claim": "x"}, {"claim": "x", "slot": "a"}, {"permissions": True}, {"header": "X-T"}):
        load(behind_another({"claims_equal": value}))
        load(behind_another({"from": {"value": value}}))
    late = "whose token is not known by then"
    assert mistakes(behind_another({"claims_equal": {"claim": "x", "slot": "b"}})) == [
        f"routes.orders.slots.b.claims_equal: asks for a claim of slot b, {late}"
    ]
    assert mistakes(behind_another({}, {"from": {"value": {"claim": "x"}}})) == [
        f"routes.orders.slots.a.from.value: asks for a claim of slot a, {late}"
    ]
    assert mistakes(behind_another({"claims_equal": {"claim": "x", "slot": "c"}})) == [
        "routes.orders.slots.b.claims_equal.slot: there is no slot of this name"
    ]


def test_a_value_of_a_slot_names_nothing_that_is_not_there_yet(mistakes: Find) -> None:
    assert mistakes(behind_another({"claims_equal": {"consumer": "name"}})) == [
        "routes.orders.slots.b.claims_equal: asks for the consumer, which is not known before all slots were looked at"
    ]
    assert mistakes(behind_another({"claims_equal": {"path_parameter": "id"}})) == [
        "routes.orders.slots.b.claims_equal.path_parameter: not every path of the route has {id}"
    ]


@pytest.mark.parametrize(
    ("value", "logged"),
    [
        ({"header": "X-T"}, {"header": "x-t"}),
        ({"cel": "request.headers['x-t']"}, {"header": "X-T"}),
        ({"cel": "request.query.t"}, {"cel": "request.query.t"}),
    ],
)
def test_sec_144_a_credential_that_is_a_value_stands_in_no_log(
    load: Load, mistakes: Find, value: object, logged: object
) -> None:
    changes = {"routes/orders/from": {"value": value}, "routes/orders/log": {"sent": logged}}
    assert mistakes(changes) == ["routes.orders.log.sent: holds a credential, which stands in no log"]
    load({**changes, "routes/orders/log": {"sent": {"header": "X-Other"}}})
