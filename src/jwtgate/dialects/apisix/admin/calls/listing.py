"""A list of objects: those that fit the filters, in the order they were made, and one page of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from jwtgate.dialects.apisix.admin.calls.replies import Wrong
from jwtgate.dialects.apisix.admin.resources import Entry

LEAST_PAGE, MOST_PAGE = 10, 500
_FILTERED = ("service_id", "upstream_id")


def listed(entries: Sequence[Entry], query: Mapping[str, str]) -> dict[str, Any]:
    """What a GET of a collection says. `Wrong` for a page of a size that is not served."""
    found = sorted((each for each in entries if _fits(each.value, query)), key=lambda each: (each.created, each.key))
    return {"total": len(found), "list": [each.shown() for each in _page(found, query)]}


def _page(entries: list[Entry], query: Mapping[str, str]) -> list[Entry]:
    page, size = _number(query.get("page")), _number(query.get("page_size"))
    if page is None or size is None:
        return entries
    if not LEAST_PAGE <= size <= MOST_PAGE:
        raise Wrong(400, f"page_size must be between {LEAST_PAGE} and {MOST_PAGE}")
    first = (max(page, 1) - 1) * size
    return entries[first : first + size]


def _number(text: str | None) -> int | None:
    # More digits than any page has, and no more work than that.
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) <= 15 else None


def _fits(value: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    name, label, uri = query.get("name"), query.get("label"), query.get("uri")
    if name is not None and name not in str(value.get("name") or value.get("username") or ""):
        return False
    if label is not None and not _has_label(value.get("labels") or {}, label):
        return False
    if uri is not None and not any(uri in each for each in [value.get("uri") or "", *(value.get("uris") or ())]):
        return False
    wanted = dict(parse_qsl(query.get("filter", "")))
    return all(str(value.get(each)) == wanted[each] for each in _FILTERED if each in wanted)


def _has_label(labels: Mapping[str, Any], label: str) -> bool:
    name, colon, content = label.partition(":")
    return label in labels or (bool(colon) and labels.get(name) == content)
