"""Servers, their apis and endpoints, each with what is handed down to it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from jwtgate.dialects.couper.reading.attributes import Attributes, Context
from jwtgate.dialects.couper.reading.blocks import Block
from jwtgate.dialects.couper.reading.configuration import Api, Cors, Endpoint, Server
from jwtgate.dialects.couper.reading.parts.definitions import Definitions
from jwtgate.dialects.couper.reading.parts.handlers import read_handlers
from jwtgate.dialects.couper.reading.parts.levels import Level, below
from jwtgate.dialects.couper.reading.parts.sites import read_site
from jwtgate.dialects.couper.reading.parts.sizes import parse_size
from jwtgate.dialects.couper.reading.parts.work import read_work

_PARAMETER = re.compile(r"\{[^}]*\}")
_BODY_LIMIT = 64 * 1024 * 1024
_NOTHING = "missing 'default' proxy or request block, or a response definition"


def read_servers(blocks: Iterable[Block], context: Context, definitions: Definitions) -> tuple[Server, ...]:
    """These servers, as far as they can be read; their mistakes are noted."""
    servers = tuple(_Routing(context, definitions).server(block) for block in blocks)
    hosts: set[str] = set()
    for server in servers:
        for host in server.hosts or ("*",):
            if host in hosts:
                sentence = f'duplicate host "{host}"' if server.hosts else "hosts attribute is required"
                context.mistakes.at(server.place, sentence, detail="Another server has the same.")
            hosts.add(host)
    return servers


class _Routing:
    """Reads the blocks of a server."""

    def __init__(self, context: Context, definitions: Definitions) -> None:
        self._context = context
        self._definitions = definitions

    def server(self, block: Block) -> Server:
        attributes = Attributes(block, self._context)
        level = self._below(Level(), attributes, path=attributes.string("base_path") or "/")
        apis = tuple(self._api(each, level) for each in block.of_type("api"))
        endpoints = tuple(self._endpoint(each, level) for each in block.of_type("endpoint"))
        self._check_paths((*endpoints, *(each for api in apis for each in api.endpoints)))
        return Server(
            label=block.label,
            place=block.place,
            hosts=attributes.strings("hosts") or (),
            base_path=level.path,
            apis=apis,
            endpoints=endpoints,
            access_control=level.access_control,
            error_file=level.error_file,
            edits=attributes.edits(),
            custom_log_fields=level.custom_log_fields,
            cors=level.cors,
            files=tuple(self._site(each, level, attributes) for each in block.of_type("files")),
            spas=tuple(self._site(each, level, attributes) for each in block.of_type("spa")),
        )

    def _site(self, block: Block, above: Level, outer: Attributes) -> Server:
        attributes = Attributes(block, self._context)
        level = self._below(above, attributes, path=attributes.string("base_path") or "")
        return read_site(block, attributes, level, outer=outer.edits())

    def _api(self, block: Block, above: Level) -> Api:
        attributes = Attributes(block, self._context)
        level = self._below(above, attributes, path=attributes.string("base_path") or "")
        self._check_permissions(block)
        return Api(
            label=block.label,
            place=block.place,
            base_path=level.path,
            endpoints=tuple(self._endpoint(each, level) for each in block.of_type("endpoint")),
            access_control=level.access_control,
            error_file=level.error_file,
            edits=attributes.edits(),
            custom_log_fields=level.custom_log_fields,
            cors=level.cors,
        )

    def _endpoint(self, block: Block, above: Level) -> Endpoint:
        attributes = Attributes(block, self._context)
        level = self._below(above, attributes, path=block.label or "/")
        work = read_work(block, self._context, self._definitions.backends)
        names = {each.name for each in work.proxies} | {each.name for each in work.requests}
        if work.response is None and "default" not in names:
            self._context.mistakes.at(block.place, _NOTHING)
        return Endpoint(
            pattern=block.label or "/",
            path=level.path,
            place=block.place,
            access_control=level.access_control,
            allowed_methods=level.allowed_methods,
            required_permission=level.required_permission,
            request_body_limit=self._body_limit(attributes),
            error_file=level.error_file,
            error_handlers=level.error_handlers,
            proxies=work.proxies,
            requests=work.requests,
            response=work.response,
            edits=attributes.edits(),
            custom_log_fields=level.custom_log_fields,
            cors=level.cors,
        )

    def _below(self, above: Level, attributes: Attributes, *, path: str) -> Level:
        block = attributes.block
        label = block.label or path or block.type
        return below(
            above,
            attributes,
            label=label,
            path=path,
            handlers=read_handlers(block, self._context, self._definitions.backends, label=label),
            cors=self._cors(block),
            labels=self._definitions.labels,
        )

    def _cors(self, parent: Block) -> Cors | None:
        block = next(parent.of_type("cors"), None)
        if block is None:
            return None
        attributes = Attributes(block, self._context)
        origins = attributes.value("allowed_origins")
        told = (origins,) if isinstance(origins, str) else attributes.strings("allowed_origins") or ()
        return Cors(
            place=block.place,
            allowed_origins=() if attributes.boolean("disable") else told,
            allow_credentials=attributes.boolean("allow_credentials"),
            max_age=attributes.duration("max_age", label=parent.label or "cors"),
        )

    def _body_limit(self, attributes: Attributes) -> int:
        said = attributes.string("request_body_limit")
        if said is None:
            return _BODY_LIMIT
        try:
            return parse_size(said)
        except ValueError as problem:
            label, place = attributes.block.label or "/", attributes.place("request_body_limit")
            attributes.mistakes.of(label, f"request_body_limit: {problem}", place=place)
            return _BODY_LIMIT

    def _check_permissions(self, block: Block) -> None:
        """Either every endpoint of an api asks for a permission or none, unless the api says one for all."""
        asked = ["required_permission" in each.attributes for each in block.of_type("endpoint")]
        if "required_permission" not in block.attributes and any(asked) and not all(asked):
            sentence = f'api with label "{block.label or ""}" has endpoint without required permission'
            self._context.mistakes.whole(sentence, place=block.place)

    def _check_paths(self, endpoints: Iterable[Endpoint]) -> None:
        seen: set[str] = set()
        for endpoint in endpoints:
            taken = _PARAMETER.sub("{}", endpoint.path).rstrip("/")
            if taken in seen:
                self._context.mistakes.at(endpoint.place, f'duplicate endpoint: "{endpoint.path}"')
            seen.add(taken)
