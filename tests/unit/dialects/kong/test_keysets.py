from __future__ import annotations

from tests.unit.dialects.kong.kong_yml import objects, service, signer

from jwtgate.dialects.kong.keysets import completed, is_address, made_keyset, named_keysets, rotated
from jwtgate.dialects.kong.signer_fields import ALGORITHMS
from jwtgate.jose.key import Key


def test_a_set_has_a_private_key_for_every_algorithm() -> None:
    keyset = made_keyset("a", 5)
    keys = {jwk["alg"]: Key.from_jwk(jwk) for jwk in keyset["keys"]}
    assert set(keys) == set(ALGORITHMS)
    assert all(key.signs(alg) and key.kid for alg, key in keys.items())
    assert keys["RS256"].bits == 2048
    assert (keyset["name"], keyset["previous"], keyset["created_at"], keyset["updated_at"]) == ("a", [], 5, 5)


def test_rotating_keeps_one_generation_before() -> None:
    first = made_keyset("a", 5)
    second = rotated(first, 9)
    third = rotated(second, 10)
    assert (second["id"], second["previous"], second["updated_at"]) == (first["id"], first["keys"], 9)
    assert third["previous"] == second["keys"]
    assert len({each["kid"] for keyset in (first, second, third) for each in keyset["keys"]}) == 3 * len(ALGORITHMS)


def test_sets_that_plugins_name_are_made_once() -> None:
    given = objects(service(signer(access_token_keyset="mine"), {"name": "jwt"}, route={"name": "a"}))
    made = completed(given)
    assert [keyset["name"] for keyset in made["keysets"].values()] == ["mine"]
    assert completed(made) is made


def test_a_set_is_named_where_something_is_signed_with_it() -> None:
    both = signer(channel_token_upstream_header="X-B", channel_token_keyset="b")
    assert list(named_keysets(objects(service(both)))) == ["kong", "b"]
    assert list(named_keysets(objects(service(signer(access_token_signing=False))))) == []
    assert list(named_keysets(objects(service(signer(access_token_keyset="https://a.b/c"))))) == []


def test_a_set_the_gateway_rotates_itself_is_not_made_here() -> None:
    seamless = {"access_token_keyset_seamless_rotate_period": 60}
    assert list(named_keysets(objects(service(signer(**seamless))))) == []
    secret = signer(**seamless, access_token_signing_algorithm="HS256")
    assert list(named_keysets(objects(service(secret)))) == ["kong"]


def test_an_address_is_no_name() -> None:
    assert is_address("HTTPS://a.b/c")
    assert not is_address("kong")
