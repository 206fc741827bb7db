from __future__ import annotations

from tests.unit.policy.plans import ACME


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
