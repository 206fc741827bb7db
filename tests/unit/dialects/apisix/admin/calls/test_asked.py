from __future__ import annotations

import pytest

from jwtgate.dialects.apisix.admin.calls.asked import MOST_BODY_BYTES, Asked, kind_of, query_of, segments_of, value_of
from jwtgate.dialects.apisix.admin.calls.replies import Wrong
from jwtgate.dialects.dialect import Call


def value(body: bytes) -> object:
    return value_of(Call("PUT", "/apisix/admin/routes", body=body))


def refusal(body: bytes) -> dict[str, str]:
    with pytest.raises(Wrong) as refused:
        value(body)
    assert refused.value.status == 400
    assert isinstance(refused.value.value, dict)
    return refused.value.value


def asked(value: object = None, **query: str) -> Asked:
    return Asked("PUT", ("routes", "", "a"), query, value, "tests")


def test_a_path_is_decoded_and_cut_into_its_parts() -> None:
    assert segments_of("/apisix/admin/routes/a%2Db") == ("routes", "a-b")
    assert segments_of("/apisix/admin") == ()
    assert segments_of("/apisix/admins") is None


def test_an_empty_or_missing_part_of_a_path_is_none() -> None:
    assert [asked().segment(index) for index in range(4)] == ["routes", None, "a", None]


def test_the_first_of_several_arguments_counts() -> None:
    assert query_of("a=1&a=2&b=&c=%20") == {"a": "1", "b": "", "c": " "}


def test_whole_numbers_are_integers_however_written() -> None:
    assert repr(value(b'{"exp": 30.0, "list": [1e2, 1.5]}')) == "{'exp': 30, 'list': [100, 1.5]}"


def test_a_body_that_is_not_there_or_null_is_no_value() -> None:
    assert value(b"") is value(b" \n") is value(b"null") is None


@pytest.mark.parametrize(
    "body", [b"{", b'{"a":1,"a":2}', b'"\\ud800"', b"\xff", b"1e999", b"[" * 100 + b"]" * 100, b"1 2"]
)
def test_a_body_that_cannot_be_read_is_shown_again(body: bytes) -> None:
    told = refusal(body)
    assert told["error_msg"].startswith("invalid request body: ")
    assert told["req_body"] == body.decode("utf-8", "replace")


def test_a_body_that_is_too_large_is_refused_unread() -> None:
    assert value(b'"' + b"a" * (MOST_BODY_BYTES - 2) + b'"')
    told = refusal(b'"' + b"a" * (MOST_BODY_BYTES - 1) + b'"')
    expected = "request size 1572865 is greater than the maximum size 1572864 allowed"
    assert told == {"error_msg": f"invalid request body: {expected}"}
    begun = Call("PUT", "/", fields=(("content-length", "9000000"),), body=b" " * (MOST_BODY_BYTES + 1))
    with pytest.raises(Wrong, match="request size 9000000 is greater"):
        value_of(begun)


def test_a_ttl_is_a_number_of_seconds() -> None:
    assert asked().ttl is None
    assert asked(ttl="2.5").ttl == 2
    for text in ("abc", "", "0", "-1", "nan", "inf", "1e99"):
        with pytest.raises(Wrong, match="invalid argument ttl: should be a number"):
            asked(ttl=text).ttl  # noqa: B018 - read for what it raises


def test_an_object_is_wanted_as_body() -> None:
    assert asked({"a": 1}).members() == {"a": 1}
    with pytest.raises(Wrong, match="missing configurations"):
        asked().members()
    with pytest.raises(Wrong, match="expected object, got string"):
        asked("text").members()


def test_values_are_called_as_elsewhere() -> None:
    kinds = [kind_of(each) for each in (None, True, 1, 1.5, "a", [], {})]
    assert kinds == ["userdata", "boolean", "number", "number", "string", "table", "table"]
