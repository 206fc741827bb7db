"""What stands at the end of a line of the access log."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jwtgate.errors import AccessRefused, RequestRefused, TokenRefused, UpstreamFault
from jwtgate.gateway.logs.members import logged_members, logged_name, logged_side_by_side, merged, told_of


def read(end: str) -> dict[str, Any]:
    members: dict[str, Any] = json.loads(f'{{"first":1{end}}}')
    assert members.pop("first") == 1
    return members


def test_json_stays_json_and_what_is_none_becomes_text() -> None:
    value = {"a": [1, 2.5, None, True, {"b": "\n\u2028ä"}], "c": (1, "x"), "d": frozenset({"y"}), "e": float("nan")}
    assert read(logged_members("log", value)) == {
        "log": {
            "a": [1, 2.5, None, True, {"b": "\n\u2028ä"}],
            "c": [1, "x"],
            "d": "frozenset({'y'})",
            "e": "nan",
        }
    }


def test_sec_144_what_is_told_stays_one_line_of_ascii() -> None:
    end = logged_members('na"me', {'a"b\n': "c\r\n\x1b", "d": {"e\u2028": ["\x00"]}})
    assert end.isascii()
    assert end.isprintable()
    assert list(read(end)) == ['na"me']


def test_what_is_told_is_bounded() -> None:
    deep: Any = "end"
    for _ in range(20):
        deep = {"a": deep}
    for value in ("x" * 5000, ["x" * 1000] * 100, {str(number): number for number in range(10_000)}, deep):
        assert len(logged_members("log", {"value": value})) < 17_000
    assert len(read(logged_members("log", {"value": "x" * 5000}))["log"]["value"]) == 1024


def test_members_may_stand_side_by_side() -> None:
    assert read(logged_side_by_side({"a": 1, "b": {"c": "d"}})) == {"a": 1, "b": {"c": "d"}}
    assert logged_side_by_side({}) == ""


def test_names_from_outside_are_escaped_and_cut() -> None:
    assert logged_name('a"b') == 'a\\"b'
    assert len(logged_name("x" * 500)) == 128


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RequestRefused("request_malformed", cause="Host"), {"detail": {"cause": "Host"}}),
        (AccessRefused("permission_missing", permission="a", granted=("b",)), {"detail": {"permission": "a"}}),
        (UpstreamFault("upstream_unexpected", call="a", status=404), {"detail": {"call": "a", "status": 404}}),
        (TokenRefused("claim_wrong", claim=("a",), got="secret"), {}),
        (UpstreamFault("upstream_slow"), {}),
    ],
)
def test_sec_144_more_is_told_of_what_quotes_no_token(error: Any, told: dict[str, Any]) -> None:
    assert read(told_of(error)) == told


def test_mappings_are_merged_member_by_member() -> None:
    under, over = {"a": {"b": 1, "c": 2}, "d": 3, "e": [1]}, {"a": {"c": 4, "f": 5}, "d": {"g": 6}, "e": [2]}
    assert merged(under, over) == {"a": {"b": 1, "c": 4, "f": 5}, "d": {"g": 6}, "e": [2]}
    assert under == {"a": {"b": 1, "c": 2}, "d": 3, "e": [1]}


def test_a_number_nobody_can_write_is_left_out_and_the_line_is_written() -> None:
    assert read(logged_side_by_side({"a": 10**5000, "b": [10**5000, 1]})) == {"a": None, "b": [None, 1]}


@pytest.mark.parametrize("wrapped", [lambda inner: [inner], lambda inner: {"a": inner}])
def test_what_is_nested_beyond_measure_is_cut_short(wrapped: Any) -> None:
    deep: Any = "end"
    for _ in range(100_000):
        deep = wrapped(deep)
    assert "..." in logged_side_by_side({"a": deep})
