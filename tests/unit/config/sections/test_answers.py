"""What a route may say of its refusals and of its log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jwtgate.config.sections.document import Document

Load = Callable[[dict[str, Any]], Document]
Find = Callable[[dict[str, Any]], list[str]]


@pytest.mark.parametrize(
    "name",
    ["token_expired", "credential_missing", "upstream_slow", "request_refused", "token_refused", "scope_refused",
     "access_refused", "dependency_fault", "upstream_fault", "refusal", "fault", "*"],
)  # fmt: skip
def test_an_answer_is_named_by_reason_by_class_or_for_all(load: Load, name: str) -> None:
    answers = load({"routes/orders/answers": {name: {"status": 503}}}).routes["orders"].answers
    assert answers is not None
    assert answers[name].status_written == 503


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("token_expird", "; did you mean token_expired?"),
        ("token_refusal", "; did you mean token_refused?"),
        ("key_malformed", "; did you mean token_malformed?"),
        ("route_unknown", "; did you mean "),
        ("Refusal", "; did you mean refusal?"),
        ("zzz", ""),
    ],
)
def test_a_name_no_answer_has_is_refused_with_the_nearest(mistakes: Find, name: str, end: str) -> None:
    (mistake,) = mistakes({"routes/orders/answers": {name: {"status": 403}}})
    assert mistake.startswith(f"routes.orders.answers.{name}: is no reason of an answer, nor a class of them{end}")


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 303, "headers": {"Location": "/login", "Set-Cookie": "session=; Max-Age=0"}},
        {"headers": {"X-Who": {"claim": "sub"}, "WWW-Authenticate": 'Basic realm="x"'}, "challenge": False},
        {"body": "no", "content_type": "text/html; charset=utf-8"},
        {"body": {"constant": {"error": ["no", 1]}}},
        {"body": {"cel": '"no " + request.method'}},
        {"challenge": True},
        {"status": 204},
        {"status": {"cel": "size(refusal.reason)"}},
        {"headers": {"Cache-Control": None}},
        {"body": "x", "content_type": {"header": "accept"}},
        {"log": {"why": {"refusal": "reason"}, "x": {"constant": {}}}},
    ],
)
def test_an_answer_has_a_status_fields_a_body_and_a_challenge(mistakes: Find, answer: dict[str, Any]) -> None:
    assert mistakes({"routes/orders/answers": {"refusal": answer}}) == []


@pytest.mark.parametrize(
    ("answer", "place"),
    [
        ({"status": 199}, "status"),
        ({"status": 600}, "status"),
        ({"status": "403"}, "status"),
        ({"status": True}, "status"),
        ({"status": 403.5}, "status"),
        ({"headers": {"Content-Length": "0"}}, "headers"),
        ({"headers": {"transfer_encoding": "chunked"}}, "headers"),
        ({"headers": {"Content-Type": "a/b"}}, "headers"),
        ({"headers": {"X A": "b"}}, "headers"),
        ({"headers": {"X-A": "a\r\nX-B: c"}}, "headers"),
        ({"headers": {"X-A": "é"}}, "headers"),
        ({"headers": {"X-A": 1}}, "headers"),
        ({"headers": {"X-A": {"claims": True}}}, "headers"),
        ({"body": {"no": "such form"}}, "body"),
        ({"body": "x", "content_type": "html"}, "content_type"),
        ({"body": "x", "content_type": "a/b\r\nc: d"}, "content_type"),
    ],
)
def test_an_answer_that_could_not_be_sent_is_refused(mistakes: Find, answer: dict[str, Any], place: str) -> None:
    found = mistakes({"routes/orders/answers": {"refusal": answer}})
    assert found
    assert all(mistake.startswith(f"routes.orders.answers.refusal.{place}") for mistake in found)


def test_a_slot_has_answers_of_its_own(mistakes: Find) -> None:
    slots = {"a": {"issuers": ["main"], "answers": {"token_expired": {"status": 303}}}}
    route = {"path": "/a", "auth": "required", "upstream": "echo", "slots": slots}
    assert mistakes({"routes/a": route}) == []
    slots["a"]["answers"] = {"fault": {"status": 200}}
    (mistake,) = mistakes({"routes/a": route})
    assert mistake.startswith("routes.a.slots.a.answers: fault means faults")
    slots["a"]["answers"] = {"*": {"body": {"claim": "sub", "slot": "b"}}}
    assert mistakes({"routes/a": route}) == ["routes.a.slots.a.answers.*.body.slot: there is no slot of this name"]


def test_an_answer_names_calls_that_are_made_for_answers(mistakes: Find) -> None:
    slots = {"a": {"issuers": ["main"], "answers": {"token_expired": {"calls": ["who"]}}}}
    calls = {"who": {"upstream": "echo", "for_answers": True}, "first": {"upstream": "echo"}}
    route = {"path": "/a", "auth": "required", "upstream": "echo", "slots": slots, "calls": calls}
    assert mistakes({"routes/a": route}) == []
    told = "routes.a: has an answer with {}, which is none of its calls for_answers"
    assert mistakes({"routes/a": {**route, "answers": {"*": {"calls": ["first"]}}}}) == [told.format("first")]
    assert mistakes({"routes/a": {name: part for name, part in route.items() if name != "calls"}}) == [
        told.format("who")
    ]
    (mistake,) = mistakes({"answers": {"refusal": {"calls": ["who"]}}})
    assert mistake == "answers: calls are those of a route; say this on each"


def test_a_route_responds_with_no_call_that_is_made_for_answers(mistakes: Find) -> None:
    calls = {"who": {"upstream": "echo", "for_answers": True}}
    route = {"path": "/a", "auth": "required", "issuers": ["main"], "calls": calls, "respond": {"call": "who"}}
    (mistake,) = mistakes({"routes/a": route})
    assert mistake == "routes.a: responds with who, which is none of its calls, or is made for answers alone"


def test_an_answer_does_not_log_too_much(mistakes: Find) -> None:
    many = {f"a{number}": number for number in range(17)}
    (mistake,) = mistakes({"routes/orders/answers": {"*": {"log": many}}})
    assert mistake.endswith("must not have more than 16 entries")


@pytest.mark.parametrize("answers", [{}, {"refusal": {}}, {"refusal": {"content_type": "a/b"}}, {"refusal": None}])
def test_answers_that_say_nothing_are_refused(mistakes: Find, answers: dict[str, Any]) -> None:
    (mistake,) = mistakes({"routes/orders/answers": answers})
    assert mistake.startswith("routes.orders.answers")


@pytest.mark.parametrize("name", ["*", "fault", "dependency_fault", "upstream_fault", "internal", "upstream_slow"])
@pytest.mark.parametrize("status", [200, 303, 401])
def test_sec_143_a_fault_never_looks_like_a_yes_nor_like_a_bad_token(mistakes: Find, name: str, status: int) -> None:
    (mistake,) = mistakes({"routes/orders/answers": {name: {"status": status}}})
    assert mistake.startswith(f"routes.orders.answers: {name} means faults, too")
    assert mistakes({"routes/orders/answers": {name: {"status": 400}}}) == []
    assert mistakes({"routes/orders/answers": {"refusal": {"status": status}}}) == []


def test_a_log_has_at_most_sixteen_values_with_plain_names(mistakes: Find) -> None:
    of_route = {f"n{number}": {"claim": "sub"} for number in range(16)}
    assert mistakes({"routes/orders/log": of_route}) == []
    (mistake,) = mistakes({"routes/orders/log": {**of_route, "n16": "x"}})
    assert mistake == "routes.orders.log: must not have more than 16 entries"
    for name in ("a b", 'a"', "é", "", "1a", "a" * 65):
        (mistake,) = mistakes({"routes/orders/log": {name: "x"}})
        assert mistake.startswith("routes.orders.log")


FLAG = "fault_may_answer_401_for_legacy_clients"


@pytest.mark.parametrize("name", ["*", "fault", "dependency_fault", "introspection_unreachable"])
def test_sec_143_a_fault_is_answered_with_401_in_long_words_only_and_never_as_a_yes(mistakes: Find, name: str) -> None:
    assert mistakes({"routes/orders/answers": {name: {"status": 401, FLAG: True}}}) == []
    for answer in ({"status": 401}, {"status": 401, FLAG: False}, {"status": 200, FLAG: True}):
        (mistake,) = mistakes({"routes/orders/answers": {name: answer}})
        assert mistake.startswith(f"routes.orders.answers: {name} means faults, too")


@pytest.mark.parametrize("value", [{"refusal": "claim"}, {"cel": "'no: ' + refusal.reason"}])
def test_a_refusal_is_worded_in_answers_and_nowhere_else(mistakes: Find, value: dict[str, str]) -> None:
    for answers in ({"body": value}, {"headers": {"X-Why": value}}):
        assert mistakes({"routes/orders/answers": {"refusal": answers}}) == []
        assert mistakes({"answers": {"refusal": answers}}) == []
    for place in ("headers", "log"):
        (mistake,) = mistakes({f"routes/orders/{place}": {"X-Why" if place == "headers" else "why": value}})
        assert "refusal" in mistake
    (mistake,) = mistakes({"routes/orders/require": "refusal.reason == ''"})
    assert mistake.startswith("routes.orders.require: names refusal, which there is in answers only")


@pytest.mark.parametrize("value", [{"refusal": "detail"}, {"refusal": None}, {"refusal": "reason", "claim": "sub"}])
def test_an_answer_says_nothing_else_of_its_refusal(mistakes: Find, value: dict[str, Any]) -> None:
    (mistake,) = mistakes({"routes/orders/answers": {"refusal": {"body": value}}})
    assert mistake.startswith("routes.orders.answers.refusal.body")


def test_only_the_document_has_words_for_a_request_no_route_takes(mistakes: Find, load: Load) -> None:
    answers = load({"answers": {"route_unknown": {"status": 404, "body": "no"}}}).answers
    assert answers is not None
    assert answers["route_unknown"].status_written == 404
    (mistake,) = mistakes({"routes/orders/answers": {"route_unknown": {"status": 404}}})
    assert mistake.startswith("routes.orders.answers.route_unknown: is no reason of an answer")
    for value in ({"claim": "sub"}, {"path_parameter": "id"}):
        (mistake,) = mistakes({"answers": {"refusal": {"body": value}}})
        assert mistake.startswith("answers: claims and path parameters are those of a route")
