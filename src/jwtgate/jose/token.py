"""A JWT before and after verification, as two types (RFC 7519, RFC 8725).

An `UnverifiedToken` shows just enough to find the key it should be verified with. Its claims cannot be
reached: only the `VerifiedToken` that `verify` returns has them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

from jwtgate.errors import TokenRefused
from jwtgate.jose.encoding import JSON, base64url_encode, json_bytes, parse_json
from jwtgate.jose.header import Header
from jwtgate.jose.key import Key
from jwtgate.jose.signature import (
    MOST_TOKEN_BYTES,
    decode_payload,
    parts_of,
    refuse_extensions,
    sign_bytes,
    sign_compact,
    verify_signature,
)

_NO_HEADER: Mapping[str, JSON] = MappingProxyType({})


class VerifiedToken:
    """A token whose signature holds, or that its issuer vouches for (RFC 7662); its claims not yet checked.

    Only `UnverifiedToken` and `described` make one. What an issuer described has neither header nor key, and what
    nobody signed or vouches for (`unproven`) has no key.
    """

    __slots__ = ("_claims", "_header", "_key")

    def __init__(self) -> None:
        raise TypeError("a verified token comes from UnverifiedToken.verify")

    @property
    def header(self) -> Mapping[str, JSON]:
        """The protected header, read-only."""
        return self._header.members if self._header else _NO_HEADER

    @property
    def alg(self) -> str | None:
        """The algorithm it was verified with."""
        return self._header.alg if self._header else None

    @property
    def kid(self) -> str | None:
        """The `kid` of its header."""
        return self._header.kid if self._header else None

    @property
    def typ(self) -> str | None:
        """The `typ` of its header."""
        return self._header.typ if self._header else None

    @property
    def key(self) -> Key | None:
        """The key that verified it."""
        return self._key

    @property
    def claims(self) -> Mapping[str, JSON]:
        """The claims, read-only."""
        return self._claims

    @property
    def issuer(self) -> str | None:
        """The `iss` claim, where it is a string."""
        return _text(self._claims, "iss")

    def __repr__(self) -> str:
        return f"<VerifiedToken alg={self.alg}>"

    @classmethod
    def described(cls, claims: Mapping[str, JSON]) -> VerifiedToken:
        """A token as its issuer described it when it was asked."""
        return _vouched(None, MappingProxyType(dict(claims)))

    _header: Header | None
    _claims: Mapping[str, JSON]
    _key: Key | None


class UnverifiedToken:
    """A token as it arrived. Nothing it says is true yet."""

    __slots__ = ("__claims", "__header", "__signature", "__signing_input")

    def __init__(self) -> None:
        raise TypeError("an unverified token comes from UnverifiedToken.parse")

    @classmethod
    def parse(cls, text: str | bytes, *, limit_bytes: int = MOST_TOKEN_BYTES) -> UnverifiedToken:
        """The token a compact JWS holds.

        `TokenRefused`: `token_malformed`, `token_too_large`, `token_encrypted`, `crit_unknown`, `alg_unreadable`,
        `claims_unreadable`, `signature_unreadable`.
        """
        header, payload_segment, signing_input, signature = parts_of(text, limit_bytes)
        if header.crit or "b64" in header.members:
            refuse_extensions(header)
        try:
            claims = parse_json(decode_payload(payload_segment), limit_bytes=limit_bytes)
        except ValueError as error:
            raise TokenRefused("token_malformed", part="claims", cause=str(error)) from None
        if not isinstance(claims, dict):
            raise TokenRefused("claims_unreadable")
        token = _new_unverified(cls)
        token.__header, token.__claims = header, MappingProxyType(claims)
        token.__signing_input, token.__signature = signing_input, signature
        return token

    @property
    def header(self) -> Mapping[str, JSON]:
        """The protected header, read-only and unverified."""
        return self.__header.members

    @property
    def alg(self) -> str:
        """The algorithm it names: one we know, not yet one that is allowed."""
        return self.__header.alg

    @property
    def kid(self) -> str | None:
        """The `kid` of its header, unverified."""
        return self.__header.kid

    @property
    def typ(self) -> str | None:
        """The `typ` of its header, unverified."""
        return self.__header.typ

    @property
    def issuer(self) -> str | None:
        """The `iss` claim where it is a string, unverified: good for finding a key, and for nothing else."""
        return _text(self.__claims, "iss")

    def naming_key(self, path: Sequence[str | int], *, in_header: bool) -> str | None:
        """The text at this path of the claims, or of the header, unverified: good for finding a key, nothing else.

        None where nothing is there, and empty where something is that is no text.
        """
        value: object = self.header if in_header else self.__claims
        for step in path:
            if not isinstance(value, Mapping) or step not in value:
                return None
            value = value[step]
        return value if isinstance(value, str) else ""

    def unproven(self) -> VerifiedToken:
        """The token as it stands, for a document that says in words that its signature is not looked at."""
        return _vouched(self.__header, self.__claims)

    def vouched_for(self) -> VerifiedToken:
        """The token as verified: somebody we trust has handed it to us as such, over a connection we trust."""
        return _vouched(self.__header, self.__claims)

    def verify(self, keys: Sequence[Key], algorithms: Collection[str]) -> VerifiedToken:
        """The token with its claims, once one of at most four `keys` is found to have signed it.

        `TokenRefused`: `alg_not_allowed`, `key_unknown`, `key_ambiguous`, `signature_wrong`.
        """
        header, signature = self.__header, self.__signature
        key = verify_signature(header.alg, self.__signing_input, signature=signature, keys=keys, algorithms=algorithms)
        token = _new_verified(VerifiedToken)
        token._header, token._claims, token._key = header, self.__claims, key
        return token

    def __repr__(self) -> str:
        return f"<UnverifiedToken alg={self.alg}>"

    __header: Header
    __claims: Mapping[str, JSON]
    __signing_input: bytes
    __signature: bytes


_new_verified, _new_unverified = VerifiedToken.__new__, UnverifiedToken.__new__


def _vouched(header: Header | None, claims: Mapping[str, JSON]) -> VerifiedToken:
    token = _new_verified(VerifiedToken)
    token._header, token._claims, token._key = header, claims, None
    return token


def type_matches(typ: str | None, wanted: Collection[str]) -> bool:
    """Whether a header's `typ` or `cty` is one of `wanted`; an absent one never is.

    Media types compare without regard to case, and `application/` is understood where there is no slash (RFC
    7515 section 4.1.9).
    """
    return typ is not None and _media_type(typ) in map(_media_type, wanted)


def sign_token(
    claims: Mapping[str, object],
    key: Key,
    *,
    alg: str,
    typ: str | None = "JWT",
    header: Mapping[str, JSON] | None = None,
) -> str:
    """A signed JWT. `header` adds members beside `alg`, `kid` and `typ`.

    `KeyRefused("key_unfit")` when the key may not sign with `alg`; `ValueError` for claims that have no JSON
    form.
    """
    payload = json_bytes(dict(claims))
    if header is not None:
        named: dict[str, JSON] = {} if typ is None else {"typ": typ}
        return sign_compact(payload, key, alg=alg, header={**named, **header})
    signing_input = f"{_plain_header(alg, key.kid, typ)}.{base64url_encode(payload)}"
    return f"{signing_input}.{base64url_encode(sign_bytes(alg, key, signing_input.encode('ascii')))}"


@lru_cache(maxsize=256)
def _plain_header(alg: str, kid: str | None, typ: str | None) -> str:
    members = {"alg": alg, "kid": kid, "typ": typ}
    return base64url_encode(json_bytes({name: value for name, value in members.items() if value is not None}))


def _media_type(text: str) -> str:
    # Only ASCII letters have a case here: other alphabets fold to ASCII now and then.
    folded = text.lower() if text.isascii() else text
    return folded if "/" in folded else f"application/{folded}"


def _text(claims: Mapping[str, JSON], name: str) -> str | None:
    value = claims.get(name)
    return value if isinstance(value, str) else None
