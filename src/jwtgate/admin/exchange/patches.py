"""A value changed by a patch: JSON Merge Patch (RFC 7396) or JSON Patch (RFC 6902)."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, cast

from jsonpatch import JsonPatch, JsonPatchException, JsonPatchTestFailed, JsonPointer, JsonPointerException

from jwtgate.admin.exchange.problems import Mistake, Problem, unusable
from jwtgate.jose.encoding import JSON

MERGE, PATCH = "application/merge-patch+json", "application/json-patch+json"

_OPERATIONS = frozenset({"add", "remove", "replace", "move", "copy", "test"})
MOST_OPERATIONS = 1_000
MOST_COPIED = 100_000
"""How many values all `copy` operations of a patch may copy: each may double what is there."""


def patched(value: JSON, patch: JSON, kind: str) -> JSON:
    """The value after this patch. Raises `Problem` for a patch that is none, or does not fit the value."""
    return merged(value, patch) if kind == MERGE else _operated(value, patch)


def merged(value: JSON, patch: JSON) -> JSON:
    """The value after a merge patch: null removes (RFC 7396 section 2)."""
    if not isinstance(patch, dict):
        return patch
    held = value if isinstance(value, dict) else {}
    changed = {name: merged(held.get(name), item) for name, item in patch.items() if item is not None}
    return {**{name: item for name, item in held.items() if name not in patch}, **changed}


def _operated(value: JSON, patch: JSON) -> JSON:
    """The value after all of these operations, one after the other (RFC 6902 section 5)."""
    if not isinstance(patch, list) or len(patch) > MOST_OPERATIONS:
        raise unusable([Mistake("", f"must be a list of at most {MOST_OPERATIONS} operations")])
    result: JSON = copy.deepcopy(value)
    copied = 0
    for index, operation in enumerate(patch):
        try:
            copied += _copied(result, operation)
            result = JsonPatch([cast("Any", operation)]).apply(result, in_place=True)
        except JsonPatchTestFailed:
            mistake = Mistake(f"/{index}", "the value is another")
            raise Problem(409, "test", "A test of the patch failed. Nothing was changed.", mistakes=[mistake]) from None
        except (JsonPatchException, JsonPointerException, TypeError, ValueError, LookupError, AttributeError):
            raise unusable([Mistake(f"/{index}", "is no operation that fits the value")]) from None
        if copied > MOST_COPIED:
            raise unusable([Mistake(f"/{index}", "copies more than is allowed")])
    return result


def _copied(value: JSON, operation: JSON) -> int:
    """How many values this operation copies. `ValueError` when it is none."""
    if not isinstance(operation, dict) or operation.get("op") not in _OPERATIONS:
        raise ValueError("not an operation of RFC 6902")
    if operation["op"] != "copy":
        return 0
    source = operation.get("from")
    if not isinstance(source, str):
        raise TypeError("not a pointer")
    return len(list(_values(JsonPointer(source).resolve(value))))


def _values(value: JSON) -> Iterator[JSON]:
    yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _values(item)
