from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st
from tests.unit.dialects.apisix.admin.compiling_desk import CompilingDesk
from tests.unit.dialects.apisix.admin.junk import almost
from tests.unit.dialects.apisix.admin.talking import KEY, NODES, Client, settings

from jwtgate.dialects.apisix.admin.api import ApisixAdmin
from jwtgate.dialects.apisix.admin.resources import RESOURCES
from jwtgate.dialects.apisix.schema.plugins import PLUGINS, Plugin
from jwtgate.dialects.apisix.schema.resources import RESOURCE_SCHEMAS, SECRET_MANAGERS
from jwtgate.dialects.dialect import Call, Caller, Conflict
from jwtgate.state.stores.store import StoreFailed

ROUTE = {"uri": "/headers", "upstream": NODES}


def test_every_answer_has_the_same_fields() -> None:
    for path in ("/routes", "/things", "/routes/1"):
        fields = dict(Client().reply("GET", path).fields)
        assert fields["Content-Type"] == "application/json"
        assert fields["X-API-VERSION"] == "v3"
        assert fields["Access-Control-Allow-Origin"] == "*"


def test_no_page_of_another_origin_may_ask_where_no_key_is_needed() -> None:
    open_to_all = Client(settings=settings(admin_key_required=False))
    for method in ("GET", "OPTIONS"):
        names = [name for name, _ in open_to_all.reply(method, "/routes").fields]
        assert not any(name.startswith("Access-Control") for name in names)


def test_a_browser_may_ask_what_it_may_send() -> None:
    reply = Client().reply("OPTIONS", "/routes", fields=())
    assert reply.status == 200
    assert "PUT" in dict(reply.fields)["Access-Control-Allow-Methods"]


def test_the_prefix_answers_a_head() -> None:
    assert Client().reply("HEAD", "").status == 200
    assert Client().reply("HEAD", "/routes").status == 404


def test_what_lies_elsewhere_is_not_found() -> None:
    reply = asyncio.run(Client().admin.answer(Call("GET", "/other", fields=(("x-api-key", KEY),))))
    assert (reply.status, reply.body) == (404, b'{"error_msg":"404 Route Not Found"}\n')
    assert Client().error("GET", "") == (404, "not found")
    assert Client().error("LINK", "/routes") == (404, "not found")


def test_a_body_that_cannot_be_read_is_refused() -> None:
    assert Client().reply("PUT", "/routes/1", b"{").status == 400
    assert Client().reply("GET", "/routes", b"{").status == 200


@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/routes/1", "/consumers/jack", "/configs"])
def test_what_comes_from_a_file_is_changed_there(method: str, path: str) -> None:
    client = Client(is_declarative=True)
    client.desk.objects = {"routes": {"1": ROUTE}}
    assert client.error(method, path, ROUTE)[0] == 405
    assert client("GET", "/routes/1")[1]["value"] == ROUTE
    assert client("POST", "/schema/validate/routes", ROUTE)[0] == 200
    assert client.desk.objects == {"routes": {"1": ROUTE}}


def test_a_store_that_fails_is_not_the_callers_fault() -> None:
    client = Client()

    async def kept() -> None:
        raise StoreFailed("disk full")

    client.desk.kept = kept  # type: ignore[method-assign, assignment]
    assert client.error("GET", "/routes") == (503, "the store cannot be reached")


def test_who_comes_second_is_told_so() -> None:
    client = Client()

    async def put_caller(caller: Caller, *, who: str) -> None:
        raise Conflict("somebody else was faster")

    client.desk.put_caller = put_caller  # type: ignore[method-assign]
    assert client.error("PUT", "/consumers", {"username": "jack"}) == (409, "somebody else was faster")


def test_a_missing_key_is_told_of_when_it_begins(caplog: pytest.LogCaptureFixture) -> None:
    def events(admin: ApisixAdmin) -> list[str]:
        async def begun() -> None:
            task = asyncio.create_task(admin.tend())
            await asyncio.sleep(0)
            task.cancel()

        caplog.clear()
        with caplog.at_level(logging.WARNING, "jwtgate.process"):
            asyncio.run(begun())
        return [record.message for record in caplog.records]

    assert events(Client(settings=settings(admin_keys=())).admin) == ["admin_key_missing"]
    assert events(Client().admin) == []


NOT_TO_SAY = ("id", "create_time", "update_time")


def _named(name: str, plugin: Plugin) -> dict[str, st.SearchStrategy[Any]]:
    schema = (
        plugin.consumer_schema if name in ("consumers", "credentials") and plugin.consumer_schema else plugin.schema
    )
    return {plugin.name: almost(schema)}


@st.composite
def objects(draw: st.DrawFn, name: str) -> Any:
    """An object of a collection, or almost, with plugins that are almost configured."""
    value = draw(
        almost(draw(st.sampled_from(list(SECRET_MANAGERS.values()))) if name == "secrets" else RESOURCE_SCHEMAS[name])
    )
    if not isinstance(value, dict):
        return value
    if not draw(st.sampled_from([False] * 9 + [True])):
        value = {member: each for member, each in value.items() if member not in NOT_TO_SAY}
    if name in ("secrets", "ssls", "upstreams"):
        return value
    plugins: dict[str, st.SearchStrategy[Any]] = {}
    for plugin in draw(st.sets(st.sampled_from(list(PLUGINS)), max_size=2)):
        plugins |= _named(name, PLUGINS[plugin])
    return {**value, "plugins": draw(st.fixed_dictionaries(plugins))} if plugins else value


def _status(client: Client, method: str, path: str, value: object = None) -> int:
    return client.reply(method, path, b"" if value is None else json.dumps(value).encode()).status


@pytest.mark.parametrize("name", [*RESOURCES])
@given(data=st.data())
@settings_of_hypothesis(max_examples=25, deadline=None)
def test_no_object_is_more_than_the_callers_fault(name: str, data: st.DataObject) -> None:
    client = Client(desk=CompilingDesk())
    client.desk.objects = {others: {"1": {"plugins": {}}} for others in ("plugin_configs", "consumer_groups")}
    client.made("/upstreams/1", NODES)
    client.made("/services/1", {"upstream_id": "1"})
    client.made("/consumers", {"username": "jack"})
    path = {"credentials": "/consumers/jack/credentials", "secrets": "/secrets/vault"}.get(name, f"/{name}")
    method = data.draw(st.sampled_from(["PUT", "POST", "PATCH"]))
    place = path + data.draw(st.sampled_from(["/1", "", "/1/plugins/jwt-auth", "/jack"]))
    value = data.draw(objects(name))
    assert _status(client, method, place, value) in (200, 201, 400, 404, 405)
    change = data.draw(objects(name))
    assert _status(client, "PATCH", f"{path}/1", change) in (200, 400, 404, 405)
    assert _status(client, "GET", path) in (200, 404)
    assert _status(client, "POST", f"/schema/validate/{name}", value) in (200, 400)
    assert _status(client, "DELETE", f"{path}/1") in (200, 400, 404)


@given(path=st.text(max_size=30), query=st.text(max_size=30), body=st.binary(max_size=30), cookie=st.text(max_size=30))
@settings_of_hypothesis(max_examples=200, deadline=None)
def test_no_call_is_more_than_the_callers_fault(path: str, query: str, body: bytes, cookie: str) -> None:
    fields = (("x-api-key", KEY), ("cookie", cookie))
    for method in ("GET", "PUT", "POST", "PATCH", "DELETE"):
        reply = Client().reply(method, f"/{path.partition('?')[0]}?{query}", body, fields=fields)
        assert reply.status in (200, 201, 400, 404, 405)
