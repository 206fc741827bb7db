"""Error handlers: the kinds each is for, and the blocks it holds."""

from __future__ import annotations

from jwtgate.dialects.couper.reading.attributes import Attributes, Context
from jwtgate.dialects.couper.reading.blocks import Block
from jwtgate.dialects.couper.reading.configuration import ErrorHandler, ErrorHandlers
from jwtgate.dialects.couper.reading.error_kinds import ALLOWED, WILDCARD
from jwtgate.dialects.couper.reading.parts.backends import Backends
from jwtgate.dialects.couper.reading.parts.work import read_work


def read_handlers(parent: Block, context: Context, backends: Backends, *, label: str) -> ErrorHandlers:
    """The handlers in a block, by kind; `label` is what mistakes in them are told of."""
    found: dict[str, ErrorHandler] = {}
    for block in parent.of_type("error_handler"):
        kinds = _kinds(block)
        handler = _read(block, context, backends, kinds=kinds, label=label)
        for kind in kinds:
            if kind != WILDCARD and kind not in ALLOWED[parent.type]:
                context.mistakes.of(label, f'error type is unknown: "{kind}"', place=block.place)
            if kind in found:
                context.mistakes.of(label, f'duplicate error type registration: "{kind}"', place=block.place)
            found[kind] = handler
    return ErrorHandlers((found,) if found else ())


def _kinds(block: Block) -> tuple[str, ...]:
    kinds = [kind for label in block.labels for kind in label.text.split()]
    return tuple(kinds) or (WILDCARD,)


def _read(block: Block, context: Context, backends: Backends, *, kinds: tuple[str, ...], label: str) -> ErrorHandler:
    attributes = Attributes(block, context)
    work = read_work(block, context, backends)
    return ErrorHandler(
        kinds=kinds,
        place=block.place,
        proxies=work.proxies,
        requests=work.requests,
        response=work.response,
        edits=attributes.edits(),
        custom_log_fields=attributes.text("custom_log_fields"),
        error_file=attributes.text_file("error_file", label=label),
    )
