"""Which requests a Kong route takes, and before which others it is asked.

Kong asks the route first that names more kinds of things; then one whose hosts are all plain, one with more headers,
one with an expression before one with a prefix, and the longer path. A route whose paths differ in that is several.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from string import ascii_letters, digits
from typing import Any

from jwtgate.config.patterns import PathPattern
from jwtgate.dialects.kong.translation.draft import Draft

Rank = tuple[int, bool, int, int, int, int]
_KINDS = ("methods", "hosts", "headers", "paths", "snis")
_HTTP = ("http", "https")
_WITH_PORT = re.compile(r"(.+?):[0-9]{1,5}")
_LITERAL = frozenset(f"{ascii_letters}{digits}/_~-")
_MISSING = "The route is missing from the document, and its requests may fall to a wider one."
_NAMED_GROUP = re.compile(r"\(\?<(?=[A-Za-z_])")


@dataclass(frozen=True, slots=True)
class Match:
    """The requests of one route of ours: its keys that say so, and its place in the order, the least first.

    `is_refused`: the keys say less than was asked, so that these requests can only be answered that it is not served.
    """

    rank: Rank
    keys: Mapping[str, Any] = field(repr=False)
    strips: bool = False
    is_refused: bool = False


def matches_of(draft: Draft, route: Mapping[str, Any]) -> list[Match]:
    """What the route takes, in one part for each rank; nothing if it cannot be taken over."""
    place = draft.place("routes", route)
    if not set(route["protocols"]) & set(_HTTP):
        draft.notes.refused(f"{place}/protocols", "HTTP and HTTPS are spoken, nothing else. The route is missing.")
        return []
    before = draft.notes.refusals
    _note_the_rest(draft, route, place)
    shared = _shared(draft, route, place)
    is_refused = draft.notes.refusals > before
    says = route["paths"] or shared.get("hosts") or shared.get("match", {}).get("headers")
    if is_refused and not (says and shared.get("methods", True)):
        draft.notes.refused(place, f"What is left says too little of its requests. {_MISSING}")
        return []
    kinds = sum(bool(route[name]) for name in _KINDS)
    wild = any("*" in host for host in route["hosts"] or ())
    found = []
    for (expression, priority, length), paths in _by_rank(route):
        before = draft.notes.refusals
        said = _paths(draft, paths, place)
        if said is None:
            continue
        match = {**shared.get("match", {}), **said}
        rank = (-kinds, wild, -len(route["headers"] or ()), -expression, -priority, -length)
        keys = {**shared, **({"match": match} if match else {})}
        strips = bool(paths) and route["strip_path"]
        found.append(Match(rank, keys, strips=strips, is_refused=is_refused or draft.notes.refusals > before))
    return found


def _paths(draft: Draft, paths: list[str], place: str) -> dict[str, list[str]] | None:
    """Paths of one kind as a match says them, what they begin with where one is refused; None: nothing is known."""
    if not paths:
        return {}
    if not paths[0].startswith("~"):
        return {"path_prefix": paths}
    before = draft.notes.refusals
    expressions = [_expression(draft, path, place) for path in paths]
    if draft.notes.refusals == before:
        return {"path_pattern": expressions}
    heads = [_head(path) for path in paths]
    if "" in heads:
        draft.notes.refused(place, f"Nothing is known of the paths its expression takes. {_MISSING}")
        return None
    return {"path_prefix": heads}


def _by_rank(route: Mapping[str, Any]) -> Iterator[tuple[tuple[int, int, int], list[str]]]:
    def rank(path: str) -> tuple[int, int, int]:
        expression = path.startswith("~")
        return int(expression), route["regex_priority"] if expression else 0, len(path.removeprefix("~"))

    if not route["paths"]:
        yield (0, 0, 0), []
        return
    for key, paths in groupby(sorted(route["paths"], key=rank), rank):
        yield key, list(dict.fromkeys(paths))


def _shared(draft: Draft, route: Mapping[str, Any], place: str) -> dict[str, Any]:
    """What every part of the route asks."""
    keys: dict[str, Any] = {}
    if route["methods"]:
        keys["methods"] = [method for method in route["methods"] if method not in ("CONNECT", "TRACE")]
        if len(keys["methods"]) < len(route["methods"]):
            draft.notes.refused(f"{place}/methods", "CONNECT and TRACE are never served.")
    if route["hosts"]:
        keys["hosts"] = list(dict.fromkeys(_host(draft, host, place) for host in route["hosts"]))
    match: dict[str, Any] = {}
    if route["headers"]:
        plain = {
            name: list(values)
            for name, values in route["headers"].items()
            if not any(value.startswith("~*") for value in values)
        }
        if len(plain) < len(route["headers"]):
            draft.notes.refused(
                f"{place}/headers", "Values of headers are compared as they stand, never as expressions."
            )
        match |= {"headers": plain} if plain else {}
    if "https" not in route["protocols"]:
        match["schemes"] = ["http"]
    return {**keys, **({"match": match} if match else {})}


def _host(draft: Draft, host: str, place: str) -> str:
    found = _WITH_PORT.fullmatch(host)
    if found is None or host.endswith("]"):
        return host
    draft.notes.changed(f"{place}/hosts", "The port of a host is not looked at.")
    return found[1]


def _expression(draft: Draft, path: str, place: str) -> str:
    """The expression in our notation; it is refused where there is none."""
    text = _NAMED_GROUP.sub("(?P<", path.removeprefix("~"))
    try:
        PathPattern(text)
    except ValueError as error:
        draft.notes.refused(f"{place}/paths", f"The expression {path} cannot be used: it {error}.")
    return text


def _head(expression: str) -> str:
    """What all paths begin with that this takes; empty where that is not known, or says next to nothing."""
    text = expression.removeprefix("~")
    end = next(number for number, sign in enumerate(f"{text}$") if sign not in _LITERAL)
    # What may be left out is not always there.
    head = text[: end - 1] if text[end : end + 1] in ("*", "?", "{") else text[:end]
    return head if len(head) > 1 and "|" not in text else ""


def _note_the_rest(draft: Draft, route: Mapping[str, Any], place: str) -> None:
    notes = draft.notes
    if route["snis"]:
        notes.refused(f"{place}/snis", "Routes are not told apart by the name in the TLS handshake; use hosts.")
    if route["sources"] or route["destinations"]:
        notes.refused(f"{place}/sources", "Addresses are those of streams, which are not spoken.")
    if route["path_handling"] == "v1":
        notes.changed(f"{place}/path_handling", "Paths are joined with one slash between them, as v0 does for most.")
    others = [protocol for protocol in route["protocols"] if protocol not in _HTTP]
    if others:
        notes.changed(f"{place}/protocols", f"Not spoken: {', '.join(others)}.")
