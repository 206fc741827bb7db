"""Making keys, and showing them: their names, sizes and public halves, and nothing else unless asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from jwtgate.cli.answer import Answer, json_text, table
from jwtgate.cli.toolkit.key_files import choose, read_keys, write_private
from jwtgate.errors import ConfigError
from jwtgate.jose.algorithms import ALGORITHMS, is_mac
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.key_set import KeySet

_HEADS = ("name", "kid", "alg", "type", "size", "state", "next", "thumbprint")


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
    described = row(key)
    lines = f"{out} holds a new private key (mode 0600).\n\n{_table([described])}"
    return Answer(lines, {"file": str(out), **described, **({} if key.is_symmetric else {"public": key.to_jwk()})})


def listed(path: Path) -> Answer:
    """The keys of a file, one line each."""
    return listing(row(key) for key in read_keys(path))


def shown(path: Path, kid: str | None, *, form: str, private: bool) -> Answer:
    """Keys of a file as JWK, JWK Set or PEM: public halves, or with `private` all of them."""
    keys = read_keys(path)
    if form == "jwks" and kid is None:
        return key_set_in_form(list(keys), private)
    return in_form(choose(keys, kid, path), form, private)


def key_set_in_form(keys: list[Key], private: bool) -> Answer:
    """These keys as a JWK Set: public halves, or with `private` all of them."""
    value = {"keys": [key.to_private_jwk() for key in keys]} if private else KeySet(keys).to_jwks()
    return Answer(json_text(value), value)


def in_form(key: Key, form: str, private: bool) -> Answer:
    """This key as JWK, JWK Set or PEM."""
    if form == "pem":
        text = (key.to_private_pem() if private else key.to_pem()).rstrip()
        return Answer(text, {"pem": text})
    value = key.to_private_jwk() if private else key.to_jwk()
    if form == "jwks":
        value = {"keys": [value]}
    return Answer(json_text(value), value)


def row(key: Key) -> dict[str, str]:
    """What is shown of a key, by the head of its column; what it does not have is left out."""
    cells = {
        "kid": key.kid or "",
        "alg": key.alg or ", ".join(sorted(key.algorithms)),
        "type": " ".join(filter(None, (key.kty, key.crv, "private" if key.is_private else ""))),
        "size": f"{key.bits} bits",
        # The thumbprint of a secret would let the secret be guessed from it.
        "thumbprint": "" if key.is_symmetric else key.thumbprint(),
    }
    return {head: cell for head, cell in cells.items() if cell}


def _table(rows: Sequence[Mapping[str, object]]) -> str:
    heads = [head for head in _HEADS if any(head in row for row in rows)]
    return table(heads, [[str(row.get(head, "")) for head in heads] for row in rows])


def listing(rows: Iterable[Mapping[str, object]]) -> Answer:
    """These rows, of which the table shows what it has a column for."""
    listed = list(rows)
    return Answer(_table(listed), {"keys": listed})
