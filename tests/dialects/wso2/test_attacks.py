"""What somebody who means harm might try: to speak in the gateway's name, as somebody else, or for too long."""

from __future__ import annotations

import base64
import socket
from pathlib import Path
from typing import Any

import pytest
from tests.dialects.wso2.conftest import Served
from tests.dialects.wso2.material import ISSUER_KEY, OTHER_TENANT, TENANT
from tests.dialects.wso2.neighbours import Backend
from tests.dialects.wso2.reading import D, claims, header, of_dialect
from tests.dialects.wso2.records import APPLICATION_TOKEN, CLAIMS, USER_TOKEN, toml, xml
from tests.dialects.wso2.simulated import NOON, Simulated
from tests.dialects.wso2.test_incoming_jwt import ISS, jwt
from tests.dialects.wso2.wso2_process import HEADER, Wso2Process

EVIL = (
    "X-JWT-Assertion: evil",
    "x-jwt-assertion: evil",
    "X_JWT_Assertion: evil",
    "X-Jwt_Assertion: evil",
    "Connection: X-JWT-Assertion",
    "Connection: close, x-jwt-assertion",
    "X-JWT-Assertion;",
)
OPEN_API = {"name": "Open", "context": "/o", "version": "1", "resources": [{"path": "/*", "auth": "none"}]}


@pytest.mark.parametrize("field", EVIL)
def test_sec_112_nobody_speaks_in_the_gateway_s_name(served: Served, field: str) -> None:
    gateway = served(xml())
    for path, count in (("/placeFinder/1.0.0/find", 1), ("/placeFinder/1.0.0/open/door", 0)):
        fields = gateway.ask(USER_TOKEN, field, EVIL[0], path=path).value["fields"]
        mine = [value for name, value in fields if name.replace("_", "-") == HEADER]
        assert len(mine) == count
        assert "evil" not in mine


@pytest.mark.parametrize(
    ("rest", "status"),
    [
        (b"Transfer-Encoding: chunked\r\nTrailer: X-JWT-Assertion\r\n\r\n0\r\nX-JWT-Assertion: evil\r\n\r\n", b"200"),
        (b"X.JWT.Assertion: evil\r\n\r\n", b"200"),
        (b"X-JWT-Assertion : evil\r\n\r\n", b"400"),
        (b"X-Other: a\r\n X-JWT-Assertion: evil\r\n\r\n", b"400"),
        (b"X-JWT-Assertion\x00: evil\r\n\r\n", b"400"),
    ],
    ids=["trailer", "dots", "blank", "folded", "zero"],
)
def test_sec_112_nor_by_another_way(served: Served, rest: bytes, status: bytes) -> None:
    host, _, port = served(xml()).proxy.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection, connection.makefile("rb") as answer:
        connection.sendall(b"GET /placeFinder/1.0.0/open/door HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + rest)
        received = answer.read()
    assert received.split(b" ", 2)[1] == status
    assert b"evil" not in received


@pytest.mark.parametrize(
    "configuration",
    [
        xml(JWTHeader="X-User-Info"),
        xml(JWTHeader="X-User-Info").replace("<EnableJWTGeneration>true", "<EnableJWTGeneration>false"),
        toml('header = "X-User-Info"', 'jwt_profile = "v2"'),
    ],
)
def test_sec_112_nor_where_nothing_is_issued(tmp_path: Path, configuration: str) -> None:
    api = {**OPEN_API, "endpoint": "http://127.0.0.1:9"}
    made = Simulated(tmp_path, configuration, apis=[api], subscriptions=[])
    (removed,) = {route.removed_fields for route in made.plan.routes if route.name.startswith("/o")}
    assert {b"x-jwt-assertion", b"x-user-info"} <= removed | made.plan.identity_names


def test_sec_38_an_unsigned_token_takes_its_long_named_setting(tmp_path: Path) -> None:
    for none in ("NONE", "none", "None", ""):
        made = Simulated(tmp_path, xml(SignatureAlgorithm=none))
        if none == "NONE":
            assert not any(route.issue for route in made.plan.routes)
            assert any(note.meaning.name == "REFUSED" for note in made.notes)
            continue
        assert header(made.token(USER_TOKEN))["alg"] == "RS256"


@pytest.mark.parametrize("profile", ["v1", "v2", "v3", "v4"])
def test_no_token_is_sent_that_is_over_or_nearly_so(tmp_path: Path, profile: str) -> None:
    """Requests at any time, in both directions of a clock."""
    cache = "<CacheConfigurations><TokenCacheExpiry>40</TokenCacheExpiry></CacheConfigurations>"
    made = Simulated(tmp_path, xml(cache, jwt_profile=profile))
    unit = 1000 if profile == "v1" else 1
    tokens = set()
    for after in (0, 1, 20, 34, 35, 36, 39, 40, 41, 60, 99, 100, 3, 0, 500, 534):
        token = made.token(USER_TOKEN, NOON + after)
        tokens.add(token)
        left = claims(token)["exp"] / unit - (NOON + after)
        assert 5 <= left <= (100 if profile == "v3" else 40)
    assert 3 < len(tokens) < 16


@pytest.mark.parametrize("profile", ["v1", "v2", "v3", "v4"])
def test_a_token_that_is_kept_goes_to_nobody_else(tmp_path: Path, profile: str) -> None:
    tokens = [
        {"token": f"of-{name}", "consumer_key": "ck2", "user": user, "user_type": "APPLICATION_USER"}
        for name, user in (("ann", "ann"), ("bob", "bob"), ("t1", "ann@t1.com"))
    ]
    users = [{"name": name, "claims": {"mail": f"{name} m"}} for name in ("ann", "bob")]
    users.append({"name": "ann", "tenant": "t1.com", "claims": {"mail": "t1 m"}})
    retriever = "org.wso2.carbon.apimgt.impl.token.DefaultClaimsRetriever"
    configuration = xml(jwt_profile=profile, ClaimsRetrieverImplClass=retriever)
    made = Simulated(tmp_path, configuration, tokens=tokens, users=users, tenants=[TENANT, OTHER_TENANT])
    alone = {
        name: Simulated(tmp_path, configuration, tokens=tokens, users=users, tenants=[TENANT, OTHER_TENANT])
        for name in ("ann", "bob", "t1")
    }
    for after in (0, 1, 2):
        for name, apart in alone.items():
            assert lasting(made.token(f"of-{name}", NOON + after)) == lasting(apart.token(f"of-{name}", NOON + after))
    mails = [of_dialect(made.token(f"of-{name}")).get("mail") for name in alone]
    assert mails == ["ann m", "bob m", None if profile == "v4" else "t1 m"]


def lasting(token: str) -> dict[str, Any]:
    """What of the claims is not another one each time."""
    return {name: value for name, value in claims(token).items() if name not in ("exp", "iat", "jti")}


@pytest.fixture
def gateway(served: Served, backend: Backend) -> Wso2Process:
    """A gateway of the last generation with two tenants, an issuer, and a user store."""
    backend.keys = [dict(ISSUER_KEY.public().to_jwk())]
    lines = (
        'encoding = "base64url"',
        "enable_tenant_based_signing = true",
        "gateway_generator.enable_claim_retrieval = true",
    )
    users = [{"name": "sumedha", "claims": CLAIMS}, {"name": "eve", "tenant": "t1.com", "claims": {"mail": "t1 m"}}]
    issuers = [{"name": ISS, "jwks": f"{backend.url}/jwks"}]
    return served(toml(*lines), tenants=[TENANT, OTHER_TENANT], users=users, issuers=issuers)


def key_of(token: str) -> str:
    """The tenant whose key signed."""
    text = base64.urlsafe_b64decode(header(token)["kid"] + "==").decode()
    return "t1.com" if text.startswith("CN=t1") else "carbon.super"


def test_a_jwt_says_nothing_in_the_gateway_s_name(gateway: Wso2Process) -> None:
    honest = claims(gateway.token(jwt()))
    evil: dict[str, Any] = {
        f"{D}{name}": "evil" for name in ("enduser", "enduserTenantId", "subscriber", "usertype", "keytype", "tier")
    }
    evil |= {f"{D}identity/secretkey": "evil", "identity/x": "evil", "nbf": 1, "tierInfo": {}, "application": {}}
    said = claims(
        gateway.token(
            jwt(ISSUER_KEY, **evil, kind="basic", grants={"role": "evil"}, claims={"role": "evil"}, jti="evil")
        )
    )
    copied = {"kind": "basic", "grants": {"role": "evil"}, "claims": {"role": "evil"}}
    ours = ("exp", "iat", "jti")
    assert {name: value for name, value in said.items() if name not in ours} == {
        **{name: value for name, value in honest.items() if name not in ours},
        **copied,
    }
    assert said["jti"] != "evil"


@pytest.mark.parametrize("sub", ["eve@t1.com", "x@t1.com"])
def test_a_subject_that_looks_like_another_tenant_s_user_is_none(gateway: Wso2Process, sub: str) -> None:
    for more in ({}, {"kind": "api_key"}, {"kind": "basic"}):
        token = gateway.token(jwt(ISSUER_KEY, sub=sub, **more))
        found = of_dialect(token)
        assert (found["enduser"], found["enduserTenantId"]) == (f"{sub}@carbon.super", "-1234")
        assert "mail" not in found
        assert key_of(token) == "carbon.super"


def test_a_claim_of_an_odd_type_stops_nobody_else(gateway: Wso2Process) -> None:
    for odd in ({"scope": 7}, {"scope": {"a": 1}}, {"aut": ["APPLICATION"]}, {"consumerKey": {"a": 1}}):
        assert of_dialect(gateway.token(jwt(ISSUER_KEY, **odd)))["enduser"] == "sumedha@carbon.super"


def test_sec_144_no_secret_stands_in_a_log(gateway: Wso2Process) -> None:
    caller = jwt(email="private@example.com", o="{oops private")
    issued = gateway.token(caller)
    for bearer in (USER_TOKEN, "guessed-secret", caller[:-4] + "AAAA"):
        gateway.ask(bearer)
    folder = gateway.records.parent
    told = "".join(log.read_text() for log in (folder / "journal", folder / "access-log"))
    secrets = (caller, issued, USER_TOKEN, APPLICATION_TOKEN, "guessed-secret", "private", "sumedha@example.com")
    parts = (issued.split(".")[2], caller.split(".")[2], str(TENANT["signing_key"]).splitlines()[3], "PRIVATE KEY")
    assert "the claim o is no JSON object" in told
    assert [each for each in (*secrets, *parts) if each in told] == []


def test_sec_112_keys_are_published_without_their_private_half(gateway: Wso2Process) -> None:
    for path in ("/jwks", "/t/carbon.super/jwks", "/t/t1.com/jwks"):
        (key,) = gateway.ask(path=path).value["keys"]
        assert key.keys() == {"kty", "e", "n", "use", "kid", "alg"}
    stored = [path for path in (gateway.records.parent / "state").rglob("*") if path.is_file()]
    assert stored
    assert [path for path in stored if path.stat().st_mode & 0o077] == []
