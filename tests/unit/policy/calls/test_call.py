"""Calls as the plan has them, and what expressions see of their answers."""

from __future__ import annotations

from jwtgate.policy.calls.call import Call, Called
from jwtgate.policy.provisions import Origin, Value
from jwtgate.policy.rooms.claims import MISSING
from jwtgate.policy.traffic.upstreams import NOWHERE

PATH, METHOD, QUERY, FIELD, BODY = (Value(Origin.CONSTANT, constant=text) for text in ("/", "GET", "a", "b", "c"))


def test_a_call_knows_every_value_in_it() -> None:
    assert Call("a", NOWHERE, PATH, METHOD).values == (PATH, METHOD)
    whole = Call("a", NOWHERE, PATH, METHOD, query=QUERY, fields=((b"X-A", FIELD),), body=BODY)
    assert set(whole.values) == {PATH, METHOD, QUERY, FIELD, BODY}


def test_expressions_see_the_status_the_fields_and_the_body() -> None:
    called = Called(201, {"x-one": ("a",), "x-two": ("a", "b")}, b'{"a":[1]}')
    assert called.members() == {
        "status": 201,
        "headers": {"x-one": "a", "x-two": MISSING},
        "body": '{"a":[1]}',
        "json": {"a": [1]},
    }


def test_what_is_no_json_is_text_alone() -> None:
    for body, text in ((b"", ""), (b"<a>", "<a>"), (b"\xff", "\ufffd"), (b'{"a":1,"a":2}', '{"a":1,"a":2}')):
        assert Called(200, {}, body).members() == {"status": 200, "headers": {}, "body": text}


def test_no_body_shows_in_the_text_of_an_answer() -> None:
    assert "secret" not in repr(Called(200, {"set-cookie": ("secret",)}, b"secret"))
