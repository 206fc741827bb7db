from __future__ import annotations

import pytest
from tests.unit.dialects.wso2.tokens.told import given

from jwtgate.dialects.wso2.tokens.given import Given, tenant_of, with_tenant, without_tenant
from jwtgate.errors import ConfigError


def test_what_a_document_holds_is_read() -> None:
    found = Given.parse(
        {"profile": "v2", "prefix": "", "claims": ["a"], "generators": ["x:Y", "x:Y"], "excluded": ["z"]}
    )
    assert (found.claims, found.generators, found.excluded) == (("a",), ("x:Y", "x:Y"), ("z",))


@pytest.mark.parametrize("members", [{}, {"profile": "v2", "prefix": "", "claims": [], "nothing": 1}])
def test_anything_else_is_refused(members: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="and nothing else"):
        Given.parse(members)


def test_users_have_tenants() -> None:
    assert [tenant_of(name) for name in ("a", "a@b", "a@b@c")] == ["carbon.super", "b", "c"]
    assert [with_tenant(name) for name in ("a", "a@b")] == ["a@carbon.super", "a@b"]
    assert [without_tenant(name) for name in ("a", "a@b", "a@b@c")] == ["a", "a", "a@b"]


def test_tenants_have_numbers() -> None:
    assert given().tenant_id("carbon.super") == -1234
    assert given(tenants={"carbon.super": -1, "t": 7}).tenant_id("carbon.super") == -1
    assert given(tenants={"t": 7}).tenant_id("t") == 7
    assert given().tenant_id("t") is None
