"""The plug-in behind the name `wso2` of a document: one generator for opaque tokens, one for all others."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any

from jwtgate.dialects.wso2.tokens.context import OPAQUE, ValidationContext, context_of
from jwtgate.dialects.wso2.tokens.generator import BackendJwtGenerator, merged
from jwtgate.dialects.wso2.tokens.given import Given
from jwtgate.dialects.wso2.tokens.user_claims import Retriever, lacks_operations
from jwtgate.errors import ConfigError
from jwtgate.jose.encoding import json_bytes

MOST_CACHED = 10_000
_DEFAULT, _USER_STORE = "default", "user-store"
_NO_OPERATIONS = ("encode", "sign", "build_header")


class Wso2Claims:
    """Made once in each worker, with what the document gives it."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = settings = Given.parse(given)
        retriever = None
        if settings.retriever not in ("", _USER_STORE):
            retriever = Retriever(_made(settings.retriever, "claims retriever"))
        opaque, gateway = settings.generators
        self._opaque = _generator(opaque, settings, retriever)
        self._gateway = self._opaque if gateway == opaque else _generator(gateway, settings, retriever)
        self._made: dict[bytes, tuple[int, dict[str, Any]]] = {}
        self._changing = threading.Lock()

    def standard_claims(self, told: Mapping[str, Any]) -> Mapping[str, Any]:
        """All claims of the token, those of the generator's two operations put together."""
        context = context_of(told, self._given)
        # Only generators of one's own are told of the request, and only what they make can differ each time.
        if context.path is None or not self._given.token_cache_seconds:
            return self._claims(context)
        described = json_bytes({name: value for name, value in told.items() if name != "now"})
        key = hashlib.sha256(described).digest()
        held = self._made.get(key)
        if held is not None and 0 <= context.now - held[0] < self._given.token_cache_seconds:
            return held[1]
        claims = self._claims(context)
        with self._changing:
            if len(self._made) >= MOST_CACHED:
                del self._made[next(iter(self._made))]
            self._made[key] = (context.now, claims)
        return claims

    def custom_claims(self, told: Mapping[str, Any]) -> None:
        """None: which of two claims of one name stands depends on the generation, and is decided above."""

    def _claims(self, context: ValidationContext) -> dict[str, Any]:
        is_gateways = self._given.profile == "v4" and context.token.kind != OPAQUE
        generator = self._gateway if is_gateways else self._opaque
        standard = generator.populate_standard_claims(context) or {}
        return merged(standard, generator.populate_custom_claims(context) or {}, self._given)


def _generator(name: str, given: Given, retriever: Retriever | None) -> BackendJwtGenerator:
    if name == _DEFAULT:
        return BackendJwtGenerator(given, retriever)
    found = _class(name, "generator")
    if not isinstance(found, type) or not issubclass(found, BackendJwtGenerator):
        raise ConfigError(
            f"The generator {name} is not derived from {BackendJwtGenerator.__module__}:BackendJwtGenerator."
        )
    replaced = [operation for operation in _NO_OPERATIONS if hasattr(found, operation)]
    if replaced:
        raise ConfigError(
            f"The generator {name} replaces {' and '.join(replaced)}: the gateway signs and writes tokens. Say it with "
            "encoding, signing_algorithm, x5t_format and use_kid_property."
        )
    made: BackendJwtGenerator = _called(name, "generator", lambda: found(given, retriever))
    dialect = _called(name, "generator", made.get_dialect_uri)
    made.given = replace(given, prefix=dialect if dialect in ("", "/") else f"{dialect}/")
    return made


def _made(name: str, kind: str) -> Any:
    found = _class(name, kind)
    made = _called(name, kind, found)
    if lacking := lacks_operations(made):
        raise ConfigError(f"The {kind} {name} lacks {' and '.join(lacking)}.")
    return made


def _class(name: str, kind: str) -> Any:
    module, _, found = name.partition(":")
    return _called(name, kind, lambda: getattr(import_module(module), found))


def _called(name: str, kind: str, make: Any) -> Any:
    try:
        return make()
    except (Exception, SystemExit) as error:
        raise ConfigError(f"The {kind} {name} cannot be loaded: {error!r}.") from error
