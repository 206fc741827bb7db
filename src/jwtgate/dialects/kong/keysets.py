"""Named sets of private keys as `jwt-signer` keeps them: `keys` that sign, `previous` that still verify."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

from jwtgate.dialects.dialect import Objects
from jwtgate.dialects.kong.signer_fields import ALGORITHMS, TOKENS, signs
from jwtgate.jose.key import generate_key

DEFAULT = "kong"


def made_keyset(name: str, now: int) -> dict[str, Any]:
    """A new set of this name, with a key for every algorithm. `now` in seconds."""
    times = {"created_at": now, "updated_at": now}
    return {"id": str(uuid4()), "name": name, "keys": _new_keys(), "previous": [], **times}


def rotated(keyset: Mapping[str, Any], now: int) -> dict[str, Any]:
    """The set with new keys; those it had are the previous ones, and those before them are gone."""
    return {**keyset, "keys": _new_keys(), "previous": keyset["keys"], "updated_at": now}


def completed(objects: Objects) -> Objects:
    """The objects with the sets their plugins name; the same object if none is missing."""
    there = {keyset["name"] for keyset in objects.get("keysets", {}).values()}
    missing = dict.fromkeys(name for name in named_keysets(objects) if name not in there)
    if not missing:
        return objects
    made = [made_keyset(name, int(time.time())) for name in missing]
    return {**objects, "keysets": {**objects.get("keysets", {}), **{keyset["id"]: keyset for keyset in made}}}


def named_keysets(objects: Objects) -> Iterator[str]:
    """The names of the sets that plugins sign with, an address being no name."""
    for plugin in objects.get("plugins", {}).values():
        if plugin["name"] != "jwt-signer":
            continue
        for token in TOKENS:
            name = plugin["config"][f"{token}_keyset"] or DEFAULT
            if (
                signs(plugin["config"], token)
                and not is_address(name)
                and not _rotates_by_itself(plugin["config"], token)
            ):
                yield name


def _rotates_by_itself(config: Mapping[str, Any], token: str) -> bool:
    mac = (config[f"{token}_signing_algorithm"] or "").startswith("HS")
    return bool(config.get(f"{token}_keyset_seamless_rotate_period")) and not mac


def is_address(keyset: str) -> bool:
    """Whether this is where a set is fetched, and no name."""
    return keyset.lower().startswith(("http://", "https://"))


def _new_keys() -> list[dict[str, Any]]:
    return [{**generate_key(alg).to_private_jwk(), "alg": alg, "use": "sig"} for alg in ALGORITHMS]
