"""All objects but the callers as one document of ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jwtgate.dialects.apisix.merging import Effective, effective
from jwtgate.dialects.apisix.noting import Noting, places
from jwtgate.dialects.apisix.plugins.saying_no import NO_ROUTE
from jwtgate.dialects.apisix.references import secret_stores
from jwtgate.dialects.apisix.routes import Document, Entry, entries
from jwtgate.dialects.apisix.unread import note_unread
from jwtgate.dialects.dialect import Objects, Settings, Translation
from jwtgate.dialects.sharing import listeners, take_shared_answers

COLLECTIONS = ("routes", "services", "upstreams", "plugin_configs", "global_rules", "consumer_groups", "secrets")
"""The collections that mean something in a document of ours; callers are apart."""
_UNUSED = {
    "ssls": "certificates are files of the listeners here (--certificate, --private-key)",
    "protos": "gRPC is not translated here",
    "plugin_metadata": "no plugin that is spoken here has any",
}
_EVERYTHING = "(no-route)"


def translated(objects: Objects, settings: Settings) -> Translation:
    """The document of ours, without callers, and a note for every setting."""
    noting, document = Noting(), Document()
    found: list[tuple[Any, str, dict[str, Any]]] = []
    for each in _routes(objects, noting):
        made: list[Entry] = list(entries(each, objects, document, noting))
        for number, entry in enumerate(made):
            name = each.name if number == 0 else f"{each.name}#{number + 1}"
            found.append(((entry.rank, len(found)), name, entry.route))
    routes = {name: route for _, name, route in sorted(found, key=lambda one: one[0])}
    usual = take_shared_answers(routes)
    stores = secret_stores(objects, noting)
    _note_unused(objects, noting)
    note_unread(objects, noting)
    whole: dict[str, Any] = {
        "listen": listeners(settings),
        "routing": "listed",
        "own": {"keys": None, "metadata": None},
        "fields": {"unusual_names": "drop"},
        "paths": {"repeated_slashes": "merge"},
        "answers": {**usual, "route_unknown": NO_ROUTE},
        "secret_stores": stores,
        "issuers": document.issuers,
        "upstreams": document.upstreams,
        "routes": routes or {_EVERYTHING: {"auth": "none", "respond": NO_ROUTE}},
    }
    noted = [place for name in COLLECTIONS if objects.get(name) for place in places(objects[name], (name,))]
    return Translation({name: part for name, part in whole.items() if part != {}}, noting.notes(noted))


def _routes(objects: Objects, noting: Noting) -> Iterator[Effective]:
    """The routes that are on, with all that holds for each."""
    for name, route in objects.get("routes", {}).items():
        if route.get("status", 1) == 0:
            noting.changed(("routes", name), "is off, so it is left out")
            continue
        yield effective(name, route, objects, noting)
    if objects.get("global_rules"):
        # They hold for requests no route takes as well.
        yield effective(_EVERYTHING, {"plugins": {}}, objects, noting)


def _note_unused(objects: Objects, noting: Noting) -> None:
    for name, sentence in _UNUSED.items():
        for identity in objects.get(name, {}):
            noting.changed((name, identity), sentence)
    for identity in objects.get("stream_routes", {}):
        noting.refused(("stream_routes", identity), "only HTTP is forwarded here")
