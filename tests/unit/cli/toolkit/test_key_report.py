import json
from pathlib import Path
from typing import Any

import pytest

from jwtgate.cli.toolkit import key_report
from jwtgate.errors import ConfigError
from jwtgate.jose.key import Key, generate_key


def _value(answer: key_report.Answer) -> Any:
    return answer.value


@pytest.mark.parametrize("alg", ["ES256", "Ed25519", "HS512"])
def test_a_new_key_is_private_and_says_what_it_is_for(alg: str) -> None:
    answer = key_report.new(alg, kid="mine", out=None, pem=False)
    made = Key.from_jwk(json.loads(answer.text))
    assert (made.alg, made.kid, made.signs(alg)) == (alg, "mine", True)


def test_a_new_key_is_named_by_its_thumbprint() -> None:
    made = Key.from_jwk(_value(key_report.new("ES256", kid=None, out=None, pem=False)))
    assert made.kid == made.thumbprint()


def test_a_new_key_may_be_pem() -> None:
    text = key_report.new("ES256", kid=None, out=None, pem=True).text
    assert Key.from_pem(text).signs("ES256")


def test_a_secret_has_no_pem() -> None:
    with pytest.raises(ConfigError, match="no PEM form"):
        key_report.new("HS256", kid=None, out=None, pem=True)


def test_an_unknown_algorithm_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="--alg RS1: use one of HS256"):
        key_report.new("RS1", kid=None, out=None, pem=False)


@pytest.mark.parametrize("alg", ["ES256", "HS256"])
def test_sec_35_a_key_in_a_file_is_described_without_its_private_half(alg: str, tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    answer = key_report.new(alg, kid="k9", out=path, pem=False)
    written = json.loads(path.read_text())
    private = written.get("d") or written["k"]
    assert private not in answer.text
    assert private not in json.dumps(answer.value)
    assert "k9" in answer.text


def test_a_listing_names_every_key(key_file: Path, key: Key) -> None:
    answer = key_report.listed(key_file)
    assert answer.value == {
        "keys": [
            {
                "kid": "k1",
                "alg": "ES256",
                "type": "EC P-256 private",
                "size": "256 bits",
                "thumbprint": key.thumbprint(),
            }
        ]
    }
    assert "state" not in answer.text


def test_the_thumbprint_of_a_secret_is_not_shown(tmp_path: Path) -> None:
    secret = generate_key("HS256", kid="s")
    path = tmp_path / "secret.json"
    path.write_text(json.dumps(secret.to_private_jwk()))
    assert secret.thumbprint() not in key_report.listed(path).text


def test_a_key_without_alg_is_listed_with_all_it_fits(tmp_path: Path, key: Key) -> None:
    path = tmp_path / "key.pem"
    path.write_text(key.to_pem())
    (listed,) = _value(key_report.listed(path))["keys"]
    assert listed["alg"] == "ES256"
    assert "kid" not in listed


@pytest.mark.parametrize("form", ["jwk", "jwks", "pem"])
def test_sec_35_a_shown_key_is_public(form: str, key_file: Path) -> None:
    answer = key_report.shown(key_file, None, form=form, private=False)
    assert '"d"' not in answer.text
    assert "PRIVATE" not in answer.text


def test_the_private_half_is_shown_to_those_who_ask(key_file: Path, key: Key) -> None:
    jwk = key.to_private_jwk()
    assert key_report.shown(key_file, None, form="jwk", private=True).value == jwk
    assert key_report.shown(key_file, None, form="jwks", private=True).value == {"keys": [jwk]}
    assert key_report.shown(key_file, "k1", form="jwks", private=True).value == {"keys": [jwk]}
    assert "PRIVATE" in key_report.shown(key_file, None, form="pem", private=True).text
