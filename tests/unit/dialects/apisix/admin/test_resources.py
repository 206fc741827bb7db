from __future__ import annotations

import pytest

from jwtgate.dialects.apisix.admin.calls.replies import Wrong
from jwtgate.dialects.apisix.admin.resources import (
    RESOURCES,
    Entry,
    deleted,
    identity,
    missing_id,
    must_not_say_when,
    resource_named,
)

ROUTES = RESOURCES["routes"]


def test_an_id_stands_in_the_path_or_in_the_object() -> None:
    assert identity(ROUTES, "1", {}) == identity(ROUTES, None, {"id": "1"}) == identity(ROUTES, "1", {"id": 1}) == "1"


@pytest.mark.parametrize(
    ("in_path", "value", "sentence"),
    [
        (None, {}, "missing route id"),
        ("1", {"id": "2"}, "wrong route id"),
        (None, {"id": {}}, 'property "id" validation failed'),
        (None, {"id": True}, 'property "id" validation failed'),
    ],
)
def test_an_object_has_one_id(in_path: str | None, value: dict[str, object], sentence: str) -> None:
    with pytest.raises(Wrong, match=sentence):
        identity(ROUTES, in_path, value)


def test_a_secret_that_is_not_named_is_told_of_in_its_own_words() -> None:
    assert missing_id(RESOURCES["secrets"]).value == {"error_msg": "no secret id"}


def test_when_an_object_was_made_is_not_the_callers_to_say() -> None:
    must_not_say_when({"uri": "/"})
    with pytest.raises(Wrong) as refused:
        must_not_say_when({"create_time": 1, "update_time": 2})
    assert refused.value.value == {"error_msg": "the property is forbidden:  create_time update_time"}


def test_a_collection_may_know_fewer_methods() -> None:
    ROUTES.must_support("POST")
    with pytest.raises(Wrong) as refused:
        RESOURCES["consumers"].must_support("POST")
    assert refused.value.status == 405
    assert refused.value.value == {"error_msg": "not supported `POST` method for consumer"}


def test_a_collection_that_is_none_is_told_of() -> None:
    assert resource_named("routes") is ROUTES
    with pytest.raises(Wrong) as refused:
        resource_named("x")
    assert (refused.value.status, refused.value.value) == (404, {"error_msg": "Unsupported resource type: x"})


def test_an_object_is_shown_with_its_indexes_and_told_of_without() -> None:
    entry = Entry("/apisix/routes/1", {"uri": "/"}, 2, 3)
    assert entry.written() == {"key": "/apisix/routes/1", "value": {"uri": "/"}}
    assert entry.shown() == entry.written() | {"createdIndex": 2, "modifiedIndex": 3}
    assert deleted("routes", "1") == {"deleted": "1", "key": "/apisix/routes/1"}
