"""The key sets of `jwt-signer`: shown without anything private, deleted, and rotated on demand or by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from jwtgate.dialects.dialect import Call, Objects, Reply
from jwtgate.dialects.kong.admin.answers import answer, not_allowed, not_found
from jwtgate.dialects.kong.admin.pages import page, wanted
from jwtgate.dialects.kong.admin.shelves import Shelves
from jwtgate.dialects.kong.keysets import DEFAULT, is_address, rotated
from jwtgate.dialects.kong.signer_fields import TOKENS

KEY_SETS = "keysets"
MEDIA_TYPE = "application/jwk-set+json"
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})

KeySet = Mapping[str, Any]


async def answer_key_sets(call: Call, segments: list[str], shelves: Shelves, now: int) -> Reply:
    """What is answered below `/jwt-signer/jwks`, `segments` being what follows. `now` is in seconds."""
    match segments:
        case []:
            return _listed(call, shelves)
        case [name]:
            return _one(call, name, shelves)
        case [name, "rotate"]:
            if call.method != "POST":
                raise not_allowed("POST")
            return answer(200, _shown(await _rotated(shelves, _named(shelves, name), now)))
    raise not_found()


def due(objects: Objects, now: int) -> list[str]:
    """The ids of the sets that are as old as a plugin lets them become."""
    periods: dict[str, float] = {}
    for name, period in _periods(objects):
        periods[name] = min(period, periods.get(name, period))
    sets = objects.get(KEY_SETS, {}).values()
    return [each["id"] for each in sets if now - each["updated_at"] >= periods.get(each["name"], float("inf"))]


async def rotate_due(shelves: Shelves, now: int) -> None:
    """Rotate the sets that are due."""
    for id_ in due(shelves.objects, now):
        await _rotated(shelves, shelves.objects[KEY_SETS][id_], now)


def _periods(objects: Objects) -> Iterator[tuple[str, float]]:
    for plugin in objects.get("plugins", {}).values():
        config = plugin["config"] if plugin["name"] == "jwt-signer" and plugin["enabled"] else {}
        for token in TOKENS:
            name, period = config.get(f"{token}_keyset") or DEFAULT, config.get(f"{token}_keyset_rotate_period")
            if period and not is_address(name):
                yield name, period


def _listed(call: Call, shelves: Shelves) -> Reply:
    if call.method != "GET":
        raise not_allowed("GET")
    asked = wanted(call.query)
    held = sorted(shelves.objects.get(KEY_SETS, {}).items())
    return page([(id_, _shown(each)) for id_, each in held if id_ > asked.after], asked, call.path)


def _one(call: Call, name: str, shelves: Shelves) -> Reply:
    key_set = _named(shelves, name)
    if call.method == "GET":
        shown = _shown(key_set)
        return answer(200, {part: shown[part] for part in ("keys", "previous")}, media_type=MEDIA_TYPE)
    if call.method == "DELETE":
        held = shelves.objects[KEY_SETS].items()
        shelves.objects[KEY_SETS] = {id_: each for id_, each in held if id_ != key_set["id"]}
        return Reply(204)
    raise not_allowed("GET", "DELETE")


def _named(shelves: Shelves, name: str) -> KeySet:
    sets = shelves.objects.get(KEY_SETS, {}).values()
    found: KeySet | None = next((each for each in sets if name in (each["id"], each["name"])), None)
    if found is None:
        raise not_found()
    return found


async def _rotated(shelves: Shelves, key_set: KeySet, now: int) -> KeySet:
    fresh = await asyncio.to_thread(rotated, key_set, now)
    shelves.objects[KEY_SETS] = {**shelves.objects[KEY_SETS], fresh["id"]: fresh}
    return fresh


def _shown(key_set: KeySet) -> dict[str, Any]:
    """The set without a private member."""
    shown = {name: key_set[name] for name in ("id", "name", "created_at", "updated_at")}
    return {**shown, **{part: [_public(key) for key in key_set[part]] for part in ("keys", "previous")}}


def _public(key: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in key.items() if name not in _PRIVATE}
