"""The block `basic_auth`: one user and a password."""

from __future__ import annotations

from jwtgate.dialects.couper.reading.attributes import Attributes, Context
from jwtgate.dialects.couper.reading.blocks import Block
from jwtgate.dialects.couper.reading.configuration import BasicAuth, Secret
from jwtgate.dialects.couper.reading.parts.backends import Backends
from jwtgate.dialects.couper.reading.parts.handlers import read_handlers


def read_basic_auth(block: Block, context: Context, backends: Backends) -> BasicAuth:
    """The block, as far as it can be read; its mistakes are noted."""
    attributes = Attributes(block, context)
    label = block.label or ""
    password = attributes.string("password")
    if not attributes.is_set("password") and "htpasswd_file" not in block.attributes:
        attributes.mistakes.of(label, "password must not be empty", place=attributes.place("password"))
    return BasicAuth(
        label=label,
        place=block.place,
        user=attributes.string("user") or "",
        password=Secret((password or "").encode(), variable=attributes.variable("password")),
        realm=attributes.string("realm"),
        custom_log_fields=attributes.text("custom_log_fields"),
        error_handlers=read_handlers(block, context, backends, label=label),
    )
