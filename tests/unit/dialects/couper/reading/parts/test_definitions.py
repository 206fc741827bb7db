from __future__ import annotations

import pytest
from tests.unit.dialects.couper.reading.couper_hcl import SECRET, SERVER, configuration, definitions_problems, problems

JWT = f'jwt "J" {{\n{SECRET}}}\n'
SIGNING = f'jwt "J" {{\n{SECRET} signing_ttl = "1h"\n}}\n'
PROFILE = f'jwt_signing_profile "J" {{\n{SECRET} ttl = "1h"\n}}\n'


def said_of(text: str) -> tuple[str, ...]:
    return definitions_problems(text)


def test_a_label_may_have_any_characters() -> None:
    text = f"{SERVER}definitions {{\n{JWT.replace('J', 'My-J 1 ü')}}}"
    assert list(configuration(text).access_controls) == ["My-J 1 ü"]


def test_a_missing_label_is_told_at_the_block() -> None:
    assert said_of(f"jwt {{\n{SECRET}}}") == ("couper.hcl:3,1-4: missing label; ",)


@pytest.mark.parametrize("label", ["", " "])
def test_a_blank_label_is_refused(label: str) -> None:
    (problem,) = said_of(f'jwt "{label}" {{\n{SECRET}}}')
    assert problem == f"couper.hcl:3,5-{7 + len(label)}: accessControl requires a label; "


@pytest.mark.parametrize("label", ["granted_permissions", "required_permission"])
def test_a_reserved_label_is_refused(label: str) -> None:
    (problem,) = said_of(f'jwt "{label}" {{\n{SECRET}}}')
    assert problem == f"couper.hcl:3,5-{7 + len(label)}: accessControl uses reserved name as label; "


@pytest.mark.parametrize("other", ["basic_auth", "beta_oauth2", "oidc", "saml", "jwt"])
def test_two_access_controls_of_one_label_are_refused(other: str) -> None:
    found = said_of(f'{JWT}{other} "J" {{\n password = "p"\n}}')
    assert f"couper.hcl:7,{2 + len(other)}-{5 + len(other)}: AC labels must be unique; " in found


@pytest.mark.parametrize(("first", "second"), [(PROFILE, PROFILE), (SIGNING, PROFILE), (PROFILE, SIGNING)])
def test_two_that_sign_under_one_label_are_refused(first: str, second: str) -> None:
    (problem,) = said_of(first + second)
    assert problem.endswith(": JWT signing profile labels must be unique; ")
    assert problem.startswith(f"couper.hcl:{3 + first.count(chr(10))},")


def test_a_block_that_only_verifies_may_share_its_label_with_a_profile() -> None:
    found = configuration(f"{SERVER}definitions {{\n{JWT}{PROFILE}}}")
    assert (list(found.access_controls), list(found.profiles)) == (["J"], ["J"])


def test_a_refused_access_control_may_still_be_named() -> None:
    text = 'server {\n access_control = ["O"]\n endpoint "/" { response {} }\n}\ndefinitions { oidc "O" {} }'
    (problem,) = problems(text)
    assert "oidc is not supported" in problem


def test_proxies_nobody_names_are_checked_too() -> None:
    (problem,) = said_of('proxy "p" { backend = "no" }')
    assert problem == 'couper.hcl:3,13-20: referenced backend "no" is not defined; '
