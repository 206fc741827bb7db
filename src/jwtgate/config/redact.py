"""Plain data of a document as it may be shown: without its secrets, which its schema marks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jwtgate.config.checks import Place
from jwtgate.config.schema import Nodes, below, is_sealed, marked, root
from jwtgate.config.sections.section import HIDDEN
from jwtgate.config.source import Plain

_REFERENCE = re.compile(r"\$\{[^{}]+\}")
_PRIVATE_MEMBERS = frozenset({"d", "k", "p", "q", "dp", "dq", "qi", "oth", "priv"})


def without_secrets(place: Place, value: Plain) -> Plain:
    """What stands at this place of a document with `***` for every secret in it.

    A reference is no secret, nor is a public key. `place` is `()` for a whole document, `("issuers", "main")` for one
    issuer.
    """
    return _shown(value, _at(place))


def secrets_in(place: Place, value: Plain) -> Iterator[Place]:
    """The places of the secrets that stand in this data themselves."""
    yield from _places(value, _at(place), place)


def _at(place: Place) -> Nodes:
    nodes = root()
    for step in place:
        nodes = below(nodes, step)
    return nodes


def _shown(value: Plain, nodes: Nodes) -> Plain:
    if is_sealed(nodes):
        return HIDDEN
    if marked(nodes):
        return _hidden(value)
    if isinstance(value, dict):
        return {name: _shown(item, below(nodes, name)) for name, item in value.items()}
    if isinstance(value, list):
        return [_shown(item, below(nodes, index)) for index, item in enumerate(value)]
    return value


def _places(value: Plain, nodes: Nodes, place: Place) -> Iterator[Place]:
    if marked(nodes):
        if not is_sealed(nodes) and _hidden(value) != value:
            yield place
    elif isinstance(value, dict | list):
        for step, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _places(item, below(nodes, step), (*place, step))


def _hidden(value: Plain) -> Plain:
    """A secret, or keys in which those that are private are secret."""
    if isinstance(value, dict):
        return {name: _member(name, item) for name, item in value.items()}
    if isinstance(value, list):
        return [_hidden(item) for item in value]
    if not isinstance(value, str) or _REFERENCE.fullmatch(value) or _is_public(value):
        return value
    return HIDDEN


def _member(name: str, value: Plain) -> Plain:
    if isinstance(value, dict | list) and name not in _PRIVATE_MEMBERS:
        return (
            [_hidden(item) if isinstance(item, dict) else item for item in value] if isinstance(value, list) else value
        )
    if name not in _PRIVATE_MEMBERS:
        return value
    return _hidden(value) if isinstance(value, str) else HIDDEN


def _is_public(text: str) -> bool:
    return text.startswith("-----BEGIN ") and "PRIVATE" not in text
