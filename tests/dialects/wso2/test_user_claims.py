"""The claims of users: retrievers, dialects, and the cache."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.dialects.wso2.conftest import Served
from tests.dialects.wso2.reading import D, claims, of_dialect
from tests.dialects.wso2.records import APPLICATION_TOKEN, CLAIMS, USER_TOKEN, records, toml, xml
from tests.dialects.wso2.simulated import NOON, Simulated
from tests.dialects.wso2.wso2_process import Wso2Process

DEFAULT = "org.wso2.carbon.apimgt.impl.token.DefaultClaimsRetriever"
OWN = {"ClaimsRetrieverImplClass": "acme.Retriever", "java_class_map": "acme.Retriever=acme_users:Retriever"}
RETRIEVER = """
import pathlib

class Retriever:
    def init(self):
        with (pathlib.Path(__file__).parent / "inits").open("a") as file:
            file.write("i")

    def get_claims(self, end_user_name):
        if end_user_name.startswith("admin"):
            raise OSError("the user store is away")
        return {"email": "user1@example.com", "gender": "male"}

    def get_dialect_uri(self, end_user_name):
        return "http://example.org/claims"
"""
GRANTED = {"given_name": "Sumedha", "email": "s@x.y", "shoe": "42"}


def test_s13_the_user_store_says_who_a_user_is(served: Served) -> None:
    token = served(xml(ClaimsRetrieverImplClass=DEFAULT)).token(USER_TOKEN)
    found = of_dialect(token)
    assert found["emailaddress"] == "sumedha@example.com"
    assert found["givenname"] == "Sumedha"
    assert found["role"] == ["a", "b"]
    names = [name for name in claims(token) if name.removeprefix(D) in ("emailaddress", "givenname", "role")]
    assert names == sorted(names)


def test_s14_who_has_no_claims_has_a_token_all_the_same(served: Served) -> None:
    gateway = served(xml(ClaimsRetrieverImplClass=DEFAULT))
    assert "givenname" not in of_dialect(gateway.token(APPLICATION_TOKEN))


def test_a_retriever_that_finds_nothing(tmp_path: Path) -> None:
    nothing = "org.wso2.carbon.apimgt.impl.token.ExtendedDefaultClaimsRetriever"
    token = Simulated(tmp_path, xml(ClaimsRetrieverImplClass=nothing)).token(USER_TOKEN)
    assert "givenname" not in of_dialect(token)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with a retriever of one's own."""
    (tmp_path / "acme_users.py").write_text(RETRIEVER)
    return tmp_path


def test_s15_s16_a_retriever_of_one_s_own_is_made_ready_once(served: Served, own: Path) -> None:
    gateway = served(xml(**OWN), environ={"PYTHONPATH": str(own)})
    assert not (own / "inits").exists()
    found = claims(gateway.token(USER_TOKEN))
    assert found["http://example.org/claims/email"] == "user1@example.com"
    assert found["http://example.org/claims/gender"] == "male"
    failed = claims(gateway.token(APPLICATION_TOKEN))
    assert not [name for name in failed if name.startswith("http://example.org")]
    assert "the claims of the user cannot be had: OSError" in gateway.said()
    assert (own / "inits").read_text() == "i"


@pytest.mark.parametrize(
    ("dialect", "prefix"), [("http://example.org/c", "http://example.org/c/"), ("/", "/"), ("", "")]
)
def test_s17_the_dialect_stands_before_all_standard_claims(tmp_path: Path, dialect: str, prefix: str) -> None:
    configuration = xml(ConsumerDialectURI=dialect, ClaimsRetrieverImplClass=DEFAULT)
    said = claims(Simulated(tmp_path, configuration).token(USER_TOKEN))
    assert said[f"{prefix}subscriber"] == "admin"
    assert said[f"{prefix}givenname"] == "Sumedha"
    assert all(name.startswith(prefix) for name in said if name not in ("iss", "exp"))


@pytest.mark.parametrize(
    ("converts", "expected"),
    [
        ("false", GRANTED),
        ("true", {f"{D}givenname": "Sumedha", f"{D}emailaddress": "s@x.y", "shoe": "42"}),
    ],
)
def test_s18_what_was_granted_with_a_token_may_be_converted(
    tmp_path: Path, converts: str, expected: dict[str, str]
) -> None:
    configuration = xml(ClaimsRetrieverImplClass=DEFAULT, ConvertClaimsToConsumerDialect=converts)
    made = Simulated(tmp_path, configuration, grant_cache={USER_TOKEN: GRANTED})
    said = claims(made.token(USER_TOKEN))
    assert {name: said.get(name) for name in expected} == expected
    assert f"{D}role" not in said


def test_s18_nothing_is_converted_unless_it_is_asked_for(tmp_path: Path) -> None:
    made = Simulated(tmp_path, xml(ClaimsRetrieverImplClass=DEFAULT), grant_cache={USER_TOKEN: GRANTED})
    assert claims(made.token(USER_TOKEN)).items() >= GRANTED.items()


def _called(name: str, *, user: str) -> dict[str, object]:
    users = [{"name": user, "claims": CLAIMS | {f"{D}givenname": name}}]
    return {"users": users, "tokens": [{"token": "t", "consumer_key": "ck2", "user": user}]}


def test_s32_claims_are_kept_for_a_while(tmp_path: Path) -> None:
    made = Simulated(tmp_path, xml(ClaimsRetrieverImplClass=DEFAULT), **_called("Old", user="kept"))
    assert of_dialect(made.token("t"))["givenname"] == "Old"
    made.change(**_called("New", user="kept"))
    assert of_dialect(made.token("t", NOON + 10))["givenname"] == "Old"
    assert of_dialect(made.token("t", NOON + 901))["givenname"] == "New"


def test_s32_or_not_at_all(tmp_path: Path) -> None:
    off = "<CacheConfigurations><EnableJWTClaimCache>false</EnableJWTClaimCache></CacheConfigurations>"
    configuration = xml(off, ClaimsRetrieverImplClass=DEFAULT)
    made = Simulated(tmp_path, configuration, **_called("Old", user="told"))
    assert of_dialect(made.token("t"))["givenname"] == "Old"
    made.change(**_called("New", user="told"))
    assert of_dialect(made.token("t", NOON + 1))["givenname"] == "New"


def test_s32_a_changed_file_of_users_is_read_again(served: Served, tmp_path: Path, backend: object) -> None:
    off = "<CacheConfigurations><EnableJWTClaimCache>false</EnableJWTClaimCache></CacheConfigurations>"
    configuration = xml(off, ClaimsRetrieverImplClass=DEFAULT)
    upstream = backend.url  # type: ignore[attr-defined]
    with Wso2Process(tmp_path / "gateway", configuration, records(upstream)) as gateway:
        assert of_dialect(gateway.token(USER_TOKEN))["givenname"] == "Sumedha"
        changed = [{"name": "sumedha", "claims": {"givenname": "Sum"}}]
        gateway.records.write_text(json.dumps(records(upstream, users=changed)))
        gateway.until(lambda: of_dialect(gateway.token(USER_TOKEN)).get("givenname") == "Sum")


def test_later_generations_ask_the_user_store_where_that_is_said(tmp_path: Path) -> None:
    asked = Simulated(tmp_path, toml("enable_user_claims = true", 'jwt_profile = "v3"')).token(USER_TOKEN)
    assert of_dialect(asked)["givenname"] == "Sumedha"
    assert of_dialect(asked)["role"] == ["a", "b"]
    assert "givenname" not in of_dialect(Simulated(tmp_path, toml('jwt_profile = "v3"')).token(USER_TOKEN))
    users = [{"name": "sumedha", "claims": CLAIMS, "federated": True}]
    federated = Simulated(
        tmp_path, toml("enable_user_claims = true", "[apim.cache.jwt_claim]", "enable = false"), users=users
    )
    assert "givenname" not in of_dialect(federated.token(USER_TOKEN))


@pytest.mark.parametrize(("profile", "expected"), [("v2", "Me"), ("v3", "admin")])
def test_which_of_two_claims_of_one_name_stands(tmp_path: Path, profile: str, expected: str) -> None:
    users = [{"name": f"twice-{profile}", "claims": {"subscriber": "Me"}}]
    tokens = [{"token": "t", "consumer_key": "ck2", "user": f"twice-{profile}"}]
    configuration = toml(f'jwt_profile = "{profile}"', f'claims_extractor_impl = "{DEFAULT}"')
    assert (
        of_dialect(Simulated(tmp_path, configuration, users=users, tokens=tokens).token("t"))["subscriber"] == expected
    )


@pytest.mark.parametrize(("included", "there"), [("false", False), ("true", True)])
def test_claims_about_the_identity_itself_stay_inside(tmp_path: Path, included: str, there: bool) -> None:
    name = f"{D}identity/secretkey"
    users = [{"name": f"secretive-{included}", "claims": {name: "s"}}]
    tokens = [{"token": "t", "consumer_key": "ck2", "user": f"secretive-{included}"}]
    configuration = xml(ClaimsRetrieverImplClass=DEFAULT, IncludeIdentityClaims=included)
    assert (name in claims(Simulated(tmp_path, configuration, users=users, tokens=tokens).token("t"))) is there


def test_text_of_any_language_is_utf_8(tmp_path: Path) -> None:
    users = [{"name": "zoë", "claims": {"givenname": "Zoë 名"}}]
    tokens = [{"token": "t", "consumer_key": "ck2", "user": "zoë@carbon.super"}]
    token = Simulated(tmp_path, xml(ClaimsRetrieverImplClass=DEFAULT), users=users, tokens=tokens).token("t")
    assert of_dialect(token)["givenname"] == "Zoë 名"
    assert of_dialect(token)["enduser"] == "zoë@carbon.super"
