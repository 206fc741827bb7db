"""What part of a list is asked for."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwtgate.dialects.kong.admin.answers import Failure
from jwtgate.dialects.kong.admin.pages import DEFAULT_SIZE, page, wanted


@pytest.mark.parametrize(
    ("query", "size"), [("", DEFAULT_SIZE), ("size=", DEFAULT_SIZE), ("size=1", 1), ("size=1000", 1000)]
)
def test_a_page_has_a_size(query: str, size: int) -> None:
    assert wanted(query).size == size


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("size=many", 9, "size must be a number"),
        ("size=0", 9, "size must be an integer between 1 and 1000"),
        ("size=1001", 9, "size must be an integer between 1 and 1000"),
        ("offset=%", 7, "'%' is not a valid offset: bad base64 encoding"),
        ("tags=a,b/c", 11, "invalid option (tags: invalid filter syntax)"),
        ("tags=,", 11, "invalid option (tags: invalid filter syntax)"),
    ],
)
def test_what_says_nothing_is_a_400(query: str, code: int, message: str) -> None:
    with pytest.raises(Failure) as failure:
        wanted(query)
    value = json.loads(failure.value.reply.body)
    assert (failure.value.reply.status, value["code"], value["message"]) == (400, code, message)


@pytest.mark.parametrize(
    ("query", "tags", "has"),
    [
        ("tags=a,b", ["a", "b"], True),
        ("tags=a,b", ["a"], False),
        ("tags=a/b", ["b"], True),
        ("tags=a/b", ["c"], False),
        ("tags=a", ["a", "c"], True),
        ("tags=a", None, False),
        ("", None, True),
    ],
)
def test_tags_choose(query: str, tags: list[str] | None, has: bool) -> None:
    assert wanted(query).has({"tags": tags}) is has


def test_more_than_was_asked_for_means_another_page() -> None:
    found = [(str(number), {"id": number}) for number in range(3)]
    first = json.loads(page(found, wanted("size=2&tags=a/b"), "/x").body)
    assert [each["id"] for each in first["data"]] == [0, 1]
    assert first["next"] == f"/x?offset={first['offset']}&size=2&tags=a%2Fb"
    assert wanted(first["next"].partition("?")[2]).after == "1"


def test_the_last_page_leads_nowhere() -> None:
    assert json.loads(page([("1", {"id": 1})], wanted("size=1"), "/x").body) == {"data": [{"id": 1}], "next": None}


@given(st.text("size=&offt%gA0,/", max_size=20))
def test_any_query_asks_for_something_or_is_refused(query: str) -> None:
    with suppress(Failure):
        assert 1 <= wanted(query).size <= 1000
