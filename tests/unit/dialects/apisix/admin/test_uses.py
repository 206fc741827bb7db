from __future__ import annotations

import pytest

from jwtgate.dialects.apisix.admin.calls.replies import Wrong
from jwtgate.dialects.apisix.admin.uses import in_use, must_be_unused

OBJECTS = {
    "routes": {"r": {"upstream_id": 1, "service_id": "s", "plugin_config_id": "p"}},
    "services": {"s": {"upstream_id": "2"}},
}


@pytest.mark.parametrize(
    ("collection", "identity", "sentence"),
    [
        ("upstreams", "1", "can not delete this upstream, route [r] is still using it now"),
        ("upstreams", "2", "can not delete this upstream, service [s] is still using it now"),
        ("services", "s", "can not delete this service directly, route [r] is still using it now"),
        ("plugin_configs", "p", "can not delete this plugin config, route [r] is still using it now"),
    ],
)
def test_what_is_used_is_not_deleted(collection: str, identity: str, sentence: str) -> None:
    with pytest.raises(Wrong) as refused:
        must_be_unused(OBJECTS, collection, identity)
    assert (refused.value.status, refused.value.value) == (400, {"error_msg": sentence})


@pytest.mark.parametrize(("collection", "identity"), [("upstreams", "3"), ("routes", "r"), ("services", "1")])
def test_what_nobody_names_may_go(collection: str, identity: str) -> None:
    must_be_unused(OBJECTS, collection, identity)


def test_others_tell_of_a_use_alike() -> None:
    told = in_use("consumer group,", "consumer", "jack").value
    assert told == {"error_msg": "can not delete this consumer group, consumer [jack] is still using it now"}
