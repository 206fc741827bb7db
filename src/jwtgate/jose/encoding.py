"""Base64 as RFC 7515 section 2 wants it, and JSON as every document of ours must be written.

One byte string has one accepted encoding, and one JSON text has one reading: unique names, finite numbers,
well formed UTF-8, bounded depth. Errors are `ValueError` with a fixed sentence; the input is never quoted,
since it may be a secret.
"""

from __future__ import annotations

import json
import re
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from typing import NoReturn, TypeAlias, cast

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"

MOST_DEPTH = 32
MOST_MEMBERS = 1_000
MOST_STRING_BYTES = 16_384
MOST_INTEGER_DIGITS = 32

_BLANKS = " \t\n\r"

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
# What is not ours turns into "!", which is in no base64 alphabet, so the decoder refuses it.
_TO_STANDARD = bytes(byte if byte in _ALPHABET else ord("!") for byte in range(256)).translate(
    bytes.maketrans(b"-_", b"+/")
)
_FROM_STANDARD = bytes.maketrans(b"+/", b"-_")
_PADDING = (b"", b"!", b"==", b"=")
# The last character of a text whose length leaves 2 or 3 over 4 carries bits that belong to no byte.
_LAST = (bytes(range(256)), b"", b"AQgw", b"AEIMQUYcgkosw048")


def base64url_encode(data: bytes) -> str:
    """The base64url text of `data`, without padding."""
    return b2a_base64(data, newline=False).rstrip(b"=").translate(_FROM_STANDARD).decode("ascii")


def base64_encode(data: bytes) -> str:
    """The base64 text of `data` in the standard alphabet, with padding (RFC 4648 section 4)."""
    return b2a_base64(data, newline=False).decode("ascii")


def base64url_decode(text: str | bytes) -> bytes:
    """The bytes a base64url text stands for.

    `ValueError` for padding, foreign characters, a length that cannot be, or unused bits that are not zero.
    """
    if isinstance(text, str):
        if not text.isascii():
            raise ValueError("not base64url")
        text = text.encode("ascii")
    return _decoded(text.translate(_TO_STANDARD), text)


def decode_segment(segment: bytes) -> bytes:
    """As `base64url_decode`, of bytes known to be in its alphabet."""
    # JSON of ASCII characters encodes to neither of the two that the alphabets do not share, save after few of them.
    if 0x2D in segment or 0x5F in segment:
        return _decoded(segment.translate(_TO_STANDARD), segment)
    return _decoded(segment, segment)


def _decoded(standard: bytes, text: bytes) -> bytes:
    over = len(text) & 3
    if text and text[-1] not in _LAST[over]:
        raise ValueError("not base64url")
    try:
        return a2b_base64(standard + _PADDING[over], strict_mode=True)
    except Base64Error:
        raise ValueError("not base64url") from None


def json_bytes(value: object) -> bytes:
    """The compact UTF-8 JSON text of `value`.

    `ValueError` for NaN, infinity, lone surrogates, what is nested beyond measure, and what is no JSON at all.
    """
    try:
        return _ENCODER.encode(value).encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("not text that has a UTF-8 form") from None
    except (TypeError, RecursionError):
        raise ValueError("not JSON") from None


def parse_json(
    data: bytes, *, limit_bytes: int, most_members: int = MOST_MEMBERS, most_string_bytes: int = MOST_STRING_BYTES
) -> JSON:
    """The value a JSON text stands for, read strictly by RFC 8259.

    `ValueError` for more than `limit_bytes`, anything but UTF-8, repeated names, numbers that overflow or run
    on, lone surrogates, nesting beyond 32, strings beyond `most_string_bytes`, and more than `most_members`
    members in all.
    """
    if len(data) > limit_bytes:
        raise ValueError("longer than is allowed")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    # What is looked for here is not understood yet: far less than the limits is the usual case, and looking is cheap,
    # for one character far cheaper than counting.
    if text.find("{") != text.rfind("{") or text.find("[") != text.rfind("["):
        _check_depth(text)
    text = text.strip(_BLANKS)
    try:
        value, end = _scan(text, 0)
    except (json.JSONDecodeError, StopIteration):
        raise ValueError("not JSON") from None
    if end != len(text):
        raise ValueError("more than one JSON value")
    # A member takes four bytes or more, so a short text cannot hold too many, nor a string that is too long.
    if ("\\" in text and "\\u" in text) or len(data) > most_string_bytes or len(data) > 4 * most_members:
        _check_values(value, most_members, most_string_bytes)
    return cast("JSON", value)


def parse_json_object(
    data: bytes, *, limit_bytes: int, most_members: int = MOST_MEMBERS, most_string_bytes: int = MOST_STRING_BYTES
) -> dict[str, JSON]:
    """The object a JSON text stands for; `ValueError` as `parse_json`, and for any other kind of value."""
    value = parse_json(data, limit_bytes=limit_bytes, most_members=most_members, most_string_bytes=most_string_bytes)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - the text is at fault, not the calling code
    return value


def _object(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name is repeated")
    return members


def _integer(text: str) -> int:
    if len(text) > MOST_INTEGER_DIGITS and len(text.lstrip("-")) > MOST_INTEGER_DIGITS:
        raise ValueError("a number has too many digits")
    return int(text)


def _float(text: str) -> float:
    number = float(text)
    if number - number != 0:  # only the infinities and NaN
        raise ValueError("a number is too large")
    return number


def _constant(_: str) -> NoReturn:
    raise ValueError("not JSON")


# A string that is never closed runs to the end, so that the search stays linear in the length of the text.
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")


def _check_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= MOST_DEPTH:
        return
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > MOST_DEPTH:
            raise ValueError("nested too deeply")


def _check_values(value: JSON, most_members: int, most_string_bytes: int) -> None:
    members = 0
    waiting: list[JSON] = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            _check_string(item, most_string_bytes)
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, dict):
            members += len(item)
            waiting.extend(item)
            waiting.extend(item.values())
    if members > most_members:
        raise ValueError("more members than are allowed")


def _check_string(text: str, most_bytes: int) -> None:
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError:
        raise ValueError("a lone surrogate") from None
    if size > most_bytes:
        raise ValueError("a string is too long")


# Circles are not looked for: they end in RecursionError.
_ENCODER = json.JSONEncoder(ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":"))
_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant)
_scan = _DECODER.scan_once  # type: ignore[attr-defined] # gives the value and where it ends, or raises StopIteration
