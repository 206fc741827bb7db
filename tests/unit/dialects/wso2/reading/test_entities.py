from __future__ import annotations

from typing import Any

import pytest

from jwtgate.dialects.wso2.reading.entities import ENTITIES, entity

API = {"name": "a", "version": 1.0, "context": "/a", "endpoint": "http://x"}


def test_values_are_taken_as_files_of_data_write_them() -> None:
    assert entity("apis", API) == ({**API, "version": "1.0"}, [])
    assert entity("apis", {**API, "default_version": "true"})[0]["default_version"] is True
    assert entity("tokens", {"access_token": "t", "consumer_key": "k", "exp": "12", "scopes": "a b"})[0] == {
        "token": "t",
        "consumer_key": "k",
        "exp": 12,
        "scopes": ["a", "b"],
    }
    assert entity("users", {"username": "a", "tenant": None}) == ({"name": "a"}, [])


@pytest.mark.parametrize(
    ("kind", "given", "wrong"),
    [
        ("users", {}, "lacks name"),
        ("users", {"name": "a", "claim": {}}, "claim is not known; did you mean claims?"),
        ("users", {"name": "a", "tenant": ["b"]}, "tenant must be text"),
        ("users", {"name": "a", "claims": ["x"]}, "claims must be a mapping"),
        ("users", {"name": "a", "claims": {"x": ["y"]}}, "claims: x must be text"),
        ("users", {"name": "a", "federated": "perhaps"}, "federated must be true or false"),
        ("tenants", {"domain": "a", "id": "one"}, "id must be a whole number"),
        ("apis", {**API, "context": "a"}, "context must begin with a slash"),
        ("apis", {**API, "resources": ["/x"]}, "resources must be a list of mappings with path"),
        ("apis", {**API, "resources": [{"url": "/x"}]}, "resources: url is not known"),
        ("applications", {"name": "a", "keys": [{}]}, "keys must be a list of mappings with consumer_key"),
        ("applications", {"name": "a", "keys": [{"consumer_key": "k", "x": 1}]}, "keys: x is not known"),
        (
            "applications",
            {"name": "a", "keys": [{"consumer_key": "k", "type": "TEST"}]},
            "the type of a key is PRODUCTION or SANDBOX",
        ),
        ("applications", {"name": "a", "key_type": "TEST"}, "key_type is PRODUCTION or SANDBOX"),
        (
            "subscriptions",
            {"application": "a", "api": "b", "status": "BLOKCED"},
            "status is one of UNBLOCKED, ACTIVE, TIER_UPDATE_PENDING, BLOCKED, PROD_ONLY_BLOCKED, ON_HOLD, REJECTED, "
            "DELETE_PENDING, INACTIVE",
        ),
        ("tokens", {"consumer_key": "k"}, "needs token, the text that is presented"),
        ("tokens", {"consumer_key": "k", "token": "t", "kind": "x"}, "kind is jwt, opaque, api_key or basic"),
        ("tokens", {"consumer_key": "k", "kind": "basic", "user": "u"}, "needs user and password"),
        (
            "tokens",
            {"consumer_key": "k", "token": "t", "user_type": "APPLICATION_USER"},
            "needs user, whose token it is",
        ),
        (
            "tokens",
            {"consumer_key": "k", "token": "t", "user_type": "X"},
            "user_type is APPLICATION or APPLICATION_USER",
        ),
        ("issuers", {"name": "i"}, "needs jwks.url or certificate"),
        ("issuers", {"name": "i", "jwks": {}}, "jwks needs url"),
        ("issuers", {"name": "i", "jwks": {"url": 5}}, "jwks needs url"),
        ("issuers", {"name": "i", "jwks": 5}, "jwks must be an address, or a mapping with url"),
        (
            "issuers",
            {"name": "i", "jwks": "https://x", "claim_mapping": {"a": 5}},
            "claim_mapping must hold remote_claim and local_claim",
        ),
        (
            "issuers",
            {"name": "i", "jwks": "https://x", "claim_mapping": 5},
            "claim_mapping must hold remote_claim and local_claim",
        ),
        (
            "issuers",
            {"name": "i", "jwks": "https://x", "claim_mapping": [{"remote_claim": "a", "local_claim": ["b"]}]},
            "claim_mapping must hold remote_claim and local_claim",
        ),
        (
            "issuers",
            {"name": "i", "jwks": "https://x", "claim_mapping": [{"a": "b"}]},
            "claim_mapping must hold remote_claim and local_claim",
        ),
    ],
)
def test_what_cannot_be_meant_is_told(kind: str, given: dict[str, Any], wrong: str) -> None:
    assert entity(kind, given)[1] == [wrong]


def test_every_kind_needs_something() -> None:
    assert all(entity(kind, {})[1] for kind in ENTITIES)


@pytest.mark.parametrize("mapping", [[{"remote_claim": "a", "local_claim": "b"}], {"a": "b"}, []])
def test_the_claims_of_an_issuer_are_mapped_in_either_way(mapping: object) -> None:
    assert entity("issuers", {"name": "i", "jwks": "https://x", "claim_mapping": mapping})[1] == []


def test_what_is_wrong_never_tells_a_secret() -> None:
    token = {"token": "t0k3n", "password": "p4ssw0rd", "kind": "basic", "consumer_key": ["s3cr3t"], "exp": "s3cr3t"}
    told = " ".join(entity("tokens", token)[1])
    assert "must be" in told
    assert all(secret not in told for secret in ("t0k3n", "p4ssw0rd", "s3cr3t"))
