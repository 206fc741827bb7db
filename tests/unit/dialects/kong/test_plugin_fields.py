from __future__ import annotations

from typing import Any

import pytest

from jwtgate.dialects.kong.entities import completed
from jwtgate.dialects.kong.fields import SchemaViolation
from jwtgate.dialects.kong.plugin_fields import AUTHENTICATES, PLUGINS


def complaint(plugin: str, **config: Any) -> str:
    with pytest.raises(SchemaViolation) as caught:
        completed("plugins", {"name": plugin, "config": config})
    return caught.value.message


def test_plugins_that_say_who_the_caller_is_run_in_kongs_order() -> None:
    assert sorted(PLUGINS, key=lambda name: -PLUGINS[name].priority)[:3] == list(AUTHENTICATES)
    assert {name for name, plugin in PLUGINS.items() if not plugin.of_consumer} == set(AUTHENTICATES)


def test_a_longest_life_needs_exp_to_be_verified() -> None:
    failed = "failed conditional validation given value of field 'maximum_expiration'"
    wanted = f"2 schema violations ({failed}; config.claims_to_verify: expected to contain: exp)"
    assert complaint("jwt", maximum_expiration=5) == wanted
    assert complaint("jwt", maximum_expiration=5, claims_to_verify=["nbf"]) == wanted
    assert completed("plugins", {"name": "jwt", "config": {"maximum_expiration": 5, "claims_to_verify": ["exp"]}})


def test_a_longest_life_is_at_most_a_year() -> None:
    wanted = "schema violation (config.maximum_expiration: value should be between 0 and 31536000)"
    assert complaint("jwt", maximum_expiration=-1) == wanted
    assert complaint("jwt", maximum_expiration=31536001, claims_to_verify=["exp"]) == wanted
    assert "claims_to_verify.1: expected one of: exp, nbf" in complaint("jwt", claims_to_verify=["iat"])


def test_the_parts_of_an_edit_are_there_unless_given() -> None:
    config = completed("plugins", {"name": "request-transformer", "config": {"add": {"headers": ["a:b"]}}})["config"]
    assert config["add"] == {"body": [], "headers": ["a:b"], "querystring": []}
    assert config["replace"] == {"body": [], "headers": [], "querystring": [], "uri": None}
    assert "config.add.x: unknown field" in complaint("request-transformer", add={"x": 1})
