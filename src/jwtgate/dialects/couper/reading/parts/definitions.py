"""The blocks `definitions`: what others name by label, and the rules for these labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from jwtgate.dialects.couper.reading.attributes import Context
from jwtgate.dialects.couper.reading.blocks import Block
from jwtgate.dialects.couper.reading.configuration import AccessControl, SigningProfile
from jwtgate.dialects.couper.reading.parts.backends import Backends
from jwtgate.dialects.couper.reading.parts.basic_auth import read_basic_auth
from jwtgate.dialects.couper.reading.parts.jwt import read_jwt
from jwtgate.dialects.couper.reading.parts.profiles import read_profile
from jwtgate.dialects.couper.reading.parts.work import read_proxy
from jwtgate.dialects.couper.reading.schema import REFUSED_ACCESS_CONTROLS

_READERS: Mapping[str, Callable[[Block, Context, Backends], AccessControl]] = {
    "jwt": read_jwt,
    "basic_auth": read_basic_auth,
}
_RESERVED = frozenset({"granted_permissions", "required_permission"})


@dataclass(frozen=True, slots=True)
class Definitions:
    """What is defined. `labels` are those of all access controls, also of the ones that are refused."""

    access_controls: Mapping[str, AccessControl]
    profiles: Mapping[str, SigningProfile]
    backends: Backends
    labels: frozenset[str]


def read_definitions(blocks: Iterable[Block], context: Context) -> Definitions:
    """What these blocks define, as far as it can be read; their mistakes are noted."""
    blocks = list(blocks)
    backends = Backends(blocks, context)
    children = [child for block in blocks for child in block.blocks]
    labels = _checked_labels(children, context)
    _check_signing_labels(children, context)
    access_controls = {
        child.label: _READERS[child.type](child, context, backends)
        for child in children
        if child.type in _READERS and child.label is not None
    }
    profiles = [read_profile(child, context) for child in children if child.type == "jwt_signing_profile"]
    for child in children:
        if child.type == "proxy":
            read_proxy(child, context, backends)
    return Definitions(
        access_controls,
        {profile.label: profile for profile in profiles if profile},
        backends,
        labels,
    )


def _checked_labels(children: Iterable[Block], context: Context) -> frozenset[str]:
    """The labels of access controls, which have rules of their own."""
    found: set[str] = set()
    for child in children:
        if child.type not in {*_READERS, *REFUSED_ACCESS_CONTROLS} or not child.labels:
            continue
        label = child.labels[0]
        if not label.text.strip():
            context.mistakes.at(label.place, "accessControl requires a label")
        if label.text in _RESERVED:
            context.mistakes.at(label.place, "accessControl uses reserved name as label")
        if label.text in found:
            context.mistakes.at(label.place, "AC labels must be unique")
        found.add(label.text)
    return frozenset(found)


def _check_signing_labels(children: Iterable[Block], context: Context) -> None:
    """Note every label that `jwt_sign` could understand in two ways."""
    found: set[str] = set()
    for child in children:
        signs = child.type == "jwt_signing_profile" or (child.type == "jwt" and "signing_ttl" in child.attributes)
        if not signs or not child.labels:
            continue
        label = child.labels[0]
        if label.text in found:
            context.mistakes.at(label.place, "JWT signing profile labels must be unique")
        found.add(label.text)
