"""Making keys, and showing them: their names, sizes and public halves, and nothing else unless asked for."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from jwtgate.cli.answer import Answer, json_text, table
from jwtgate.cli.toolkit.key_files import choose, read_keys, write_private
from jwtgate.control.generations import DATABASE
from jwtgate.errors import ConfigError
from jwtgate.jose.algorithms import ALGORITHMS, is_mac
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.key_set import KeySet
from jwtgate.state.keys.keyring import Keyring, SigningKey, sealer_of
from jwtgate.state.stores.sqlite import SqliteStore
from jwtgate.state.stores.store import StoreFailed

MASTER_KEY = "JWTGATE_MASTER_KEY"
"""The environment variable with the master key of a state folder whose keys are sealed."""
_HEADS = ("kid", "alg", "type", "size", "state", "thumbprint")


def new(alg: str, *, kid: str | None, out: Path | None, pem: bool) -> Answer:
    """A new key. Without `out` it is the answer itself; with `out` it is in that file, and the answer describes it."""
    if alg not in ALGORITHMS:
        raise ConfigError(f"--alg {alg}: use one of {', '.join(ALGORITHMS)}")
    if pem and is_mac(alg):
        raise ConfigError(f"--pem: {alg} takes a secret, which has no PEM form")
    key = generate_key(alg, kid=kid).bound_to(alg)
    jwk = key.to_private_jwk()
    text = key.to_private_pem().rstrip() if pem else json_text(jwk)
    if out is None:
        return Answer(text, {"pem": text} if pem else jwk)
    write_private(out, text + "\n")
    row = _row(key)
    lines = f"{out} holds a new private key (mode 0600).\n\n{_table([row])}"
    return Answer(lines, {"file": str(out), **row, **({} if key.is_symmetric else {"public": key.to_jwk()})})


def listed(path: Path) -> Answer:
    """The keys of a file, one line each."""
    return _listing(_row(key) for key in read_keys(path))


def listed_state(folder: Path, name: str) -> Answer:
    """The signing keys of this name in a state folder, one line each."""
    now = time.time()
    return _listing(_row(held.key, held.state(now).value) for held in _held(folder, name))


def shown(path: Path, kid: str | None, *, form: str, private: bool) -> Answer:
    """Keys of a file as JWK, JWK Set or PEM: public halves, or with `private` all of them."""
    keys = read_keys(path)
    if form == "jwks" and kid is None:
        return _key_set(list(keys), private)
    return _key(choose(keys, kid, path), form, private)


def shown_state(folder: Path, name: str, *, kid: str | None, form: str) -> Answer:
    """The public halves of the signing keys of this name in a state folder."""
    keys = [held.key.public() for held in _held(folder, name)]
    if form == "jwks" and kid is None:
        return _key_set(keys, private=False)
    return _key(choose(KeySet(keys), kid, folder), form, private=False)


def _held(folder: Path, name: str) -> tuple[SigningKey, ...]:
    if not (folder / DATABASE).exists():
        raise ConfigError(f"{folder}: is no state folder of jwtgate; `jwtgate serve` makes one")
    try:
        store = SqliteStore(folder / DATABASE)
    except StoreFailed as failure:
        raise ConfigError(f"{folder}: {failure}") from failure
    try:
        master_key = os.environ.get(MASTER_KEY)
        held = Keyring.open(store, wall=time.time, sealer=sealer_of(master_key) if master_key else None).load(name)
    finally:
        store.close()
    if not held:
        raise ConfigError(f"{folder}: holds no signing keys named {name!r}; --name takes a name from signing.keys")
    return held


def _key_set(keys: list[Key], private: bool) -> Answer:
    value = {"keys": [key.to_private_jwk() for key in keys]} if private else KeySet(keys).to_jwks()
    return Answer(json_text(value), value)


def _key(key: Key, form: str, private: bool) -> Answer:
    if form == "pem":
        text = (key.to_private_pem() if private else key.to_pem()).rstrip()
        return Answer(text, {"pem": text})
    value = key.to_private_jwk() if private else key.to_jwk()
    if form == "jwks":
        value = {"keys": [value]}
    return Answer(json_text(value), value)


def _row(key: Key, state: str = "") -> dict[str, str]:
    """What is shown of a key, by the head of its column; what it does not have is left out."""
    cells = {
        "kid": key.kid or "",
        "alg": key.alg or ", ".join(sorted(key.algorithms)),
        "type": " ".join(filter(None, (key.kty, key.crv, "private" if key.is_private else ""))),
        "size": f"{key.bits} bits",
        "state": state,
        # The thumbprint of a secret would let the secret be guessed from it.
        "thumbprint": "" if key.is_symmetric else key.thumbprint(),
    }
    return {head: cell for head, cell in cells.items() if cell}


def _table(rows: Sequence[dict[str, str]]) -> str:
    heads = [head for head in _HEADS if any(head in row for row in rows)]
    return table(heads, [[row.get(head, "") for head in heads] for row in rows])


def _listing(rows: Iterable[dict[str, str]]) -> Answer:
    listed = list(rows)
    return Answer(_table(listed), {"keys": listed})
