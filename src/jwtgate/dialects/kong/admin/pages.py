"""Which part of a list is asked for: `size`, `offset` and `tags` of a query, and the address of the part after it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from jwtgate.dialects.dialect import Reply
from jwtgate.dialects.kong.admin.answers import answer, bad_offset, bad_option, bad_size
from jwtgate.dialects.kong.admin.bodies import form_pairs
from jwtgate.jose.encoding import base64url_decode, base64url_encode

DEFAULT_SIZE, MOST_SIZE = 100, 1_000
_NUMBER = re.compile(r"-?[0-9]{1,9}(?:\.0*)?")
_TAGS = re.compile(r"[^,/]+(?:(?:,[^,/]+)*|(?:/[^,/]+)*)")

Entity = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One page: how many entities, from behind which one on, with `all_tags` or with one of `any_tag`.

    `custom_id`: just the consumer that has it.
    """

    size: int = DEFAULT_SIZE
    after: str = ""
    all_tags: tuple[str, ...] = ()
    any_tag: tuple[str, ...] = ()
    tags: str = ""
    custom_id: str | None = None

    def has(self, entity: Mapping[str, Any]) -> bool:
        """Whether the entity is among those asked for."""
        tags = entity.get("tags") or ()
        return all(tag in tags for tag in self.all_tags) and (
            not self.any_tag or any(tag in tags for tag in self.any_tag)
        )


def wanted(query: str) -> Wanted:
    """What a query asks for. A 400 with its number for what says nothing."""
    given = {name: value for name, value in form_pairs(query) if value not in ("", True)}
    tags = given.get("tags", "")
    if tags and _TAGS.fullmatch(tags) is None:
        raise bad_option("tags", "invalid filter syntax")
    split = tuple(re.split("[,/]", tags)) if tags else ()
    any_of, all_of = (split, ()) if "/" in tags else ((), split)
    return Wanted(_size(given.get("size")), _after(given.get("offset")), all_of, any_of, tags, given.get("custom_id"))


def _size(text: str | None) -> int:
    if text is None:
        return DEFAULT_SIZE
    if _NUMBER.fullmatch(text) is None:
        raise bad_size("size must be a number")
    size = int(float(text))
    if not 1 <= size <= MOST_SIZE:
        raise bad_size(f"size must be an integer between 1 and {MOST_SIZE}")
    return size


def _after(text: str | None) -> str:
    if text is None:
        return ""
    try:
        return base64url_decode(text).decode("utf-8")
    except ValueError:
        raise bad_offset(text) from None


def page(found: Sequence[tuple[str, Entity]], asked: Wanted, path: str) -> Reply:
    """The answer with these entities, each with what comes before the next; one more than asked for means more."""
    shown = found[: asked.size]
    value: dict[str, Any] = {"data": [entity for _, entity in shown], "next": None}
    if len(found) > asked.size:
        offset = base64url_encode(shown[-1][0].encode())
        size = f"&size={asked.size}" if asked.size != DEFAULT_SIZE else ""
        tags = f"&tags={quote(asked.tags, safe='')}" if asked.tags else ""
        value |= {"next": f"{path}?offset={offset}{size}{tags}", "offset": offset}
    return answer(200, value)
