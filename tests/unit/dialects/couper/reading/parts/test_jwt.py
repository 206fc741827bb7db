from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.dialects.couper.reading.couper_hcl import SECRET, SERVER, configuration, jwt, jwt_problems, problems

from jwtgate.dialects.couper.reading.configuration import Secret, Source
from jwtgate.jose.key import generate_key

RSA, EC = generate_key("RS256"), generate_key("ES256")
SOURCES = {"bearer": "true", "beta_dpop": "true", "cookie": '"c"', "header": '"h"', "token_value": "request.query.t[0]"}
ONE_SOURCE = "only one of bearer, cookie, header or token_value attributes is allowed"
JWKS = 'jwks_url = "https://a/jwks"'


def heredoc(pem: str, *, indented: str = "      ") -> str:
    return "<<-EOF\n" + "".join(f"{indented}{line}\n" for line in pem.splitlines()) + "    EOF\n"


def test_what_is_not_said_is_as_couper_has_it() -> None:
    found = jwt(SECRET)
    assert (found.label, found.source, found.signature_algorithm, found.key) == (
        "J",
        Source.BEARER,
        "HS256",
        Secret(b"s3cret"),
    )
    assert (found.signing_ttl, found.signing_key, found.jwks_url) == (None, None, None)
    assert (found.jwks_ttl, found.jwks_max_stale, found.disable_private_caching) == (3600, 3600, False)
    assert found.required_claims == ()


@pytest.mark.parametrize(
    ("body", "source", "name"),
    [
        ("bearer = true", Source.BEARER, ""),
        ("bearer = false", Source.BEARER, ""),
        ("beta_dpop = true", Source.DPOP, ""),
        ('cookie = "tok"', Source.COOKIE, "tok"),
        ('header = "X-Token"', Source.HEADER, "X-Token"),
        ('header = "aUthorization"', Source.BEARER, ""),
        ('bearer = false\n cookie = "tok"', Source.COOKIE, "tok"),
        ('cookie = ""', Source.BEARER, ""),
        ("token_value = request.query.t[0]", Source.VALUE, ""),
    ],
)
def test_where_the_token_is(body: str, source: Source, name: str) -> None:
    found = jwt(f"{SECRET} {body}")
    assert (found.source, found.source_name) == (source, name)
    assert (found.token_value is not None) == (source is Source.VALUE)


@pytest.mark.parametrize("one", SOURCES)
@pytest.mark.parametrize("other", SOURCES)
def test_two_sources_are_refused(one: str, other: str) -> None:
    if one < other:
        assert jwt_problems(f"{SECRET} {one} = {SOURCES[one]}\n {other} = {SOURCES[other]}") == (ONE_SOURCE,)


def test_the_old_way_to_say_bearer_is_warned_of() -> None:
    text = f'{SERVER}definitions {{ jwt "J" {{\n{SECRET} header = "Authorization"\n }} }}'
    (warning,) = configuration(text).warnings
    assert "deprecated" in warning


@pytest.mark.parametrize("algorithm", [f"{family}{size}" for family in ("RS", "HS", "ES") for size in (256, 384, 512)])
def test_every_algorithm_is_known(algorithm: str) -> None:
    key = '"s"' if algorithm.startswith("HS") else heredoc(generate_key(algorithm).to_pem())
    found = jwt(f'signature_algorithm = "{algorithm}"\n key = {key}')
    assert found.signature_algorithm == algorithm
    assert found.key is not None


def test_a_key_may_be_told_by_a_path_from_the_environment(tmp_path: Path) -> None:
    (tmp_path / "k.pem").write_text(RSA.to_pem())
    body = 'signature_algorithm = "RS256"\n key_file = env.KEY'
    found = jwt(body, folder=tmp_path, environ={"KEY": "k.pem"})
    assert found.key == Secret(RSA.to_pem().encode(), file=tmp_path / "k.pem")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('key = "s"', "signature_algorithm or jwks_url attribute required"),
        (f'{JWKS}\n signature_algorithm = "RS256"', "signature_algorithm cannot be used together with jwks_url"),
        (f'{JWKS}\n key_file = "k"', "key_file cannot be used together with jwks_url"),
        (f'{JWKS}\n key = "k"', "key cannot be used together with jwks_url"),
        (f'{SECRET} backend {{ origin = "http://a" }}', "backend is obsolete without jwks_url attribute"),
        ('signature_algorithm = "HS256"', "jwt key: read error: required: configured attribute or file"),
        (f'{SECRET} key_file = "k"', "jwt key: read error: configured attribute and file"),
        (
            'signature_algorithm = "HS256"\n key_file = "k"',
            "jwt key: read error: open /nowhere/k: no such file or directory",
        ),
        ('signature_algorithm = "XX256"\n key = "k"', 'algorithm "XX256" is not supported'),
        ('signature_algorithm = "hs256"\n key = "k"', 'algorithm "hs256" is not supported'),
        ('signature_algorithm = "none"\n key = "k"', 'algorithm "none" is not supported'),
        (
            'signature_algorithm = "RS256"\n key = "k"',
            "invalid key: Key must be a PEM encoded PKCS1 or PKCS8 key",
        ),
        (f'signature_algorithm = "RS256"\n key = {heredoc(EC.to_pem())}', "invalid RSA public key"),
        (f'signature_algorithm = "ES256"\n key = {heredoc(RSA.to_pem())}', "invalid ECDSA public key"),
        (
            f'signature_algorithm = "RS256"\n key = {heredoc(RSA.to_private_pem())}',
            "key is not a valid RSA public key",
        ),
        (f'{SECRET} roles_claim = "r"', "missing roles_map"),
        ('jwks_url = "ftp://a/b"', 'unsupported JWKS URI scheme: "ftp://a/b"'),
        ('jwks_url = "k.json"', "jwks_url: read error: open /nowhere/k.json: no such file or directory"),
        ('jwks_url = "file:k.json"', "jwks_url: read error: open /nowhere/k.json: no such file or directory"),
        ('jwks_url = "file:///a/k.json"', "jwks_url: read error: open /a/k.json: no such file or directory"),
        (f'{JWKS}\n jwks_ttl = "-1s"', "jwks_ttl: cannot be negative: '-1s'"),
        (f'{JWKS}\n jwks_max_stale = "-1s"', "jwks_max_stale: cannot be negative: '-1s'"),
        (f'{JWKS}\n jwks_ttl = "invalid"', 'time: invalid duration "invalid"'),
        (f'{SECRET} signing_ttl = "5 minutes"', 'time: invalid duration "5 minutes"'),
        (f'{JWKS}\n signing_ttl = "1h"', "algorithm is not supported"),
        (
            f'signature_algorithm = "RS256"\n signing_ttl = "1h"\n key = {heredoc(RSA.to_pem())}',
            "jwt signing key: read error: required: configured attribute or file",
        ),
        (
            'signature_algorithm = "ES256"\n signing_ttl = "1h"\n signing_key = "a"\n signing_key_file = "b"\n'
            f"key = {heredoc(EC.to_pem())}",
            "jwt signing key: read error: configured attribute and file",
        ),
    ],
)
def test_what_does_not_go_together_is_refused_in_couper_s_words(body: str, problem: str) -> None:
    assert jwt_problems(body) == (problem,)


def test_the_prefix_of_a_mistake_is_the_label_and_all_are_told() -> None:
    text = f'{SERVER}definitions {{\n jwt "A b" {{}}\n jwt "C" {{\n{JWKS}\n key = "k"\n roles_claim = "r"\n }}\n}}'
    assert problems(text) == (
        "configuration error: A b: signature_algorithm or jwks_url attribute required",
        "configuration error: A b: jwt key: read error: required: configured attribute or file",
        "configuration error: C: key cannot be used together with jwks_url",
        "configuration error: C: missing roles_map",
    )


def test_backend_as_attribute_and_block_is_refused_at_its_place() -> None:
    text = f'{JWKS}\n backend = "b"\n backend {{}}'
    assert jwt_problems(text) == ("couper.hcl:5,2-9: Multiple definitions of backend are not allowed in jwt.; ",)


def test_a_key_set_is_fetched_or_read(tmp_path: Path) -> None:
    fetched = jwt(f'{JWKS}\n jwks_ttl = "3s"\n jwks_max_stale = "0"\n backend {{ origin = "http://a" }}')
    assert (fetched.jwks_url, fetched.jwks_file, fetched.key) == ("https://a/jwks", None, None)
    assert (fetched.jwks_ttl, fetched.jwks_max_stale) == (3, 0)
    assert fetched.backend is not None
    (tmp_path / "a b.json").write_text("{}")
    for url in ("a b.json", "file:a b.json", "file:a%20b.json", f"file://{tmp_path}/a b.json", f"{tmp_path}/a b.json"):
        assert jwt(f'jwks_url = "{url}"', folder=tmp_path).jwks_file == tmp_path / "a b.json"


def test_a_block_that_signs_has_the_key_for_it() -> None:
    by_secret = jwt(f'{SECRET} signing_ttl = "1h"')
    assert (by_secret.signing_ttl, by_secret.signing_key) == (3600, by_secret.key)
    by_key = jwt(
        'signature_algorithm = "ES256"\n signing_ttl = "300s"\n'
        f"key = {heredoc(EC.to_pem())} signing_key = {heredoc(EC.to_private_pem(), indented='')}"
    )
    assert by_key.signing_key is not None
    assert by_key.signing_key.value.strip() == EC.to_private_pem().strip().encode()


def test_what_is_asked_of_the_claims_is_kept() -> None:
    found = jwt(f"""{SECRET}
      claims = {{ iss = "I", pid = request.path_params.p }}
      required_claims = ["exp", "role"]
      permissions_claim = "scope"
      roles_claim = "role"
      roles_map = {{ admin = ["a", "b"], "*" = ["z"] }}
      disable_private_caching = true
      custom_log_fields = {{ m = request.method }}""")
    assert found.claims is not None
    assert found.claims.source == '{ iss = "I", pid = request.path_params.p }'
    assert (found.required_claims, found.permissions_claim, found.roles_claim) == (("exp", "role"), "scope", "role")
    assert found.roles_map == {"admin": ("a", "b"), "*": ("z",)}
    assert found.disable_private_caching
    assert found.custom_log_fields is not None


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ('error_handler "jwt" {}', 1),
        ('error_handler "access_control" {}', 1),
        ('error_handler "jwt" "access_control" {}', 2),
        ('error_handler "jwt" {}\n error_handler {}', 0),
        ('error_handler "jwt" {}\n cookie = "c"', 0),
        ('error_handler "jwt_token_missing" {}', 0),
        ('error_handler "jwt" "jwt_token_missing jwt_token_expired jwt_token_invalid jwt_token_inactive" {}', 0),
    ],
)
def test_a_handler_that_what_is_built_in_hides_is_warned_of(body: str, count: int) -> None:
    text = f'{SERVER}definitions {{ jwt "J" {{\n{SECRET} {body}\n }} }}'
    warnings = configuration(text).warnings
    assert len(warnings) == count
    assert all('jwt "J"' in warning and "not reached" in warning for warning in warnings)
