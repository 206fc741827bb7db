from __future__ import annotations

import pytest

from jwtgate.dialects.couper.reading.error_kinds import ALLOWED, BUILT_IN, WILDCARD, lineage


@pytest.mark.parametrize("kind", sorted(BUILT_IN))
def test_what_is_built_in_belongs_to_jwt_and_that_to_access_controls(kind: str) -> None:
    assert lineage(kind) == (kind, "jwt", "access_control")
    assert kind in ALLOWED["jwt"]
    assert kind not in ALLOWED["endpoint"]


def test_a_missing_permission_belongs_to_access_controls_and_to_endpoints() -> None:
    assert lineage("insufficient_permissions") == ("insufficient_permissions", "access_control")
    assert "insufficient_permissions" in ALLOWED["api"]
    assert "insufficient_permissions" not in ALLOWED["jwt"]


def test_a_kind_of_nothing_is_alone() -> None:
    assert lineage("evaluation") == ("evaluation",)
    assert all(WILDCARD not in kinds for kinds in ALLOWED.values())
