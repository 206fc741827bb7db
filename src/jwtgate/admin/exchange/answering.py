"""Answers: values with their versions, and parts of lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode

from starlette.responses import Response

from jwtgate.admin.exchange.conditions import etag
from jwtgate.admin.exchange.reading import NumberedAsked
from jwtgate.jose.encoding import JSON, json_bytes


def answer(content: JSON, *, status: int = 200, fields: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(json_bytes(content), status, fields, media_type="application/json")


def tagged(version: int, content: JSON) -> Response:
    """An answer with its version as its entity tag."""
    return answer(content, fields={"ETag": etag(version)})


def unchanged(version: int) -> Response:
    """The answer to a client that has this version."""
    return Response(status_code=304, headers={"ETag": etag(version)})


def listing(path: str, items: JSON, following: str | None, *, asked: Mapping[str, str]) -> Response:
    """A part of a list, with a link to the next one (RFC 8288) when there is more."""
    fields = None
    if following is not None:
        address = f"{path}?{urlencode({**asked, 'after': following}, quote_via=quote)}"
        fields = {"Link": f'<{address}>; rel="next"'}
    return answer({"items": items, "next": following}, fields=fields)


def numbered(path: str, items: JSON, numbers: Sequence[int], *, part: NumberedAsked) -> Response:
    """A part of a list whose entries are numbered."""
    following = str(numbers[-1]) if len(numbers) == part.limit else None
    return listing(path, items, following, asked={"limit": str(part.limit)})
