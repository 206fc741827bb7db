"""One part of a document alone: a route, an issuer, a consumer, checked without what stands around it.

What a part says of others, such as the name of an upstream, is seen only with the whole document.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from jwtgate.config.checks import Mistake, Place
from jwtgate.config.compile.consumers import compile_consumer
from jwtgate.config.load import resolved
from jwtgate.config.problems import Sentence, mistakes_of, shown
from jwtgate.config.sections.callers.consumers import ConsumerSection
from jwtgate.config.sections.issuers import IssuerSection
from jwtgate.config.sections.routes import RouteSection
from jwtgate.config.sections.secret_stores import SecretStoreSection, StoreName
from jwtgate.config.sections.section import Name, Section
from jwtgate.config.sections.signing import SigningKeySection
from jwtgate.config.sections.traffic.upstreams import UpstreamSection
from jwtgate.config.source import Plain
from jwtgate.errors import ConfigError
from jwtgate.policy.sources import ConsumerSource

_REFERENCE = re.compile(r"(?<!\$)\$\{")


class Kind(NamedTuple):
    """One kind of part: its section, the type of its name and its model."""

    place: tuple[str, ...]
    name: Any
    model: type[Section]


KINDS = {
    "routes": Kind(("routes",), Name, RouteSection),
    "upstreams": Kind(("upstreams",), Name, UpstreamSection),
    "issuers": Kind(("issuers",), Name, IssuerSection),
    "consumers": Kind(("consumers",), Name, ConsumerSection),
    "signing.keys": Kind(("signing", "keys"), Name, SigningKeySection),
    "secret_stores": Kind(("secret_stores",), StoreName, SecretStoreSection),
}


@cache
def _adapter(kind: str) -> TypeAdapter[dict[str, Any]]:
    part = KINDS[kind]
    named: Any = dict.__class_getitem__((part.name, part.model))
    return TypeAdapter(named)


def check_part(
    kind: str, named: Plain, *, folder: Path | None = None, resolve: Callable[[str], str] | None = None
) -> dict[str, Any]:
    """The sections of one kind, by name. `ConfigError` with all mistakes, each with its place.

    Without `resolve` references stay where they are, and may then be a mistake where a secret could not stand.
    """
    place = KINDS[kind].place
    mistakes: list[Mistake] = []
    plain = named if resolve is None else resolved(named, place, resolve, mistakes)
    try:
        sections = _adapter(kind).validate_python(plain, context={"folder": folder})
    except ValidationError as error:
        mistakes.extend(mistakes_of(error, _at(place, named), place))
    if mistakes:
        raise ConfigError(
            *(Sentence(f"{shown(place)}: {text}", place, text) for place, text in dict.fromkeys(mistakes))
        )
    return sections


def _at(place: Place, value: Plain) -> Plain:
    for step in reversed(place):
        value = {step: value}
    return value


def check_consumer(plain: Plain, *, name: str | None = None, folder: Path | None = None) -> ConsumerSource:
    """One consumer as it is kept. `ConfigError` with all its mistakes.

    Without `name` the data holds it as its member `name`. References of secrets are kept, and there are no others.
    """
    if name is None:
        if not isinstance(plain, dict) or not isinstance(plain.get("name"), str):
            raise ConfigError("the consumer: needs name, the text it is known by")
        plain = dict(plain)
        name = plain.pop("name")
    (section,) = check_part("consumers", {name: plain}, folder=folder, resolve=_of_secrets_only).values()
    return compile_consumer(name, section)


def _of_secrets_only(text: str) -> str:
    if _REFERENCE.search(text):
        raise ConfigError("a reference can stand here only in place of a secret")
    return text.replace("$${", "${")
