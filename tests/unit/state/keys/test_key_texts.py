from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from jwtgate.errors import ConfigError, KeyRefused
from jwtgate.jose.encoding import base64url_encode
from jwtgate.jose.key import Key, generate_key
from jwtgate.policy.sources import KeyText
from jwtgate.state.keys.key_texts import key_text, parse_key_text

KEY, OTHER = generate_key("ES256", kid="k1"), generate_key("RS256", kid="k2")
SECRET = "a secret of more than thirty-two bytes"
TEXTS: Mapping[str, str] = {"${file:key.pem}": KEY.to_private_pem(), "${env:SECRET}": SECRET}


def resolve(text: str) -> str:
    if text.startswith("${") and text not in TEXTS:
        raise ConfigError(f"{text} leads nowhere")
    return TEXTS.get(text, text)


def parse(given: KeyText) -> tuple[Key, ...]:
    return parse_key_text(given, resolve)


def test_private_halves_stay() -> None:
    for text in (KEY.to_private_pem(), json.dumps(KEY.to_private_jwk())):
        (key,) = parse(KeyText(text=text))
        assert key.is_private
        assert key.thumbprint() == KEY.thumbprint()


def test_a_file_is_a_reference_like_any_other() -> None:
    (key,) = parse(KeyText(file="key.pem", alg="ES256", kid="named"))
    assert (key.thumbprint(), key.kid, key.alg) == (KEY.thumbprint(), "named", "ES256")
    with pytest.raises(ConfigError, match="leads nowhere"):
        parse(KeyText(file="other.pem"))


def test_a_set_holds_several_keys_under_their_own_names() -> None:
    text = json.dumps({"keys": [KEY.to_private_jwk(), OTHER.to_jwk()]})
    assert [(key.kid, key.is_private) for key in parse(KeyText(text=text))] == [("k1", True), ("k2", False)]


def test_a_jwk_takes_the_name_and_the_algorithm_it_is_given() -> None:
    (key,) = parse(KeyText(text=json.dumps(OTHER.to_jwk()), alg="RS256", kid="named"))
    assert (key.kid, key.algorithms) == ("named", {"RS256"})


@pytest.mark.parametrize("text", ["${env:SECRET}", SECRET])
def test_with_a_mac_it_is_a_secret(text: str) -> None:
    (key,) = parse(KeyText(text=text, alg="HS256", kid="s"))
    assert key.to_private_jwk() == {
        "kty": "oct", "k": base64url_encode(SECRET.encode()), "alg": "HS256", "kid": "s",
    }  # fmt: skip


def test_a_secret_may_be_written_in_base64url() -> None:
    (key,) = parse(KeyText(text=base64url_encode(SECRET.encode()), alg="HS256", base64url=True))
    assert key.to_private_jwk()["k"] == base64url_encode(SECRET.encode())
    with pytest.raises(ValueError, match="base64url"):
        parse(KeyText(text=SECRET, alg="HS256", base64url=True))


def test_sec_22_a_short_secret_is_taken_only_where_that_is_said_at_length() -> None:
    with pytest.raises(KeyRefused):
        parse(KeyText(text="too short, that", alg="HS256"))
    assert parse(KeyText(text="too short, that", alg="HS256", short_secret_allowed_for_legacy_credential=True))


@pytest.mark.parametrize("text", ["", "rubbish", "{}", '{"keys": 5}'])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises((KeyRefused, ValueError)):
        parse(KeyText(text=text))
    with pytest.raises(KeyRefused):
        parse(KeyText(text=json.dumps(KEY.to_jwk()), alg="RS256"))


def test_the_text_of_a_key_is_what_its_file_or_its_reference_holds() -> None:
    def resolve(text: str) -> str:
        return text.upper()

    assert key_text(KeyText(file="a.json"), resolve) == "${FILE:A.JSON}"
    assert key_text(KeyText(text="x"), resolve) == "X"
