"""Key material a document or a record holds, or refers to: a PEM, a JWK, a JWK Set, or the secret of a MAC."""

from __future__ import annotations

from collections.abc import Callable

from jwtgate.jose.algorithms import is_mac
from jwtgate.jose.encoding import base64url_decode, parse_json_object
from jwtgate.jose.key import Key
from jwtgate.jose.key_set import MOST_SET_BYTES, KeySet
from jwtgate.policy.sources import KeyText


def parse_key_text(given: KeyText, resolve: Callable[[str], str]) -> tuple[Key, ...]:
    """The keys of this text, private halves included; only a JWK Set holds several.

    `KeyRefused` or `ValueError` for what is no key, `ConfigError` for a reference that leads nowhere.
    """
    text = key_text(given, resolve)
    if given.alg is not None and is_mac(given.alg):
        return (_secret(given, text),)
    if not text.lstrip().startswith("{"):
        return (Key.from_pem(text, kid=given.kid, alg=given.alg),)
    members = parse_json_object(text.encode(), limit_bytes=MOST_SET_BYTES)
    if "keys" in members:
        return tuple(KeySet.parse_local(members))
    key = Key.from_jwk(members)
    key = key if given.alg is None else key.bound_to(given.alg)
    return (key if given.kid is None else key.with_kid(given.kid),)


def key_text(given: KeyText, resolve: Callable[[str], str]) -> str:
    """The text itself. `ConfigError` for a reference that leads nowhere."""
    return resolve(f"${{file:{given.file}}}" if given.file is not None else given.text or "")


def _secret(given: KeyText, text: str) -> Key:
    return Key.secret(
        base64url_decode(text) if given.base64url else text.encode(),
        alg=given.alg or "",
        kid=given.kid,
        short_secret_allowed_for_legacy_credential=given.short_secret_allowed_for_legacy_credential,
        guessable_secret_allowed_for_legacy_credential=given.guessable_secret_allowed_for_legacy_credential,
    )
