"""What a call asks, worked out for one request, and what becomes of its answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from jwtgate.errors import DependencyFault, RequestRefused, UpstreamFault
from jwtgate.policy.calls.call import BodyForm, Call, Called, NeedCall
from jwtgate.policy.calls.making import make_calls, make_calls_for, worked_out
from jwtgate.policy.expression import Asks
from jwtgate.policy.facts import NeedCredential
from jwtgate.policy.plan import Route
from jwtgate.policy.provisions import Origin, Value
from jwtgate.policy.request import RequestView
from jwtgate.policy.rooms.identify import ANONYMOUS
from jwtgate.policy.traffic.upstreams import NOWHERE
from jwtgate.policy.value import Known

REQUEST = RequestView("GET", "https", "gate.example", "/a", query="", fields=())
ABSENT = Value(Origin.CLAIM, slot="access", path=("sub",))
OK = Called(200, {}, b"ok")


def constant(value: Any) -> Value:
    return Value(Origin.CONSTANT, constant=value)


CALL = Call("one", NOWHERE, constant("/"), constant("GET"))


def known(*calls: Call) -> Known:
    return Known(Route("a", NOWHERE, calls=calls), REQUEST, ANONYMOUS, 0)


def asked(**changes: Any) -> NeedCall:
    return worked_out(replace(CALL, **changes), known())


@pytest.mark.parametrize(
    ("path", "query", "target"),
    [
        ("/", None, "/"),
        ("/a/b", "c=d&e", "/a/b?c=d&e"),
        ("/a b/ü", "x=ü #", "/a%20b/%C3%BC?x=%C3%BC%20%23"),
        ("/100%/%20", "50%&%2f", "/100%25/%20?50%25&%2f"),
        ("/a?b#c", None, "/a%3Fb%23c"),
        ("/a", "?", "/a??"),
        ("/a", "", "/a"),
        ("/a", {}, "/a"),
        ("/a", {"b": ["1", 2, None], "c d": "&=", "e": True, "f": None}, "/a?b=1&b=2&c+d=%26%3D&e=true"),
    ],
)
def test_path_and_query_are_written_so_that_they_have_one_reading(path: str, query: Any, target: str) -> None:
    need = asked(path=constant(path), query=None if query is None else constant(query))
    assert need.target == target


@pytest.mark.parametrize("path", ["/a/../b", "/..", "/a/.", "/%2e%2e/b", "/a%2Fb", "/a//b", "/a;b", "/a%00", "/\n"])
def test_sec_110_a_path_with_two_readings_refuses_the_request(path: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        asked(path=constant(path))
    assert refused.value.reason == "path_not_canonical"


@pytest.mark.parametrize(
    "changes",
    [
        {"path": constant("a")},
        {"path": constant(7)},
        {"path": ABSENT},
        {"path": constant("/" + "x" * 9000)},
        {"query": constant(7)},
        {"query": constant({"a": {"b": 1}})},
        {"query": constant({"a": [[1]]})},
        {"method": constant("CONNECT")},
        {"method": constant("get")},
        {"method": constant(None)},
        {"body": constant(float("nan"))},
        {"body": constant("\ud800")},
        {"body": constant([1]), "form": BodyForm.FORM},
        {"fields": ((b"X-A", constant("x" * 20_000)),)},
    ],
)
def test_a_call_without_sense_is_a_fault_of_ours(changes: dict[str, Any]) -> None:
    with pytest.raises(DependencyFault) as failed:
        asked(**changes)
    assert (failed.value.reason, failed.value.detail["call"]) == ("expression_failed", "one")


def test_fields_are_written_one_line_a_value_and_nothing_sets_none() -> None:
    values = {
        b"X-A": constant("100% ü"),
        b"X-B": constant(["a", 1, None, True]),
        b"X-C": constant(None),
        b"X-D": ABSENT,
        b"X-E": constant("a\r\nX-F: g"),
    }
    assert asked(fields=tuple(values.items())).fields == (
        (b"X-A", b"100% %C3%BC"),
        (b"X-B", b"a"),
        (b"X-B", b"1"),
        (b"X-B", b"true"),
        (b"X-E", b"a%0D%0AX-F: g"),
    )


def test_what_has_no_form_in_a_field_is_a_fault() -> None:
    with pytest.raises(DependencyFault) as caught:
        asked(fields=((b"X-A", constant({"a": 1})),))
    assert (caught.value.reason, caught.value.detail["call"]) == ("expression_failed", "one")


@pytest.mark.parametrize(
    ("form", "value", "body", "media_type"),
    [
        (BodyForm.TEXT, "ä", "ä".encode(), b"text/plain; charset=utf-8"),
        (BodyForm.TEXT, {"a": 1}, b'{"a":1}', b"text/plain; charset=utf-8"),
        (BodyForm.TEXT, "", b"", b"text/plain; charset=utf-8"),
        (BodyForm.JSON, "a", b'"a"', b"application/json"),
        (BodyForm.JSON, None, b"null", b"application/json"),
        (BodyForm.FORM, {"a": "b c", "d": ["&", 1]}, b"a=b+c&d=%26&d=1", b"application/x-www-form-urlencoded"),
    ],
)
def test_a_body_is_written_in_its_form(form: BodyForm, value: Any, body: bytes, media_type: bytes) -> None:
    need = asked(body=constant(value), form=form)
    assert (need.body, need.fields) == (body, ((b"Content-Type", media_type),))


def test_the_media_type_of_the_document_stands() -> None:
    fields = ((b"content-type", constant("text/csv")),)
    assert asked(body=constant("a"), fields=fields).fields == ((b"content-type", b"text/csv"),)


@pytest.mark.parametrize("changes", [{}, {"body": ABSENT}, {"body": constant(None)}, {"form": BodyForm.JSON}])
def test_a_body_that_is_not_there_is_none(changes: dict[str, Any]) -> None:
    assert (asked(**changes).body, asked(**changes).fields) == (None, ())


def test_calls_are_made_in_order_and_their_answers_kept() -> None:
    held = known(CALL, replace(CALL, name="two", expected=frozenset({200, 404})))
    walk = make_calls(held)
    assert next(walk).call.name == "one"  # type: ignore[union-attr]
    assert list(held.variables()["calls"]) == []  # type: ignore[call-overload]
    assert walk.send(OK).call.name == "two"  # type: ignore[union-attr]
    with pytest.raises(StopIteration):
        walk.send(Called(404, {}, b""))
    assert {name: called.status for name, called in held.called.items()} == {"one": 200, "two": 404}
    assert list(held.variables()["calls"]) == ["one", "two"]  # type: ignore[call-overload]


def test_calls_for_answers_are_made_for_these_alone_in_the_order_asked_for() -> None:
    later = replace(CALL, for_answers=True)
    held = known(CALL, replace(later, name="two"), replace(later, name="three"))
    walk = make_calls(held)
    assert next(walk).call.name == "one"  # type: ignore[union-attr]
    with pytest.raises(StopIteration):
        walk.send(OK)
    walk = make_calls_for(held, ["three", "two"])
    assert next(walk).call.name == "three"  # type: ignore[union-attr]
    assert walk.send(OK).call.name == "two"  # type: ignore[union-attr]
    with pytest.raises(StopIteration):
        walk.send(OK)
    assert list(held.called) == ["one", "three", "two"]
    assert list(make_calls_for(held, [])) == []


def test_another_status_than_those_expected_is_a_fault_and_still_known() -> None:
    held = known(replace(CALL, expected=frozenset({204})), replace(CALL, name="two"))
    walk = make_calls(held)
    next(walk)
    with pytest.raises(UpstreamFault) as failed:
        walk.send(OK)
    assert (failed.value.reason, failed.value.detail) == ("upstream_unexpected", {"call": "one", "status": 200})
    assert held.called == {"one": OK}


def test_a_fault_leaves_the_walk_where_it_happened() -> None:
    walk = make_calls(known(CALL))
    next(walk)
    with pytest.raises(UpstreamFault):
        walk.throw(UpstreamFault("upstream_slow"))


class Asking:
    """An expression that has to ask for something first."""

    text = "asks"

    def __call__(self, known: Known) -> object:
        if "a" not in known.answers:
            raise Asks(NeedCredential("a"), "a")
        return known.answers["a"]


def test_what_a_call_says_may_have_to_be_asked_for() -> None:
    walk = make_calls(known(replace(CALL, path=Value(Origin.LANGUAGE, language=Asking()))))
    assert next(walk) == NeedCredential("a")
    assert walk.send("/b").target == "/b"  # type: ignore[union-attr]
