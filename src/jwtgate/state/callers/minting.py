"""Tokens made in a consumer's place, with the keys of its own credential (a sign endpoint, SEC-147)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from jwtgate.errors import ConfigError, DependencyFault, KeyRefused
from jwtgate.jose.algorithms import is_mac
from jwtgate.jose.encoding import JSON
from jwtgate.jose.key import Key
from jwtgate.jose.token import sign_token
from jwtgate.policy.provisions import MintedForm
from jwtgate.policy.sources import CredentialSource
from jwtgate.state.callers.credentials import resolved
from jwtgate.state.issued_tokens import random_id
from jwtgate.state.keys.key_texts import parse_key_text


def mint_with_credential(
    source: CredentialSource,
    claims: Mapping[str, JSON],
    *,
    form: MintedForm = MintedForm.FULL,
    ttl_seconds: int | None,
    resolve: Callable[[str], str],
    now: int,
    random_id: Callable[[], str] = random_id,
) -> str:
    """The token its consumer would make: these claims, the one that names the credential, `exp`, `iat` and `jti`.

    `ttl_seconds` None: that of the credential. `now` is a NumericDate. What is ours stands over what was asked for.
    `DependencyFault("signer_unavailable")` when the credential holds nothing to sign with.
    """
    lives = source.ttl_seconds if ttl_seconds is None else ttl_seconds
    ours: dict[str, JSON] = {source.key_claim: source.name, "exp": now + lives}
    try:
        key = _signing_key(source, resolve)
        if form is not MintedForm.FULL:
            shown = form is MintedForm.BARE_WITH_PUBLIC_KEY and not key.is_symmetric
            header: dict[str, JSON] = {"x5c": [_public_key_pem(source, key, resolve)]} if shown else {}
            return sign_token({**claims, **ours}, key.with_kid(None), alg=source.alg, header=header)
        asked = {name: value for name, value in claims.items() if name != "nbf"}
        # A key that has a name is looked for by it, also by ourselves.
        key = key if key.kid is not None else key.with_kid(source.name)
        return sign_token({**asked, **ours, "iat": now, "jti": random_id()}, key, alg=source.alg)
    except (ConfigError, KeyRefused, ValueError) as error:
        cause = error.reason if isinstance(error, KeyRefused) else type(error).__name__
        raise DependencyFault("signer_unavailable", credential=source.name, cause=cause) from error


def _public_key_pem(source: CredentialSource, key: Key, resolve: Callable[[str], str]) -> str:
    """The PEM text of the public key: as it was given, or else made from the key."""
    given = resolved(source.key, resolve).text or "" if source.key is not None else ""
    return given if given.lstrip().startswith("-----BEGIN PUBLIC KEY-----") else key.public().to_pem()


def _signing_key(source: CredentialSource, resolve: Callable[[str], str]) -> Key:
    mac = is_mac(source.alg)
    given = source.key if mac else source.private_key
    if given is None:
        raise KeyRefused("key_unfit", alg=source.alg)
    # Of a MAC only a bare secret has its algorithm beside it; a JWK Set is no secret itself.
    for key in parse_key_text(resolved(given if mac else replace(given, alg=source.alg), resolve), str):
        if key.signs(source.alg):
            return key
    raise KeyRefused("key_unfit", alg=source.alg)
