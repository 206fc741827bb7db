from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.dialects.apisix.admin.talking import KEY, Client, settings

from jwtgate.dialects.apisix.settings import AdminKey
from jwtgate.errors import ConfigError

VIEWER = (AdminKey("viewer", KEY, "viewer"),)


def told(asked: Client, method: str = "GET", path: str = "/routes", **members: Any) -> tuple[int, Any]:
    reply = asked.reply(method, path, **{"fields": ()} | members)
    return reply.status, json.loads(reply.body).get("description")


@pytest.mark.parametrize(
    "members",
    [
        {"fields": (("x-api-key", KEY),)},
        {"fields": (("cookie", f"a[b]=c; x_api_key={KEY}"),)},
        {"path": f"/routes?api_key={KEY}"},
    ],
)
def test_a_key_may_stand_in_a_field_a_cookie_or_the_query(members: dict[str, Any]) -> None:
    assert told(Client(), **members) == (200, None)


def test_a_call_without_a_key_or_with_a_wrong_one_is_refused() -> None:
    assert told(Client()) == (401, "missing apikey")
    assert told(Client(), fields=(("x-api-key", KEY + "x"),)) == (401, "wrong apikey")
    assert told(Client(), fields=(("x-api-key", ""),)) == (401, "wrong apikey")
    assert told(Client(), fields=(("cookie", f"a=x_api_key={KEY}"),)) == (401, "missing apikey")


def test_the_query_counts_before_the_field() -> None:
    assert told(Client(), path="/routes?api_key=wrong", fields=(("x-api-key", KEY),)) == (401, "wrong apikey")


def test_nobody_may_come_where_no_key_was_set() -> None:
    client = Client(settings=settings(admin_keys=()))
    for key in ("", KEY, "edd1c9f034335f136f87ad84b625c8f1"):
        assert told(client, fields=(("x-api-key", key),)) == (401, "wrong apikey")


def test_a_viewer_may_look_and_nothing_else() -> None:
    client = Client(settings=settings(admin_keys=VIEWER))
    fields = (("x-api-key", KEY),)
    assert told(client, fields=fields) == (200, None)
    assert told(client, "PUT", fields=fields) == (401, "invalid method for role viewer")


def test_everybody_may_come_where_no_key_is_needed() -> None:
    assert told(Client(settings=settings(admin_key_required=False))) == (200, None)


def test_only_permitted_addresses_may_come() -> None:
    fields = (("x-api-key", KEY),)
    assert told(Client(), client="10.0.0.1", fields=fields)[0] == 403
    assert told(Client(), client="", fields=fields)[0] == 403
    assert told(Client(settings=settings(allow_admin=("10.0.0.0/8",))), client="10.0.0.1", fields=fields)[0] == 200
    mapped = told(Client(settings=settings(allow_admin=("10.0.0.0/8",))), client="::ffff:10.0.0.1", fields=fields)
    assert mapped[0] == 200
    assert told(Client(settings=settings(allow_admin=())), client="10.0.0.1", fields=fields)[0] == 200


def test_a_network_that_is_none_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="allow_admin"):
        Client(settings=settings(allow_admin=("10.0.0.0/99",)))
