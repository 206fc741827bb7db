"""A token read and verified as the reference does, leniency included: for `compat` alone.

A token is verified with the algorithm it names itself. That the caller wanted another is found afterwards, and refused.
"""

from __future__ import annotations

import hmac
import json
import re
from binascii import a2b_base64
from typing import NoReturn

from jwtgate.integrations.kamailio.claims.lists import fits_64_bits
from jwtgate.integrations.kamailio.key_texts import USABLE, KeyText
from jwtgate.integrations.kamailio.reading.strict import Members, undecoded
from jwtgate.jose.algorithms import ALGORITHMS, is_mac
from jwtgate.jose.encoding import base64url_encode

_MOST_TOKEN_BYTES = 65_536
_ALPHABET = re.compile(r"[A-Za-z0-9+/]*")


def read_leniently(token: str | bytes, key: KeyText) -> tuple[Members, Members]:
    """The header and the claims of a token, once its signature holds by its own `alg`.

    `Failed`: `malformed`, `alg-unknown`, `bad-signature`; and what the key raises.
    """
    text = token.decode("utf-8", "surrogateescape") if isinstance(token, bytes) else token
    segments = text.split(".", 2)
    if len(segments) != 3 or len(text) > _MOST_TOKEN_BYTES:
        raise undecoded("malformed")
    header, claims = _parsed(segments[0]), _parsed(segments[1])
    alg = header.get("alg")
    if not isinstance(alg, str) or alg not in USABLE:
        raise undecoded("alg-unknown")
    data = f"{segments[0]}.{segments[1]}".encode("utf-8", "surrogateescape")
    if not _holds(alg, key, data, segments[2]):
        raise undecoded("bad-signature")
    return header, claims


def _holds(alg: str, key: KeyText, data: bytes, signature: str) -> bool:
    if is_mac(alg):
        wanted = base64url_encode(key.mac(alg, data))
        return hmac.compare_digest(wanted.encode(), signature.encode("utf-8", "surrogateescape"))
    verify = ALGORITHMS[alg].verify
    return any(verify(each, data, _decoded(signature)) for each in key.verifying(alg, None))


def _decoded(segment: str) -> bytes:
    """The bytes of a base64 text in either alphabet, up to the first character that is in none."""
    found = _ALPHABET.match(segment.replace("-", "+").replace("_", "/"))
    legal = found[0] if found else ""
    if len(legal) % 4 == 1:
        legal = legal[:-1]
    return a2b_base64(legal + "=" * (-len(legal) % 4))


def _parsed(segment: str) -> Members:
    """The members of a header or of claims. A list has none."""
    try:
        text = _decoded(segment).decode("utf-8")
        value = _DECODER.decode(text)
        written = json.dumps(value, ensure_ascii=False).encode("utf-8")  # no lone surrogates
    except (ValueError, RecursionError):
        raise undecoded("malformed") from None
    if not isinstance(value, dict | list) or b"\\u0000" in written:
        raise undecoded("malformed")
    return value if isinstance(value, dict) else {}


def _integer(text: str) -> int:
    number = int(text)
    if not fits_64_bits(number):
        raise ValueError("beyond 64 bits")
    return number


def _float(text: str) -> float:
    number = float(text)
    if number - number != 0:
        raise ValueError("beyond a double")
    return number


def _constant(_: str) -> NoReturn:
    raise ValueError("not JSON")


_DECODER = json.JSONDecoder(parse_int=_integer, parse_float=_float, parse_constant=_constant)
