"""The whole configuration at once: `/config` gives it, and takes another in its place."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from jwtgate.dialects.dialect import Call, Objects, Reply
from jwtgate.dialects.kong.admin.answers import answer, bad_declaration, not_allowed, said
from jwtgate.dialects.kong.admin.bodies import form_pairs, members
from jwtgate.dialects.kong.admin.key_sets import KEY_SETS
from jwtgate.dialects.kong.admin.pages import Wanted
from jwtgate.dialects.kong.admin.shelves import DECLARED, Shelves
from jwtgate.dialects.kong.entities import ENTITIES
from jwtgate.errors import ConfigError
from jwtgate.jose.encoding import json_bytes

Read = Callable[[Sequence[tuple[str, bytes]]], Objects | None]
"""Text to objects, as `Dialect.read`."""
_FORMAT = "_format_version"
_OPTIONS = ("check_hash", "flatten_errors")
_AT_ONCE = 500


async def answer_config(call: Call, shelves: Shelves, read: Read) -> Reply:
    """What `/config` answers. What a POST gives stands in `shelves` afterwards, to be kept."""
    if call.method == "GET":
        return answer(200, {"config": await _written(shelves)})
    if call.method != "POST":
        raise not_allowed("GET", "POST")
    text = _text(call)
    digest = hashlib.sha256(text).hexdigest()[:32]
    if _is_asked(call, "check_hash") and shelves.objects.get(DECLARED) == digest:
        return Reply(304)
    try:
        objects = await asyncio.to_thread(read, [("config.yaml", text)])
    except ConfigError as error:
        raise bad_declaration({"@entity": list(error.problems)}, "; ".join(error.problems)) from None
    if objects is None:
        raise bad_declaration({_FORMAT: "required field missing"}, f"{{{_FORMAT}=required field missing}}")
    made = {KEY_SETS: shelves.objects[KEY_SETS]} if KEY_SETS in shelves.objects else {}
    shelves.replace({**made, **objects, DECLARED: digest})
    return answer(201, {name: objects[name] for name in ENTITIES if objects.get(name)})


def _text(call: Call) -> bytes:
    """The configuration as text, whatever it came in."""
    media_type = (call.value("content-type") or "").lower()
    if "yaml" in media_type or media_type.startswith("text/"):
        return call.body
    given = members(call)
    if isinstance(given.get("config"), str):
        return str(given["config"]).encode("utf-8", "surrogatepass")
    if _FORMAT in given:
        return json_bytes({name: value for name, value in given.items() if name not in _OPTIONS})
    if _FORMAT.encode() in call.body:
        return call.body  # curl says a file is a form unless it is told otherwise
    raise said(400, "expected a declarative configuration")


def _is_asked(call: Call, option: str) -> bool:
    return any(name == option and value in ("1", "true", True) for name, value in form_pairs(call.query))


async def _written(shelves: Shelves) -> str:
    """Everything there is, in JSON, which is YAML as well."""
    whole: dict[str, Any] = {_FORMAT: "3.0", "_transform": False}
    for kind in ENTITIES:
        found: list[Any] = []
        after = ""
        while batch := await shelves.page(kind, Wanted(_AT_ONCE, after)):
            found += [_referring_by_id(entity) for _, entity in batch[:_AT_ONCE]]
            after = batch[:_AT_ONCE][-1][0]
        if found:
            whole[kind] = found
    return json_bytes(whole).decode()


def _referring_by_id(entity: dict[str, Any]) -> dict[str, Any]:
    """The entity as a file has it: what it belongs to by id, and nothing that is null."""
    plain = {
        name: value["id"] if isinstance(value, dict) and set(value) == {"id"} else value
        for name, value in entity.items()
    }
    return {name: value for name, value in plain.items() if value is not None}
