"""Kong's consumers with their credentials, as consumers of ours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jwtgate.dialects.dialect import ANNOTATION, Caller, Meaning, Note, Objects, literals
from jwtgate.dialects.kong.fields import wrong_uuid
from jwtgate.dialects.secrets import leniencies

_NAME = re.compile(r"[!#-\[\]-~]{1,128}")
_MOST_KEY = 256


def native_name(consumer: Mapping[str, Any]) -> str:
    """What we call it: its user name where that can be a name of ours and nobody's id, else its id."""
    username = consumer.get("username") or ""
    return username if _NAME.fullmatch(username) and wrong_uuid(username) else str(consumer["id"])


def caller_of(
    consumer: Mapping[str, Any], jwts: Iterable[Mapping[str, Any]], keyauths: Iterable[Mapping[str, Any]]
) -> Caller:
    """The consumer of ours these become. Their whole values stand in its annotations, so that nothing is lost."""
    jwts, keyauths = tuple(jwts), tuple(keyauths)
    place = f"consumers/{consumer.get('username') or consumer['id']}"
    notes = [Note(f"{place}/{name}", Meaning.EXACT) for name in ("username", "custom_id", "tags") if consumer.get(name)]
    credentials = {str(each["key"]): _of_jwt(each) for each in jwts if _can_verify(each)}
    credentials |= {str(each["id"]): {"api_key": str(each["key"])} for each in keyauths}
    value: dict[str, Any] = {"id": consumer["id"], "credentials": credentials}
    if consumer.get("custom_id"):
        value["external_id"] = consumer["custom_id"]
    if consumer.get("username"):
        value["labels"] = {"username": consumer["username"]}
    value = literals(value)  # there are no references in Kong's objects
    value[ANNOTATION] = {"kong": _written(consumer, jwts, keyauths)}
    for each in jwts:
        notes.extend(_notes_of_jwt(each, f"{place}/jwt_secrets/{each['key']}"))
    for each in keyauths:
        notes.extend(_notes_of_key(each, f"{place}/keyauth_credentials/{each['id']}"))
    return Caller(native_name(consumer), value, tuple(notes))


def callers(objects: Objects) -> Iterator[Caller]:
    """The consumers among these objects."""
    owned: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for kind in ("jwt_secrets", "keyauth_credentials"):
        for each in objects.get(kind, {}).values():
            owned.setdefault((kind, each["consumer"]["id"]), []).append(each)
    for id_, consumer in objects.get("consumers", {}).items():
        yield caller_of(consumer, owned.get(("jwt_secrets", id_), ()), owned.get(("keyauth_credentials", id_), ()))


def _can_verify(credential: Mapping[str, Any]) -> bool:
    """Whether there is anything to verify its tokens with, and they can name it."""
    named = len(credential["key"]) <= _MOST_KEY and credential["key"].isprintable()
    return named and (credential["algorithm"].startswith("HS") or credential["rsa_public_key"] is not None)


def _of_jwt(credential: Mapping[str, Any]) -> dict[str, Any]:
    alg = credential["algorithm"]
    if alg.startswith("HS"):
        held = {"alg": alg, "id": credential["id"], "secret": credential["secret"]}
        return held | leniencies(credential["secret"].encode(), alg)
    return {"alg": alg, "id": credential["id"], "public_key": credential["rsa_public_key"]}


def _written(
    consumer: Mapping[str, Any], jwts: Iterable[Mapping[str, Any]], keyauths: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    def by_id(credentials: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        return {
            str(each["id"]): {name: value for name, value in each.items() if name != "consumer"} for each in credentials
        }

    return {"consumer": dict(consumer), "jwt": by_id(jwts), "keyauth": by_id(keyauths)}


def _notes_of_jwt(credential: Mapping[str, Any], place: str) -> Iterator[Note]:
    alg = credential["algorithm"]
    if not _can_verify(credential):
        yield Note(place, Meaning.CHANGED, "There is nothing to verify its tokens with, or its key is no name.")
    for name in ("key", "algorithm", "tags"):
        if credential.get(name):
            yield Note(f"{place}/{name}", Meaning.EXACT)
    if alg.startswith("HS"):
        weak = bool(leniencies(credential["secret"].encode(), alg))
        sentence = "The secret can be guessed: it is short for its algorithm, or everybody knows it." if weak else ""
        yield Note(f"{place}/secret", Meaning.EXACT, sentence, dangerous=weak)
    elif credential.get("rsa_public_key"):
        yield Note(f"{place}/rsa_public_key", Meaning.EXACT)


def _notes_of_key(credential: Mapping[str, Any], place: str) -> Iterator[Note]:
    yield Note(f"{place}/key", Meaning.EXACT)
    if credential.get("ttl"):
        yield Note(f"{place}/ttl", Meaning.REFUSED, "A key is good until it is taken away.", dangerous=True)
