from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import jwtgate
from jwtgate.integrations.kamailio.key_texts import KeyText, KeyTexts
from jwtgate.integrations.kamailio.outcome import Failed
from jwtgate.integrations.kamailio.settings import Settings
from jwtgate.jose.key import generate_key

PAIR = generate_key("ES256", kid="k1")
OTHER = generate_key("ES256", kid="k2")
PRIVATE = PAIR.to_private_pem().encode()
PUBLIC = PAIR.to_pem().encode()
SET = json.dumps({"keys": [PAIR.to_jwk(), OTHER.to_jwk()]}).encode()
LONG_AGO = 1_000_000_000


def key(data: bytes, *, jwk_read: bool = True) -> KeyText:
    return KeyText(data, "name", jwk_read=jwk_read, warn=lambda _: None)


def keys(**options: object) -> KeyTexts:
    return KeyTexts(Settings(**options), lambda _: None)  # type: ignore[arg-type]


def put(path: Path, data: bytes, *, at: int = LONG_AGO) -> str:
    path.write_bytes(data)
    os.utime(path, (at, at))
    return str(path)


def test_a_key_is_parsed_once() -> None:
    text = key(PRIVATE)
    assert text.signing("ES256", None) is text.signing("ES256", None)
    secret = key(b"s" * 40)
    assert secret.signing("HS256", None) is secret.verifying("HS256", None)[0]


def test_a_private_key_and_a_certificate_do_not_verify() -> None:
    assert key(PUBLIC).verifying("ES256", None)
    assert key(PRIVATE).attesting("ES256", None)
    with pytest.raises(Failed) as caught:
        key(PRIVATE).verifying("ES256", None)
    assert caught.value.reason == "key-unusable"


def test_a_set_of_keys_is_asked_by_kid() -> None:
    assert key(SET).verifying("ES256", "k2")[0].kid == "k2"
    assert len(key(SET).verifying("ES256", None)) == 2
    assert key(json.dumps(PAIR.to_private_jwk()).encode()).signing("ES256", "k1").kid == "k1"
    for text, kid in ((SET, "k3"), (b'{"keys":[]}', None), (b"{", None)):
        with pytest.raises(Failed):
            key(text).verifying("ES256", kid)


def test_sec_21_a_set_of_keys_is_no_secret_here_and_is_one_in_the_reference() -> None:
    with pytest.raises(Failed):
        key(SET).signing("HS256", None)
    assert len(key(SET, jwk_read=False).mac("HS256", b"data")) == 32


@pytest.mark.parametrize("alg", ["PS256", "EdDSA", "none", "ES384", "RS256"])
def test_a_key_serves_what_it_fits_alone(alg: str) -> None:
    with pytest.raises(Failed) as caught:
        key(PRIVATE).signing(alg, None)
    assert "name" in caught.value.line
    with pytest.raises(Failed):
        key(PUBLIC).signing("ES256", None)


def test_a_replaced_file_is_seen_at_once_though_its_size_and_time_stay(tmp_path: Path) -> None:
    held = keys()
    path = put(tmp_path / "k", b"A" * 40)
    assert held.at(path).data == b"A" * 40
    assert held.at(put(tmp_path / "k", b"B" * 40)).data == b"B" * 40


def test_a_file_that_stays_is_parsed_once(tmp_path: Path) -> None:
    held = keys()
    path = put(tmp_path / "k", PRIVATE)
    assert held.at(path) is held.at(path)
    assert held.at(put(tmp_path / "k", PRIVATE)) is held.at(path)


def test_key_mode_1_keeps_what_it_read_and_not_what_it_could_not(tmp_path: Path) -> None:
    held = keys(key_mode=1)
    path = tmp_path / "k"
    with pytest.raises(Failed):
        held.at(str(path))
    put(path, b"A" * 40)
    assert held.at(str(path)).data == b"A" * 40
    path.unlink()
    assert held.at(str(path)).data == b"A" * 40
    with pytest.raises(Failed):
        held.at(str(tmp_path / "." / ".." / tmp_path.name / "k"))


@pytest.mark.parametrize("path", ["", "/", "/no/such/key", "a\0b"])
def test_what_is_no_file_is_unreadable(path: str) -> None:
    with pytest.raises(Failed) as caught:
        keys().at(path)
    assert caught.value.reason == "key-unreadable"


def test_a_long_file_is_cut_by_the_reference_and_refused_here(tmp_path: Path) -> None:
    path = put(tmp_path / "k", b"a" * 20_000)
    assert len(keys(compat=True).at(path).data) == 10_240
    with pytest.raises(Failed):
        keys().at(path)
    assert len(keys().at(put(tmp_path / "k", b"a" * 10_240)).data) == 10_240


def test_white_space_is_part_of_a_secret_unless_trimmed(tmp_path: Path) -> None:
    path = put(tmp_path / "k", b" secret\n")
    assert keys().at(path).data == b" secret\n"
    assert keys(hmac_key="trim").at(path).data == b"secret"
    with pytest.raises(Failed):
        keys(hmac_key="trim").at(put(tmp_path / "blank", b" \n"))


def test_a_text_is_trimmed_and_parsed_once() -> None:
    held = keys()
    assert held.of(" \n" + PUBLIC.decode() + "\n").data == PUBLIC.strip()
    assert held.of("x") is held.of("x")
    for empty in ("", " \r\n"):
        with pytest.raises(Failed):
            held.of(empty)


def test_no_more_than_256_are_kept() -> None:
    held = keys()
    first = held.of("text 0")
    for number in range(1, 300):
        held.of(f"text {number}")
    assert held.of("text 299") is held.of("text 299")
    assert held.of("text 0") is not first


def test_after_a_fork_the_bytes_stay_and_keys_are_parsed_again(tmp_path: Path) -> None:
    held = keys(key_mode=1)
    text = held.at(put(tmp_path / "k", PRIVATE))
    parsed = text.signing("ES256", None)
    by_text = held.of(PUBLIC.decode())
    by_text.verifying("ES256", None)
    (tmp_path / "k").unlink()
    held.parse_anew()
    assert held.at(str(tmp_path / "k")) is text
    assert text.signing("ES256", None) is not parsed
    assert by_text.verifying("ES256", None)


def test_what_is_weak_or_odd_is_told_of_once() -> None:
    told: list[str] = []
    small = rsa.generate_private_key(65537, 1024).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for data, alg in ((small, "RS256"), (b"short\n", "HS256")):
        text = KeyText(data, "name", jwk_read=True, warn=told.append)
        for _ in range(2):
            text.signing(alg, None)
            text.mac("HS256", b"")
    white = "the secret in name ends in white space, which is part of it"
    assert told == [
        "RSA key of 1024 bits in name: RFC 7518 wants 2048", white,
        "secret of 48 bits in name: HS256 wants 256", white,
    ]  # fmt: skip


def test_a_file_left_alone_is_not_even_read() -> None:
    held = keys()
    assert held.at(jwtgate.__file__) is held.at(jwtgate.__file__)
