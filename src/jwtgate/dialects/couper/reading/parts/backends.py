"""Backends: those of the definitions, and those that stand in a block or are named by it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from jwtgate.dialects.couper.reading.attributes import Attributes, Context
from jwtgate.dialects.couper.reading.blocks import Block
from jwtgate.dialects.couper.reading.configuration import Backend

_LABEL = re.compile(r"[a-zA-Z0-9_]+")
_LETTERS = "label contains invalid character(s), allowed are 'a-z', 'A-Z', '0-9' and '_'"


class Backends:
    """The backends and proxies of the definitions, for whoever names one."""

    def __init__(self, definitions: Iterable[Block], context: Context) -> None:
        self._context = context
        self._blocks: dict[str, Block] = {}
        self.proxies: dict[str, Block] = {}
        for block in definitions:
            for child in block.of_type("backend"):
                self._add(child)
            self.proxies.update({child.label: child for child in block.of_type("proxy") if child.label})

    def defined(self) -> Mapping[str, Backend]:
        """Those of the definitions, by label."""
        return {label: self._read(block, key=label) for label, block in self._blocks.items()}

    def of(self, block: Block, attributes: Attributes) -> Backend | None:
        """The backend a block holds or names; None if it does neither, or if what it names is not defined."""
        inline = next(block.of_type("backend"), None)
        if inline is not None and "backend" in block.attributes:
            sentence = f"Multiple definitions of backend are not allowed in {block.type}."
            attributes.mistakes.at(attributes.place("backend"), sentence)
            return None
        if inline is not None:
            return self._inline(inline)
        label = attributes.string("backend")
        if label is None:
            return None
        found = self._blocks.get(label)
        if found is None:
            attributes.mistakes.at(attributes.place("backend"), f'referenced backend "{label}" is not defined')
            return None
        return self._read(found, key=label)

    def _add(self, block: Block) -> None:
        label = block.label
        if label is None:
            return
        if not _LABEL.fullmatch(label):
            self._context.mistakes.at(block.labels[0].place, _LETTERS)
        if label in self._blocks:
            self._context.mistakes.at(block.labels[0].place, "backend labels must be unique")
        self._blocks[label] = block

    def _inline(self, block: Block) -> Backend | None:
        """A block that stands where it is used, over the definition of its label if it has one."""
        key = f"{block.label or 'inline'}_{block.place.line}_{block.place.column}"
        if block.label is None:
            return self._read(block, key=key)
        found = self._blocks.get(block.label)
        if found is None:
            sentence = f'referenced backend "{block.label}" is not defined'
            self._context.mistakes.at(block.labels[0].place, sentence)
            return None
        return self._read(replace(block, attributes={**found.attributes, **block.attributes}), key=key)

    def _read(self, block: Block, *, key: str) -> Backend:
        attributes = Attributes(block, self._context)
        label = block.label or key

        def seconds(name: str, default: float) -> float:
            return attributes.positive_duration(name, label=label, default=default)

        return Backend(
            key=key,
            place=block.place,
            label=block.label,
            origin=attributes.text("origin"),
            hostname=attributes.text("hostname"),
            path=attributes.text("path"),
            path_prefix=attributes.text("path_prefix"),
            basic_auth=attributes.text("basic_auth"),
            connect_timeout=seconds("connect_timeout", 10.0),
            ttfb_timeout=seconds("ttfb_timeout", 60.0),
            timeout=seconds("timeout", 300.0),
            max_connections=int(attributes.number("max_connections") or 0),
            disable_certificate_validation=attributes.boolean("disable_certificate_validation"),
            disable_connection_reuse=attributes.boolean("disable_connection_reuse"),
            http2=attributes.boolean("http2"),
            edits=attributes.edits(),
            custom_log_fields=attributes.text("custom_log_fields"),
        )
