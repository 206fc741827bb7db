from __future__ import annotations

from typing import Any

import pytest

from jwtgate.dialects.apisix.admin.calls.listing import listed
from jwtgate.dialects.apisix.admin.calls.replies import Wrong
from jwtgate.dialects.apisix.admin.resources import Entry

ROUTES = [
    Entry("/apisix/routes/b", {"name": "beta", "uri": "/b", "labels": {"env": "test"}, "service_id": 7}, 2, 5),
    Entry("/apisix/routes/a", {"name": "alpha", "uris": ["/a", "/x"]}, 1, 1),
    Entry("/apisix/consumers/c", {"username": "carl"}, 3, 3),
]


def names(**query: str) -> list[str]:
    told: dict[str, Any] = listed(ROUTES, query)
    assert told["total"] == len(told["list"])
    return [each["key"][-1] for each in told["list"]]


def test_a_list_is_in_the_order_things_were_made() -> None:
    assert names() == ["a", "b", "c"]
    assert listed(ROUTES, {})["list"][1] == {
        "key": "/apisix/routes/b",
        "value": ROUTES[0].value,
        "createdIndex": 2,
        "modifiedIndex": 5,
    }


@pytest.mark.parametrize(
    ("query", "fitting"),
    [
        ({"name": "alp"}, ["a"]),
        ({"name": "carl"}, ["c"]),
        ({"label": "env"}, ["b"]),
        ({"label": "env:test"}, ["b"]),
        ({"label": "env:live"}, []),
        ({"uri": "x"}, ["a"]),
        ({"filter": "service_id=7"}, ["b"]),
        ({"filter": "service_id=8"}, []),
        ({"name": "a", "uri": "/b"}, ["b"]),
    ],
)
def test_filters_leave_what_fits_them_all(query: dict[str, str], fitting: list[str]) -> None:
    assert names(**query) == fitting


def page(**query: str) -> list[int]:
    many = [Entry(f"/apisix/routes/{number:02}", {}, number, number) for number in range(25)]
    told = listed(many, query)
    assert told["total"] == 25
    return [each["createdIndex"] for each in told["list"]]


def test_a_page_is_a_part_of_the_list() -> None:
    assert page(page="2", page_size="10") == list(range(10, 20))
    assert page(page="3", page_size="10") == list(range(20, 25))
    assert page(page="0", page_size="10") == list(range(10))
    assert page(page="9", page_size="10") == []
    assert page(page="1") == page(page="x", page_size="10") == list(range(25))


@pytest.mark.parametrize("size", ["9", "501", "0"])
def test_a_page_has_a_sensible_size(size: str) -> None:
    with pytest.raises(Wrong) as refused:
        page(page="1", page_size=size)
    assert (refused.value.status, refused.value.value) == (400, "page_size must be between 10 and 500")
