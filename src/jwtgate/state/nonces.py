"""Nonces of ours that proofs must carry (RFC 9449 section 9): made from the time, so that nobody has to keep them."""

from __future__ import annotations

import hmac

from jwtgate.jose.encoding import base64url_encode

NONCE_SECRET_BYTES = 32
_BYTES = 16


class Nonces:
    """Nonces made with this secret, which all workers share."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def around(self, now: int, seconds: int) -> tuple[str, str]:
        """The nonce of these seconds, and the one before it, which is still good. `now` is a NumericDate."""
        period = now // seconds
        return self._of(period, seconds), self._of(period - 1, seconds)

    def _of(self, period: int, seconds: int) -> str:
        digest = hmac.digest(self._secret, b"%d/%d" % (period, seconds), "sha256")
        return base64url_encode(digest[:_BYTES])
