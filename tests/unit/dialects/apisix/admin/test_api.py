from __future__ import annotations

import asyncio
import logging

import pytest
from tests.unit.dialects.apisix.admin.talking import KEY, NODES, Client, settings

from jwtgate.dialects.apisix.admin.api import ApisixAdmin
from jwtgate.dialects.dialect import Call
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
    class Failing(Client):
        pass

    client = Failing()

    async def kept() -> None:
        raise StoreFailed("disk full")

    client.desk.kept = kept  # type: ignore[method-assign, assignment]
    assert client.error("GET", "/routes") == (503, "the store cannot be reached")


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
