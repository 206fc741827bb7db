from __future__ import annotations

from typing import Any

import pytest

from jwtgate.dialects.kong.entities import completed
from jwtgate.dialects.kong.fields import SchemaViolation
from jwtgate.dialects.kong.signer_fields import ALGORITHMS, COMMON, CONFIG, EXTRA, header_and_scheme, signs


def config(**given: Any) -> dict[str, Any]:
    made: dict[str, Any] = completed("plugins", {"name": "jwt-signer", "config": given})["config"]
    return made


def complaint(**given: Any) -> str:
    with pytest.raises(SchemaViolation) as caught:
        config(**given)
    return caught.value.message


def test_there_are_153_fields_5_of_both_tokens_and_74_of_each() -> None:
    access = {name for name in CONFIG if "access_token" in name}
    channel = {name for name in CONFIG if "channel_token" in name}
    assert (len(CONFIG), len(COMMON), len(access), len(channel)) == (153, 5, 74, 74)
    assert {name.replace("access", "channel") for name in access} == channel
    assert len(ALGORITHMS) == 13


def test_a_configuration_shows_all_of_kongs_fields_and_of_ours_those_that_were_given() -> None:
    assert config().keys() == CONFIG.keys()
    assert config(reason_header="X-Why").keys() - CONFIG.keys() == {"reason_header"}
    assert EXTRA.keys().isdisjoint(CONFIG)


def test_the_two_tokens_differ_in_where_they_stand_and_in_their_hint() -> None:
    made = config()
    differing = {
        name.removeprefix("access_token_"): (made[name], made[name.replace("access", "channel")])
        for name in made
        if made[name] != made[name.replace("access", "channel")]
    }
    assert differing == {
        "request_header": ("Authorization", None),
        "introspection_hint": ("access_token", None),
        "upstream_header": ("Authorization:Bearer", None),
    }


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("access_token_optional", False),
        ("verify_access_token_signature", True),
        ("verify_access_token_notbefore", False),
        ("verify_access_token_introspection_notbefore", False),
        ("access_token_expiry_claim", ["exp"]),
        ("access_token_introspection_scopes_claim", ["scope"]),
        ("access_token_scopes_required", None),
        ("access_token_consumer_by", ["custom_id", "username"]),
        ("access_token_issuer", "kong"),
        ("access_token_keyset", "kong"),
        ("access_token_signing_algorithm", "RS256"),
        ("access_token_jwks_uri_rotate_period", 0),
        ("access_token_endpoints_ssl_verify", True),
        ("original_access_token_upstream_header", None),
        ("remove_access_token_claims", []),
        ("add_claims", {}),
        ("realm", None),
    ],
)
def test_the_defaults_are_kongs(name: str, default: object) -> None:
    assert config()[name] == default


def test_what_kong_does_not_take_is_told() -> None:
    assert "config.access_token_signing_algorithm: expected one of: HS256," in complaint(
        access_token_signing_algorithm="RS1"
    )
    assert "config.access_token_jwks_uri: missing host in url" in complaint(access_token_jwks_uri="certs")
    assert "config.access_token_jwks_uri: invalid url" in complaint(access_token_jwks_uri="http://[x")
    assert "scheme must be http or https" in complaint(access_token_jwks_uri="ftp://x")
    assert "config.access_token_consumer_by.1: expected one of" in complaint(access_token_consumer_by=["name"])
    assert "issuer: required field missing" in complaint(access_token_issuers=[{"jwks_uri": "https://a"}])


def test_each_header_for_the_upstream_carries_one_token() -> None:
    said = complaint(channel_token_upstream_header="authorization:bearer")
    assert "'access_token_upstream_header' and 'channel_token_upstream_header' must be different headers" in said
    assert "must be different" in complaint(original_access_token_upstream_header="Authorization")
    config(channel_token_upstream_header="authorization", access_token_signing=False)
    config(channel_token_upstream_header="authorization", access_token_upstream_header=None)
    config(channel_token_upstream_header="authorization", access_token_upstream_header="")


def test_a_header_may_name_a_scheme() -> None:
    assert header_and_scheme("Authorization:Bearer") == ("Authorization", "Bearer")
    assert header_and_scheme("X-A") == ("X-A", None)
    assert header_and_scheme(None) == header_and_scheme("") == ("", None)


def test_a_token_is_signed_where_it_has_a_header() -> None:
    assert signs(config(), "access_token")
    assert not signs(config(), "channel_token")
    assert not signs(config(access_token_signing=False), "access_token")
