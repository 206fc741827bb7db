from __future__ import annotations

import asyncio

from tests.unit.dialects.apisix.admin.talking import NODES, Client

ROUTE = {"uri": "/headers", "upstream": NODES}
MISSING = (404, {"message": "Key not found"})


async def tended(client: Client) -> None:
    task = asyncio.create_task(client.admin.tend())
    for _ in range(20):
        await asyncio.sleep(0)
    task.cancel()


def test_what_was_to_live_for_a_time_is_gone_then() -> None:
    client = Client()
    for path, value in (
        ("/routes/1", ROUTE),
        ("/consumers/jack", {"username": "jack"}),
        ("/consumers/rose", {"username": "rose"}),
        ("/consumers/rose/credentials/c", {"plugins": {"key-auth": {"key": "a"}}}),
    ):
        assert client("PUT", path + ("" if path.endswith("rose") else "?ttl=10"), value)[0] == 201
    client.now += 9
    asyncio.run(tended(client))
    assert client("GET", "/routes/1")[0] == client("GET", "/consumers/jack")[0] == 200
    client.now += 1
    asyncio.run(tended(client))
    assert client("GET", "/routes/1") == client("GET", "/consumers/jack") == MISSING
    assert client("GET", "/consumers/rose/credentials/c") == MISSING
    assert client("GET", "/consumers/rose")[0] == 200
    assert client.desk.objects["marks"] == {}


def test_what_is_written_again_lives_on() -> None:
    client = Client()
    for query in ("?ttl=10", ""):
        client("PUT", f"/routes/1{query}", ROUTE)
        client("PUT", f"/consumers/jack{query}", {"username": "jack"})
    client.now += 20
    asyncio.run(tended(client))
    assert client("GET", "/routes/1")[0] == client("GET", "/consumers/jack")[0] == 200


def test_the_end_of_what_is_gone_already_is_forgotten() -> None:
    client = Client()
    client("PUT", "/consumers/jack", {"username": "jack"})
    client("PUT", "/consumers/jack/credentials/c?ttl=10", {"plugins": {"key-auth": {"key": "a"}}})
    client("DELETE", "/consumers/jack")
    client.now += 20
    asyncio.run(tended(client))
    assert client.desk.objects["marks"] == {}


def test_what_cannot_go_stays_and_is_not_tried_again() -> None:
    client = Client()
    client("PUT", "/routes/1?ttl=10", ROUTE)
    client.now += 20
    client.desk.refusal = "something needs it"
    asyncio.run(tended(client))
    client.desk.refusal = None
    asyncio.run(tended(client))
    assert client("GET", "/routes/1")[0] == 200


def test_a_ttl_is_a_number() -> None:
    for path in ("/routes/1", "/consumers/jack", "/consumers/jack/credentials/c"):
        told = Client().error("PUT", f"{path}?ttl=soon", {})
        assert told == (400, "invalid argument ttl: should be a number")


def test_a_collection_nobody_knows_is_told_of() -> None:
    assert Client().error("GET", "/things") == (404, "Unsupported resource type: things")
    assert Client().error("GET", "/credentials") == (404, "Unsupported resource type: ")


def test_what_is_deleted_has_to_be_named() -> None:
    client = Client()
    assert client.error("DELETE", "/routes") == (400, "missing route id")
    assert client.error("DELETE", "/consumers") == (400, "missing consumer id")
    assert client.error("DELETE", "/consumers/jack/credentials") == (400, "missing credential id")
