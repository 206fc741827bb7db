"""The sample token of the product's documentation, and the general form of a token."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.dialects.wso2.conftest import Served
from tests.dialects.wso2.neighbours import Backend
from tests.dialects.wso2.reading import D, claims, header
from tests.dialects.wso2.records import USER_TOKEN, records, xml
from tests.dialects.wso2.simulated import Simulated
from tests.dialects.wso2.wso2_process import Wso2Process

NOW_MS = 1345182592181
EIGHT = "iss exp subscriber applicationname apicontext version tier enduser"
SAMPLE = (
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJOT05FIn0=."
    "eyJpc3MiOiJ3c28yLm9yZy9wcm9kdWN0cy9hbSIsImV4cCI6MTM0NTE4MzQ5MjE4MSwiaHR0cDovL3dzbzIub3JnL2NsYWltcy9zdWJzY3JpYmVy"
    "IjoiYWRtaW4iLCJodHRwOi8vd3NvMi5vcmcvY2xhaW1zL2FwcGxpY2F0aW9ubmFtZSI6ImFwcDIiLCJodHRwOi8vd3NvMi5vcmcvY2xhaW1zL2Fw"
    "aWNvbnRleHQiOiIvcGxhY2VGaW5kZXIiLCJodHRwOi8vd3NvMi5vcmcvY2xhaW1zL3ZlcnNpb24iOiIxLjAuMCIsImh0dHA6Ly93c28yLm9yZy9j"
    "bGFpbXMvdGllciI6IlNpbHZlciIsImh0dHA6Ly93c28yLm9yZy9jbGFpbXMvZW5kdXNlciI6InN1bWVkaGEifQ==."
)
UNSIGNED = {
    "jwt_profile": "v1",
    "SignatureAlgorithm": "NONE",
    "UnsignedTokensTrustedByLegacyBackend": "true",
    "StandardClaims": EIGHT,
}


def test_s1_the_sample_of_the_documentation_byte_for_byte(tmp_path: Path) -> None:
    made = Simulated(tmp_path, xml(**UNSIGNED, NoneAlgLabel="NONE"))
    token = made.token(USER_TOKEN, NOW_MS / 1000)
    assert token == SAMPLE
    assert header(token) == {"typ": "JWT", "alg": "NONE"}
    assert claims(token) == {
        "iss": "wso2.org/products/am",
        "exp": 1345183492181,
        f"{D}subscriber": "admin",
        f"{D}applicationname": "app2",
        f"{D}apicontext": "/placeFinder",
        f"{D}version": "1.0.0",
        f"{D}tier": "Silver",
        f"{D}enduser": "sumedha",
    }


def test_s1_the_sample_reaches_the_backend(served: Served) -> None:
    gateway = served(xml(**UNSIGNED, NoneAlgLabel="NONE"))
    token = gateway.token(USER_TOKEN)
    assert token.endswith(".")
    assert {**claims(token), "exp": 0} == {**claims(SAMPLE), "exp": 0}
    assert claims(token)["exp"] > 1000 * 1_700_000_000
    cautions = " ".join(event["sentence"] for event in gateway.events("caution"))
    assert "whoever reaches the upstream can make the tokens it trusts" in cautions


def test_s2_the_label_is_small_unless_it_is_asked_for(tmp_path: Path) -> None:
    token = Simulated(tmp_path, xml(**UNSIGNED)).token(USER_TOKEN, NOW_MS / 1000)
    assert header(token) == {"typ": "JWT", "alg": "none"}
    assert token.split(".")[1:] == SAMPLE.split(".")[1:]


def test_s2_sec_38_unsigned_tokens_are_refused_unless_the_document_says_so_twice(
    tmp_path: Path, backend: Backend
) -> None:
    gateway = Wso2Process(tmp_path / "gateway", xml(SignatureAlgorithm="NONE"), records(backend.url))
    with pytest.raises(AssertionError, match="Unsigned tokens can be made by whoever reaches the backend"), gateway:
        pass


@pytest.mark.parametrize(
    ("algorithm", "filled"), [("SHA256withRSA", [True, True, True]), ("NONE", [True, True, False])]
)
def test_s3_a_token_has_three_parts_the_last_empty_where_nothing_signs(
    tmp_path: Path, algorithm: str, filled: list[bool]
) -> None:
    made = Simulated(tmp_path, xml(SignatureAlgorithm=algorithm, UnsignedTokensTrustedByLegacyBackend="true"))
    assert [bool(part) for part in made.token(USER_TOKEN).split(".")] == filled
