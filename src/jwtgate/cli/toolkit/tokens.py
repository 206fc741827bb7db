"""Signing a token by hand, and verifying one."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from jwtgate import verifier
from jwtgate.cli.answer import Answer, green, json_text, red, visible
from jwtgate.cli.toolkit.inspection import told_times
from jwtgate.cli.toolkit.key_files import choose, read_keys
from jwtgate.errors import ConfigError, KeyRefused, TokenRefused
from jwtgate.jose.algorithms import ALGORITHMS
from jwtgate.jose.encoding import JSON, base64url_encode, parse_json, parse_json_object
from jwtgate.jose.key import Key
from jwtgate.jose.key_set import KeySet

_CLAIMS_LIMIT_BYTES = 64 * 1024


def parse_claims(text: str, named: Sequence[str]) -> dict[str, JSON]:
    """The claims of a JSON object (empty text: none), and those given as `name=value`, where JSON stands as JSON."""
    try:
        claims = parse_json_object(text.encode(), limit_bytes=_CLAIMS_LIMIT_BYTES) if text else {}
    except ValueError as error:
        raise ConfigError(f"--claims: {error}") from None
    for entry in named:
        name, equals, value = entry.partition("=")
        if not name or not equals:
            raise ConfigError(f"--claim {entry}: write name=value")
        claims[name] = _value(value)
    return claims


def registered(issuer: str | None, audiences: Sequence[str]) -> dict[str, JSON]:
    """The `iss` and `aud` claims of these, as far as they are given."""
    claims: dict[str, JSON] = {} if issuer is None else {"iss": issuer}
    if audiences:
        claims["aud"] = audiences[0] if len(audiences) == 1 else [*audiences]
    return claims


def _value(text: str) -> JSON:
    try:
        return parse_json(text.encode(), limit_bytes=_CLAIMS_LIMIT_BYTES)
    except ValueError:
        return text


def sign(
    claims: Mapping[str, JSON],
    path: Path,
    *,
    alg: str | None,
    kid: str | None,
    typ: str,
    ttl_seconds: int,
    now: int,
) -> Answer:
    """The token, signed with the key in this file; `iat`, `exp` and `jti` are added where they are not given."""
    keys = read_keys(path, algorithms=[alg] if alg else ())
    key = choose(keys, kid if len(keys) > 1 else None, path)
    alg = alg or _only_algorithm(key.algorithms, path)
    added: dict[str, JSON] = {"iat": now, "exp": now + ttl_seconds, "jti": base64url_encode(os.urandom(16))}
    try:
        token = verifier.sign({**added, **claims}, key, alg=alg, typ=typ, kid=kid)
    except KeyRefused as refusal:
        fitting = (
            ", ".join(sorted(name for name in ALGORITHMS if key.signs(name))) or "none: its private half is needed"
        )
        raise ConfigError(f"{path}: cannot sign with {alg}; it fits {fitting}") from refusal
    return Answer(token, {"token": token})


def _only_algorithm(algorithms: Collection[str], path: Path) -> str:
    if len(algorithms) == 1:
        return next(iter(algorithms))
    raise ConfigError(f"{path}: the key does not say its algorithm; add --alg, one of {', '.join(sorted(algorithms))}")


def verify(
    text: str,
    path: Path,
    *,
    algorithms: Sequence[str],
    issuer: str | None,
    audiences: Sequence[str],
    types: Sequence[str],
    leeway_seconds: int,
    now: int,
) -> Answer:
    """The claims of the token if its signature and all that is asked of it hold, else the reason why not."""
    keys = read_keys(path, algorithms=algorithms)
    allowed = frozenset(algorithms) or _declared(keys, path)
    try:
        token = verifier.verify(
            text,
            _usable(keys, allowed, path),
            algorithms=allowed,
            issuer=issuer if issuer is not None else verifier.ANY,
            audience=audiences or verifier.ANY,
            types=types,
            leeway_seconds=leeway_seconds,
            now=now,
        )
    except TokenRefused as refusal:
        value = {"verified": False, "reason": refusal.reason, "sentence": refusal.sentence, "detail": refusal.detail}
        return Answer(f"{red('refused:')} {visible(str(refusal))}", value, good=False)
    except ValueError as error:
        raise ConfigError(f"--{error}") from None
    claims = dict(token.claims)
    told = f"{green('good:')} signed with {token.header['alg']}, and everything asked for holds"
    text = "\n".join([told, json_text(claims), *told_times(claims, now)])
    return Answer(text, {"verified": True, "header": dict(token.header), "claims": claims})


def _declared(keys: KeySet, path: Path) -> frozenset[str]:
    return frozenset(_only_algorithm(key.algorithms, path) for key in keys)


def _usable(keys: KeySet, algorithms: frozenset[str], path: Path) -> Key | KeySet:
    """The only key of the file, or its keys that fit the algorithms."""
    try:
        usable, _ = keys.bound_or_skipped(algorithms)
    except KeyRefused as refusal:
        names = ", ".join(sorted(algorithms))
        raise ConfigError(f"{path}: none of its keys is for {names} alone: {refusal}") from refusal
    return next(iter(keys)) if len(keys) == 1 else usable
