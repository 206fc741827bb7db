"""The truth table of claim lists and header lists: text in, bytes of the token out."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from pathlib import Path
from typing import Any

import pytest
from tests.dialects.kamailio.material import NOW

from jwtgate.integrations.kamailio.calls import Calls

WRONG = "claims-malformed"
T = NOW
ABC = {"callee": "bob", "caller": "alice", "callid": "abc", "iat": T}
TWO = {"callee": "bob", "caller": "alice", "iat": T}
ROWS: list[tuple[str | bytes, dict[str, Any] | str]] = [
    ("caller=alice;callee=bob;callid=abc", ABC),
    ("caller=alice;", {"caller": "alice"}),
    (";caller=alice", {"caller": "alice"}),
    ("caller=alice;;callee=bob", TWO),
    ("caller=alice;;", WRONG),
    ("caller=alice; ", WRONG),
    (";;", WRONG),
    ("a='x';;", WRONG),
    (";", {}),
    ("", "invalid-parameters"),
    (" caller=alice", WRONG),
    ("caller = alice", {"caller": "alice"}),
    ("caller= alice", {"caller": "alice"}),
    ("caller=alice ;callee=bob", TWO),
    ("caller=alice; callee=bob", TWO),
    ("name=John Doe;x=1", WRONG),
    ("name=John\tDoe", WRONG),
    ("name=John\nDoe", WRONG),
    ("name='John Doe';x=1", {"name": "John Doe", "x": 1}),
    ('name="John Doe";x=1', {"name": "John Doe", "x": 1}),
    ("name='John Doe'x;y=1", WRONG),
    (r"name='a\'b';x=1", WRONG),
    (r'name="a\"b"', WRONG),
    ("name='John", WRONG),
    ("name='", WRONG),
    ("name=Jo'hn;x=1", {"name": "Jo'hn", "x": 1}),
    ('quote="a\'b"', {"quote": "a'b"}),
    ("quote='a\"b'", {"quote": 'a"b'}),
    ("name='a;b,c=d';x=1", {"name": "a;b,c=d", "x": 1}),
    ("a=<x>;c=z", {"a": "<x>", "c": "z"}),
    ("a=;b=2", WRONG),
    ("b=2;a=", {"b": 2}),
    ("b=2;a", {"b": 2}),
    ("flag;b=2", {"b": 2}),
    ("a='';b=2", {"b": 2}),
    ("=x;b=2", {"b": 2}),
    ("a==b;c=1", {"a": "=b", "c": 1}),
    ("a=b=c;d=1", {"a": "b=c", "d": 1}),
    ("a=a?b=c&d", {"a": "a?b=c&d"}),
    ("n=100", {"n": 100}),
    ("n=-5", {"n": -5}),
    ("n=+5", {"n": 5}),
    ("n=007", {"n": 7}),
    ("n=+15551234567", {"n": 15551234567}),
    ("n=-", {"n": 0}),
    ("n=+", {"n": 0}),
    ("n=9223372036854775807", {"n": 2**63 - 1}),
    ("n=9223372036854775808", {"n": "9223372036854775808"}),
    ("n=-9223372036854775808", {"n": -(2**63)}),
    ("n=-9223372036854775809", {"n": "-9223372036854775809"}),
    ("n=" + "0" * 5000 + "7", {"n": 7}),
    *((f"n={text}", {"n": text}) for text in ("0x1F", "1e3", "1.5", "1-2", "5a", "true", "null", "[1]", '{"x":1}')),
    ("n='100'", {"n": "100"}),
    ('n="100"', {"n": "100"}),
    ("a=1;a=2", WRONG),
    ("a=x;a=y", WRONG),
    ("n=-1;n=5", WRONG),
    ("a=x;a=1", {"a": "x"}),
    ("a=1;a=x", {"a": 1}),
    ("iat=5", WRONG),
    ("iat=abc", {"iat": "abc"}),
    ("iat='5'", {"iat": "5"}),
    (
        "exp=2000000000;nbf=5;sub=s;iss=i;aud=a;jti=j",
        {"exp": 2000000000, "nbf": 5, "sub": "s", "iss": "i", "aud": "a", "jti": "j"},
    ),
    ("CALLER=alice;caller=bob", {"CALLER": "alice", "caller": "bob"}),
    ("a.b=1;c-d=2;e/f=3;http://x/y=4", {"a.b": 1, "c-d": 2, "e/f": 3, "http://x/y": 4}),
    ("a%20b=1", {"a%20b": 1}),
    ("u=<sip:alice@example.com>", {"u": "<sip:alice@example.com>"}),
    ("sip=sip:alice@example.com", {"sip": "sip:alice@example.com"}),
    ("name=Zoë", {"name": "Zoë"}),
    (b"name=\xff\xfe", WRONG),
    (b"na\xffme=x", WRONG),
]
ENDING_EARLY: list[tuple[str, dict[str, Any]]] = [
    ("a=1,b=2;c=3", {"a": 1}),
    ("a=x,b=y;c=z", {"a": "x"}),
    ("a=x , b=y;c=z", {"a": "x"}),
    ("a=x >b;c=z", {"a": "x"}),
    ("a,b=2", {}),
]
HEADERS: list[tuple[str, dict[str, Any] | str]] = [
    ("kid=abc", {"kid": "abc"}),
    ("kid=123", {"kid": 123}),
    ("kid='123'", {"kid": "123"}),
    (
        "x5u=https://c.example.com/a.pem;ppt=shaken;typ=passport",
        {"ppt": "shaken", "typ": "passport", "x5u": "https://c.example.com/a.pem"},
    ),
    ("alg=none", {}),
    ("typ=X;", {"typ": "X"}),
    ("typ=5", {}),
    ("", {}),
    ("a=;b=1", "headers-malformed"),
    ("kid=a;kid=b", "headers-malformed"),
]


def members(token: str | None, segment: int) -> bytes:
    assert token is not None
    text = token.split(".")[segment]
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def sorted_json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.parametrize(("claims", "wanted"), ROWS)
def test_a_claim_list_becomes_these_bytes(
    either: Calls, keys: dict[str, Path], claims: str | bytes, wanted: dict[str, Any] | str
) -> None:
    result = either.jwt_generate(str(keys["secret"]), "HS256", claims)
    if isinstance(wanted, str):
        assert (result, either.jwt.val, either.jwt.reason) == (-1, None, wanted)
        return
    assert (result, either.jwt.reason) == (1, None)
    assert members(either.jwt.val, 1) == sorted_json({"iat": T, **wanted})
    assert members(either.jwt.val, 0) == b'{"alg":"HS256","typ":"JWT"}'


@pytest.mark.parametrize(("claims", "wanted"), ENDING_EARLY)
def test_a_list_that_ends_early_is_refused_unless_the_reference_is_wanted(
    strict: Calls, compat: Calls, keys: dict[str, Path], claims: str, wanted: dict[str, Any]
) -> None:
    assert strict.jwt_generate(str(keys["secret"]), "HS256", claims) == -1
    assert strict.jwt.reason == WRONG
    assert compat.jwt_generate(str(keys["secret"]), "HS256", claims) == 1
    assert members(compat.jwt.val, 1) == sorted_json({"iat": T, **wanted})


@pytest.mark.parametrize(("headers", "wanted"), HEADERS)
def test_a_header_list_becomes_these_bytes(
    either: Calls, keys: dict[str, Path], headers: str, wanted: dict[str, Any] | str
) -> None:
    result = either.jwt_generate_hdrs(str(keys["secret"]), "HS256", "a=b", headers)
    if isinstance(wanted, str):
        assert (result, either.jwt.reason) == (-1, wanted)
        return
    assert result == 1
    assert members(either.jwt.val, 0) == sorted_json({"alg": "HS256", "typ": "JWT", **wanted})


def test_an_empty_list_leaves_the_old_token_and_any_other_failure_does_not(
    either: Calls, keys: dict[str, Path]
) -> None:
    secret = str(keys["secret"])
    assert either.jwt_generate(secret, "HS256", "a=b")
    old = either.jwt.val
    assert either.jwt_generate(secret, "HS256", "") == -1
    assert either.jwt.val == old
    assert either.jwt_generate(secret, "HS256", "a=;b") == -1
    assert either.jwt.val is None


def test_control_characters_are_written_as_the_reference_writes_them(either: Calls, keys: dict[str, Path]) -> None:
    assert either.jwt_generate(str(keys["secret"]), "HS256", "a='\x1f\x0b\t\\u001f/é'")
    assert b'"a":"\\u001F\\u000B\\t\\\\u001f/\xc3\xa9"' in members(either.jwt.val, 1)


def test_a_nul_cuts_a_value_in_the_reference_and_is_refused_here(
    strict: Calls, compat: Calls, keys: dict[str, Path]
) -> None:
    assert strict.jwt_generate(str(keys["secret"]), "HS256", "a=b\0c") == -1
    assert compat.jwt_generate(str(keys["secret"]), "HS256", "a=b\0c") == 1
    assert members(compat.jwt.val, 1) == b'{"a":"b","iat":%d}' % T
