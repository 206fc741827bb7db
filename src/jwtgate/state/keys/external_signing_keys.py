"""Signing keys that somebody else makes: from a file, an address, or a secret, read again and again.

While they cannot be read, or make no sense, the last good ones go on. Keys from an address are kept in the store only
where that is sealed; without a master key, a start while the address is down leaves their name unable to sign, and
everything else at work.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from jwtgate.errors import ConfigError, KeyRefused
from jwtgate.jose.certificate import parse_certificates
from jwtgate.jose.encoding import JSON, parse_json_object
from jwtgate.jose.key import Key
from jwtgate.jose.key_set import MOST_KEYS, MOST_SET_BYTES, parse_own_keys
from jwtgate.policy.sources import KeyText, SigningKeys
from jwtgate.state.discovery import json_body
from jwtgate.state.http_client import NO_FIELDS, FetchFailed, FetchRules, HttpClient, basic_fields
from jwtgate.state.keys.key_texts import parse_key_text
from jwtgate.state.keys.keyring import Given, Keyring, is_given

MOST_BACK_OFF_SECONDS = 60.0

Resolve = Callable[[str], str]
_log = logging.getLogger(__name__)


def read_given(wanted: SigningKeys, resolve: Resolve) -> Given:
    """The keys of a file, a JWK Set, a PEM text or a secret, with their certificates. `ConfigError`."""
    try:
        given = _given(_keys(wanted, resolve), wanted.alg)
        if wanted.certificate_file is None:
            return given
        pem = resolve(f"${{file:{wanted.certificate_file}}}").encode()
        return Given(given.keys, _chains(parse_certificates(pem), given.keys))
    except ConfigError as error:
        raise ConfigError(*(f"signing keys {wanted.name!r}: {problem}" for problem in error.problems)) from None
    except (KeyRefused, ValueError) as error:
        sentence = error.sentence if isinstance(error, KeyRefused) else f"{error}."
        raise ConfigError(f"signing keys {wanted.name!r}: {sentence}") from None


async def fetch_given(wanted: SigningKeys, client: HttpClient, resolve: Resolve) -> Given:
    """The keys of an address, fetched now. Raises `FetchFailed`, `ConfigError` for a reference that leads nowhere."""
    rules = replace(
        FetchRules.of(wanted.fetching),
        client_certificate_file=wanted.client_certificate_file,
        client_key_file=wanted.client_key_file,
    )
    fields = NO_FIELDS
    if wanted.username is not None:
        fields = basic_fields(resolve(wanted.username), resolve(wanted.password or ""))
    try:
        async with asyncio.timeout(rules.total_seconds):
            body = json_body(await client.send("GET", wanted.url or "", rules=rules, fields=fields))
            return await asyncio.to_thread(_parse_fetched, body, wanted.alg)
    except TimeoutError:
        raise FetchFailed("timeout") from None
    except (KeyRefused, ValueError) as error:
        raise FetchFailed(error.reason if isinstance(error, KeyRefused) else "key_set_malformed") from error


class ExternalSigningKeys:
    """Brings the keys that somebody else makes to the key ring, now and as long as `follow` runs."""

    def __init__(
        self, wanted: Iterable[SigningKeys], keyring: Keyring, *, client: HttpClient, resolve: Resolve
    ) -> None:
        """`wanted` are the names of the document; those with keys of our own making are left alone."""
        self._wanted = tuple(each for each in wanted if is_given(each))
        self._keyring = keyring
        self._client = client
        self._resolve = resolve
        self._failing: set[str] = set()

    @property
    def failing(self) -> frozenset[str]:
        """The names whose keys could not be read when they last should have been."""
        return frozenset(self._failing)

    async def start(self) -> None:
        """Read all of them once. `ConfigError` for files and secrets; an address that fails is asked again later."""
        problems: list[str] = []
        for outcome in await asyncio.gather(*map(self._first, self._wanted), return_exceptions=True):
            if isinstance(outcome, ConfigError):
                problems += outcome.problems
            elif isinstance(outcome, BaseException):
                raise outcome
        if problems:
            raise ConfigError(*problems)

    async def follow(self) -> None:
        """Read each of them again in its interval, and sooner while that fails, until cancelled.

        What changes is in the key ring, whose `reload` tells of it.
        """
        await asyncio.gather(*map(self._follow, self._wanted))

    async def _first(self, wanted: SigningKeys) -> None:
        try:
            await self._read(wanted)
        except FetchFailed as failure:
            self._note(wanted, failure.cause)

    async def _follow(self, wanted: SigningKeys) -> None:
        failures = int(wanted.name in self._failing)
        while True:
            wait = wanted.refresh_seconds
            if failures:
                wait = min(2.0 ** min(failures - 1, 16), MOST_BACK_OFF_SECONDS, wait)
            await asyncio.sleep(wait)
            try:
                await self._read(wanted)
            except FetchFailed as failure:
                failures += 1
                self._note(wanted, failure.cause)
            except ConfigError as error:
                failures += 1
                self._note(wanted, " ".join(error.problems))
            else:
                failures = 0
                self._note_success(wanted)

    async def _read(self, wanted: SigningKeys) -> None:
        if wanted.url is not None:
            given = await fetch_given(wanted, self._client, self._resolve)
        else:
            given = await asyncio.to_thread(read_given, wanted, self._resolve)
        await asyncio.to_thread(self._keyring.take, wanted, given)

    def _note(self, wanted: SigningKeys, cause: str) -> None:
        if wanted.name not in self._failing:
            _log.warning("signing keys %r: they cannot be read anew: %s", wanted.name, cause)
        self._failing.add(wanted.name)

    def _note_success(self, wanted: SigningKeys) -> None:
        if wanted.name in self._failing:
            _log.warning("signing keys %r: they can be read again", wanted.name)
        self._failing.discard(wanted.name)


def _keys(wanted: SigningKeys, resolve: Resolve) -> tuple[Key, ...]:
    if wanted.jwks is not None:
        text = resolve(wanted.jwks.text or "")
        return parse_own_keys(parse_json_object(text.encode(), limit_bytes=MOST_SET_BYTES))
    if wanted.secret is not None:
        return parse_key_text(replace(wanted.secret, alg=wanted.alg), resolve)
    return parse_key_text(wanted.pem or KeyText(file=wanted.file), resolve)


def _parse_fetched(body: bytes, alg: str) -> Given:
    """The keys of a JWK Set with private keys. One entry we cannot use never costs the others."""
    entries = parse_json_object(body, limit_bytes=MOST_SET_BYTES).get("keys")
    if not isinstance(entries, list) or len(entries) > MOST_KEYS:
        raise KeyRefused("key_set_malformed")
    return _given([key for entry in entries if (key := _usable(entry)) is not None], alg)


def _usable(entry: JSON) -> Key | None:
    try:
        key = Key.from_jwk(entry) if isinstance(entry, dict) else None
    except KeyRefused:
        return None
    # A secret in a set is for another purpose: we sign with pairs that others can verify.
    return None if key is None or key.is_symmetric else key


def _given(keys: Sequence[Key], alg: str) -> Given:
    """The first of these keys that signs with `alg`, bound to it, and all other pairs behind it."""
    chosen = next((key for key in keys if key.signs(alg)), None)
    if chosen is None:
        raise KeyRefused("key_unfit", alg=alg)
    others = (key for key in keys if key is not chosen and not key.is_symmetric)
    return Given(tuple(map(_named, (chosen.bound_to(alg), *others))))


def _named(key: Key) -> Key:
    """The key under its `kid`, or else its thumbprint. That of a secret would let the secret be guessed."""
    return key if key.kid is not None or key.is_symmetric else key.with_kid(key.thumbprint())


def _chains(certificates: Sequence[bytes], keys: Sequence[Key]) -> dict[str, tuple[bytes, ...]]:
    """The chain of each key, by its thumbprint: the certificate of that key, and those up to the next key's."""
    thumbprints = {key.thumbprint() for key in keys if not key.is_symmetric}
    chains: dict[str, tuple[bytes, ...]] = {}
    current = ""
    for certificate in certificates:
        thumbprint = _thumbprint(certificate)
        current = thumbprint if thumbprint in thumbprints else current
        chains[current] = (*chains.get(current, ()), certificate)
    if keys[0].thumbprint() not in chains or "" in chains:
        raise ValueError("The certificate file must hold the certificate of the key that signs, and begin with a key's")
    return chains


def _thumbprint(certificate: bytes) -> str | None:
    try:
        return Key.from_der(certificate).thumbprint()
    except KeyRefused:  # an authority may have a kind of key that we sign nothing with
        return None
