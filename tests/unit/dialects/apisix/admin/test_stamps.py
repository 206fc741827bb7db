from __future__ import annotations

from jwtgate.dialects.apisix.admin.stamps import Stamps, new_id


def test_indexes_grow_also_where_the_clock_stands_still() -> None:
    stamps = Stamps(lambda: 1000.5)
    assert [stamps.index(), stamps.index()] == [1_000_500_000, 1_000_500_001]


def test_an_object_says_when_it_was_made_and_changed() -> None:
    stamps = Stamps(lambda: 1000.5)
    assert stamps.dated({"uri": "/"}, None) == {"uri": "/", "create_time": 1000, "update_time": 1000}
    assert stamps.dated({}, {"create_time": 7}) == {"create_time": 7, "update_time": 1000}


def test_an_id_nobody_gave_has_twenty_digits() -> None:
    assert new_id(1_000_500_000) == "00000000001000500000"
