from __future__ import annotations

from tests.unit.dialects.couper.reading.couper_hcl import SERVER, configuration, definitions_problems

from jwtgate.dialects.couper.reading.configuration import BasicAuth, Secret


def test_a_user_and_a_password_from_the_environment() -> None:
    text = """definitions { basic_auth "B" {
      user = "john"
      password = env.PASSWORD
      realm = "there"
      error_handler "basic_auth_credentials_missing" {}
    } }"""
    found = configuration(SERVER + text, environ={"PASSWORD": "p"}).access_controls["B"]
    assert isinstance(found, BasicAuth)
    assert (found.user, found.password, found.realm) == ("john", Secret(b"p", variable="PASSWORD"), "there")
    assert found.error_handlers.for_kind("basic_auth_credentials_missing") is not None
    assert found.error_handlers.for_kind("basic_auth") is None


def test_a_password_is_needed() -> None:
    assert definitions_problems('basic_auth "B" {}') == ("configuration error: B: password must not be empty",)


def test_a_file_of_passwords_is_refused_with_the_reason_alone() -> None:
    (problem,) = definitions_problems('basic_auth "B" { htpasswd_file = "f" }')
    assert "htpasswd_file is not supported" in problem


def test_kinds_of_tokens_mean_nothing_here() -> None:
    (problem,) = definitions_problems('basic_auth "B" {\n password = "p"\n error_handler "jwt" {}\n}')
    assert problem == 'configuration error: B: error type is unknown: "jwt"'
