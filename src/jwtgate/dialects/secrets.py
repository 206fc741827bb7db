"""What has to be allowed of ours before a secret of a legacy credential can be used."""

from __future__ import annotations

from jwtgate.errors import KeyRefused
from jwtgate.jose.key import Key

_SHORT = "short_secret_allowed_for_legacy_credential"
_GUESSABLE = "guessable_secret_allowed_for_legacy_credential"


def leniencies(secret: bytes | None, alg: str) -> dict[str, bool]:
    """The switches without which this secret cannot be used with this algorithm; all of them for one nobody knows."""
    if secret is None:
        return {_SHORT: True, _GUESSABLE: True}
    for lenient in ((), (_SHORT,), (_GUESSABLE,)):
        try:
            Key.secret(
                secret,
                alg=alg,
                short_secret_allowed_for_legacy_credential=_SHORT in lenient,
                guessable_secret_allowed_for_legacy_credential=_GUESSABLE in lenient,
            )
        except KeyRefused:
            continue
        return dict.fromkeys(lenient, True)
    return {_SHORT: True, _GUESSABLE: True}
