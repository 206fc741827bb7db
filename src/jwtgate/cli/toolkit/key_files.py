"""Keys in files: a PEM, a JWK or a JWK Set, and for a MAC the secret itself."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from jwtgate.errors import ConfigError, KeyRefused
from jwtgate.jose.algorithms import is_mac
from jwtgate.jose.encoding import parse_json_object
from jwtgate.jose.key import Key
from jwtgate.jose.key_set import MOST_SET_BYTES, KeySet

_MOST_BYTES = MOST_SET_BYTES


def read_keys(path: Path, *, algorithms: Collection[str] = ()) -> KeySet:
    """The keys in this file. Where the algorithms are MACs, a file that is neither JSON nor PEM is their secret.

    `ConfigError` names the file and what is wrong with it.
    """
    data = _read(path)
    try:
        return _parse(data, algorithms)
    except KeyRefused as refusal:
        raise ConfigError(f"{path}: {refusal}") from refusal
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from None


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as trouble:
        raise ConfigError(f"{path}: {trouble.strerror}") from trouble
    if len(data) > _MOST_BYTES:
        raise ConfigError(f"{path}: larger than {_MOST_BYTES} bytes, which no key set is")
    return data


def _parse(data: bytes, algorithms: Collection[str]) -> KeySet:
    if b"-----BEGIN" in data:
        return KeySet([Key.from_pem(data)])
    if data.lstrip().startswith(b"{"):
        members = parse_json_object(data, limit_bytes=_MOST_BYTES)
        return KeySet.parse_local(members) if "keys" in members else KeySet([Key.from_jwk(members)])
    macs = [alg for alg in algorithms if is_mac(alg)]
    if not macs:
        raise ValueError("neither a PEM text, a JWK nor a JWK Set")
    secret = data.removesuffix(b"\n")
    return KeySet(Key.secret(secret, alg=alg) for alg in macs)


def choose(keys: KeySet, kid: str | None, path: Path) -> Key:
    """The key of this `kid`, or the only one. `ConfigError` says which there are."""
    fitting = [key for key in keys if kid is None or key.kid == kid]
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join(str(key.kid) for key in keys)
    raise ConfigError(f"{path}: name one of its keys with --kid: {names}")


def write_private(path: Path, text: str) -> None:
    """Write a new file only its owner may read. `ConfigError` when it is there already."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise ConfigError(f"{path}: exists already; a key is never written over, so name another file") from None
    except OSError as trouble:
        raise ConfigError(f"{path}: {trouble.strerror}") from trouble
    with os.fdopen(handle, "w") as file:
        file.write(text)
