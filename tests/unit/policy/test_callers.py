from __future__ import annotations

from tests.unit.policy.plans import ACME

from jwtgate.policy.callers import api_key_name


def test_a_record_is_shown_as_json_of_its_own() -> None:
    members = ACME.members()
    assert members == {
        "name": "acme",
        "id": "c-1",
        "external_id": "ext-1",
        "groups": ["gold", "eu"],
        "labels": {"tier": "1"},
        "attributes": {"plan": {"rate": 9}},
    }
    members["labels"]["tier"] = "2"  # type: ignore[index,call-overload]
    assert ACME.labels == {"tier": "1"}


def test_an_api_key_is_found_by_its_digest_and_not_by_itself() -> None:
    assert api_key_name("ü") == "api-key 607474ca475a9724d7360aba71a56d5df77e61350e3f724cfa1f46e857e2d85f"
