from __future__ import annotations

import pytest
from tests.unit.dialects.couper.reading.couper_hcl import SECRET, jwt, jwt_problems

from jwtgate.dialects.couper.reading.configuration import Introspection, Secret
from jwtgate.jose.key import generate_key

EC = generate_key("ES256").to_private_pem().strip()
BASIC = 'client_id = "c"\n client_secret = "s"\n'


def introspection(body: str) -> Introspection:
    found = jwt(f'{SECRET} beta_introspection {{\n endpoint = "https://as/i"\n ttl = "10s"\n {body}\n }}').introspection
    assert found is not None
    return found


def said_of(body: str, *, ttl: str = "10s") -> tuple[str, ...]:
    return jwt_problems(f'{SECRET} beta_introspection {{\n endpoint = "https://as/i"\n ttl = "{ttl}"\n {body}\n }}')


def by_jwt(method: str, profile: str) -> str:
    profile = f'jwt_signing_profile {{\n ttl = "5s"\n {profile}\n}}'
    return f'client_id = "c"\n endpoint_auth_method = "{method}"\n {profile}\n'


def test_the_client_s_secret_is_sent_as_basic_credentials_unless_told_otherwise() -> None:
    found = introspection(BASIC)
    assert (found.endpoint, found.ttl, found.client_id) == ("https://as/i", 10, "c")
    assert (found.endpoint_auth_method, found.client_secret) == ("client_secret_basic", Secret(b"s"))
    assert found.profile is None
    posted = introspection(f'{BASIC} endpoint_auth_method = "client_secret_post"')
    assert posted.endpoint_auth_method == "client_secret_post"


def test_an_assertion_is_signed_with_the_secret_or_with_a_key() -> None:
    by_secret = introspection(by_jwt("client_secret_jwt", 'signature_algorithm = "HS256"') + 'client_secret = "s"')
    assert by_secret.profile is not None
    assert (by_secret.profile.key, by_secret.profile.ttl) == (Secret(b"s"), 5)
    key = f'signature_algorithm = "ES256"\n key = <<-EOF\n{EC}\nEOF\n'
    by_key = introspection(by_jwt("private_key_jwt", key))
    assert by_key.profile is not None
    assert by_key.profile.key.value.strip() == EC.encode()
    assert by_key.client_secret is None


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (f'{BASIC} endpoint_auth_method = "x"', 'endpoint_auth_method "x" not supported'),
        ('client_secret = "s"', "client_id must not be empty"),
        ('client_id = "c"', "client_secret must not be empty with client_secret_basic"),
        (
            'client_id = "c"\n endpoint_auth_method = "client_secret_post"',
            "client_secret must not be empty with client_secret_post",
        ),
        (
            f'{BASIC} endpoint_auth_method = "client_secret_jwt"',
            "jwt_signing_profile block must be set with client_secret_jwt",
        ),
        (
            'client_id = "c"\n endpoint_auth_method = "private_key_jwt"',
            "jwt_signing_profile block must be set with private_key_jwt",
        ),
        (
            f'{BASIC} jwt_signing_profile {{\n ttl = "1s"\n signature_algorithm = "HS256"\n }}',
            "jwt_signing_profile block must not be set with client_secret_basic",
        ),
        (
            by_jwt("private_key_jwt", 'signature_algorithm = "HS256"'),
            "inappropriate signature algorithm with private_key_jwt",
        ),
        (
            by_jwt("client_secret_jwt", 'signature_algorithm = "RS256"') + 'client_secret = "s"',
            "inappropriate signature algorithm with client_secret_jwt",
        ),
        (
            by_jwt("client_secret_jwt", 'signature_algorithm = "HS256"\n key = "k"') + 'client_secret = "s"',
            "key and key_file must not be set with client_secret_jwt",
        ),
        (
            by_jwt("private_key_jwt", 'signature_algorithm = "ES256"'),
            "jwt_signing_profile key: read error: required: configured attribute or file",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(body: str, problem: str) -> None:
    assert said_of(body) == (problem,)


def test_a_ttl_may_be_none_but_not_less() -> None:
    assert said_of(BASIC, ttl="-1s") == ("ttl: cannot be negative: '-1s'",)
    assert said_of(BASIC, ttl="") == ('time: invalid duration ""',)


def test_the_endpoint_may_not_be_empty() -> None:
    body = f'{SECRET} beta_introspection {{\n endpoint = ""\n ttl = "0"\n {BASIC}\n }}'
    assert jwt_problems(body) == ("endpoint must not be empty",)
