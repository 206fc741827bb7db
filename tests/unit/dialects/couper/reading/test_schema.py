from __future__ import annotations

import pytest
from tests.unit.dialects.couper.reading.couper_hcl import block_of

from jwtgate.dialects.couper.reading.mistakes import Mistakes
from jwtgate.dialects.couper.reading.schema import check_schema


def said_of(text: str) -> tuple[str, ...]:
    mistakes = Mistakes()
    check_schema(block_of(text), mistakes)
    return mistakes.error().problems


def test_what_may_stand_there_is_no_mistake() -> None:
    text = """
    server "s" {
      hosts = ["a"]
      cors { allowed_origins = "*" }
      api "a" {
        required_permission = "p"
        endpoint "/x" {
          proxy "p" { backend { origin = "http://a" } }
          error_handler "a" "b" { response { status = 1 } }
        }
      }
    }
    definitions {
      jwt "J" {
        beta_introspection {
          endpoint = "x"
          ttl = "1s"
          jwt_signing_profile {
            signature_algorithm = "HS256"
            ttl = "1s"
          }
        }
      }
      proxy "x" { name = "y" }
    }
    defaults { environment_variables = {} }
    settings { port = 1 }
    """
    mistakes = Mistakes()
    check_schema(block_of(text), mistakes)
    assert not mistakes


def test_an_unknown_attribute_and_an_unknown_block_are_named() -> None:
    assert said_of('server {\n host = "a"\n apis {}\n}\na = 1\n') == (
        'couper.hcl:2,2-6: Unsupported argument; An argument named "host" is not expected here. Did you mean "hosts"?',
        'couper.hcl:3,2-6: Unsupported block type; Blocks of type "apis" are not expected here.',
        'couper.hcl:5,1-2: Unsupported argument; An argument named "a" is not expected here.',
    )


def test_pages_say_where_they_are() -> None:
    required = [
        problem.rpartition('argument "')[2].partition('"')[0]
        for problem in said_of("server {\n files {}\n spa {}\n}\n")
    ]
    assert required == ["document_root", "bootstrap_file", "paths"]


@pytest.mark.parametrize(
    "block", ["oidc", "saml", "beta_oauth2", "beta_external_authz", "beta_rate_limiter", "beta_job"]
)
def test_what_is_not_served_in_definitions_is_refused_with_a_reason(block: str) -> None:
    (problem,) = said_of(f'definitions {{\n {block} "x" {{ anything = 1 }}\n}}\n')
    assert problem.startswith(f"couper.hcl:2,2-{6 + len(block)}: {block} is not supported; ")
    assert not problem.endswith("; ")


@pytest.mark.parametrize("block", ["tls", "openapi", "oauth2", "beta_health", "beta_token_request", "beta_rate_limit"])
def test_what_is_not_served_in_a_backend_is_refused_with_a_reason(block: str) -> None:
    (problem,) = said_of(f'definitions {{\n backend "b" {{\n {block} {{}}\n }}\n}}\n')
    assert f": {block} is not supported; " in problem


def test_attributes_that_are_not_served_are_refused_with_a_reason() -> None:
    (problem,) = said_of('definitions {\n basic_auth "x" { htpasswd_file = "f" }\n}\n')
    assert problem.startswith("couper.hcl:2,19-32: htpasswd_file is not supported; One user")


def test_a_missing_and_a_superfluous_label_are_mistakes() -> None:
    assert said_of('definitions {\n jwt {}\n jwt "a" "b" {}\n}\nsettings "x" {}\n') == (
        "couper.hcl:2,2-5: missing label; ",
        "couper.hcl:3,10-13: Extraneous label for jwt; At most 1 is expected here.",
        "couper.hcl:5,10-13: Extraneous label for settings; At most 0 is expected here.",
    )


def test_what_may_stand_once_is_a_mistake_twice() -> None:
    assert said_of('definitions {\n jwt "J" {\n backend {}\n backend {}\n }\n}\ndefinitions {}\n') == (
        "couper.hcl:4,2-9: Multiple definitions of backend are not allowed in jwt.; ",
        "couper.hcl:7,1-12: Multiple definitions of definitions are not allowed in a file.; ",
    )


def test_what_is_required_is_missed() -> None:
    assert said_of('definitions {\n jwt_signing_profile "P" {}\n}\n') == (
        'couper.hcl:2,2-25: Missing required argument; The argument "signature_algorithm" is required, '
        "but no definition was found.",
        'couper.hcl:2,2-25: Missing required argument; The argument "ttl" is required, but no definition was found.',
    )
