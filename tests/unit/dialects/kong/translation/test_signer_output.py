from __future__ import annotations

from typing import Any

from tests.unit.dialects.kong.kong_yml import SETTINGS, not_exact, note, objects, service, signer, translate

from jwtgate.dialects.kong.keysets import completed
from jwtgate.dialects.kong.translation.document import translated

HERE = "routes/r/plugins/jwt-signer/config/"
URI = {"access_token_jwks_uri": "https://a.b/certs"}


def issued(**config: Any) -> dict[str, Any]:
    (found,) = translate(service(signer(**{**URI, **config}))).document["routes"]["r"]["issue"]
    return dict(found)


def test_a_new_token_says_what_the_old_one_said_and_who_said_it() -> None:
    found = issued()
    assert (found["issuer"], found["copy"], found["also_copy"]) == ("kong", "all", {"iss": "original_iss"})
    assert (found["header"], found["scheme"], found["slot"]) == ("Authorization", "Bearer", "access")
    assert (found["lifetime"], "exp_shift_seconds" in found) == ("incoming", False)
    assert issued(access_token_issuer="us")["issuer"] == "us"


def test_a_token_without_a_header_is_not_made() -> None:
    for config in ({"access_token_signing": False}, {"access_token_upstream_header": ""}):
        document = translate(service(signer(**URI, **config))).document
        assert "issue" not in document["routes"]["r"]
        assert "signing" not in document


def test_the_header_may_have_a_scheme() -> None:
    found = issued(access_token_upstream_header="X-A")
    assert (found["header"], "scheme" in found) == ("X-A", False)
    assert issued(access_token_upstream_header="X-A:basic")["scheme"] == "Basic"
    assert issued(access_token_upstream_header="Authorization")["scheme"] == "Bearer"
    told = not_exact(translate(service(signer(**URI, access_token_upstream_header="Authorization"))))
    assert f"{HERE}access_token_upstream_header" in told


def test_it_outlives_the_old_one_where_it_has_to() -> None:
    assert "may_outlive_incoming_token" not in issued()
    assert "may_outlive_incoming_token" not in issued(access_token_upstream_leeway=-1)
    asked = {"access_token_introspection_endpoint": "https://a.b/i"}
    for config in ({"access_token_upstream_leeway": 1}, {"verify_access_token_expiry": False}, asked):
        assert issued(**config)["may_outlive_incoming_token"]


def test_its_end_may_be_shifted() -> None:
    assert issued(access_token_upstream_leeway=-60)["exp_shift_seconds"] == -60
    translation = translate(service(signer(**URI, access_token_upstream_leeway=60)))
    assert note(translation, f"{HERE}access_token_upstream_leeway").dangerous
    assert issued(access_token_upstream_leeway=90000)["exp_shift_seconds"] == 86400


def test_claims_are_removed_set_and_added_and_those_of_the_token_go_first() -> None:
    found = issued(
        add_claims={"a": "1", "b": "2"},
        add_access_token_claims={"b": "3", "gone": "5"},
        set_claims={"c": '["x"]', "d": "plain"},
        set_access_token_claims={"d": '{"e": "${x}"}'},
        remove_access_token_claims=["gone", "c", "other"],
    )
    assert found["add"] == {"a": {"constant": 1}, "b": {"constant": 3}}
    assert found["set"] == {"gone": {"constant": 5}, "c": {"constant": ["x"]}, "d": {"constant": {"e": "$${x}"}}}
    assert found["remove"] == ["other"]
    assert issued(set_claims={"a": "NaN"})["set"] == {"a": {"constant": "NaN"}}


def test_who_made_it_and_until_when_is_said_elsewhere() -> None:
    translation = translate(
        service(signer(**URI, set_access_token_claims={"iss": "x"}, remove_access_token_claims=["exp", "sub"]))
    )
    (found,) = translation.document["routes"]["r"]["issue"]
    assert (found["remove"], "set" in found) == (["sub"], False)
    told = {place.removeprefix(HERE) for place in not_exact(translation)}
    assert {"set_access_token_claims", "remove_access_token_claims"} <= told


def test_a_named_set_signs_with_the_key_of_the_algorithm() -> None:
    held = completed(objects(service(signer(**URI, access_token_keyset="a b", access_token_signing_algorithm="ES256"))))
    document = translated(held, SETTINGS).document
    (keyset,) = held["keysets"].values()
    ((name, section),) = document["signing"]["keys"].items()
    (key,) = (each for each in keyset["keys"] if each["alg"] == "ES256")
    assert section == {"alg": "ES256", "published": False, "jwks": {"keys": [key]}}
    assert (document["routes"]["r"]["issue"][0]["key"], " " in name) == (name, False)


def test_a_set_may_be_fetched() -> None:
    config = {
        "access_token_keyset": "https://a.b/private",
        "access_token_keyset_client_username": "u",
        "access_token_keyset_client_password": "p",
        "access_token_keyset_rotate_period": 30,
    }
    (section,) = translate(service(signer(**URI, **config))).document["signing"]["keys"].values()
    assert section == {
        "alg": "RS256", "url": "https://a.b/private", "published": False, "username": "u", "password": "p",
        "refresh_seconds": 30,
    }  # fmt: skip


def test_a_set_may_be_rotated_by_the_gateway_without_a_gap() -> None:
    config = {**URI, "access_token_keyset_seamless_rotate_period": 3600}
    document = translate(service(signer(**config, access_token_signing_algorithm="ES256"))).document
    (section,) = document["signing"]["keys"].values()
    assert section == {"alg": "ES256", "rotate_every_seconds": 3600}
    assert document["own"]["keys"] == "/.well-known/jwks.json"
    held = completed(objects(service(signer(**config, access_token_signing_algorithm="HS256"))))
    translation = translated(held, SETTINGS)
    assert "rotate_every_seconds" not in str(translation.document["signing"])
    assert f"{HERE}access_token_keyset_seamless_rotate_period" in not_exact(translation)
