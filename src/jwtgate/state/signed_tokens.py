"""Tokens for expressions: header and claims as an expression says them, signed by a key that permits that.

Their text is the same for the same header and claims, save for a signature that is random itself: members are sorted,
and what browsers read in markup is escaped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from jwtgate.errors import DependencyFault, KeyRefused
from jwtgate.jose.encoding import JSON, base64url_encode
from jwtgate.jose.signature import sign_bytes
from jwtgate.policy.facts import NeedSigned
from jwtgate.state.keys.keyring import Signer
from jwtgate.state.signers import is_slow

_MOST_WHOLE = 10**21  # beyond it a number is written with its exponent
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)
# They stand in strings alone, where an escape means the same.
_MARKUP = re.compile("[<>&\u2028\u2029]").search
_ESCAPED = str.maketrans({each: f"\\u{ord(each):04x}" for each in "<>&\u2028\u2029"})


class SignedTokens:
    """Signs with `signers`, which are by name: the keys that sign whatever claims they are given, and no others."""

    def __init__(self, signers: Mapping[str, Signer]) -> None:
        self._signers = dict(signers)

    def is_slow(self, need: NeedSigned) -> bool:
        """Whether signing takes so long that it belongs on a thread of its own."""
        signer = self._signers.get(need.key)
        return signer is not None and is_slow(signer.alg)

    def sign(self, need: NeedSigned) -> str:
        """The compact token. `DependencyFault("signer_unavailable")` for another key, and for what has no JSON form."""
        signer = self._signers.get(need.key)
        if signer is None:
            raise DependencyFault("signer_unavailable", key=need.key, cause="it does not sign any claims")
        try:
            header = _segment({"typ": "JWT", **need.header, "alg": signer.alg})
            signing_input = f"{header}.{_segment(need.claims)}"
            signature = sign_bytes(signer.alg, signer.key, signing_input.encode("ascii"))
        except (KeyRefused, ValueError, TypeError, RecursionError) as error:
            # Its text is not for the log: it may quote a claim.
            raise DependencyFault("signer_unavailable", key=need.key, cause=type(error).__name__) from None
        return f"{signing_input}.{base64url_encode(signature)}"


def _segment(members: Mapping[str, JSON]) -> str:
    text = _ENCODER.encode(_whole(dict(members)))
    if _MARKUP(text):
        text = text.translate(_ESCAPED)
    return base64url_encode(text.encode("utf-8"))


def _whole(value: JSON) -> JSON:
    """The value with every whole number written as one."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < _MOST_WHOLE else value
    if isinstance(value, dict):
        return {name: _whole(member) for name, member in value.items()}
    return [_whole(item) for item in value] if isinstance(value, list | tuple) else value
