"""A consumer's credential with its keys: each bound to the credential's one algorithm (SEC-20 to SEC-22)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

from jwtgate.errors import ConfigError, KeyRefused
from jwtgate.jose.key_set import KeySet
from jwtgate.policy.callers import Consumer, Credential
from jwtgate.policy.sources import CredentialSource, KeyText
from jwtgate.state.keys.key_texts import parse_key_text

MOST_REMEMBERED = 4_096
_TO_URL_ALPHABET = str.maketrans("+/", "-_")


def credential_of(source: CredentialSource, consumer: Consumer, resolve: Callable[[str], str]) -> Credential:
    """The credential, ready to verify what its consumer signs. `ConfigError` for a key that is not good.

    `resolve` puts secrets in the place of references. Keys parsed lately are remembered by their text. An API key has
    no keys to verify anything with, and those at an address are yet to be fetched.
    """
    algorithms = frozenset[str]() if source.is_api_key else frozenset({source.alg})
    fetched = source.address is not None
    try:
        elsewhere = source.is_api_key or fetched
        keys = KeySet(()) if elsewhere else _keys(resolved(source.key or source.private_key, resolve), source.alg)
    except ConfigError as error:
        raise ConfigError(*(f"credential {source.name!r}: {problem}" for problem in error.problems)) from None
    except (KeyRefused, ValueError) as error:
        sentence = error.sentence if isinstance(error, KeyRefused) else f"{error}."
        raise ConfigError(f"credential {source.name!r}: {sentence}") from None
    return Credential(
        source.name,
        source.id,
        consumer,
        algorithms,
        keys,
        leeway_seconds=source.leeway_seconds,
        labels=source.labels,
        fetched=fetched,
        claims=source.claims,
    )


def resolved(given: KeyText | None, resolve: Callable[[str], str]) -> KeyText:
    """The text of the key itself, without reference to anything. `ConfigError`."""
    if given is None:
        raise ConfigError("It has no key.")
    text = resolve(f"${{file:{given.file}}}" if given.file is not None else given.text or "")
    if given.base64url:
        # Gateways write such secrets in either alphabet of base64, padded or not.
        text = text.translate(_TO_URL_ALPHABET).rstrip("=")
    return replace(given, file=None, text=text)


@lru_cache(MOST_REMEMBERED)
def _keys(given: KeyText, alg: str) -> KeySet:
    keys = parse_key_text(given, str)
    return KeySet(key.public() if key.is_private else key for key in keys).bound({alg})
