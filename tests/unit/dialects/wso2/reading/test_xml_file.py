from __future__ import annotations

from typing import Any

import pytest

from jwtgate.dialects.wso2.reading.said import Said
from jwtgate.dialects.wso2.reading.xml_file import MOST_BYTES, MOST_DEPTH, MOST_ELEMENTS, read_xml
from jwtgate.errors import ConfigError

WHOLE = """<?xml version="1.0"?>
<APIManager xmlns="http://wso2.org/carbon/apimanager.xml">
  <DataSourceName>jdbc/x</DataSourceName>
  <JWTConfiguration>
    <EnableJWTGeneration> True </EnableJWTGeneration>
    <!-- <JWTHeader>X-Commented</JWTHeader> -->
    <JWTHeader>${header.name}</JWTHeader>
    <GatewayJWTGeneration>
      <ImplClass>a.B</ImplClass>
      <Configuration><ExcludedClaims><Claim>x</Claim><Claim>y</Claim></ExcludedClaims></Configuration>
    </GatewayJWTGeneration>
    <NoneAlgLabel>NONE</NoneAlgLabel>
    <Strange/>
  </JWTConfiguration>
  <APIKeyValidator><JWTExpiryTime>300</JWTExpiryTime><Other>${not.there}</Other></APIKeyValidator>
  <CacheConfigurations><TokenCacheExpiry>600</TokenCacheExpiry></CacheConfigurations>
</APIManager>
"""


def read(text: str, **environ: str) -> Said:
    return read_xml(text.encode(), "a.xml", environ)


def problems(text: str | bytes, **environ: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        read_xml(text if isinstance(text, bytes) else text.encode(), "a.xml", environ)
    return caught.value.problems


def test_what_is_said_of_tokens_is_read_and_all_else_ignored() -> None:
    said = read(WHOLE, **{"header.name": "X-User"})
    assert said.values == {
        "enable": True,
        "header": "X-User",
        "gateway_impl": "a.B",
        "excluded_claims": ["x", "y"],
        "none_alg_label": "NONE",
        "jwt_expiry_time": 300,
        "token_cache_expiry": 600,
    }
    assert said.places["enable"] == "a.xml:5"
    assert said.notes == [("a.xml:13", "Strange is not known, and without effect.")]


def test_a_variable_that_is_not_there_is_a_mistake_where_it_is_read() -> None:
    assert problems(WHOLE) == ("a.xml:7: the environment has no header.name",)


def test_one_flag_of_two_is_enough() -> None:
    flags = (
        "<APIManager><JWTConfiguration><EnableJWTGeneration>false</EnableJWTGeneration></JWTConfiguration>"
        "<APIConsumerAuthentication><EnableTokenGeneration>{}</EnableTokenGeneration></APIConsumerAuthentication>"
        "</APIManager>"
    )
    assert read(flags.format("true")).values["enable"] is True
    assert read(flags.format("no")).values["enable"] is False


@pytest.mark.parametrize(
    "prologue",
    [
        "<!DOCTYPE APIManager>",
        '<!DOCTYPE APIManager SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE APIManager [<!ENTITY a "b">]>',
        '<!DOCTYPE APIManager [<!ENTITY % a SYSTEM "http://127.0.0.1:1/a"> %a;]>',
    ],
)
def test_sec_161_a_document_type_is_not_read(prologue: str) -> None:
    (problem,) = problems(f"{prologue}<APIManager>&a;</APIManager>")
    assert problem == "a.xml:1: a document type or an entity of its own is not read"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("<APIManager>", "is not XML"),
        ("", "is not XML"),
        ("<APIManager>&nothing;</APIManager>", "is not XML"),
        ("<APIManager>" + "<a/>" * MOST_ELEMENTS, f"there are more than {MOST_ELEMENTS} elements"),
        ('<?xml version="1.0" encoding="gb2312"?><APIManager/>', "a.xml:1: its encoding is not known"),
        ('<?xml version="1.0" encoding="nobodys"?><APIManager/>', "a.xml:1: its encoding is not known"),
        (
            "<APIManager><JWTConfiguration><StripClientAssertion>no</StripClientAssertion></JWTConfiguration></APIManager>",
            "a.xml:1: strip_client_assertion must be true or false",
        ),
        ("<Other/>", "the root element is Other, not APIManager"),
        ("<a>" * (MOST_DEPTH + 2), "elements lie more than 64 deep"),
        (b"<a>" + b" " * MOST_BYTES, "is larger than 4 MiB"),
        (
            "<APIManager><CacheConfigurations><TokenCacheExpiry>soon</TokenCacheExpiry></CacheConfigurations></APIManager>",
            "a.xml:1: token_cache_expiry must be a whole number of seconds",
        ),
        (
            "<APIManager><JWTConfiguration><exp_unit>h</exp_unit></JWTConfiguration></APIManager>",
            "a.xml:1: exp_unit must be one of s, ms",
        ),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(text: Any, sentence: str) -> None:
    (problem,) = problems(text)
    assert sentence in problem


def test_sec_161_a_text_in_many_pieces_is_put_together_once() -> None:
    pieces = "&lt;" * 500_000
    assert read(f"<APIManager><JWTConfiguration>{pieces}</JWTConfiguration></APIManager>").values == {}


@pytest.mark.parametrize(
    ("element", "option", "value"),
    [
        ("<EnableTokenGeneration>TRUE</EnableTokenGeneration>", "enable", True),
        ("<EnableTokenGeneration>on</EnableTokenGeneration>", "enable", False),
        ("<SecurityContextHeader>X-A</SecurityContextHeader>", "header", "X-A"),
        ("<SignatureAlgorithm>SHA256WITHRSA</SignatureAlgorithm>", "signing_algorithm", "SHA256WITHRSA"),
        ("<ConsumerDialectURI>/</ConsumerDialectURI>", "claim_dialect", "/"),
        ("<ConsumerDialectURI/>", "claim_dialect", ""),
        ("<ClaimsRetrieverImplClass>a.B</ClaimsRetrieverImplClass>", "claims_extractor_impl", "a.B"),
    ],
)
def test_the_names_of_the_first_generation_mean_the_same(element: str, option: str, value: object) -> None:
    text = f"<APIManager><APIConsumerAuthentication>{element}</APIConsumerAuthentication></APIManager>"
    assert read(text).values == {option: value}


@pytest.mark.parametrize("name", ["JWTGeneratorImpl", "TokenGeneratorImpl"])
def test_the_generator_has_two_names(name: str) -> None:
    text = f"<APIManager><JWTConfiguration><{name}>a.B</{name}></JWTConfiguration></APIManager>"
    assert read(text).values == {"generator_impl": "a.B"}


def test_what_the_environment_holds_is_not_looked_into() -> None:
    text = "<APIManager><JWTConfiguration><JWTHeader>${a}-${b}</JWTHeader></JWTConfiguration></APIManager>"
    assert read(text, a="X", b="Y").values == {"header": "X-Y"}
    assert read(text, a="${b}", b="Y").values == {"header": "${b}-Y"}
    assert problems(text, a="X") == ("a.xml:1: the environment has no b",)
