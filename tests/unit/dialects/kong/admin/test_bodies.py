"""Bodies to members: JSON, forms, forms in parts."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwtgate.dialects.dialect import Call
from jwtgate.dialects.kong.admin.answers import Failure
from jwtgate.dialects.kong.admin.bodies import form_pairs, is_form, members, nested


def _call(body: bytes, media_type: str | None) -> Call:
    return Call("POST", "/x", fields=(("content-type", media_type),) if media_type else (), body=body)


def _form(text: str) -> dict[str, object]:
    return members(_call(text.encode(), "application/x-www-form-urlencoded; charset=utf-8"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("config.a.b=1", {"config": {"a": {"b": "1"}}}),
        ("hosts=a&hosts=b", {"hosts": ["a", "b"]}),
        ("hosts[]=a", {"hosts": ["a"]}),
        ("hosts%5B%5D=a&hosts%5B%5D=b", {"hosts": ["a", "b"]}),
        ("hosts[2]=b&hosts[1]=a", {"hosts": {"2": "b", "1": "a"}}),
        ("headers[x-v.2]=a", {"headers": {"x-v.2": "a"}}),
        ("headers%5Bx%5D[]=a", {"headers": {"x": ["a"]}}),
        ("a=Basic YWRtaW46YWRtaW4=", {"a": "Basic YWRtaW46YWRtaW4="}),
        ("a=https://x/y?z=1:2", {"a": "https://x/y?z=1:2"}),
        ("a=b+c", {"a": "b c"}),
        ("a=", {"a": ""}),
        ("a", {"a": True}),
        ("&&", {}),
        ("a=1&a.b=2", {"a": {"b": "2"}}),
        ("a[b=1", {"a[b": "1"}),
        (".a=1", {".a": "1"}),
    ],
)
def test_a_form_nests(text: str, value: object) -> None:
    assert _form(text) == value


def test_a_name_that_nests_too_deeply_is_only_a_name() -> None:
    assert _form(".".join("a" * 12) + "=1").keys() == {"a"}
    assert _form(".".join("a" * 13) + "=1").keys() == {".".join("a" * 13)}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"config.second": 5}', {"config": {"second": 5}}),
        ('{"config": {"a": 1}, "config.b": 2}', {"config": {"a": 1, "b": 2}}),
        ('{"paths[]": ["/x"]}', {"paths": ["/x"]}),
        ('{"config": {"a.b": 1}}', {"config": {"a.b": 1}}),
        ("{}", {}),
    ],
)
def test_json_nests_at_the_top(text: str, value: object) -> None:
    assert members(_call(text.encode(), "application/json")) == value


@pytest.mark.parametrize("text", ["{", "[]", "1", '{"a":1,"a":2}', '{"a":NaN}', '"x"', "\xff", "[" * 100])
def test_what_is_no_json_object_is_a_400(text: str) -> None:
    with pytest.raises(Failure) as failure:
        members(_call(text.encode("latin-1"), "application/json"))
    assert failure.value.reply.status == 400
    assert json.loads(failure.value.reply.body) == {"message": "Cannot parse JSON body"}


@pytest.mark.parametrize("media_type", [None, "text/plain", "application/xml", ""])
def test_a_body_of_another_type_is_a_415(media_type: str | None) -> None:
    with pytest.raises(Failure) as failure:
        members(_call(b"a=b", media_type))
    assert failure.value.reply.status == 415


@pytest.mark.parametrize("media_type", [None, "text/plain", "application/json"])
def test_an_empty_body_has_no_members(media_type: str | None) -> None:
    assert members(_call(b"", media_type)) == {}


@pytest.mark.parametrize("boundary", ["boundary=xx", 'Boundary="xx"'])
def test_parts_are_read_as_a_form(boundary: str) -> None:
    body = (
        b'--xx\r\nContent-Disposition: form-data; name="config.a"\r\n\r\n1\r\n2\r\n'
        b'--xx\r\ncontent-disposition: form-data; filename="f"; name="b"\r\nContent-Type: text/plain\r\n\r\n'
        b"\r\n--xx--\r\n"
    )
    assert members(_call(body, f"multipart/form-data; {boundary}")) == {"config": {"a": "1\r\n2"}, "b": ""}


def test_parts_without_a_boundary_are_a_400() -> None:
    with pytest.raises(Failure) as failure:
        members(_call(b"--xx", "multipart/form-data"))
    assert failure.value.reply.status == 400


def test_only_forms_are_forms() -> None:
    assert is_form(_call(b"", "multipart/form-data; boundary=x"))
    assert not is_form(_call(b"", "application/json"))


@given(st.lists(st.tuples(st.text("a.[]1=", max_size=8), st.one_of(st.text(max_size=3), st.booleans()))))
def test_any_names_nest_somehow(pairs: list[tuple[str, object]]) -> None:
    json.dumps(nested(pairs))


@given(st.binary(max_size=40), st.sampled_from(["application/json", "multipart/form-data; boundary=a", "x-www-form"]))
def test_any_bytes_are_members_or_refused(body: bytes, media_type: str) -> None:
    with suppress(Failure):
        assert isinstance(members(_call(body, media_type)), dict)


def test_a_query_says_names_and_values_in_its_order() -> None:
    assert list(form_pairs("b=1&a=%2F&c")) == [("b", "1"), ("a", "/"), ("c", True)]


@pytest.mark.parametrize("media_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=&"])
def test_no_body_has_members_without_end(media_type: str) -> None:
    with pytest.raises(Failure) as raised:
        members(_call(b"--&" * 20_000, media_type))
    assert raised.value.reply.status == 400
