"""A request read strictly: one reading or none. What cannot be read is refused with 400, 413 or 415."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import unquote_to_bytes

from fastapi import Depends, Query, Request
from starlette.requests import ClientDisconnect

from jwtgate.admin.access.guard import OPERATOR
from jwtgate.admin.exchange.problems import Mistake, Problem, unreadable, unusable
from jwtgate.jose.encoding import JSON, parse_json
from jwtgate.policy.sources import Operator

LIMIT_BYTES = 1024 * 1024
MOST_MEMBERS = 100_000
BODY_SECONDS = 30.0
MOST_ITEMS = 1000
MOST_NUMBER = 2**53 - 1

JSON_TYPE = "application/json"
_UTF8 = re.compile(r"\s*(?:;\s*charset=\"?utf-8\"?\s*)?", re.IGNORECASE)
_ENCODED = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+")
_NAME = re.compile(r"[!#-\[\]-~]{1,128}")
NUMBER_PATTERN = r"^(0|[1-9][0-9]{0,14})$"
NAME_PATTERN = r"^[!#-\[\]-~]{1,128}$"
_INTEGER, _BOOLEAN = re.compile(r"0|[1-9][0-9]*"), re.compile(r"true|false")
_FORMS = {"integer": (_INTEGER, "an integer"), "boolean": (_BOOLEAN, "true or false")}


def who(request: Request) -> str:
    """The name of the operator who asks."""
    operator: Operator = request.scope["state"][OPERATOR]
    return operator.name


def path_name(name: str) -> str:
    """The name that stands in a path, decoded. Raises `Problem`."""
    if not _ENCODED.fullmatch(name):
        raise unreadable("the path has a character that must be percent-encoded")
    decoded = unquote_to_bytes(name)
    text = decoded.decode("ascii", "replace")
    if not _NAME.fullmatch(text):
        raise unreadable("the name in the path has characters no name may have, or too many")
    return text


async def only_described(request: Request) -> None:
    """Raises `Problem` for query parameters nobody knows, that come twice, or numbers with more than one reading."""
    operation = request.app.openapi()["paths"][request.scope["route"].path_format][request.method.lower()]
    known = {each["name"]: each["schema"] for each in operation.get("parameters", ()) if each["in"] == "query"}
    mistakes = []
    seen = set()
    for name, value in request.query_params.multi_items():
        if name not in known:
            mistakes.append(Mistake("", "there is a query parameter that is not known here"))
        elif name in seen:
            mistakes.append(Mistake("", f"the query parameter {name} is given twice"))
        elif (form := _FORMS.get(known[name].get("type"))) and not form[0].fullmatch(value):
            mistakes.append(Mistake("", f"the query parameter {name} must be as JSON writes {form[1]}"))
        seen.add(name)
    if mistakes:
        raise Problem(400, "unreadable", "The request cannot be read.", mistakes=dict.fromkeys(mistakes))


@dataclass(frozen=True, slots=True)
class Asked:
    """Which part of a list is asked for."""

    after: str | None
    limit: int


async def part_of_list(
    after: Annotated[str | None, Query(description="Begin after this one: the `next` of an answer.")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_ITEMS, description="How many to answer with.")] = 100,
) -> Asked:
    """Which part of a list is asked for."""
    return Asked(after, limit)


Part = Annotated[Asked, Depends(part_of_list)]


@dataclass(frozen=True, slots=True)
class NumberedAsked:
    """Which part of a numbered list is asked for."""

    after: int
    limit: int


async def part_of_numbered_list(
    after: Annotated[int, Query(ge=0, le=MOST_NUMBER, description="Begin after this number.")] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_ITEMS, description="How many to answer with.")] = 100,
) -> NumberedAsked:
    """Which part of a numbered list is asked for."""
    return NumberedAsked(after, limit)


NumberedPart = Annotated[NumberedAsked, Depends(part_of_numbered_list)]


def media_type(request: Request, *known: str) -> str:
    """The media type of the body, one of these. Raises `Problem` 415."""
    given = request.headers.getlist("content-type")
    kind, semicolon, parameters = (given[0] if len(given) == 1 else "").partition(";")
    kind = kind.strip().lower()
    if kind in known and _UTF8.fullmatch(semicolon + parameters) and "content-encoding" not in request.headers:
        return kind
    field = "Accept-Patch" if request.method == "PATCH" else "Accept"
    detail = f"The body must be {' or '.join(known)}, in UTF-8 and not compressed."
    raise Problem(415, "media-types", detail, fields={field: ", ".join(known)})


async def body_parts(request: Request, limit_bytes: int) -> AsyncIterator[bytes]:
    """The body as it arrives. Raises `Problem` 413 for more than this, and 408 when it pauses."""
    announced = int(request.headers.get("content-length", 0))  # the server let digits through only
    arrived = 0
    parts = request.stream()
    while max(announced, arrived) <= limit_bytes:
        try:
            async with asyncio.timeout(BODY_SECONDS):
                part = await anext(parts)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise Problem(408, "too-slow", "The body did not arrive in time.") from None
        except ClientDisconnect:
            raise unreadable("the body broke off") from None
        arrived += len(part)
        yield part
    raise Problem(413, "too-large", f"The body is larger than {limit_bytes} bytes.")


async def json_body(request: Request, *kinds: str) -> tuple[str, JSON]:
    """The media type of the body, one of `kinds`, and its value, read strictly. Raises `Problem`."""
    kind = media_type(request, *(kinds or (JSON_TYPE,)))
    body = b"".join([part async for part in body_parts(request, LIMIT_BYTES)])
    try:
        return kind, parse_json(body, limit_bytes=LIMIT_BYTES, most_members=MOST_MEMBERS)
    except (ValueError, RecursionError) as error:
        raise unreadable(f"the body is {error}") from None


def json_object(value: JSON) -> dict[str, Any]:
    """The value, which must be an object. Raises `Problem` 422."""
    if isinstance(value, dict):
        return value
    raise unusable([Mistake("", "must be a mapping")])
