from __future__ import annotations

import pytest

from jwtgate.integrations.kamailio.key_texts import KeyText
from jwtgate.integrations.kamailio.outcome import Failed
from jwtgate.integrations.kamailio.reading.lenient import read_leniently
from jwtgate.jose.encoding import base64url_encode
from jwtgate.jose.key import generate_key
from jwtgate.jose.signature import sign_compact

SECRET = KeyText(b"s" * 32, "secret", jwk_read=False, warn=lambda _: None)
PAIR = generate_key("RS256")
PUBLIC = KeyText(PAIR.to_pem().encode(), "public", jwk_read=False, warn=lambda _: None)


def made(payload: bytes, header: bytes = b'{"alg":"HS256"}') -> str:
    text = f"{base64url_encode(header)}.{base64url_encode(payload)}"
    return f"{text}.{base64url_encode(SECRET.mac('HS256', text.encode()))}"


def test_numbers_of_both_kinds_are_read() -> None:
    assert read_leniently(made(b'{"a":1.5,"b":-1}'), SECRET)[1] == {"a": 1.5, "b": -1}


def test_a_character_that_is_no_byte_is_left_out() -> None:
    token = sign_compact(b"{}", PAIR, alg="RS256")
    assert read_leniently(token + "!", PUBLIC)[1] == {}
    with pytest.raises(Failed):
        read_leniently(token[:-1] + ".e", PUBLIC)
    with pytest.raises(Failed):
        read_leniently(token.rpartition(".")[0] + ".AAAAA", PUBLIC)


def test_the_last_of_two_members_counts_and_a_list_has_none() -> None:
    assert read_leniently(made(b'{"a":1,"a":2}'), SECRET)[1] == {"a": 2}
    assert read_leniently(made(b"[1]").encode(), SECRET)[1] == {}


@pytest.mark.parametrize("spoil", ["{}==", "{}.x", "{} x"])
def test_what_follows_a_signature_of_a_pair_is_ignored(spoil: str) -> None:
    token = sign_compact(b"{}", PAIR, alg="RS256")
    assert read_leniently(spoil.format(token), PUBLIC)[1] == {}


@pytest.mark.parametrize("spoil", ["{}=", "{}.x", " {}", "{}A"])
def test_a_mac_must_be_written_exactly(spoil: str) -> None:
    with pytest.raises(Failed):
        read_leniently(spoil.format(made(b"{}")), SECRET)


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("a.b", "malformed"),
        (made(b"{} x"), "malformed"),
        (made(b'"x"'), "malformed"),
        (made(b'{"a":NaN}'), "malformed"),
        (made(b'{"a":1e999}'), "malformed"),
        (made(b'{"a":9223372036854775808}'), "malformed"),
        (made(b'{"a":"\\u0000"}'), "malformed"),
        (made(b'{"a":"\\ud800"}'), "malformed"),
        (made(b"[" * 40_000), "malformed"),
        ("x" * 65_537 + "..", "malformed"),
        (made(b"{}", b"{}"), "alg-unknown"),
        (made(b"{}", b'{"alg":"none"}'), "alg-unknown"),
        (made(b"{}", b'{"alg":"PS256"}'), "alg-unknown"),
        (made(b"{}", b'{"alg":"HS384"}'), "bad-signature"),
        (made(b"{}", b'{"alg":"RS256"}'), "key-unusable"),
        ("\udcff.\udcff.\udcff", "malformed"),
    ],
)
def test_leniency_ends_here(token: str, reason: str) -> None:
    with pytest.raises(Failed) as caught:
        read_leniently(token, SECRET)
    assert (caught.value.reason, caught.value.status) == (reason, 0)
