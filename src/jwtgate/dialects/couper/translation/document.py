"""A configuration of Couper as a document of ours."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from jwtgate.dialects.couper.reading.configuration import Api, Configuration, ErrorHandlers, Server
from jwtgate.dialects.couper.translation.access_log import access_log
from jwtgate.dialects.couper.translation.answers import Surface, of_route
from jwtgate.dialects.couper.translation.controls.signing import know_signers
from jwtgate.dialects.couper.translation.draft import Draft, Section
from jwtgate.dialects.couper.translation.options import note_settings, own_fields
from jwtgate.dialects.couper.translation.routes import nowhere, routes_of
from jwtgate.dialects.couper.translation.routing import below, hosts_of, particular_first, rank
from jwtgate.dialects.couper.translation.values import Around
from jwtgate.dialects.dialect import Settings, Translation, as_name
from jwtgate.dialects.sharing import listeners

_HEALTH = "/healthz"


def translated(configuration: Configuration, settings: Settings) -> Translation:
    """The document this configuration means, without callers, and a note for every setting."""
    draft = Draft(configuration, settings)
    note_settings(draft)
    know_signers(draft)
    routes: dict[str, Section] = {"health": _health(draft)}
    for server in particular_first(configuration.servers):
        for name, section in _of_server(draft, server):
            routes[_free(name, routes)] = section
    document: dict[str, Any] = {
        "listen": listeners(settings),
        "routing": "listed",
        "routes": routes,
        "answers": of_route(draft, Surface(Around()), ErrorHandlers()),
        "access_log": access_log(draft),
        "own": {"keys": None, "metadata": None},
        "fields": {"unusual_names": "drop"},
        "paths": {"repeated_slashes": "merge"},
        **own_fields(draft),
    }
    document |= {name: held for name, held in (("issuers", draft.issuers), ("upstreams", draft.upstreams)) if held}
    if draft.signing_keys:
        document["signing"] = {"issuer": "couper", "keys": draft.signing_keys}
    return Translation(document, draft.notes.notes())


def _free(name: str, taken: dict[str, Section]) -> str:
    names = (as_name(f"{name}#{number}" if number > 1 else name) for number in count(1))
    return next(each for each in names if each not in taken)


def _health(draft: Draft) -> Section:
    path = draft.option("health_path")
    answer = {"status": 200, "body": "healthy", "headers": {"Server": "couper.io", "Cache-Control": "no-store"}}
    return {"path": path if isinstance(path, str) else _HEALTH, "auth": "none", "respond": answer}


def _of_server(draft: Draft, server: Server) -> Iterator[tuple[str, Section]]:
    """The routes of a server: its endpoints, the most particular first, then what none of them takes."""
    keys = hosts_of(draft, server, draft.configuration.servers)
    prefix = f"{server.label}:" if server.label else ""
    endpoints = [(None, each) for each in server.endpoints] + [
        (api, each) for api in server.apis for each in api.endpoints
    ]
    for api, endpoint in sorted(endpoints, key=lambda each: rank(each[1].path)):
        for suffix, section in routes_of(draft, server, api, endpoint, keys):
            yield f"{prefix}{endpoint.path}{suffix}", section
    blocks: list[Api | None] = [*server.apis, None]
    sites = _of_sites(draft, server, keys, prefix)
    for api in sorted(blocks, key=lambda each: (rank(below((each or server).base_path)), each is None)):
        base = (api or server).base_path
        if below(base) == below(server.base_path):  # an api for all paths leaves pages to those who have them
            yield from sites
        for suffix, section in nowhere(draft, server, api, keys):
            yield f"{prefix}{below(base)}-nowhere{'' if api else '-at-all'}{suffix}", section


def _of_sites(draft: Draft, server: Server, keys: Section, prefix: str) -> Iterator[tuple[str, Section]]:
    """The routes of pages: files before what an application takes, then what neither has."""
    for kind, sites in (("files", server.files), ("spa", server.spas)):
        pages = [(site, page) for site in sites for page in site.endpoints]
        for site, page in sorted(pages, key=lambda each: rank(each[1].path)):
            for suffix, section in routes_of(draft, site, None, page, keys):
                yield f"{prefix}{kind}:{page.path}{suffix}", section
    for site in sorted(server.files, key=lambda each: rank(below(each.base_path))):
        for suffix, section in nowhere(draft, site, None, keys):
            yield f"{prefix}files:{below(site.base_path)}-nowhere{suffix}", section
