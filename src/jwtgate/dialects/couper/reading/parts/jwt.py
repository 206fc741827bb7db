"""The block `jwt`: what proves its token, where it is found, and what is asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from jwtgate.dialects.couper.reading.attributes import Attributes, Context
from jwtgate.dialects.couper.reading.blocks import Block
from jwtgate.dialects.couper.reading.configuration import Jwt, Secret, Source
from jwtgate.dialects.couper.reading.error_kinds import BUILT_IN, WILDCARD
from jwtgate.dialects.couper.reading.files import beside, content_of
from jwtgate.dialects.couper.reading.keys import ALGORITHMS, public_key, read_secret
from jwtgate.dialects.couper.reading.parts.backends import Backends
from jwtgate.dialects.couper.reading.parts.handlers import read_handlers
from jwtgate.dialects.couper.reading.parts.introspection import read_introspection
from jwtgate.dialects.couper.reading.parts.permission_maps import Table, read_map
from jwtgate.dialects.couper.reading.parts.profiles import UNSUPPORTED, checked_private_key
from jwtgate.jose.algorithms import is_mac

_HOUR = 3600.0
_SOURCES = "only one of bearer, cookie, header or token_value attributes is allowed"
_DEPRECATED = 'jwt "{}": header = "{}" is deprecated; write bearer = true'
_SHADOWED = (
    'jwt "{}": the error handler for "{}" is not reached for {}: '
    "the answers that are built in for these are more specific"
)


def read_jwt(block: Block, context: Context, backends: Backends) -> Jwt:
    """The block, as far as it can be read; its mistakes are noted."""
    attributes = Attributes(block, context)
    label = block.label or ""
    source, source_name = _source(attributes, label)
    proof = _proof(attributes, label)
    handlers = read_handlers(block, context, backends, label=label)
    jwt = Jwt(
        label=label,
        place=block.place,
        source=source,
        source_name=source_name,
        token_value=attributes.text("token_value") if source is Source.VALUE else None,
        signature_algorithm=proof.alg,
        key=proof.key,
        jwks_url=proof.jwks_url,
        jwks_file=proof.jwks_file,
        jwks_ttl=attributes.positive_duration("jwks_ttl", label=label, default=_HOUR),
        jwks_max_stale=attributes.positive_duration("jwks_max_stale", label=label, default=_HOUR),
        backend=backends.of(block, attributes),
        claims=attributes.text("claims"),
        required_claims=attributes.strings("required_claims") or (),
        permissions_claim=attributes.string("permissions_claim"),
        permissions_map=read_map(attributes, "permissions_map", label=label, what="jwt permissions map"),
        roles_claim=attributes.string("roles_claim"),
        roles_map=_roles_map(attributes, label),
        signing_key=_signing_key(attributes, proof, label=label),
        signing_ttl=attributes.duration("signing_ttl", label=label),
        disable_private_caching=attributes.boolean("disable_private_caching"),
        custom_log_fields=attributes.text("custom_log_fields"),
        introspection=read_introspection(block, context, backends, label=label),
        error_handlers=handlers,
    )
    _warn(jwt, context)
    return jwt


class _Proof(NamedTuple):
    """What proves the signature."""

    alg: str | None = None
    key: Secret | None = None
    jwks_url: str | None = None
    jwks_file: Path | None = None


def _source(attributes: Attributes, label: str) -> tuple[Source, str]:
    """Where the token is found, and under which name."""
    cookie, header = attributes.string("cookie"), attributes.string("header")
    told = [source for source in (Source.BEARER, Source.DPOP) if attributes.boolean(source.value)]
    told += [source for source in (Source.COOKIE, Source.HEADER) if attributes.is_set(source.value)]
    told += [Source.VALUE] if "token_value" in attributes.block.attributes else []
    if len(told) > 1:
        attributes.mistakes.of(label, _SOURCES, place=attributes.place(told[1].value))
    source = told[0] if told else Source.BEARER
    if source is Source.HEADER and header is not None and header.lower() == "authorization":
        attributes.context.warnings.append(_DEPRECATED.format(label, header))
        return Source.BEARER, ""
    names = {Source.COOKIE: cookie, Source.HEADER: header}
    return source, names.get(source) or ""


def _proof(attributes: Attributes, label: str) -> _Proof:
    """The algorithm and the key, or where the key set is."""
    if attributes.is_set("jwks_url"):
        return _key_set(attributes, label)
    if "backend" in attributes.block.attributes or any(attributes.block.of_type("backend")):
        sentence = "backend is obsolete without jwks_url attribute"
        attributes.mistakes.of(label, sentence, place=attributes.place("backend"))
    alg = _algorithm(attributes, label)
    secret = read_secret(attributes, "key", label=label, what="jwt key")
    if secret is None or alg is None:
        return _Proof(alg)
    try:
        return _Proof(alg, public_key(secret, alg))
    except ValueError as problem:
        place = attributes.place("key" if attributes.is_set("key") else "key_file")
        attributes.mistakes.of(label, str(problem), place=place)
        return _Proof(alg)


def _algorithm(attributes: Attributes, label: str) -> str | None:
    alg = attributes.string("signature_algorithm")
    if alg in ALGORITHMS:
        return alg
    if alg is not None:
        sentence = f'algorithm "{alg}" is not supported'
        attributes.mistakes.of(label, sentence, place=attributes.place("signature_algorithm"))
    if not attributes.is_set("signature_algorithm"):
        sentence = "signature_algorithm or jwks_url attribute required"
        attributes.mistakes.of(label, sentence, place=attributes.block.place)
    return None


def _key_set(attributes: Attributes, label: str) -> _Proof:
    """Where the key set is; a file is read now to see that it can be."""
    place = attributes.place("jwks_url")
    for name in ("signature_algorithm", "key_file", "key"):
        if attributes.is_set(name):
            sentence = f"{name} cannot be used together with jwks_url"
            attributes.mistakes.of(label, sentence, place=attributes.place(name))
    url = attributes.string("jwks_url")
    if url is None or url.lower().startswith(("http://", "https://")):
        return _Proof(jwks_url=url)
    scheme, colon, rest = url.partition(":")
    if colon and scheme != "file" and scheme.isalnum():
        attributes.mistakes.of(label, f'unsupported JWKS URI scheme: "{url}"', place=place)
        return _Proof()
    told = unquote(rest.removeprefix("//")) if scheme == "file" and colon else url
    path = beside(told, place, attributes.context.folder)
    try:
        content_of(path)
    except ValueError as problem:
        attributes.mistakes.of(label, f"jwks_url: read error: {problem}", place=place)
    return _Proof(jwks_url=url, jwks_file=path)


def _roles_map(attributes: Attributes, label: str) -> Table | None:
    roles_map = read_map(attributes, "roles_map", label=label, what="jwt roles map")
    has_map = attributes.is_set("roles_map") or attributes.is_set("roles_map_file")
    if attributes.is_set("roles_claim") and not has_map:
        attributes.mistakes.of(label, "missing roles_map", place=attributes.place("roles_claim"))
    return roles_map


def _signing_key(attributes: Attributes, proof: _Proof, *, label: str) -> Secret | None:
    """The key `jwt_sign` uses, if this block may sign."""
    both = attributes.is_set("signing_key") and attributes.is_set("signing_key_file")
    if not attributes.is_set("signing_ttl") and not both:
        return None
    if attributes.is_set("jwks_url"):
        attributes.mistakes.of(label, UNSUPPORTED, place=attributes.place("signing_ttl"))
        return None
    if proof.alg is None:
        return None
    if is_mac(proof.alg):
        return proof.key
    secret = read_secret(attributes, "signing_key", label=label, what="jwt signing key")
    return checked_private_key(attributes, secret, proof.alg, label=label)


def _warn(jwt: Jwt, context: Context) -> None:
    """Say which handlers can never be chosen since a built-in one is."""
    handled: Mapping[str, object] = {kind: each for level in jwt.error_handlers.levels for kind, each in level.items()}
    hidden = sorted(kind for kind in BUILT_IN if jwt.is_bearer and kind not in handled)
    if WILDCARD in handled or not hidden:
        return
    for kind in ("jwt", "access_control"):
        if kind in handled:
            context.warnings.append(_SHADOWED.format(jwt.label, kind, ", ".join(hidden)))
