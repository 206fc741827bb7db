"""Which requests a Kong route takes, and before which others it is asked.

Kong asks the route first that names more kinds of things; then one whose hosts are all plain, one with more headers,
one with an expression before one with a prefix, and the longer path. A route whose paths differ in that is several.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from jwtgate.config.patterns import PathPattern
from jwtgate.dialects.kong.translation.draft import Draft

Rank = tuple[int, bool, int, int, int, int]
_KINDS = ("methods", "hosts", "headers", "paths")
_HTTP = ("http", "https")
_WITH_PORT = re.compile(r"(.+?):[0-9]{1,5}")
_NAMED_GROUP = re.compile(r"\(\?<(?=[A-Za-z_])")


@dataclass(frozen=True, slots=True)
class Match:
    """The requests of one route of ours: its keys that say so, and its place in the order, the least first."""

    rank: Rank
    keys: Mapping[str, Any] = field(repr=False)
    strips: bool = False


def matches_of(draft: Draft, route: Mapping[str, Any]) -> list[Match]:
    """What the route takes, in one part for each rank; nothing if it cannot be taken over."""
    place = draft.place("routes", route)
    if not set(route["protocols"]) & set(_HTTP):
        draft.notes.refused(f"{place}/protocols", "HTTP and HTTPS are spoken, nothing else.")
        return []
    if route["snis"]:
        draft.notes.refused(f"{place}/snis", "Routes are not told apart by the name in the TLS handshake; use hosts.")
        return []
    _note_the_rest(draft, route, place)
    shared = _shared(draft, route, place)
    kinds = sum(bool(route[name]) for name in _KINDS)
    wild = any("*" in host for host in route["hosts"] or ())
    found = []
    for (expression, priority, length), paths in _by_rank(route):
        match = dict(shared.get("match", {}))
        usable = paths if not expression else [_expression(draft, path, place) for path in paths]
        if None in usable:
            continue
        if paths:
            match["path_pattern" if expression else "path_prefix"] = usable
        rank = (-kinds, wild, -len(route["headers"] or ()), -expression, -priority, -length)
        keys = {**shared, **({"match": match} if match else {})}
        found.append(Match(rank, keys, strips=bool(paths) and route["strip_path"]))
    return found


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
        match["headers"] = {name: list(values) for name, values in route["headers"].items()}
        if any(value.startswith("~*") for values in route["headers"].values() for value in values):
            draft.notes.refused(
                f"{place}/headers", "Values of headers are compared as they stand, never as expressions."
            )
    if "https" not in route["protocols"]:
        match["schemes"] = ["http"]
    return {**keys, **({"match": match} if match else {})}


def _host(draft: Draft, host: str, place: str) -> str:
    found = _WITH_PORT.fullmatch(host)
    if found is None or host.endswith("]"):
        return host
    draft.notes.changed(f"{place}/hosts", "The port of a host is not looked at.")
    return found[1]


def _expression(draft: Draft, path: str, place: str) -> str | None:
    """The expression in our notation; None, and a note, where there is none."""
    text = _NAMED_GROUP.sub("(?P<", path.removeprefix("~"))
    try:
        PathPattern(text)
    except ValueError as error:
        draft.notes.refused(f"{place}/paths", f"The expression {path} cannot be used: it {error}.")
        return None
    return text


def _note_the_rest(draft: Draft, route: Mapping[str, Any], place: str) -> None:
    notes = draft.notes
    if route["sources"] or route["destinations"]:
        notes.refused(f"{place}/sources", "Addresses are those of streams, which are not spoken.")
    if route["path_handling"] == "v1":
        notes.changed(f"{place}/path_handling", "Paths are joined with one slash between them, as v0 does for most.")
    others = [protocol for protocol in route["protocols"] if protocol not in _HTTP]
    if others:
        notes.changed(f"{place}/protocols", f"Not spoken: {', '.join(others)}.")
