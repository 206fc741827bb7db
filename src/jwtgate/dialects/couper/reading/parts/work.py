"""What an endpoint or an error handler does: proxies, requests and a response."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from jwtgate.dialects.couper.reading.attributes import Attributes, Context
from jwtgate.dialects.couper.reading.blocks import Block
from jwtgate.dialects.couper.reading.configuration import Place, Proxy, Request, Response
from jwtgate.dialects.couper.reading.parts.backends import Backends

_DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Work:
    """The blocks of one endpoint or error handler."""

    proxies: tuple[Proxy, ...]
    requests: tuple[Request, ...]
    response: Response | None


def read_work(block: Block, context: Context, backends: Backends) -> Work:
    """What this endpoint or error handler does."""
    proxies = [_proxy(each, context, backends) for each in block.of_type("proxy")]
    proxies.extend(_referenced(block, context, backends))
    requests = [_request(each, context, backends) for each in block.of_type("request")]
    names = [(each.name, each.place) for each in proxies]
    _check_names(names + [(each.name, each.place) for each in requests], context)
    responses = [_response(each, context) for each in block.of_type("response")]
    return Work(tuple(proxies), tuple(requests), responses[0] if responses else None)


def _check_names(found: list[tuple[str, Place]], context: Context) -> None:
    names: set[str] = set()
    for name, place in found:
        if name in names:
            sentence = "proxy and request labels are required and only one 'default' label is allowed"
            context.mistakes.at(place, sentence, detail=f'"{name}" stands here twice.')
        names.add(name)


def read_proxy(block: Block, context: Context, backends: Backends) -> Proxy:
    """A proxy of the definitions; its name is that of its attribute `name`."""
    name = Attributes(block, context).string("name") or _DEFAULT
    return replace(_proxy(block, context, backends), name=name)


def _referenced(block: Block, context: Context, backends: Backends) -> Iterator[Proxy]:
    """The proxy an attribute names."""
    attributes = Attributes(block, context)
    label = attributes.string("proxy")
    if label is None:
        return
    found = backends.proxies.get(label)
    if found is None:
        context.mistakes.at(attributes.place("proxy"), f'referenced proxy "{label}" is not defined')
        return
    yield replace(read_proxy(found, context, backends), place=attributes.place("proxy"))


def _proxy(block: Block, context: Context, backends: Backends) -> Proxy:
    attributes = Attributes(block, context)
    return Proxy(
        name=block.label or _DEFAULT,
        place=block.place,
        url=attributes.text("url"),
        backend=backends.of(block, attributes),
        expected_status=attributes.statuses("expected_status"),
        edits=attributes.edits(),
    )


def _request(block: Block, context: Context, backends: Backends) -> Request:
    attributes = Attributes(block, context)
    return Request(
        name=block.label or _DEFAULT,
        place=block.place,
        url=attributes.text("url"),
        backend=backends.of(block, attributes),
        method=attributes.text("method"),
        headers=attributes.text("headers"),
        query_params=attributes.text("query_params"),
        body=attributes.text("body"),
        json_body=attributes.text("json_body"),
        form_body=attributes.text("form_body"),
        expected_status=attributes.statuses("expected_status"),
    )


def _response(block: Block, context: Context) -> Response:
    attributes = Attributes(block, context)
    return Response(
        place=block.place,
        status=attributes.text("status"),
        headers=attributes.text("headers"),
        body=attributes.text("body"),
        json_body=attributes.text("json_body"),
    )
