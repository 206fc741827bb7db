"""Versions as entity tags, and what a request says of the version it may change (RFC 9110 sections 8.8 and 13)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fastapi import Request

from jwtgate.admin.exchange.problems import Problem, unreadable

_TAG = re.compile(r'"([\x21\x23-\x7e]*)"')


def etag(version: int) -> str:
    """The strong entity tag of a version (RFC 9110 section 8.8.3)."""
    return f'"{version}"'


@dataclass(frozen=True, slots=True)
class Condition:
    """What the request says of the version it may change (RFC 9110 section 13.1).

    `tags`: one of these; None: any. `exists` and `absent`: whether there must, or must not, be one at all.
    """

    tags: frozenset[str] | None = None
    exists: bool = False
    absent: bool = False


def condition(request: Request) -> Condition:
    """The condition of a request that changes something. Raises `Problem`."""
    match, none_match = request.headers.getlist("if-match"), request.headers.getlist("if-none-match")
    if none_match:
        if match or [each.strip() for each in none_match] != ["*"]:
            raise unreadable("If-None-Match can only be *, without If-Match, on a request that changes something")
        return Condition(absent=True)
    if not match:
        return Condition()
    if [each.strip() for each in match] == ["*"]:
        return Condition(exists=True)
    return Condition(tags=_tags(match), exists=True)


def _tags(fields: list[str]) -> frozenset[str]:
    found = [part.strip() for field in fields for part in field.split(",") if part.strip()]
    weak = [tag.startswith("W/") and _TAG.fullmatch(tag[2:]) for tag in found]
    if not found or not all(_TAG.fullmatch(tag) or is_weak for tag, is_weak in zip(found, weak, strict=True)):
        raise unreadable("If-Match must hold entity tags in quotes, or *")
    return frozenset(found)


def is_unchanged(request: Request, version: int) -> bool:
    """Whether the client said it has this version already (RFC 9110 section 13.1.2)."""
    given = [part.strip() for field in request.headers.getlist("if-none-match") for part in field.split(",")]
    return any(each == "*" or each.removeprefix("W/") == etag(version) for each in given)


def matching(asked: Condition, version: int) -> int | None:
    """The version, when it is asked for; None when any will do. Raises `Problem` 412."""
    if asked.absent or (asked.tags is not None and etag(version) not in asked.tags):
        raise Problem(412, "versions", "There is another version by now. Read it, and decide again.")
    return version if asked.exists else None
