from __future__ import annotations

import pytest
from tests.unit.dialects.kong.kong_yml import objects

from jwtgate.config.sections.callers.consumers import ConsumerSection
from jwtgate.dialects.dialect import Meaning
from jwtgate.dialects.kong.callers import callers, native_name
from jwtgate.jose.key import generate_key

PEM = generate_key("ES256").to_pem()
JACK = {
    "username": "jack",
    "custom_id": "c-1",
    "tags": ["t"],
    "jwt_secrets": [{"key": "k", "secret": "short"}, {"key": "e", "algorithm": "ES256", "rsa_public_key": PEM}],
    "keyauth_credentials": [{"key": "a key", "ttl": 5}],
}


def test_a_consumer_brings_its_names_and_credentials_along() -> None:
    (caller,) = callers(objects({"consumers": [JACK]}))
    section = ConsumerSection.model_validate(caller.value)
    assert (caller.name, section.external_id, dict(section.labels)) == ("jack", "c-1", {"username": "jack"})
    assert (section.credentials["k"].secret, section.credentials["k"].alg) == ("short", "HS256")
    assert section.credentials["e"].public_key == PEM
    assert "a key" in [each.api_key for each in section.credentials.values()]


def test_what_was_written_of_it_stands_in_its_annotations() -> None:
    held = objects({"consumers": [JACK]})
    (caller,) = callers(held)
    written = caller.value["annotations"]["kong"]
    assert written["consumer"] == next(iter(held["consumers"].values()))
    assert {each["key"] for each in written["jwt"].values()} == {"k", "e"}
    assert all("consumer" not in each for each in (*written["jwt"].values(), *written["keyauth"].values()))


def test_a_user_name_that_cannot_be_a_name_of_ours_stands_in_a_label_only() -> None:
    for username in ("with blank", 'a"b', "", None):
        assert native_name({"id": "u-1", "username": username}) == "u-1"
    assert native_name({"id": "u-1", "username": "a@b.c"}) == "a@b.c"


def test_secrets_that_look_like_references_stay_what_they_are() -> None:
    (caller,) = callers(
        objects({"consumers": [{"username": "a", "jwt_secrets": [{"key": "k", "secret": "${env:X}"}]}]})
    )
    assert caller.value["credentials"]["k"]["secret"] == "$${env:X}"


def test_every_setting_of_a_consumer_has_a_note() -> None:
    (caller,) = callers(objects({"consumers": [JACK]}))
    notes = {each.place.rpartition("/")[2]: each for each in caller.notes}
    assert notes.keys() == {"username", "custom_id", "tags", "key", "algorithm", "secret", "rsa_public_key", "ttl"}
    assert notes["secret"].dangerous
    assert (notes["ttl"].meaning, notes["key"].meaning) == (Meaning.REFUSED, Meaning.EXACT)


def test_a_credential_nothing_can_be_verified_with_is_left_out_and_noted() -> None:
    secrets = [{"key": "k", "algorithm": "ES256"}, {"key": "x" * 257, "secret": "s"}]
    (caller,) = callers(objects({"consumers": [{"username": "a", "jwt_secrets": secrets}]}))
    assert caller.value["credentials"] == {}
    assert [each.meaning for each in caller.notes if "jwt_secrets" in each.place].count(Meaning.CHANGED) == 2


@pytest.mark.parametrize(
    ("secret", "allowed"),
    [
        ("a-secret-that-is-long-enough-for-hs256", set()),
        ("tR4!x", {"short"}),
        ("s" * 32, {"guessable"}),
        ("secret", {"short", "guessable"}),
    ],
)
def test_no_more_is_allowed_than_the_secret_needs(secret: str, allowed: set[str]) -> None:
    (caller,) = callers(objects({"consumers": [{"username": "a", "jwt_secrets": [{"key": "k", "secret": secret}]}]}))
    held = caller.value["credentials"]["k"]
    assert {name.partition("_")[0] for name in held if name.endswith("_for_legacy_credential")} == allowed
    assert any(each.dangerous for each in caller.notes) == bool(allowed)


def test_nobody_is_called_by_the_id_of_another() -> None:
    other = "5b7b7c4e-6d7d-4d4a-9f4f-111111111111"
    assert native_name({"id": other, "username": "a b"}) == other
    assert native_name({"id": "mine", "username": other}) == "mine"
