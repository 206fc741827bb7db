"""Where one call finds and puts entities."""

from __future__ import annotations

import asyncio

import pytest
from tests.unit.dialects.fake_desk import FakeDesk

from jwtgate.dialects.dialect import Conflict
from jwtgate.dialects.kong.admin.answers import Failure
from jwtgate.dialects.kong.admin.pages import Wanted
from jwtgate.dialects.kong.admin.shelves import DECLARED, Shelves

SERVICE = {"id": "1", "name": "s"}


def _shelves(desk: FakeDesk, *, is_declarative: bool = False) -> Shelves:
    return Shelves(desk, asyncio.run(desk.kept()), "x", is_declarative=is_declarative)


async def _commit(desk: FakeDesk, shelves: Shelves) -> None:
    async with desk.changing():
        await shelves.commit()


def test_what_is_not_committed_has_not_happened() -> None:
    desk = FakeDesk({"services": {"0": {"id": "0"}}})
    shelves = _shelves(desk)
    asyncio.run(shelves.put("services", SERVICE, "create"))
    assert asyncio.run(shelves.find("services", "name", "s")) == SERVICE
    assert desk.objects == {"services": {"0": {"id": "0"}}}
    asyncio.run(_commit(desk, shelves))
    assert desk.objects == {"services": {"0": {"id": "0"}, "1": SERVICE}}


def test_nothing_changed_is_nothing_kept() -> None:
    desk = FakeDesk({"services": {}})
    asyncio.run(_commit(desk, _shelves(desk)))
    assert desk.version == 0


def test_who_was_slower_hears_of_it() -> None:
    desk = FakeDesk()
    shelves = _shelves(desk)
    asyncio.run(shelves.put("services", SERVICE, "create"))
    desk.version += 1
    with pytest.raises(Conflict):
        asyncio.run(_commit(desk, shelves))


@pytest.mark.parametrize("objects", [{}, {DECLARED: "digest"}])
def test_what_was_given_as_a_whole_can_only_be_read(objects: dict[str, str]) -> None:
    shelves = _shelves(FakeDesk(dict(objects)), is_declarative=not objects)
    for change in (shelves.put("consumers", {"id": "1"}, "create"), shelves.remove("consumers", {"id": "1"})):
        with pytest.raises(Failure) as failure:
            asyncio.run(change)
        assert failure.value.reply.status == 405


def test_consumers_that_were_given_as_a_whole_are_among_the_objects() -> None:
    desk = FakeDesk({"consumers": {"1": {"id": "1", "username": "jack"}}})
    shelves = _shelves(desk, is_declarative=True)
    assert asyncio.run(shelves.find("consumers", "username", "jack")) == {"id": "1", "username": "jack"}
    assert asyncio.run(_shelves(desk).find("consumers", "username", "jack")) is None


def test_a_page_begins_behind_the_one_before() -> None:
    shelves = _shelves(FakeDesk({"services": {str(number): {"id": str(number)} for number in range(5)}}))
    found = asyncio.run(shelves.page("services", Wanted(size=2, after="1")))
    assert [id_ for id_, _ in found] == ["2", "3", "4"]


def test_what_belongs_to_another_is_not_found_below() -> None:
    shelves = _shelves(FakeDesk({"routes": {"1": {"id": "1", "service": {"id": "a"}}, "2": {"id": "2"}}}))
    assert asyncio.run(shelves.find_below("routes", ("service", "a"), ("id", "1"))) is not None
    assert asyncio.run(shelves.find_below("routes", ("service", "b"), ("id", "1"))) is None
    assert asyncio.run(shelves.find_below("routes", ("service", "a"), ("id", "2"))) is None
    assert [id_ for id_, _ in asyncio.run(shelves.page("routes", Wanted(), ("service", "a")))] == ["1"]
