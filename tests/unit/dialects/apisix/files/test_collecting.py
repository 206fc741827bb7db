"""Objects of a file put together."""

from __future__ import annotations

import pytest

from jwtgate.dialects.apisix.files.collecting import must_be_known, put
from jwtgate.dialects.dialect import Objects
from jwtgate.errors import ConfigError


def test_no_object_takes_the_place_of_another() -> None:
    objects: Objects = {}
    put(objects, "routes", "a", 1)
    put(objects, "services", "a", 2)
    assert objects == {"routes": {"a": 1}, "services": {"a": 2}}
    with pytest.raises(ConfigError, match="routes/a: is there twice"):
        put(objects, "routes", "a", 3)


def test_a_member_nobody_would_look_at_is_a_mistake() -> None:
    must_be_known("routes", {"uri": 1}, ("uri", "host"))
    with pytest.raises(ConfigError, match="routes: not known here: plugin"):
        must_be_known("routes", {"uri": 1, "plugin": 2}, ("uri", "host"))
    with pytest.raises(ConfigError, match="routes: is no object"):
        must_be_known("routes", [], ("uri",))
