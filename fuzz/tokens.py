"""Tokens and strict JSON: what is refused is refused with a reason, and what is read has one reading."""

from __future__ import annotations

import hmac
import json

from jwtgate.errors import CATALOGUE, TokenRefused
from jwtgate.jose.encoding import base64url_decode, base64url_encode, json_bytes, parse_json
from jwtgate.jose.key import Key
from jwtgate.jose.token import UnverifiedToken
from jwtgate.verifier import ANY, verify

SECRET = b"a secret of the fuzzer, long enough for HS256"
KEY = Key.secret(SECRET, alg="HS256")
NOW = 1_800_000_000
LIMIT_BYTES = 8_192


def tokens(data: bytes) -> None:
    """A token as it comes; or, behind a zero byte, a header and claims with our signature, apart at the next one."""
    if data[:1] == b"\0":
        header, _, claims = data[1:].partition(b"\0")
        signed = f"{base64url_encode(header)}.{base64url_encode(claims)}"
        _check(f"{signed}.{base64url_encode(hmac.digest(SECRET, signed.encode(), 'sha256'))}".encode())
    else:
        _check(data)


def _check(token: bytes) -> None:
    try:
        unverified = UnverifiedToken.parse(token)
    except TokenRefused as refusal:
        _check_refused(token, refusal.reason)
        return
    header, payload, signature = token.split(b".")
    for segment in (header, payload, signature):
        assert base64url_encode(base64url_decode(segment)).encode() == segment
    assert json.loads(base64url_decode(header)) == dict(unverified.header)
    try:
        verified = unverified.verify((KEY,), ("HS256",))
    except TokenRefused as refusal:
        _check_refused(token, refusal.reason)
        return
    assert hmac.compare_digest(hmac.digest(SECRET, header + b"." + payload, "sha256"), base64url_decode(signature))
    assert json.loads(base64url_decode(payload)) == dict(verified.claims)
    for other in (token + b"A", token + b".", token + b"=", b"A" + token, token[:-1], token + b"\n"):
        _check_refused(other, None)
    _check_claims(token)


def _check_claims(token: bytes) -> None:
    """The claims checks say yes, or give a reason; and an instant after the end they say no."""
    try:
        good = verify(token, KEY, algorithms=["HS256"], issuer=ANY, audience=ANY, now=NOW)
    except TokenRefused as refusal:
        assert refusal.reason in CATALOGUE
        return
    exp = good.claims["exp"]
    assert isinstance(exp, int | float)
    try:
        verify(token, KEY, algorithms=["HS256"], issuer=ANY, audience=ANY, now=int(exp) + 31)
    except TokenRefused:
        return
    raise AssertionError("an expired token was taken")


def _check_refused(token: bytes, reason: str | None) -> None:
    """Whoever asks again hears the same."""
    assert reason is None or reason in CATALOGUE
    try:
        verify(token, KEY, algorithms=["HS256"], issuer=ANY, audience=ANY, now=NOW)
    except TokenRefused as refusal:
        assert reason in (None, refusal.reason) or refusal.reason == "alg_not_allowed"
        return
    raise AssertionError("a refused token was taken")


def json_texts(data: bytes) -> None:
    """A text that is read strictly is read by everybody, as the same; and is written and read as itself."""
    try:
        value = parse_json(data, limit_bytes=LIMIT_BYTES)
    except ValueError as refusal:
        assert data[:40].decode("latin-1") not in str(refusal) or len(data) < 3
        return
    assert len(data) <= LIMIT_BYTES
    assert json.loads(data) == value
    repeated: list[str] = []
    json.loads(data, object_pairs_hook=lambda pairs: repeated.extend(_repeated([name for name, _ in pairs])))
    assert not repeated
    written = json_bytes(value)
    assert parse_json(written, limit_bytes=8 * LIMIT_BYTES, most_string_bytes=8 * LIMIT_BYTES) == value


def _repeated(names: list[str]) -> set[str]:
    return {name for name in names if names.count(name) > 1}
