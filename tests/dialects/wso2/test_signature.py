"""Signatures, the header, encodings and published keys."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import RSAKey
from tests.dialects.dialect_process import curl
from tests.dialects.wso2.conftest import Served
from tests.dialects.wso2.material import CERTIFICATE, OTHER_TENANT, SIGNING_KEY, TENANT
from tests.dialects.wso2.neighbours import Backend
from tests.dialects.wso2.reading import claims, header, of_dialect, part
from tests.dialects.wso2.records import USER_TOKEN, records, toml, xml
from tests.dialects.wso2.simulated import Simulated

PEM = {"tenants": [TENANT]}
LEAF = x509.load_pem_x509_certificate(CERTIFICATE.encode())
DER = LEAF.public_bytes(Encoding.DER)
SHA1_HEX, SHA256_HEX = hashlib.sha1(DER).hexdigest(), hashlib.sha256(DER).hexdigest()


def verify(token: str) -> None:
    """Verify a token over its first two parts as they were sent."""
    signed, _, signature = token.rpartition(".")
    LEAF.public_key().verify(part(signature), signed.encode(), padding.PKCS1v15(), SHA256())  # type: ignore[union-attr,call-arg,arg-type]


@pytest.mark.parametrize("algorithm", [None, "SHA256withRSA", "SHA256WITHRSA", "RS256", "bogus"])
def test_s19_rs256_signs_whatever_is_asked_for(tmp_path: Path, algorithm: str | None) -> None:
    named = {} if algorithm is None else {"SignatureAlgorithm": algorithm}
    made = Simulated(tmp_path, xml(**named), **PEM)
    token = made.token(USER_TOKEN)
    assert header(token)["alg"] == "RS256"
    verify(token)
    warned = [note.sentence for note in made.notes if "is not an algorithm" in note.sentence]
    assert len(warned) == (algorithm == "bogus")


def test_s19_an_algorithm_nobody_knows_is_told_when_serving(served: Served) -> None:
    gateway = served(xml(SignatureAlgorithm="bogus"))
    verify_with_published(gateway.proxy, gateway.token(USER_TOKEN))
    assert any("bogus is not an algorithm that is known here" in said for said in gateway.said())


def verify_with_published(proxy: str, token: str) -> dict[str, Any]:
    """The key of the set a token was signed with."""
    (published,) = curl(f"{proxy}/jwks").value["keys"]
    signed, _, signature = token.rpartition(".")
    key = jwt.PyJWK(published).key
    key.verify(part(signature), signed.encode(), padding.PKCS1v15(), SHA256())
    found: dict[str, Any] = published
    return found


def test_s20_x5t_is_the_hexadecimal_text_of_the_thumbprint(tmp_path: Path) -> None:
    text = header(Simulated(tmp_path, xml(), **PEM).token(USER_TOKEN))["x5t"]
    assert part(text).decode() == SHA1_HEX
    assert "=" not in text


@pytest.mark.parametrize(
    "configuration", [xml(x5t_format="rfc7515"), xml(jwt_profile="v1"), toml('x5t_format = "rfc7515"')]
)
def test_s20_or_the_thumbprint_itself(tmp_path: Path, configuration: str) -> None:
    text = header(Simulated(tmp_path, configuration, **PEM).token(USER_TOKEN))["x5t"]
    assert part(text) == hashlib.sha1(DER).digest()
    assert "=" not in text


@pytest.mark.parametrize(("lines", "padding"), [((), "=="), (("encode_x5t_without_padding = true",), "")])
def test_s20_later_generations_pad_it(tmp_path: Path, lines: tuple[str, ...], padding: str) -> None:
    expected = base64.urlsafe_b64encode(SHA1_HEX.encode()).decode().rstrip("=") + padding
    for profile in ("v3", "v4"):
        made = Simulated(tmp_path, toml(f'jwt_profile = "{profile}"', *lines), **PEM)
        assert header(made.token(USER_TOKEN))["x5t"] == expected


@pytest.mark.parametrize(("enabled", "shown"), [("true", True), ("false", False), (None, False)])
def test_s21_the_certificate_stands_in_the_header_where_that_is_asked_for(
    tmp_path: Path, enabled: str | None, shown: bool
) -> None:
    named = {} if enabled is None else {"EnableX5C": enabled}
    found = header(Simulated(tmp_path, xml(**named), **PEM).token(USER_TOKEN))
    assert ("x5c" in found) is shown
    assert "x5t" in found
    if shown:
        assert [base64.b64decode(each) for each in found["x5c"]] == [DER]


def test_s21_and_those_that_signed_it(tmp_path: Path) -> None:
    chain = {**TENANT, "certificate": CERTIFICATE + OTHER_TENANT["certificate"]}
    found = header(Simulated(tmp_path, xml(EnableX5C="true"), tenants=[chain]).token(USER_TOKEN))
    assert len(found["x5c"]) == 2


def test_s22_the_key_is_named_as_it_is_published(served: Served) -> None:
    gateway = served(toml(), **PEM)
    token = gateway.token(USER_TOKEN)
    published = verify_with_published(gateway.proxy, token)
    assert header(token)["kid"] == published["kid"]
    assert part(published["kid"]).decode() == f"CN=gate, OU=API, O=ACME, L=Berlin, ST=BE, C=DE#{LEAF.serial_number}"
    assert published.keys() == {"kty", "e", "use", "kid", "alg", "n"}
    assert (published["kty"], published["use"], published["alg"]) == ("RSA", "sig", "RS256")
    assert curl(f"{gateway.proxy}/t/carbon.super/jwks").value == curl(f"{gateway.proxy}/jwks").value


def test_s22_the_key_may_go_unnamed_and_the_thumbprint_may_be_a_longer_one(tmp_path: Path) -> None:
    assert "kid" not in header(Simulated(tmp_path, toml("use_kid_property = false"), **PEM).token(USER_TOKEN))
    found = header(Simulated(tmp_path, toml("use_sha256_hash = true"), **PEM).token(USER_TOKEN))
    assert part(found["x5t#S256"]).decode() == SHA256_HEX
    assert found["x5t#S256"].endswith("==")
    assert "x5t" not in found


def test_keys_are_not_published_where_that_is_switched_off(served: Served) -> None:
    gateway = served(toml("enable_jwks_api = false"), **PEM)
    assert curl(f"{gateway.proxy}/jwks").status == 404
    assert curl(f"{gateway.proxy}/t/carbon.super/jwks").status == 404


def test_a_tenant_signs_for_its_own_users_where_that_is_asked_for(served: Served, backend: Backend) -> None:
    theirs = {"name": "app3", "owner": "bob@t1.com", "consumer_key": "ck3"}
    known = records(backend.url)
    gateway = served(
        toml("enable_tenant_based_signing = true"),
        tenants=[TENANT, OTHER_TENANT],
        applications=[*known["applications"], theirs],
        subscriptions=[*known["subscriptions"], {"application": "app3", "api": "PlaceFinder"}],
        tokens=[*known["tokens"], {"token": "of-bob", "consumer_key": "ck3", "user": "bob"}],
    )
    (other,) = curl(f"{gateway.proxy}/t/t1.com/jwks").value["keys"]
    (ours,) = curl(f"{gateway.proxy}/jwks").value["keys"]
    assert other["kid"] != ours["kid"]
    assert of_dialect(gateway.token("of-bob"))["enduser"] == "bob@t1.com"
    assert header(gateway.token("of-bob"))["kid"] == other["kid"]
    assert header(gateway.token(USER_TOKEN))["kid"] == ours["kid"]


@pytest.mark.parametrize(
    "configuration",
    [
        xml(JWTGeneratorImpl="org.wso2.carbon.apimgt.keymgt.token.URLSafeJWTGenerator"),
        xml(TokenGeneratorImpl="org.wso2.carbon.apimgt.keymgt.token.URLSafeJWTGenerator"),
        xml(JWTGeneratorImpl="org.wso2.carbon.apimgt.impl.token.URLSafeJWTGenerator"),
        toml('encoding = "base64url"'),
        toml(
            "[apim.jwt.gateway_generator]",
            'impl = "org.wso2.carbon.apimgt.common.gateway.jwtgenerator.APIMgtGatewayUrlSafeJWTGeneratorImpl"',
        ),
    ],
)
def test_s26_any_library_reads_base64url(tmp_path: Path, configuration: str) -> None:
    token = Simulated(tmp_path, configuration, **PEM).token(USER_TOKEN)
    assert set(token).isdisjoint("+/=")
    key = RSAKey.import_key(SIGNING_KEY)
    assert joserfc_jwt.decode(token, key, algorithms=["RS256"]).claims == claims(token)


def test_s26_the_usual_alphabet_is_the_standard_one(tmp_path: Path) -> None:
    plain = Simulated(tmp_path, xml(), **PEM).token(USER_TOKEN)
    url_safe = Simulated(tmp_path, xml(encoding="base64url"), **PEM).token(USER_TOKEN)
    assert [part(each) for each in plain.split(".")[:2]] == [part(each) for each in url_safe.split(".")[:2]]
    assert all(len(each) % 4 == 0 for each in plain.split("."))
    verify(plain)


@pytest.mark.parametrize(
    ("lines", "padded"), [((), False), (("enable_base64_padding = true",), True), (('jwt_profile = "v3"',), True)]
)
def test_s26_later_generations_pad_or_do_not(tmp_path: Path, lines: tuple[str, ...], padded: bool) -> None:
    token = Simulated(tmp_path, toml(*lines), **PEM).token(USER_TOKEN)
    assert all(len(each) % 4 == 0 for each in token.split(".")) is padded
    assert token.endswith("==") is padded  # 256 bytes
    verify(token)


@pytest.mark.parametrize(
    ("configuration", "text"),
    [
        (xml(JWTHeader="X-JWT-Assertion"), "PDw/Pz8+Pg=="),
        (toml(), "PDw/Pz8+Pg"),
        (toml('encoding = "base64url"'), "PDw_Pz8-Pg"),
    ],
)
def test_s27_what_an_encoding_makes_of_these_bytes(tmp_path: Path, configuration: str, text: str) -> None:
    # A claim whose value begins where three bytes of the token do.
    made = Simulated(tmp_path, configuration, **PEM)
    (issue,) = made.plan.routes[0].issue
    assert made.encoded(issue, b"<<???>>") == text


def test_slashes_may_be_escaped(tmp_path: Path) -> None:
    token = Simulated(tmp_path, xml(escape_slashes="true"), **PEM).token(USER_TOKEN)
    assert rb"http:\/\/wso2.org\/claims\/subscriber" in part(token.split(".")[1])
    assert claims(token)["iss"] == "wso2.org/products/am"
    verify(token)
