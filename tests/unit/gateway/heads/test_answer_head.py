"""The head of an answer: what is malformed, how its body ends, and what is written for the client."""

from __future__ import annotations

import pytest
from tests.unit.gateway.parts import a_plan

from jwtgate.gateway.heads.answer_head import AnswerHead
from jwtgate.gateway.heads.fields import ResponseFieldKinds
from jwtgate.gateway.heads.framing import Framing, Malformed

KINDS = ResponseFieldKinds(a_plan())
LENGTH, CODING = (b"Content-Length", b"3"), (b"Transfer-Encoding", b"chunked")
Field = tuple[bytes, bytes]


def read(*fields: Field, status: int = 200) -> AnswerHead:
    return AnswerHead(status, list(fields), KINDS)


def written(*fields: Field, status: int = 200, private: bool = False) -> list[bytes]:
    """The field lines the client gets."""
    head = read(*fields, status=status).written(b"X-Ours: 1\r\n", private=private)
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert head.endswith(b"X-Ours: 1\r\n\r\n")
    return head.split(b"\r\n")[1:-3]


@pytest.mark.parametrize("status", [0, 99, 600, 999])
def test_sec_98_a_status_that_is_none_is_malformed(status: int) -> None:
    with pytest.raises(Malformed, match="status"):
        read(status=status)


def test_sec_98_more_fields_than_is_sane_are_malformed() -> None:
    assert len(written(*[(b"X", b"1")] * 200)) == 200
    with pytest.raises(Malformed, match="fields"):
        read(*[(b"X", b"1")] * 201)


@pytest.mark.parametrize(
    "fields",
    [
        (LENGTH, LENGTH),
        (LENGTH, CODING),
        (CODING, LENGTH),
        (CODING, CODING),
        ((b"Content-Length", b"+3"),),
        ((b"Content-Length", b"3, 3"),),
        ((b"Transfer-Encoding", b"gzip, chunked"),),
        ((b"Transfer-Encoding", b""),),
    ],
)
def test_sec_98_any_framing_but_a_single_one_is_malformed(fields: tuple[Field, ...]) -> None:
    with pytest.raises(Malformed):
        read(*fields)


@pytest.mark.parametrize("status", [100, 101, 103, 199])
@pytest.mark.parametrize("field", [LENGTH, CODING])
def test_sec_98_an_interim_answer_has_no_body(status: int, field: Field) -> None:
    with pytest.raises(Malformed):
        read(field, status=status)
    assert read((b"Content-Length", b"0"), status=status).length == 0


@pytest.mark.parametrize(
    ("status", "method", "fields", "framing"),
    [
        (200, "GET", (LENGTH,), Framing.LENGTH),
        (200, "GET", ((b"Content-Length", b"0"),), Framing.LENGTH),
        (200, "GET", (CODING,), Framing.CHUNKED),
        (200, "GET", (), Framing.CLOSE),
        (200, "HEAD", (LENGTH,), Framing.NONE),
        (200, "HEAD", (CODING,), Framing.NONE),
        (204, "GET", (), Framing.NONE),
        (304, "GET", (LENGTH,), Framing.NONE),
        (205, "GET", (), Framing.CLOSE),
    ],
)
def test_the_end_of_a_body_follows_from_status_method_and_fields(
    status: int, method: str, fields: tuple[Field, ...], framing: Framing
) -> None:
    assert read(*fields, status=status).framing(method) is framing


def test_only_a_1xx_other_than_101_is_interim() -> None:
    assert [read(status=status).is_interim for status in (100, 103, 101, 200)] == [True, True, False, False]


def test_sec_94_the_head_for_the_client_is_written_anew() -> None:
    fields = ((b"server", b"x"), (b"Keep-Alive", b"1"), (b"Set-Cookie", b"a=b"), (b"Set-Cookie", b"c=d"), LENGTH)
    assert written(*fields) == [b"server: x", b"Set-Cookie: a=b", b"Set-Cookie: c=d", b"Content-Length: 3"]


def test_sec_94_what_connection_nominates_stays_behind() -> None:
    fields = ((b"X-One", b"1"), (b"Connection", b"x-one"), (b"X-Two", b"2"), (b"Connection", b"close, X-Three"))
    assert written(*fields, (b"x-three", b"3")) == [b"X-Two: 2"]


@pytest.mark.parametrize("name", [b"X-User-Id", b"x_user_id", b"X-JWT-Assertion", b"X-Request-Id"])
def test_sec_117_what_we_told_an_upstream_is_not_told_back(name: bytes) -> None:
    assert written((name, b"alice"), (b"X-User", b"1")) == [b"X-User: 1"]


@pytest.mark.parametrize("value", [b"private", b"No-Store", b"max-age=1, private", b"public,\tno-store ,x"])
def test_sec_117_what_is_private_already_stays_as_it_is(value: bytes) -> None:
    assert written((b"Cache-Control", value), private=True) == [b"Cache-Control: " + value]


@pytest.mark.parametrize("value", [b"public", b'private="set-cookie"', b"x-private", b"max-age=1", b""])
def test_sec_117_what_is_not_private_is_made_so_where_that_is_asked_for(value: bytes) -> None:
    field = (b"Cache-Control", value)
    assert written(field, private=True) == [b"Cache-Control: " + value, b"Cache-Control: private"]
    assert written(field, private=False) == [b"Cache-Control: " + value]


def test_sec_117_what_is_private_stays_so_when_the_upstream_nominates_its_field() -> None:
    fields = ((b"Connection", b"Cache-Control"), (b"Cache-Control", b"private"))
    assert written(*fields, private=True) == [b"Cache-Control: private"]
    assert written(*fields, private=False) == []


def test_one_private_field_of_several_is_enough() -> None:
    fields = ((b"Cache-Control", b"private"), (b"Cache-Control", b"max-age=1"))
    assert len(written(*fields, private=True)) == 2


def test_one_head_is_written_for_both_kinds_of_caller() -> None:
    head = read((b"A", b"1"))
    for _ in range(2):
        assert b"private" in head.written(b"", private=True)
        assert b"private" not in head.written(b"", private=False)
    assert head.written(b"X: 1\r\n", private=False) != head.written(b"X: 2\r\n", private=False)


@pytest.mark.parametrize(("status", "told"), [(200, True), (304, True), (204, False)])
def test_a_length_is_told_except_where_there_can_be_none(status: int, told: bool) -> None:
    assert (b"Content-Length: 3" in written(LENGTH, status=status)) is told


UPGRADE, NOMINATED = (b"Upgrade", b"WebSocket"), (b"Connection", b"Upgrade")


def test_a_change_to_websocket_is_told_by_two_fields() -> None:
    head = read(UPGRADE, NOMINATED, (b"Sec-WebSocket-Accept", b"x"), status=101)
    assert head.is_websocket
    first, *lines = head.switching().split(b"\r\n")
    assert first == b"HTTP/1.1 101 Switching Protocols"
    assert lines == [b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Accept: x", b"", b""]


def test_sec_94_what_connection_nominates_stays_behind_in_a_101_as_well() -> None:
    fields = ((b"Connection", b"Upgrade, X-One"), (b"X-One", b"1"), (b"X-Two", b"2"))
    head = read(UPGRADE, *fields, status=101).switching()
    assert b"X-One" not in head
    assert b"X-Two: 2\r\n" in head


@pytest.mark.parametrize("fields", [(), (UPGRADE,), (NOMINATED,), (NOMINATED, (b"Upgrade", b"h2c"))])
def test_anything_less_is_no_change_to_websocket(fields: tuple[Field, ...]) -> None:
    assert not read(*fields, status=101).is_websocket


def test_fields_a_route_removes_stay_behind_for_that_route_alone() -> None:
    head = read((b"X-Gone", b"1"), (b"X-Kept", b"2"), (b"x-gone", b"3"), LENGTH)
    removed = frozenset({b"x-gone"})
    for _ in range(2):
        assert b"gone" not in head.written(b"", private=False, removed=removed).lower()
        assert head.written(b"", private=False).lower().count(b"x-gone") == 2
    assert b"X-Kept: 2\r\n" in head.written(b"", private=False, removed=removed)


def test_sec_117_what_is_private_stays_so_when_its_field_is_removed() -> None:
    head = read((b"Cache-Control", b"private, max-age=9"))
    written = head.written(b"", private=True, removed=frozenset({b"cache-control"}))
    assert written.count(b"Cache-Control: private\r\n") == 1
    assert b"max-age" not in written


def test_a_change_to_websocket_is_edited_like_any_answer() -> None:
    fields = ((b"Connection", b"upgrade, x-hop"), (b"Upgrade", b"websocket"), (b"X-Gone", b"1"), (b"X-Hop", b"2"))
    written = read(*fields, status=101).switching(b"X-Ours: 1\r\n", removed=frozenset({b"x-gone"}))
    assert written.endswith(b"Upgrade: websocket\r\nX-Ours: 1\r\n\r\n")


def test_what_an_answer_says_is_known_by_its_lower_case_names() -> None:
    head = read((b"X-One", b"a"), (b"x-one", b"b"), (b"Set-Cookie", b"\xe4"), (b"Cache-Control", b"no-store"), LENGTH)
    assert head.fields == {
        "x-one": ("a", "b"),
        "set-cookie": ("\xe4",),
        "cache-control": ("no-store",),
        "content-length": ("3",),
    }
    assert read((b"Connection", b"X-Hop"), (b"X-Hop", b"1"), (b"Keep-Alive", b"1"), CODING).fields == {}
