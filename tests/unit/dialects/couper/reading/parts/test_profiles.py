from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.dialects.couper.reading.couper_hcl import SERVER, configuration, definitions_problems

from jwtgate.dialects.couper.reading.configuration import Secret
from jwtgate.jose.key import generate_key

RSA = generate_key("RS256")


def profile_problems(body: str, *, folder: Path = Path("/nowhere")) -> tuple[str, ...]:
    found = definitions_problems(f'jwt_signing_profile "P" {{\n {body}\n}}', folder=folder)
    return tuple(problem.removeprefix("configuration error: P: ") for problem in found)


def test_a_profile_has_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text(RSA.to_private_pem())
    text = """definitions { jwt_signing_profile "P" {
      signature_algorithm = "RS256"
      key_file = "key.pem"
      ttl = "60.6s"
      claims = { iss = request.host }
      headers = { kid = "k", "typ" = "at+jwt" }
    } }"""
    profile = configuration(SERVER + text, folder=tmp_path).profiles["P"]
    assert (profile.label, profile.signature_algorithm, profile.ttl) == ("P", "RS256", 60.6)
    assert profile.key == Secret(RSA.to_private_pem().encode(), file=tmp_path / "key.pem")
    assert profile.claims is not None
    assert profile.claims.source == "{ iss = request.host }"


@pytest.mark.parametrize("ttl", ["0", "-1h"])
def test_a_ttl_may_be_none_or_less(ttl: str) -> None:
    text = (
        f'definitions {{ jwt_signing_profile "P" {{\n signature_algorithm = "HS256"\n key = "k"\n ttl = "{ttl}"\n }} }}'
    )
    assert configuration(SERVER + text).profiles["P"].ttl <= 0


def test_a_profile_without_key_is_refused() -> None:
    wanted = ("jwt_signing_profile key: read error: required: configured attribute or file",)
    assert profile_problems('signature_algorithm = "HS256"\n ttl = "0"') == wanted


def test_a_profile_with_two_keys_is_refused() -> None:
    body = 'signature_algorithm = "HS256"\n ttl = "0"\n key = "a"\n key_file = "b"'
    assert profile_problems(body) == ("jwt_signing_profile key: read error: configured attribute and file",)


def test_an_unknown_algorithm_is_refused() -> None:
    body = 'signature_algorithm = "{}"\n ttl = "0"\n key = "a"'
    assert profile_problems(body.format("XX256")) == ("algorithm is not supported",)
    assert profile_problems(body.format("")) == ("algorithm is not supported",)


@pytest.mark.parametrize("headers", ['{ alg = "none" }', '{ kid = "k", "alg" = request.path }'])
def test_headers_with_alg_are_refused(headers: str) -> None:
    body = f'signature_algorithm = "HS256"\n ttl = "0"\n key = "a"\n headers = {headers}'
    assert profile_problems(body) == ('"alg" cannot be set via "headers"',)


@pytest.mark.parametrize("ttl", ["", "x"])
def test_a_wrong_ttl_is_refused(ttl: str) -> None:
    body = f'signature_algorithm = "HS256"\n key = "a"\n ttl = "{ttl}"'
    assert profile_problems(body) == (f'time: invalid duration "{ttl}"',)


def test_a_key_that_cannot_sign_is_refused() -> None:
    body = 'signature_algorithm = "ES256"\n ttl = "0"\n key = "a"'
    assert profile_problems(body) == ("invalid key: Key must be a PEM encoded PKCS1 or PKCS8 key",)
