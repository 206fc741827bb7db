"""Versions as entity tags, and conditions on them."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from jwtgate.admin.exchange.conditions import Condition, condition, etag, is_unchanged, matching
from jwtgate.admin.exchange.problems import Problem


def request(*fields: tuple[str, str]) -> Request:
    return Request({"type": "http", "headers": [(name.encode(), value.encode()) for name, value in fields]})


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ([], Condition()),
        ([("if-match", "*")], Condition(exists=True)),
        ([("if-match", '"1"')], Condition(frozenset({'"1"'}), exists=True)),
        ([("if-match", '"1", "2"'), ("if-match", '"3"')], Condition(frozenset({'"1"', '"2"', '"3"'}), exists=True)),
        ([("if-match", 'W/"1"')], Condition(frozenset({'W/"1"'}), exists=True)),
        ([("if-none-match", "*")], Condition(absent=True)),
    ],
)
def test_a_condition_is_read(fields: list[tuple[str, str]], asked: Condition) -> None:
    assert condition(request(*fields)) == asked


@pytest.mark.parametrize(
    "fields",
    [
        [("if-match", "1")],
        [("if-match", "")],
        [("if-match", '"1" "2"')],
        [("if-match", '"1')],
        [("if-match", 'w/"1"')],
        [("if-match", '*, "1"')],
        [("if-none-match", '"1"')],
        [("if-none-match", "")],
        [("if-match", "*"), ("if-none-match", "*")],
    ],
)
def test_a_condition_with_no_reading_is_refused(fields: list[tuple[str, str]]) -> None:
    with pytest.raises(Problem) as refused:
        condition(request(*fields))
    assert refused.value.status == 400


def test_a_version_that_is_asked_for_may_be_changed() -> None:
    assert matching(Condition(frozenset({'"3"'}), exists=True), 3) == 3
    assert matching(Condition(exists=True), 3) == 3
    assert matching(Condition(), 3) is None


@pytest.mark.parametrize(
    "asked",
    [Condition(frozenset({'"2"'}), exists=True), Condition(frozenset({'W/"3"'}), exists=True), Condition(absent=True)],
)
def test_any_other_version_may_not(asked: Condition) -> None:
    with pytest.raises(Problem) as refused:
        matching(asked, 3)
    assert refused.value.status == 412


@pytest.mark.parametrize(
    ("value", "unchanged"),
    [('"3"', True), ('W/"3"', True), ('"1", "3"', True), ("*", True), ('"4"', False), ("3", False)],
)
def test_a_client_that_has_the_version_is_told_so(value: str, *, unchanged: bool) -> None:
    assert is_unchanged(request(("if-none-match", value)), 3) is unchanged
    assert etag(3) == '"3"'
