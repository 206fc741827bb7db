"""Blocks `environment`: what they hold stands in place of them where their environment is chosen, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

from jwtgate.dialects.couper.reading.blocks import Attribute, Block
from jwtgate.dialects.couper.reading.mistakes import Mistakes

_NOT_CHOSEN = '"environment" blocks found, but "COUPER_ENVIRONMENT" setting is not set'
_DETAIL = "Choose one with --environment."


def chosen(block: Block, environment: str | None, mistakes: Mistakes) -> Block:
    """The block with what its `environment` blocks hold for this environment, and without them."""
    attributes = dict(block.attributes)
    blocks: list[Block] = []
    for child in block.blocks:
        if child.type != "environment":
            blocks.append(chosen(child, environment, mistakes))
            continue
        held = _held(child, environment, mistakes)
        attributes.update(held.attributes)
        blocks.extend(held.blocks)
    return replace(block, attributes=attributes, blocks=tuple(blocks))


def _held(block: Block, environment: str | None, mistakes: Mistakes) -> Block:
    """An `environment` block with what it adds, which is nothing for another environment than its own."""
    nothing: dict[str, Attribute] = {}
    if not block.labels:
        mistakes.at(block.place, "missing label")
    if not environment:
        mistakes.at(block.place, _NOT_CHOSEN, detail=_DETAIL)
    if environment in [label.text for label in block.labels]:
        return chosen(block, environment, mistakes)
    return replace(block, attributes=nothing, blocks=())
