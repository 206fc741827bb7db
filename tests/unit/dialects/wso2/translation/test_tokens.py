from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.unit.dialects.wso2.objects import draft
from tests.unit.dialects.wso2.translation.test_keys import tenant

from jwtgate.dialects.wso2.translation.keys import TenantKeys
from jwtgate.dialects.wso2.translation.tokens import issues, signing


def issued(folder: Path, **options: Any) -> dict[str, Any]:
    made = draft(folder, options=options, tenants=[tenant()])
    (issue,) = issues(made, TenantKeys(made), "/p/1")
    return issue


def test_a_token_of_the_second_generation(tmp_path: Path) -> None:
    assert issued(tmp_path) == {
        "slot": "wso2",
        "key": "default",
        "header": "X-JWT-Assertion",
        "audience": "backend",
        "ttl_seconds": 900,
        "may_outlive_incoming_token": True,
        "omit_for_legacy_upstream": ["aud", "iat", "jti"],
        "first_members_for_legacy_reader": ["typ", "alg", "iss", "exp"],
        "generator": "wso2",
        "kid": False,
        "reuse_margin_seconds": 5,
        "encoding_unlike_rfc7515": "base64",
        "x5t": True,
        "x5t_of_hex_text_for_legacy_upstream": True,
    }


def test_the_others_differ_in_how_they_are_written(tmp_path: Path) -> None:
    first = issued(tmp_path, jwt_profile="v1")
    assert first["exp_in_milliseconds_for_legacy_upstream"]
    assert "x5t_of_hex_text_for_legacy_upstream" not in first
    last = issued(tmp_path, jwt_profile="v4", encoding="base64url", enable_x5c=True, use_sha256_hash=True)
    assert last["omit_for_legacy_upstream"] == ["aud"]
    assert (last["kid"], last["jti_is_uuid"], last["x5c"], last["x5t_s256"]) == (True, True, True, True)
    assert last["x5t_padded_for_legacy_upstream"]
    assert "x5t" not in last
    assert "encoding_unlike_rfc7515" not in last


def test_unsigned_tokens_name_no_certificate(tmp_path: Path) -> None:
    found = issued(tmp_path, signing_algorithm="NONE", none_alg_label="NONE", escape_slashes=True)
    assert found["unsigned_with_alg_for_legacy_upstream"] == "NONE"
    assert found["slashes_escaped_for_legacy_reader"]
    assert "x5t" not in found


def test_tokens_are_not_kept_where_the_caches_are_off(tmp_path: Path) -> None:
    found = issued(tmp_path, gateway_token_cache=False)
    assert found["reuse"] is False
    assert "reuse_margin_seconds" not in found


def test_the_plug_in_is_told_of_users_where_they_are_looked_into(tmp_path: Path) -> None:
    assert "generator_told" not in issued(tmp_path)
    store = "org.wso2.carbon.apimgt.impl.token.DefaultClaimsRetriever"
    consumers = issued(tmp_path, claims_extractor_impl=store)["generator_told"]["consumers"]
    found_by = {"by": ["name", "id"], "prefix": "user:"}
    assert consumers["user"] == {"value": {"cel": consumers["user"]["value"]["cel"]}, **found_by}
    assert consumers["owner"] == {
        "value": {"cel": "has(consumer.attributes) ? consumer.attributes.developer.name : null"},
        **found_by,
    }
    assert issued(tmp_path, generator_impl="a:B")["generator_told"] == {"request": True}


def test_each_tenant_with_a_key_signs_for_its_users(tmp_path: Path) -> None:
    made = draft(tmp_path, options={"enable_tenant_based_signing": True}, tenants=[tenant(), tenant("t'1.com")])
    other, ours = issues(made, TenantKeys(made), "/p/1")
    assert (other["key"], ours["key"]) == ("t'1.com", "default")
    assert r"endsWith('@t\'1.com')" in other["when"]
    assert "when" not in ours


def test_the_plug_in_is_given_everything_but_who_calls(tmp_path: Path) -> None:
    mapping = [{"remote_claim": "a", "local_claim": "b"}]
    issuers = [
        {"name": "i", "jwks": "https://x", "claim_mapping": mapping},
        {"name": "j", "jwks": "https://y", "claim_mapping": {"c": "d"}},
        {"name": "k", "jwks": "https://z"},
    ]
    made = draft(
        tmp_path, options={"standard_claims": ["exp", "tier"]}, tenants=[{"domain": "t", "id": 7}], issuers=issuers
    )
    section = signing(made, TenantKeys(made), {"r": {"name": "A"}})
    assert section["issuer"] == "wso2.org/products/am"
    given = section["generators"]["wso2"]["given"]
    assert given["claims"] == ["tier"]
    assert given["tenants"] == {"carbon.super": -1234, "t": 7}
    assert given["mappings"] == {"i": {"a": "b"}, "j": {"c": "d"}}
    assert given["apis"] == {"r": {"name": "A"}}
    off = draft(tmp_path, options={"enable": False})
    assert "generators" not in signing(off, TenantKeys(off), {})


def test_every_token_ends(tmp_path: Path) -> None:
    made = draft(tmp_path, options={"standard_claims": ["tier"]}, tenants=[tenant()])
    (issue,) = issues(made, TenantKeys(made), "/p/1")
    assert issue["omit_for_legacy_upstream"] == ["aud", "iss", "iat", "jti"]
    assert any(note.sentence == "Every token says when it ends." for note in made.notes())
