from __future__ import annotations

from custom_generator import CustomTokenGenerator

from jwtgate.dialects.wso2.tokens.context import Api, Application, CallerToken, ValidationContext
from jwtgate.dialects.wso2.tokens.given import Given

D = "http://wso2.org/claims/"
GENERATOR = CustomTokenGenerator(Given("v2", D, ("subscriber", "usertype", "enduser", "enduserTenantId")))


def context(user_type: str, user: str | None) -> ValidationContext:
    token = CallerToken("opaque", "key", user, user_type, scopes=("default",), claims={})
    return ValidationContext(token, Api(), 1_800_000_000, application=Application(owner="admin"))


def test_an_application_is_nobody() -> None:
    claims = GENERATOR.populate_standard_claims(context("APPLICATION", None))
    assert (claims[f"{D}enduser"], claims[f"{D}enduserTenantId"]) == ("null", "null")


def test_a_user_of_the_super_tenant_has_no_tenant() -> None:
    claims = GENERATOR.populate_standard_claims(context("APPLICATION_USER", "sumedha"))
    assert claims[f"{D}enduser"] == "sumedha"
    assert claims[f"{D}enduserTenantId"] == "-1234"
    assert claims[f"{D}usertype"] == "APPLICATION_USER"


def test_a_user_of_another_tenant_keeps_it() -> None:
    claims = GENERATOR.populate_standard_claims(context("APPLICATION_USER", "bob@t1.com"))
    assert claims[f"{D}enduser"] == "bob@t1.com"


def test_it_says_when_and_what() -> None:
    claims = GENERATOR.populate_custom_claims(context("APPLICATION", None))
    assert claims == {"current_timestamp": "1800000000000", "messge": "This is custom JWT"}
