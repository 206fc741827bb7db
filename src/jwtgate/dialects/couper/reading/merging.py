"""Several files as one: blocks that go together are merged, others replace the one of the same labels before them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from jwtgate.dialects.couper.reading.blocks import Block

_MERGED = frozenset({"server", "api", "definitions", "defaults", "settings"})
_ONLY = frozenset({"cors"})


def merged(roots: Sequence[Block]) -> Block:
    """One body with what all these hold; where two say the same, the later counts."""
    first, *others = roots
    for other in others:
        first = _merge(first, other)
    return first


def _merge(earlier: Block, later: Block) -> Block:
    blocks = list(earlier.blocks)
    free = list(range(len(blocks)))
    for block in later.blocks:
        same = next((at for at in free if _same(blocks[at], block)), None)
        if same is None:
            blocks.append(block)
            continue
        free.remove(same)
        blocks[same] = _merge(blocks[same], block) if block.type in _MERGED else block
    return replace(earlier, attributes={**earlier.attributes, **later.attributes}, blocks=tuple(blocks))


def _same(one: Block, other: Block) -> bool:
    """Whether these two are about the same thing."""
    if one.type != other.type:
        return False
    return one.type in _ONLY or sorted(label.text for label in one.labels) == sorted(
        label.text for label in other.labels
    )
