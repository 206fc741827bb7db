"""One issuer's keys, read from the document's own material or fetched from where the issuer publishes them.

Addresses come from configuration only. One that a metadata document names must be on the issuer's own host or
on a host the configuration lists (SEC-60 to 64).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from jwtgate.errors import ConfigError, KeyRefused
from jwtgate.jose.key import Key
from jwtgate.jose.key_set import KeySet, certified_key, first_of_each_kid, parse_remote_keys, remote_key
from jwtgate.policy.sources import KeySource, KeyText
from jwtgate.state.discovery import fetch_metadata, json_body, permitted
from jwtgate.state.http_client import NO_FIELDS, FetchFailed, FetchRules, HttpClient, Response, basic_fields
from jwtgate.state.keys.key_texts import key_text, parse_key_text


@dataclass(frozen=True, slots=True)
class FetchedKeys:
    """The usable keys of a JWK Set, how many of its entries were left out, and the bytes it was read from."""

    key_set: KeySet
    skipped: int
    body: bytes


def is_remote(source: KeySource) -> bool:
    """Whether these keys have to be fetched."""
    return source.url is not None or source.discovery is not None


def read_local(source: KeySource, resolve: Callable[[str], str]) -> KeySet:
    """The keys that stand in the document, each bound to its algorithm. `ConfigError` names every bad one."""
    keys: list[Key] = []
    problems: list[str] = []
    for number, text in enumerate(source.local, start=1):
        place = f"issuer {source.issuer!r}, key {number}"
        try:
            keys += map(_public, _parse_local(source, text, resolve))
        except ConfigError as error:
            problems += [f"{place}: {problem}" for problem in error.problems]
        except (KeyRefused, ValueError) as error:
            if (without := _without_keys(source, error)) is not None:
                return without
            held = "" if text.file is None else f" (file {text.file})"
            problems.append(f"{place}{held}: {_sentence(error)}")
    if problems:
        raise ConfigError(*problems)
    try:
        return _bound(source, KeySet(_meant(source, keys)))
    except KeyRefused as refusal:
        if (without := _without_keys(source, refusal)) is not None:
            return without
        raise ConfigError(f"issuer {source.issuer!r}: {_sentence(refusal)}") from refusal


def _parse_local(source: KeySource, text: KeyText, resolve: Callable[[str], str]) -> tuple[Key, ...]:
    if not source.unusable_skipped:
        return parse_key_text(text, resolve)
    keys, _ = parse_remote_keys(key_text(text, resolve).encode(), _reader(source))
    return keys


def _reader(source: KeySource) -> Callable[[object], Key]:
    return certified_key if source.certificates_first else remote_key


def _bound(source: KeySource, key_set: KeySet) -> KeySet:
    if source.serves_every_algorithm or source.unusable_skipped:
        return _usable(source, key_set)[0]
    return key_set.bound(source.algorithms)


def _usable(source: KeySource, key_set: KeySet) -> tuple[KeySet, int]:
    """The keys that can be used with the issuer's algorithms, and how many were left out."""
    if source.serves_every_algorithm:
        usable, unfit = key_set.fitting_or_skipped(source.algorithms)
    else:
        usable, unfit = key_set.bound_or_skipped(source.algorithms)
    return usable, len(unfit)


def _meant(source: KeySource, keys: Sequence[Key]) -> Sequence[Key]:
    """The keys the document means, of those that can be read. `KeyRefused("key_set_empty")` when none is left."""
    meant = [key for key in keys if key.use == "sig"] if source.use_required else keys
    if not meant:
        raise KeyRefused("key_set_empty", skipped=len(keys))
    return first_of_each_kid(meant) if source.first_of_a_kid else meant


def _without_keys(source: KeySource, error: KeyRefused | ValueError) -> KeySet | None:
    """The set without usable keys that will do for this source all the same; None where it will not."""
    if not source.empty_set_allowed or not isinstance(error, KeyRefused):
        return None
    if error.detail.get("missing") == "keys":
        return KeySet(()) if source.unusable_skipped else None
    left_out = error.detail.get("skipped", 0)
    if error.reason != "key_set_empty" or not isinstance(left_out, int) or (left_out and not source.unusable_skipped):
        return None
    return KeySet((), left_out=left_out)


def _public(key: Key) -> Key:
    return key.public() if key.is_private else key


def _sentence(error: KeyRefused | ValueError) -> str:
    return error.sentence if isinstance(error, KeyRefused) else f"{error}."


async def fetch_keys(source: KeySource, client: HttpClient, resolve: Callable[[str], str]) -> FetchedKeys:
    """The issuer's set, fetched now, through its metadata where that is configured. Raises `FetchFailed`.

    Credentials are for the configured address alone; one that a metadata document names sees none of them.
    """
    rules = FetchRules.of(source.fetching)
    try:
        async with asyncio.timeout(rules.total_seconds):
            if source.url is None:
                answer = await client.get(await _discover(source, client, rules), rules=rules)
            else:
                answer = await _ask(source, source.url, client=client, rules=rules, resolve=resolve)
            body = answer.body if source.any_media_type else json_body(answer)
            # A set of many large keys takes long enough to parse to be noticed by everything else here.
            return await asyncio.to_thread(parse_fetched, source, body)
    except TimeoutError:
        raise FetchFailed("timeout") from None


async def _ask(
    source: KeySource, url: str, *, client: HttpClient, rules: FetchRules, resolve: Callable[[str], str]
) -> Response:
    fields = NO_FIELDS
    try:
        if source.username is not None:
            fields = basic_fields(resolve(source.username), resolve(source.password or ""))
        fields = {**fields, **{name: resolve(value) for name, value in source.fields}}
    except ConfigError as error:
        raise FetchFailed("secret_missing", detail=" ".join(error.problems)) from error
    known = replace(
        rules, client_certificate_file=source.client_certificate_file, client_key_file=source.client_key_file
    )
    return await client.send("GET", url, rules=known, fields=fields)


def parse_fetched(source: KeySource, body: bytes) -> FetchedKeys:
    """The keys of a fetched set that this issuer's algorithms can use. Raises `FetchFailed`."""
    try:
        keys, skipped = parse_remote_keys(body, _reader(source))
        meant = _meant(source, keys)
        usable, unfit = _usable(source, KeySet(meant))
    except KeyRefused as refusal:
        if (without := _without_keys(source, refusal)) is not None:
            return FetchedKeys(without, without.left_out, body)
        raise FetchFailed(refusal.reason, status=200) from refusal
    return FetchedKeys(usable, len(skipped) + len(keys) - len(meant) + unfit, body)


async def _discover(source: KeySource, client: HttpClient, rules: FetchRules) -> str:
    metadata = await fetch_metadata(source.iss, source.discovery, client=client, rules=rules)
    return permitted(metadata.jwks_uri, "jwks_uri", iss=source.iss, allowed_hosts=source.fetching.allowed_hosts)
