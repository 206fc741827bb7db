from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwtgate.oauth.metadata import Metadata, discovery_urls, gateway_metadata, parse_metadata

ISSUER = "https://idp.example/realm"


def document(**members: object) -> bytes:
    return json.dumps({"issuer": ISSUER, **members}).encode()


def test_what_we_use_is_read() -> None:
    data = document(
        jwks_uri="https://idp.example/keys",
        introspection_endpoint="https://idp.example:8443/introspect?x=1",
        token_endpoint="http://127.0.0.1:9000/token",
        id_token_signing_alg_values_supported=["RS256", "ES256"],
        other={"a": 1},
    )
    assert parse_metadata(data, ISSUER) == Metadata(
        ISSUER,
        "https://idp.example/keys",
        "https://idp.example:8443/introspect?x=1",
        "http://127.0.0.1:9000/token",
        ("RS256", "ES256"),
    )


def test_what_is_absent_is_none() -> None:
    assert parse_metadata(document(), ISSUER) == Metadata(ISSUER, None, None, None, ())


@pytest.mark.parametrize(
    "issuer", [ISSUER + "/", ISSUER.upper(), "https://idp.example", "", None, [ISSUER], ISSUER + " ", ISSUER + "#"]
)
def test_sec_62_the_issuer_is_the_configured_one_exactly(issuer: object) -> None:
    with pytest.raises(ValueError, match="another issuer"):
        parse_metadata(document(issuer=issuer), ISSUER)


def test_sec_62_a_document_without_issuer_is_refused() -> None:
    with pytest.raises(ValueError, match="another issuer"):
        parse_metadata(b"{}", ISSUER)


@pytest.mark.parametrize(
    "address",
    [
        None,
        1,
        [],
        "",
        "/keys",
        "keys",
        "file:///etc/passwd",
        "ftp://a/b",
        "https://",
        "https://a@b/",
        "https://u:p@b/",
        "https://a/#f",
        "https://a b/",
        "https://a\n/",
        "https://a:x/",
        "https://a:0/",
        "https://[::1/",
        "https://é/",
        "https:\\\\a",
    ],
)
@pytest.mark.parametrize("name", ["jwks_uri", "introspection_endpoint", "token_endpoint"])
def test_sec_62_addresses_are_absolute_and_plain(name: str, address: object) -> None:
    with pytest.raises(ValueError, match=f"{name} is not an address"):
        parse_metadata(document(**{name: address}), ISSUER)


@pytest.mark.parametrize("value", [None, "RS256", ["RS256", 1], {}])
def test_algorithms_are_a_list_of_strings(value: object) -> None:
    with pytest.raises(ValueError, match="not a list of strings"):
        parse_metadata(document(id_token_signing_alg_values_supported=value), ISSUER)


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff", b'{"issuer":"a","issuer":"a"}', b" " * 1_048_577])
def test_sec_7_a_document_is_strict_json(data: bytes) -> None:
    with pytest.raises(ValueError):
        parse_metadata(data, ISSUER)


@given(st.dictionaries(st.sampled_from(["jwks_uri", "token_endpoint"]), st.none() | st.text() | st.lists(st.text())))
def test_no_document_raises_anything_but_a_value_error(members: dict[str, object]) -> None:
    try:
        metadata = parse_metadata(json.dumps({"issuer": ISSUER, **members}).encode(), ISSUER)
    except ValueError:
        return
    assert (metadata.jwks_uri, metadata.token_endpoint) == (members.get("jwks_uri"), members.get("token_endpoint"))


@pytest.mark.parametrize("issuer", ["https://idp.example", "https://idp.example/"])
def test_metadata_of_an_issuer_without_path_is_at_the_two_known_places(issuer: str) -> None:
    assert discovery_urls(issuer) == (
        "https://idp.example/.well-known/openid-configuration",
        "https://idp.example/.well-known/oauth-authorization-server",
    )


def test_openid_connect_appends_to_a_path_and_rfc_8414_inserts_before_it() -> None:
    assert discovery_urls(ISSUER) == (
        "https://idp.example/realm/.well-known/openid-configuration",
        "https://idp.example/.well-known/oauth-authorization-server/realm",
    )


@pytest.mark.parametrize("issuer", ["", "idp", "urn:idp", "https://a/?q", "https://a?", "https://a/#f", "https://u@a"])
def test_an_issuer_that_is_no_plain_address_has_no_metadata(issuer: str) -> None:
    with pytest.raises(ValueError, match="the issuer is not"):
        discovery_urls(issuer)


def test_our_own_document_can_be_read_by_ourselves() -> None:
    published = gateway_metadata(ISSUER, f"{ISSUER}/keys", {"RS256", "ES256"})
    read = parse_metadata(json.dumps(published).encode(), ISSUER)
    assert (read.jwks_uri, read.signing_algorithms) == (f"{ISSUER}/keys", ("ES256", "RS256"))
    assert published["response_types_supported"] == []
    assert published["subject_types_supported"] == ["public"]
