"""JWKs, JWK Sets, PEM and DER: a key is refused with a reason or is what it says, and shows nothing of its secret."""

from __future__ import annotations

from jwtgate.errors import CATALOGUE, KeyRefused
from jwtgate.jose.encoding import parse_json
from jwtgate.jose.key import Key
from jwtgate.jose.key_set import KeySet

SECRET_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"}
LIMIT_BYTES = 65_536


def keys(data: bytes) -> None:
    """One JWK, or a PEM text, or DER."""
    try:
        value = parse_json(data, limit_bytes=LIMIT_BYTES)
    except ValueError:
        value = None
    if isinstance(value, dict):
        _check(lambda: Key.from_jwk(value))
    elif data.lstrip().startswith(b"-----"):
        _check(lambda: Key.from_pem(data))
    else:
        _check(lambda: Key.from_der(data))


def key_sets(data: bytes) -> None:
    """A JWK Set, of ours and of an issuer: what we take from an issuer holds public keys and nothing else."""
    try:
        KeySet.parse_local(data)
    except KeyRefused as refusal:
        assert refusal.reason in CATALOGUE
    try:
        found, skipped = KeySet.parse_remote(data)
    except KeyRefused as refusal:
        assert refusal.reason in CATALOGUE
        return
    assert all(each.reason in CATALOGUE for each in skipped)
    for key in found:
        assert not key.is_symmetric
        assert not key.is_private
        assert len(found.candidates(next(iter(key.algorithms), "RS256"), key.kid)) <= 1
    for jwk in found.to_jwks()["keys"]:  # type: ignore[attr-defined]
        assert not SECRET_MEMBERS & set(jwk)


def _check(make) -> None:  # type: ignore[no-untyped-def]
    try:
        key = make()
    except KeyRefused as refusal:
        assert refusal.reason in CATALOGUE
        return
    if key.is_symmetric:
        shown = key.to_private_jwk()
        assert str(shown["k"]) not in repr(key)
        assert Key.from_jwk(shown).thumbprint() == key.thumbprint()
        return
    public = key.to_jwk()
    assert not SECRET_MEMBERS & set(public)
    again = Key.from_jwk(public)
    assert not again.is_private
    assert again.thumbprint() == key.thumbprint()
    assert again.algorithms <= key.algorithms or key.key_ops is not None
    if key.is_private:
        assert Key.from_jwk(key.to_private_jwk()).thumbprint() == key.thumbprint()
