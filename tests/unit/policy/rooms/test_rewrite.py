from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.policy.plans import ISSUE, ISSUED, ROUTE, Expr, known, principal, proven, reason, refusal, request, told

from jwtgate.errors import DependencyFault, RouteUnknown, TokenRefused
from jwtgate.jose.encoding import JSON, base64url_decode
from jwtgate.policy.calls.call import Called
from jwtgate.policy.provisions import Form, IdentityField, Origin, Value
from jwtgate.policy.rooms.rewrite import MOST_IDENTITY_BYTES, field_value, fold, rewrite
from jwtgate.policy.traffic.forwarding import (
    Respond,
    RespondAsCalled,
    Responding,
    RespondRefusal,
    RespondWorded,
    Rewriting,
)

SUBJECT = Value(Origin.CLAIM, slot="access", path=("sub",))
FIELD = IdentityField(b"X-User", SUBJECT)


def constant(value: JSON) -> Value:
    return Value(Origin.CONSTANT, constant=value)


def written(value: object, *, form: Form = Form.TEXT, separator: str = ",") -> bytes:
    return field_value(replace(FIELD, form=form, separator=separator), value)


def fields(*identity: IdentityField, **claims: JSON) -> tuple[tuple[bytes, bytes], ...]:
    route = replace(ROUTE, identity=identity)
    return rewrite(known(principal(access=proven(**claims)), route=route), issued=()).fields


@pytest.mark.parametrize(
    "name", [b"X-Consumer-Id", b"x_consumer_id", b"X.Consumer.Id", b"x-consumer-id ", b"X Consumer\xffId"]
)
def test_sec_112_names_an_upstream_may_mix_up_are_one(name: bytes) -> None:
    assert fold(name) == b"x-consumer-id"


def test_sec_112_other_names_stay_apart() -> None:
    assert len({fold(name) for name in (b"x-consumer-id", b"xconsumerid", b"x-consumer-id-", b"x-consumer-1d")}) == 4


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("alice", b"alice"),
        ("", b""),
        ("a b", b"a b"),
        (" a  b ", b"%20a  b%20"),
        ("  ", b"%20%20"),
        ("   ", b"%20 %20"),
        (" ", b"%20"),
        ("100%", b"100%25"),
        ("a\r\nX-Admin: 1", b"a%0D%0AX-Admin: 1"),
        ("a\n", b"a%0A"),
        ("\x00\t\x7f", b"%00%09%7F"),
        ("é€", b"%C3%A9%E2%82%AC"),
        (7, b"7"),
        (-1.5, b"-1.5"),
        (10**20, b"100000000000000000000"),
        (True, b"true"),
        (False, b"false"),
        (["a", 1, True], b"a,1,true"),
        (["a,b", "c"], b"a%2Cb,c"),
        (["a b", " c"], b"a b,%20c"),
        ([], b""),
        (["", ""], b","),
    ],
)
def test_sec_115_a_value_is_written_in_visible_ascii(value: object, expected: bytes) -> None:
    assert written(value) == expected


@pytest.mark.parametrize("value", [{}, {"a": 1}, [None], [["a"]], [{"a": 1}]])
def test_sec_115_what_is_no_plain_value_is_refused(value: object) -> None:
    error = refusal(lambda: written(value))
    assert isinstance(error, TokenRefused)
    assert (error.reason, error.detail["field"]) == ("field_value_unsafe", "X-User")


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (told(lambda _: {"a": 1}), "expression_failed"),
        (told(lambda _: "x" * MOST_IDENTITY_BYTES * 2), "expression_failed"),
        (constant({"a": 1}), "expression_failed"),
        (Value(Origin.EXPRESSION, expression=Expr(lambda _: {"a": 1})), "condition_not_met"),
    ],
)
def test_sec_143_no_token_is_blamed_for_what_was_worked_out(value: Value, why: str) -> None:
    error = refusal(lambda: fields(IdentityField(b"X-User", value)))
    assert (error.reason, error.status) == (why, 500 if why == "expression_failed" else 403)
    assert reason(lambda: fields(FIELD, sub={"a": 1})) == "field_value_unsafe"


def test_objects_are_written_where_the_form_has_room_for_them() -> None:
    value = {"a": ["é", "100%", None]}
    assert written(value, form=Form.JSON) == b'{"a":["%C3%A9","100%25",null]}'
    assert base64url_decode(written(value, form=Form.BASE64URL)) == '{"a":["é","100%",null]}'.encode()


@given(st.text())
def test_sec_115_any_text_can_be_read_back_and_harms_no_field(text: str) -> None:
    value = written(text.encode("utf-8", "replace").decode())
    assert all(0x20 <= byte < 0x7F for byte in value)
    assert value == value.strip()
    assert unquote(value.decode()) == text.encode("utf-8", "replace").decode()


SEPARATORS = st.text("!\"#$&'()*+-./:;<=>?@[]^_`{|}~, ", min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("/a%20b?c=100%", b"/a%20b?c=100%"),
        ("a\r\nSet-Cookie: b", b"a%0D%0ASet-Cookie: b"),
        (" a\x7f", b"%20a%7F"),
        ("\u00fc", b"%C3%BC"),
        (7, b"7"),
    ],
)
def test_a_client_reads_what_is_visible_as_it_is(value: object, expected: bytes) -> None:
    assert written(value, form=Form.VISIBLE) == expected


@given(st.lists(st.text("ab,; |%é", max_size=5), min_size=2, max_size=4), SEPARATORS)
def test_sec_115_any_list_can_be_read_back(values: list[str], separator: str) -> None:
    if separator[0] == " " or separator[-1] == " ":
        values = [f"x{value}x" for value in values]
    joined = written(values, separator=separator)
    assert [unquote(part) for part in joined.decode().split(separator)] == values
    assert joined == joined.strip()


def test_a_list_whose_end_would_be_lost_is_refused() -> None:
    assert written(["a", "b c"], separator=" ") == b"a b%20c"
    for values in (["", "a"], ["a", ""]):
        assert reason(lambda values=values: written(values, separator=" ")) == "field_value_unsafe"


def test_sec_115_all_fields_together_have_a_limit() -> None:
    half = MOST_IDENTITY_BYTES // 2
    other = IdentityField(b"X-Name", Value(Origin.CLAIM, slot="access", path=("name",)))
    # The size of a token is bounded, so a long value is one that grows when it is escaped.
    name = "é" * (half // 6)
    assert len(fields(FIELD, other, sub="é" * (half // 6), name=name)) == 2
    error = refusal(lambda: fields(FIELD, other, sub="é" * (half // 6 + 10), name=name))
    assert (error.reason, error.detail["cause"]) == ("field_value_unsafe", "too long")
    assert len(fields(FIELD, sub="é" * (half // 6 + 10))) == 1


def test_sec_115_what_is_missing_or_null_sets_no_field() -> None:
    other = IdentityField(b"X-Name", Value(Origin.CLAIM, slot="access", path=("name",)))
    assert fields(FIELD, other) == ((b"X-User", b"alice"),)
    assert fields(FIELD, other, sub=None, name="") == ((b"X-Name", b""),)
    assert rewrite(known(route=replace(ROUTE, identity=(FIELD,))), issued=()).fields == ()


def test_issued_tokens_come_first_with_their_prefix() -> None:
    route = replace(ROUTE, identity=(FIELD,))
    bearer = replace(ISSUE, field=b"Authorization", prefix="Bearer ")
    rewritten = rewrite(known(principal(access=proven()), route=route), issued=[(ISSUE, ISSUED), (bearer, ISSUED)])
    assert rewritten.fields == (
        (b"X-Jwt-Assertion", b"a.b.c"),
        (b"Authorization", b"Bearer a.b.c"),
        (b"X-User", b"alice"),
    )


def test_of_lines_each_element_makes_a_field() -> None:
    lines = IdentityField(b"X-A", told(lambda _: [" a%20 ", None, 7, {}, [], "b\r\n"]), Form.LINES)
    route = replace(ROUTE, answer_fields=(lines,))
    said = rewrite(known(route=route), issued=()).answer_fields
    assert said == ((b"X-A", b"a%20"), (b"X-A", b"7"), (b"X-A", b"b%0D%0A"))
    assert fields(replace(FIELD, form=Form.LINES)) == ((b"X-User", b"alice"),)


def responding(respond: Responding, **changes: Any) -> Respond | None:
    here = known(principal(access=proven()), route=replace(ROUTE, respond=respond))
    return rewrite(replace(here, **changes), issued=()).respond


def test_an_answer_of_ones_own_stands_as_it_is_or_is_worked_out() -> None:
    ready = Respond(404, "a/b", b"c")
    assert responding(ready) is ready
    worded = RespondWorded(constant(303), SUBJECT, constant("a/b"))
    assert responding(worded) == Respond(303, "a/b", b"alice")
    assert rewrite(known(), issued=()).respond is None


def test_what_cannot_be_worded_is_a_fault() -> None:
    with pytest.raises(DependencyFault) as caught:
        responding(RespondWorded(constant("ok"), SUBJECT, constant(None)))
    assert (caught.value.reason, caught.value.status) == ("expression_failed", 500)


def test_the_answer_of_a_call_is_given_as_it_came_without_what_framed_it() -> None:
    fields = {
        "content-type": ("a/b",),
        "set-cookie": ("a=1", "b=2"),
        "connection": ("close, X-Hop",),
        "x-hop": ("1",),
        "content-length": ("1",),
        "transfer-encoding": ("chunked",),
        "date": ("now",),
    }
    said = responding(RespondAsCalled("who"), called={"who": Called(418, fields, b"tea")})
    assert said == Respond(418, None, b"tea", (("content-type", "a/b"), ("set-cookie", "a=1"), ("set-cookie", "b=2")))
    status, media_type = told(lambda _: 202), told(lambda _: "c/d")
    said = responding(RespondAsCalled("who", status, media_type), called={"who": Called(999, fields, b"tea")})
    assert said == Respond(202, "c/d", b"tea", (("set-cookie", "a=1"), ("set-cookie", "b=2")))
    none = told(lambda _: None)
    said = responding(RespondAsCalled("who", none, none), called={"who": Called(999, {}, b"")})
    assert said == Respond(999, None, b"")


@pytest.mark.parametrize(("name", "kind"), [("route_unknown", RouteUnknown), ("internal", DependencyFault)])
def test_a_route_that_always_refuses_does_so_with_its_reason(name: str, kind: type[Exception]) -> None:
    with pytest.raises(kind) as caught:
        responding(RespondRefusal(name))
    assert str(caught.value).startswith(name)


def sent(rewriting: Rewriting, **claims: JSON) -> tuple[str, str] | None:
    view = request(path="/orders/7", query="a=1", method="PUT")
    who = principal(access=proven(**claims))
    return rewrite(known(who, route=replace(ROUTE, rewriting=rewriting), view=view), issued=()).sent


def test_the_path_and_the_query_may_be_worked_out() -> None:
    assert sent(Rewriting(path_value=SUBJECT), sub="/a b") == ("PUT", "/a%20b")
    assert sent(Rewriting(query_value=SUBJECT), sub="b=2") == ("PUT", "/orders/7?b=2")
    assert sent(Rewriting(query_value=SUBJECT), sub=None) == ("PUT", "/orders/7?")
    assert sent(Rewriting(path="/x", query_value=constant({"a": "b"}))) == ("PUT", "/x?a=b")


def test_a_path_that_cannot_be_one_is_a_fault_and_one_that_leads_elsewhere_is_refused() -> None:
    with pytest.raises(DependencyFault) as caught:
        sent(Rewriting(path_value=SUBJECT))
    assert caught.value.reason == "expression_failed"
    assert reason(lambda: sent(Rewriting(path_value=SUBJECT), sub="/a/../b")) == "path_not_canonical"


@pytest.mark.parametrize("value", ["\ud800", float("nan"), [float("inf")]])
def test_what_is_worked_out_and_cannot_be_sent_is_a_fault(value: object) -> None:
    route = replace(ROUTE, sent_fields=(IdentityField(b"X-A", told(lambda _: value)),))
    with pytest.raises(DependencyFault) as caught:
        rewrite(known(route=route), issued=())
    assert caught.value.detail == {"cause": "a value cannot be sent"}


@pytest.mark.parametrize("text", ["abc\r\nX-Admin: 1", "abc\n", " abc", "abc\x00", "ab\u00e9"])
def test_sec_115_a_credential_that_is_no_field_value_is_not_passed_on(text: str) -> None:
    route = replace(ROUTE, slots=(replace(ROUTE.slots[0], original_field=b"X-Original"),))
    caller = principal(access=replace(proven(), text=text))
    error = refusal(lambda: rewrite(known(caller, route=route), issued=()))
    assert (error.reason, error.detail["field"]) == ("field_value_unsafe", "X-Original")
