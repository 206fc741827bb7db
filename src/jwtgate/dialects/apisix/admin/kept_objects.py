"""The objects of the store with one of them changed, and when each was. What is kept is never changed in place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jwtgate.dialects.apisix.admin.resources import Entry, key_of
from jwtgate.dialects.dialect import Objects

MARKS = "marks"
CREATED, MODIFIED, ENDS = "created", "modified", "ends"


def collection(objects: Objects, name: str) -> Mapping[str, Any]:
    """The objects of one collection by id."""
    found: Mapping[str, Any] = objects.get(name, {})
    return found


def entry(objects: Objects, name: str, identity: str) -> Entry | None:
    """One object; None when there is none."""
    value = collection(objects, name).get(identity)
    if value is None:
        return None
    place = f"{name}/{identity}"
    mark = collection(objects, MARKS).get(place, {})
    return Entry(key_of(name, identity), value, mark.get(CREATED, 1), mark.get(MODIFIED, 1))


def entries(objects: Objects, name: str) -> list[Entry]:
    """Every object of one collection."""
    found = (entry(objects, name, each) for each in collection(objects, name))
    return [each for each in found if each is not None]


def with_object(
    objects: Objects, name: str, identity: str, value: Mapping[str, Any], *, index: int, ends: int | None
) -> Objects:
    """The objects with this one made or replaced."""
    place = f"{name}/{identity}"
    created = collection(objects, MARKS).get(place, {}).get(CREATED, index)
    mark = {CREATED: created, MODIFIED: index, **({} if ends is None else {ENDS: ends})}
    changed = {**collection(objects, name), identity: dict(value)}
    return {**objects, name: changed, MARKS: {**collection(objects, MARKS), place: mark}}


def without_object(objects: Objects, name: str, identity: str) -> Objects:
    """The objects without this one."""
    left = {each: value for each, value in collection(objects, name).items() if each != identity}
    return without_mark({**objects, name: left}, f"{name}/{identity}")


def with_end(objects: Objects, place: str, ends: int | None) -> Objects:
    """The objects where that of a caller at this place ends then, or never; the same ones when that is so already."""
    if ends is None:
        return without_mark(objects, place)
    return {**objects, MARKS: {**collection(objects, MARKS), place: {ENDS: ends}}}


def without_mark(objects: Objects, place: str) -> Objects:
    """The objects with nothing said of this place; the same ones when nothing is."""
    marks = collection(objects, MARKS)
    if place not in marks:
        return objects
    return {**objects, MARKS: {each: mark for each, mark in marks.items() if each != place}}


def ended(objects: Objects, now: int) -> list[str]:
    """The places whose time is over."""
    return [place for place, mark in collection(objects, MARKS).items() if mark.get(ENDS, now + 1) <= now]
