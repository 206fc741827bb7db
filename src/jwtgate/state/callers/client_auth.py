"""How we prove to an introspection endpoint who we are (RFC 6749 section 2.3.1, RFC 7521, RFC 7523).

Secrets are resolved once, when the state is built; nothing here is ever shown.
"""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import quote_plus

from jwtgate.errors import ConfigError, KeyRefused
from jwtgate.jose.algorithms import is_mac
from jwtgate.jose.encoding import JSON
from jwtgate.jose.key import Key
from jwtgate.jose.token import sign_token
from jwtgate.policy.sources import ClientAuth, IntrospectionSource
from jwtgate.state.keys.key_texts import parse_key_text

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# Where the document names no algorithm and the key none either, the one that everybody has for such a key.
_USUAL = ("ES256", "RS256", "ES384", "ES512", "Ed25519")

Resolve = Callable[[str], str]
Pairs = tuple[tuple[str, str], ...]
Required = TypeVar("Required")


@dataclass(frozen=True, slots=True)
class Proof:
    """What a request carries to prove who sends it: header fields, and parameters of its form."""

    fields: Pairs = field(default=(), repr=False)
    form: Pairs = field(default=(), repr=False)


class ClientProof:
    """Proofs for one endpoint. `ConfigError` for what is missing, or cannot be used."""

    def __init__(self, source: IntrospectionSource, resolve: Resolve) -> None:
        self._source = source
        self._proof = Proof()
        self._signer: tuple[Key, str] | None = None
        try:
            self._prepare(source, resolve)
        except ConfigError as error:
            place = f"issuer {source.issuer!r}, introspection"
            raise ConfigError(*(f"{place}: {problem}" for problem in error.problems)) from None

    def make(self, endpoint: str, now: int) -> Proof:
        """The proof for one request to `endpoint`. `now` is a NumericDate."""
        if self._signer is None:
            return self._proof
        key, alg = self._signer
        client_id = self._source.client_id or ""
        said = self._source.client_assertion
        # The issuer where we know it: an address could be that of somebody who then uses the assertion there.
        audience: dict[str, JSON] = {} if said.aud_left_out else {"aud": self._source.iss or endpoint}
        claims = {
            **audience,
            **said.claims,
            "iss": client_id,
            "sub": client_id,
            "iat": now,
            "exp": now + said.lifetime_seconds,
            "jti": said.jti_prefix + secrets.token_urlsafe(16),
        }
        assertion = sign_token(claims, key, alg=alg, header=said.header or None)
        return Proof(form=(("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion)))

    def _prepare(self, source: IntrospectionSource, resolve: Resolve) -> None:
        auth = source.auth
        if auth is ClientAuth.NONE:
            self._proof = Proof(form=(("client_id", source.client_id),)) if source.client_id else Proof()
            return
        if auth is ClientAuth.AUTHORIZATION:
            self._proof = _with_authorization(resolve(_needed(source.authorization, "authorization")))
            return
        client_id = _needed(source.client_id, "client_id")
        if auth is ClientAuth.PRIVATE_KEY_JWT:
            key, alg = _private_key(source, resolve)
            # A `kid` of the document stands for the key's own.
            self._signer = (key.with_kid(None) if "kid" in source.client_assertion.header else key), alg
            return
        secret = resolve(_needed(source.client_secret, "client_secret"))
        if auth is ClientAuth.SECRET_JWT:
            self._signer = _secret_key(secret, source)
        elif auth is ClientAuth.POST:
            self._proof = Proof(form=(("client_id", client_id), ("client_secret", secret)))
        else:
            pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
            self._proof = _with_authorization(f"Basic {b64encode(pair.encode()).decode()}")


def _with_authorization(value: str) -> Proof:
    if not value or not value.isascii() or not value.isprintable():
        raise ConfigError("The value for the Authorization field is empty or has characters no field may have.")
    return Proof(fields=(("Authorization", value),))


def _needed(value: Required | None, name: str) -> Required:
    if not value:
        raise ConfigError(f"This client authentication needs {name}.")
    return value


def _secret_key(secret: str, source: IntrospectionSource) -> tuple[Key, str]:
    alg, weak = source.client_assertion_alg or "HS256", source.client_assertion.weak_secret
    if not is_mac(alg):
        raise ConfigError(f"{alg} does not sign with a secret.")
    try:
        key = Key.secret(
            secret.encode(),
            alg=alg,
            short_secret_allowed_for_legacy_credential=weak,
            guessable_secret_allowed_for_legacy_credential=weak,
        )
    except KeyRefused as refusal:
        raise ConfigError(f"client_secret: {refusal.sentence}") from None
    return key, alg


def _private_key(source: IntrospectionSource, resolve: Resolve) -> tuple[Key, str]:
    try:
        (key,) = parse_key_text(_needed(source.client_key, "client_key"), resolve)
    except KeyRefused as refusal:
        raise ConfigError(f"client_key: {refusal.sentence}") from None
    except ValueError:
        raise ConfigError("client_key: it cannot be read as one key.") from None
    usual = next((alg for alg in _USUAL if key.signs(alg)), None)
    alg = source.client_assertion_alg or key.alg or usual
    if alg is None or key.is_symmetric or not key.signs(alg):
        raise ConfigError(f"client_key: it is not a private key that can sign{f' with {alg}' if alg else ''}.")
    return key, alg
