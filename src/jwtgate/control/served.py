"""What a worker makes of the generation it was sent, and how it keeps up with the keys that change in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from jwtgate.control.messages import KeysChanged, Prepare, SentKey, Signing, SigningChanged
from jwtgate.gateway.generation import Generation
from jwtgate.jose.encoding import base64url_decode
from jwtgate.jose.key import Key
from jwtgate.jose.key_set import KeySet
from jwtgate.state.answers import Snapshot
from jwtgate.state.issued_tokens import IssuedTokens


@dataclass(frozen=True, slots=True)
class Served:
    """A generation ready to be served, and the key sets it looks at."""

    generation: Generation
    held: Snapshot

    @classmethod
    def build(cls, sent: Prepare) -> Served:
        """The generation that was sent. Takes long for a large one; it may be called on a thread of its own."""
        held = Snapshot({issuer: _key_set(keys) for issuer, keys in sent.key_sets.items()})
        generation = Generation(
            sent.number,
            sent.plan,
            held,
            issued_tokens=_issued_tokens(sent.signing),
            keys_document=sent.signing.keys_document,
            metadata_document=sent.metadata_document,
        )
        return cls(generation, held)

    def change(self, change: KeysChanged | SigningChanged) -> None:
        """Take up changed keys, and forget what was decided with the old ones."""
        if isinstance(change, KeysChanged):
            self.held.set_keys(change.issuer, None if change.keys is None else _key_set(change.keys))
            self.generation.key_set_changed()
            return
        self.generation.issued_tokens = _issued_tokens(change.signing)
        self.generation.keys_document = change.signing.keys_document


def _issued_tokens(signing: Signing) -> IssuedTokens:
    return IssuedTokens({name: (_key(sent), alg) for name, (sent, alg) in signing.keys.items()})


def _key_set(keys: Iterable[SentKey]) -> KeySet:
    return KeySet(map(_key, keys))


def _key(sent: SentKey) -> Key:
    """The key that was sent. Whether it is good enough was judged before; a short secret was permitted there."""
    jwk = sent.jwk
    if jwk["kty"] != "oct":
        return Key.from_jwk(jwk)
    kid = jwk.get("kid")
    return Key.secret(
        base64url_decode(str(jwk["k"])),
        alg=str(jwk["alg"]),
        kid=None if kid is None else str(kid),
        short_secret_allowed_for_legacy_credential=True,
    )
