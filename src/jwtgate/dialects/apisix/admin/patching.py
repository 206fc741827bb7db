"""An object with a part of it changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jwtgate.dialects.apisix.admin.calls.replies import wrong


def merged(value: Any, change: Any) -> Any:
    """The value with a change merged into it: null takes a member away, lists are replaced (RFC 7396)."""
    if not isinstance(change, dict):
        return change
    before = value if isinstance(value, dict) else {}
    after = {name: member for name, member in before.items() if change.get(name, member) is not None}
    for name, member in change.items():
        if member is not None:
            after[name] = merged(before.get(name), member)
    return after


def replaced(value: Any, path: Sequence[str], part: Any) -> Any:
    """The value with this part at a path of members; null takes it away. `Wrong` for a path through no object."""
    if not path:
        return part
    if not isinstance(value, dict):
        raise wrong("invalid sub-path: /" + "/".join(path))
    name, *rest = path
    if not rest and part is None:
        return {each: member for each, member in value.items() if each != name}
    return {**value, name: replaced(value.get(name, {}) if rest else None, rest, part)}
